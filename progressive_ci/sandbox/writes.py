"""Create, replace and patch, with every precondition that the API server honours."""

from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.sandbox import (
    defaults,
    documents,
    json_patch,
    managed,
    scale,
    server_side_apply,
    status,
    validation,
)
from progressive_ci.sandbox.call import Answer, Call, Target
from progressive_ci.sandbox.json_patch import clone
from progressive_ci.sandbox.omissions import stored
from progressive_ci.sandbox.reads import demanded, shown
from progressive_ci.sandbox.store import Store, count_generation

CONDITIONAL = frozenset({"Lease", "PodDisruptionBudget"})
"""Built-in kinds whose replacement must name the version that it rests on; so must that of custom ones."""


CREATED_BY_PUT = frozenset(
    {"Lease", "Service", "Event", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"}
)
"""Kinds whose replacement creates what does not exist."""


def create(store: Store, call: Call, place: Target) -> Answer:
    """POST to a collection."""
    obj = documents.read(call, place)
    metadata = obj["metadata"]
    if metadata.get("resourceVersion"):
        raise status.failure(500, "", "resourceVersion should not be set on objects to be created")
    if metadata.get("generateName") and not metadata.get("name"):
        metadata["name"] = metadata["generateName"] + store.suffix()
    for field in ("uid", "creationTimestamp", "generation", "deletionTimestamp", "managedFields", "selfLink"):
        metadata.pop(field, None)
    _demand_namespace(store, place)
    if place.resource.status:
        obj.pop("status", None)
    first = defaults.first_status(place.kind)
    if first is not None:
        obj["status"] = clone(first)
    _complete(store, place, obj)
    validation.check(place.resource, obj, None)
    if store.get(place.kind, place.namespace, metadata["name"]) is not None:
        raise status.already_exists(place.kind, metadata["name"])
    managed.note(obj, None, call, store.timestamp())
    if call.dry:
        metadata.update(uid=store.new_uid(), creationTimestamp=store.timestamp())
        count_generation(place.kind, obj, None)
        return Answer(201, shown(place, obj))
    return Answer(201, shown(place, store.insert(place.kind, obj)))


def replace(store: Store, call: Call, place: Target) -> Answer:
    """PUT of an object, or of its status or scale."""
    if place.subresource == "scale":
        return _scale(store, call, place, call.body)
    obj = documents.read(call, place)
    if obj["metadata"].get("name") != place.name:
        raise status.bad_request(
            f"the name of the object ({obj['metadata'].get('name')}) does not match the name on the URL"
            f" ({place.name})"
        )
    if not place.subresource and place.kind.name in CREATED_BY_PUT and store.find(place.ref) is None:
        return create(store, call, place)
    before = demanded(store, place)
    _preconditions(place, obj, before)
    return _update(store, call, place, obj)


def _preconditions(place: Target, obj: JsonObject, before: JsonObject) -> None:
    metadata = obj["metadata"]
    uid, found = metadata.get("uid"), before["metadata"]["uid"]
    if uid and uid != found:
        why = (
            f"StorageError: invalid object, Code: 4, Key: {_key(place)}, ResourceVersion: 0, AdditionalErrorMsg:"
            f" Precondition failed: UID in precondition: {uid}, UID in object meta: {found}"
        )
        raise status.conflict(place.kind, place.name, why)
    version = metadata.get("resourceVersion")
    if not version and (place.resource.custom or place.kind.name in CONDITIONAL):
        raise status.version_required(place.kind, place.name)
    if version and version != before["metadata"]["resourceVersion"]:
        raise status.conflict(place.kind, place.name)


def _key(place: Target) -> str:
    """Where the API server keeps an object."""
    resource = f"{place.kind.group}/{place.kind.plural}" if place.resource.custom else place.kind.plural
    return f"/registry/{resource}/{place.namespace}/{place.name}"


def patch(store: Store, call: Call, place: Target) -> Answer:
    """PATCH of an object, or of its status or scale."""
    if call.content_type == server_side_apply.CONTENT_TYPE:
        return _apply(store, call, place)
    before = demanded(store, place)
    if place.subresource == "scale":
        return _scale(store, call, place, _patched(call, scale.of(before)))
    obj = _patched(call, shown(place, before))
    metadata = obj.get("metadata")
    if not isinstance(metadata, dict) or metadata.get("name") != place.name:
        name = metadata.get("name") if isinstance(metadata, dict) else ""
        raise status.bad_request(
            f"the name of the object ({name}) does not match the name on the URL ({place.name})"
        )
    if metadata.get("resourceVersion") not in (None, "", before["metadata"]["resourceVersion"]):
        raise status.conflict(place.kind, place.name)
    return _update(store, call, place, obj)


def _patched(call: Call, document: JsonObject) -> JsonObject:
    try:
        match call.content_type:
            case "application/json-patch+json":
                return json_patch.apply(document, call.body)
            case "application/merge-patch+json":
                if not isinstance(call.body, dict):
                    raise status.bad_request("a merge patch is an object")
                return dict(json_patch.merge(document, call.body))
            case _:
                raise status.unsupported_patch()
    except json_patch.PatchMalformed as malformed:
        raise status.bad_request(str(malformed)) from None
    except json_patch.PatchRefused:
        raise status.patch_refused() from None


def _apply(store: Store, call: Call, place: Target) -> Answer:
    applied = documents.read(call, place)
    if not call.query.get("fieldManager"):
        raise status.manager_required()
    before = store.find(place.ref)
    applied["metadata"].setdefault("name", place.name)
    if before is None:
        return create(store, call, place)
    obj = server_side_apply.merged(clone(before), applied)
    return _update(store, call, place, obj)


def _scale(store: Store, call: Call, place: Target, wanted: object) -> Answer:
    before = demanded(store, place)
    if not isinstance(wanted, dict):
        raise status.bad_request("the body is not a Scale")
    version = wanted.get("metadata", {}).get("resourceVersion")
    if version and version != before["metadata"]["resourceVersion"]:
        raise status.conflict(place.kind, place.name)
    replicas = (wanted.get("spec") or {}).get("replicas", 0)
    obj = {**clone(before), "spec": {**clone(before["spec"]), "replicas": replicas}}
    answer = _update(
        store, call, Target(place.resource, place.version, place.namespace, place.name, "", ""), obj
    )
    assert isinstance(answer.body, dict)  # noqa: S101 - an update answers an object
    return Answer(answer.code, scale.of(answer.body))


def _update(store: Store, call: Call, place: Target, obj: JsonObject) -> Answer:
    """Store what is left of a change once everything is taken out that this path may not change."""
    before = demanded(store, place)
    obj = _own_part(place, obj, before)
    _complete(store, place, obj)
    validation.check(place.resource, obj, before)
    if _content(obj) == _content(before) and managed.of(obj) == managed.of(before):
        return Answer(200, shown(place, before))
    managed.note(obj, before, call, store.timestamp())
    if call.dry:
        count_generation(place.kind, obj, before)
        return Answer(200, shown(place, obj))
    return Answer(200, shown(place, store.write(place.kind, obj)))


_SERVERS_FIELDS = (
    "uid",
    "creationTimestamp",
    "generation",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "managedFields",
    "resourceVersion",
)


def _own_part(place: Target, obj: JsonObject, before: JsonObject) -> JsonObject:
    if place.subresource == "status":
        kept = clone(before)
        if "status" in obj:
            kept["status"] = obj["status"]
        if place.kind is kinds.DEPLOYMENT and obj["metadata"].get("annotations"):
            kept["metadata"]["annotations"] = obj["metadata"]["annotations"]
        return dict(kept)
    wanted = managed.given(obj)
    obj = stored(obj, custom=place.resource.custom)
    if place.resource.status:
        obj.pop("status", None)
        if "status" in before:
            obj["status"] = clone(before["status"])
    for field in _SERVERS_FIELDS:
        obj["metadata"].pop(field, None)
        if field in before["metadata"]:
            obj["metadata"][field] = clone(before["metadata"][field])
    if wanted is not None:
        obj["metadata"]["managedFields"] = wanted
    return dict(obj)


def _content(obj: JsonObject) -> JsonObject:
    metadata = {
        key: value
        for key, value in obj["metadata"].items()
        if key not in {"managedFields", "resourceVersion"}
    }
    return {**obj, "metadata": metadata}


def _complete(store: Store, place: Target, obj: JsonObject) -> None:
    obj["apiVersion"], obj["kind"] = place.kind.api_version, place.kind.name
    metadata = obj["metadata"]
    for field in ("labels", "annotations", "finalizers", "ownerReferences"):
        if field in metadata and not metadata[field]:
            del metadata[field]
    if place.kind.namespaced:
        metadata["namespace"] = place.namespace
    defaults.fill(place.kind, obj)
    if place.kind is kinds.SERVICE:
        _give_address(store, obj["spec"])


def _give_address(store: Store, spec: JsonObject) -> None:
    if spec.get("type") != "ExternalName" and not spec.get("clusterIP"):
        spec["clusterIP"] = store.next_address("10.96")
    if spec.get("clusterIP"):
        spec["clusterIPs"] = [spec["clusterIP"]]


def _demand_namespace(store: Store, place: Target) -> None:
    if not place.kind.namespaced:
        return
    found = store.get(kinds.NAMESPACE, "", place.namespace)
    if found is None:
        raise status.not_found(kinds.NAMESPACE, place.namespace)
    if found["metadata"].get("deletionTimestamp"):
        raise status.forbidden("", "create", (place.kind, "", place.namespace, ""))
