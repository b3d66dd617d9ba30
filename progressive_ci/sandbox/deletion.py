"""Delete: preconditions, propagation policies, finalizers and the grace period of pods."""

from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import Kind
from progressive_ci.sandbox import status
from progressive_ci.sandbox.call import Answer, Call, Target
from progressive_ci.sandbox.json_patch import clone
from progressive_ci.sandbox.reads import demanded, list_, shown
from progressive_ci.sandbox.store import Store

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"


def delete(store: Store, call: Call, place: Target) -> Answer:
    """DELETE of one object."""
    options = _options(call)
    found = demanded(store, place)
    _preconditions(place, options, found)
    left = found if call.dry else begin(store, place.kind, found, options)
    if place.resource.returned or (left is not None and not call.dry):
        return Answer(200, shown(place, left or found))
    return Answer(200, status.success(place.kind, place.name, found["metadata"]["uid"]))


def delete_collection(store: Store, call: Call, place: Target) -> Answer:
    """DELETE of everything that the selectors match."""
    answer = list_(store, call, place)
    assert isinstance(answer.body, dict)  # noqa: S101 - a list answers an object
    for item in answer.body["items"]:
        found = store.get(place.kind, item["metadata"].get("namespace", ""), item["metadata"]["name"])
        if found is not None and not call.dry:
            begin(store, place.kind, found, _options(call))
    return answer


def _options(call: Call) -> JsonObject:
    """The body's, or else the query's; never both."""
    return dict(call.body) if isinstance(call.body, dict) else dict(call.query)


def _preconditions(place: Target, options: JsonObject, found: JsonObject) -> None:
    wanted = options.get("preconditions") or {}
    metadata = found["metadata"]
    uid, version = wanted.get("uid"), wanted.get("resourceVersion")
    if uid and uid != metadata["uid"]:
        why = (
            f"the UID in the precondition ({uid}) does not match the UID in record ({metadata['uid']})."
            " The object might have been deleted and then recreated"
        )
        raise status.precondition(place.kind, place.name, why)
    if version and version != metadata["resourceVersion"]:
        why = (
            f"the ResourceVersion in the precondition ({version}) does not match the ResourceVersion in record"
            f" ({metadata['resourceVersion']}). The object might have been modified"
        )
        raise status.precondition(place.kind, place.name, why)


def begin(store: Store, kind: Kind, found: JsonObject, options: JsonObject) -> JsonObject | None:
    """Delete an object, or mark it when something still has to happen first; None when it is gone."""
    obj: JsonObject = clone(found)
    metadata = obj["metadata"]
    finalizers = list(metadata.get("finalizers") or ())
    marker = {"Foreground": FOREGROUND, "Orphan": ORPHAN}.get(options.get("propagationPolicy", ""))
    if marker and marker not in finalizers:
        finalizers.append(marker)
    grace = _grace(kind, found, options)
    if not finalizers and not grace:
        store.drop(kind, obj)
        return None
    metadata.setdefault("deletionTimestamp", store.timestamp())
    metadata["deletionGracePeriodSeconds"] = grace
    if finalizers:
        metadata["finalizers"] = finalizers
    return store.write(kind, obj)


def _grace(kind: Kind, found: JsonObject, options: JsonObject) -> int:
    """Seconds that a running pod gets; others none."""
    if kind is not kinds.POD or not found["spec"].get("nodeName"):
        return 0
    asked = options.get("gracePeriodSeconds")
    return int(found["spec"].get("terminationGracePeriodSeconds", 30) if asked is None else asked)
