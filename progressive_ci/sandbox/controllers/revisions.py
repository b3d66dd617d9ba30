"""Which ReplicaSet of a Deployment is the new one, and which revision each of them is."""

import hashlib
import json
from functools import lru_cache
from typing import Any

from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import DEPLOYMENT, REPLICA_SET
from progressive_ci.sandbox.controllers import sizes
from progressive_ci.sandbox.controllers.claims import controller_of, reference
from progressive_ci.sandbox.json_patch import clone
from progressive_ci.sandbox.store import Store

HASH = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
HISTORY = "deployment.kubernetes.io/revision-history"
APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
OWN = frozenset({REVISION, HISTORY, sizes.DESIRED, sizes.MAX, APPLIED, "deprecated.deployment.rollback.to"})
"""Annotations that a Deployment does not hand down."""

_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_LONGEST_NAME = 253


def same_template(one: JsonObject, other: JsonObject) -> bool:
    """Whether two pod templates are equal without the hash label."""
    return _bare(one) == _bare(other)


def _bare(template: JsonObject) -> str:
    return _bare_text(json.dumps(template))


@lru_cache(maxsize=512)
def _bare_text(text: str) -> str:
    """A template in one spelling, without the hash label and without what is empty."""
    template = json.loads(text)
    (template.get("metadata") or {}).get("labels", {}).pop(HASH, None)
    return json.dumps(_dense(template), sort_keys=True)


def _dense(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """A value without what is empty: the API server holds both for equal."""
    if isinstance(value, dict):
        dense = {key: _dense(each) for key, each in value.items()}
        return {key: each for key, each in dense.items() if each not in (None, {}, [], "")}
    if isinstance(value, list):
        return [_dense(each) for each in value]
    return value


def template_hash(template: JsonObject, collisions: int = 0) -> str:
    """The hash that a Deployment names its ReplicaSets by."""
    text = _bare(template) + str(collisions or "")
    digest = int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big")
    return "".join(_LETTERS[digest // len(_LETTERS) ** at % len(_LETTERS)] for at in range(9))


def newest(deployment: JsonObject, sets: list[JsonObject]) -> JsonObject | None:
    """The set with the Deployment's template; of several the oldest."""
    template = deployment["spec"]["template"]
    fitting = [each for each in sets if same_template(each["spec"]["template"], template)]
    return min(fitting, key=age, default=None)


def age(obj: JsonObject) -> tuple[str, str]:
    """Sorts older objects to the front."""
    return obj["metadata"]["creationTimestamp"], obj["metadata"]["name"]


def revision(obj: JsonObject) -> int:
    """An object's revision, 0 for none."""
    return int((obj["metadata"].get("annotations") or {}).get(REVISION, 0))


def keep_up(store: Store, deployment: JsonObject, new: JsonObject, old: list[JsonObject]) -> JsonObject:
    """Give the new set the highest revision and the Deployment's annotations and patience."""
    wanted = max((revision(each) for each in old), default=0) + 1
    changed: JsonObject = clone(new)
    annotations = changed["metadata"].setdefault("annotations", {})
    annotations |= _handed_down(deployment)
    if revision(changed) < wanted:
        if REVISION in annotations:
            history = [annotations[HISTORY]] if HISTORY in annotations else []
            annotations[HISTORY] = ",".join([*history, annotations[REVISION]])
        annotations[REVISION] = str(wanted)
    patience = deployment["spec"].get("minReadySeconds")
    if (changed["spec"].get("minReadySeconds") or 0) != (patience or 0):
        changed["spec"]["minReadySeconds"] = patience or 0
    return new if changed == new else store.write(REPLICA_SET, changed)


def _handed_down(deployment: JsonObject) -> dict[str, str]:
    annotations = deployment["metadata"].get("annotations") or {}
    return {key: value for key, value in annotations.items() if key not in OWN}


def create(store: Store, deployment: JsonObject, old: list[JsonObject]) -> JsonObject | None:
    """Make the new set; None when its name is taken by another one."""
    metadata, spec = deployment["metadata"], deployment["spec"]
    hashed = template_hash(spec["template"], sizes.counted(deployment, "collisionCount"))
    name = f"{metadata['name'][: _LONGEST_NAME - len(hashed) - 1]}-{hashed}"
    known = store.get(REPLICA_SET, metadata["namespace"], name)
    if known is not None:
        owner = controller_of(known)
        return known if owner and owner["uid"] == metadata["uid"] else None
    template = clone(spec["template"])
    labels = {**((template.get("metadata") or {}).get("labels") or {}), HASH: hashed}
    template.setdefault("metadata", {})["labels"] = labels
    selector = clone(spec["selector"])
    selector.setdefault("matchLabels", {})[HASH] = hashed
    new: JsonObject = {
        "apiVersion": REPLICA_SET.api_version,
        "kind": REPLICA_SET.name,
        "metadata": {
            "name": name,
            "namespace": metadata["namespace"],
            "labels": dict(labels),
            "annotations": _first_annotations(deployment, old),
            "ownerReferences": [reference(DEPLOYMENT, deployment)],
        },
        "spec": {"replicas": 0, "selector": selector, "template": template},
    }
    if spec.get("minReadySeconds"):
        new["spec"]["minReadySeconds"] = spec["minReadySeconds"]
    new["spec"]["replicas"] = sizes.new_size(deployment, new, [*old, new])
    return store.insert(REPLICA_SET, new)


def _first_annotations(deployment: JsonObject, old: list[JsonObject]) -> dict[str, str]:
    return {
        **_handed_down(deployment),
        REVISION: str(max((revision(each) for each in old), default=0) + 1),
        **size_annotations(deployment),
    }


def size_annotations(deployment: JsonObject) -> dict[str, str]:
    """What the Deployment's size was when it last scaled a set."""
    size = sizes.wished(deployment)
    return {sizes.DESIRED: str(size), sizes.MAX: str(size + sizes.surge(deployment))}
