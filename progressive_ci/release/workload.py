"""How Deployments, ReplicaSets, Pods, Services and EndpointSlices are read. Pure."""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from progressive_ci.model.document import JsonObject

HASH_LABEL = "pod-template-hash"
DESIRED = "deployment.kubernetes.io/desired-replicas"
REVISION = "deployment.kubernetes.io/revision"

_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_HASH_LENGTH = 10
_LONGEST_NAME = 253


def name_of(item: JsonObject) -> str:
    """`metadata.name`."""
    return str(item["metadata"]["name"])


def uid_of(item: JsonObject) -> str:
    """`metadata.uid`."""
    return str(item["metadata"]["uid"])


def labels_of(item: JsonObject) -> dict[str, str]:
    """`metadata.labels`, empty where there are none."""
    return dict(item["metadata"].get("labels") or {})


def annotations_of(item: JsonObject) -> dict[str, str]:
    """`metadata.annotations`, empty where there are none."""
    return dict(item["metadata"].get("annotations") or {})


def selector_text(selector: JsonObject) -> str:
    """A label selector as the API's query parameter writes it."""
    parts = [f"{key}={value}" for key, value in (selector.get("matchLabels") or {}).items()]
    for rule in selector.get("matchExpressions") or ():
        key, operator, values = rule["key"], rule["operator"], ",".join(rule.get("values") or ())
        written = {"Exists": key, "DoesNotExist": f"!{key}"}
        parts.append(written.get(operator) or f"{key} {operator.lower()} ({values})")
    return ",".join(parts)


def without_hash(template: JsonObject) -> JsonObject:
    """A pod template as the Deployment holds it: without the label that tells its ReplicaSets apart."""
    metadata = dict(template.get("metadata") or {})
    labels = {key: value for key, value in (metadata.get("labels") or {}).items() if key != HASH_LABEL}
    metadata.pop("creationTimestamp", None)
    return {**template, "metadata": {**metadata, "labels": labels}}


def with_hash(template: JsonObject, revision: str) -> JsonObject:
    """A pod template as a ReplicaSet holds it."""
    plain = without_hash(template)
    labels = {**plain["metadata"]["labels"], HASH_LABEL: revision}
    return {**plain, "metadata": {**plain["metadata"], "labels": labels}}


def same_template(one: JsonObject, other: JsonObject) -> bool:
    """Whether two stored templates make the same pods."""
    return without_hash(one) == without_hash(other)


def hash_of(template: JsonObject) -> str:
    """A label value for a template as the server stores it: the same template gives the same value.

    The alphabet is the one of generated names: no vowels, nothing that reads as another character.
    """
    text = json.dumps(without_hash(template), sort_keys=True, separators=(",", ":"))
    number = int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")
    letters = []
    for _ in range(_HASH_LENGTH):
        number, letter = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[letter])
    return "".join(letters)


def set_name(workload: str, revision: str) -> str:
    """Name of the canary's ReplicaSet; a long workload name is cut, as the Deployment's controller does."""
    return f"{workload[: _LONGEST_NAME - len(revision) - 1]}-{revision}"


def owned_by(owner: JsonObject, items: Iterable[JsonObject]) -> tuple[JsonObject, ...]:
    """Those whose controller is `owner`."""
    return tuple(item for item in items if controller_uid(item) == uid_of(owner))


def controller_uid(item: JsonObject) -> str:
    """Uid of the controlling owner, empty where there is none."""
    owners = item["metadata"].get("ownerReferences") or ()
    return next((str(owner["uid"]) for owner in owners if owner.get("controller")), "")


def replicas_of(item: JsonObject) -> int:
    """`spec.replicas`, 1 where it is not written."""
    return int(item["spec"].get("replicas", 1))


def available(item: JsonObject) -> int:
    """`status.availableReplicas`."""
    return int(item.get("status", {}).get("availableReplicas") or 0)


def generation(item: JsonObject | None) -> tuple[str, int]:
    """Which version of which object's spec; of none where there is none."""
    return (uid_of(item), int(item["metadata"].get("generation") or 0)) if item else ("", 0)


def observed(item: JsonObject) -> bool:
    """Whether the object's controller has seen its newest generation."""
    return int(item.get("status", {}).get("observedGeneration") or 0) >= int(item["metadata"]["generation"])


def complete(deployment: JsonObject) -> bool:
    """Whether a Deployment has finished rolling out, as `kubectl rollout status` sees it."""
    status, wanted = deployment.get("status", {}), replicas_of(deployment)
    counts = [int(status.get(key) or 0) for key in ("updatedReplicas", "replicas", "availableReplicas")]
    return observed(deployment) and counts == [wanted] * 3


def renewed(deployment: JsonObject) -> int:
    """Pods that have the newest template and are available: so many at least, by the Deployment's own counts."""
    status = deployment.get("status", {})
    total, updated = (int(status.get(key) or 0) for key in ("replicas", "updatedReplicas"))
    return max(0, available(deployment) + updated - total) if observed(deployment) else 0


def replaced(deployment: JsonObject) -> int:
    """How far a rollout is: pods of the newest template, and once more those of them that are surely available.

    Where the pods to be replaced are not ready, the first half of it shows in their number alone.
    """
    updated = int(deployment.get("status", {}).get("updatedReplicas") or 0) if observed(deployment) else 0
    return updated + renewed(deployment)


def part_of(value: int | str | None, size: int, *, up: bool) -> int:
    """MaxSurge (`up`) or maxUnavailable as a number of pods."""
    text = str(value if value is not None else "25%")
    if not text.endswith("%"):
        return int(text)
    share = size * int(text[:-1]) / 100
    return math.ceil(share) if up else math.floor(share)


def surge_of(strategy: JsonObject, size: int) -> int:
    """Most pods beyond `size` while the Deployment rolls."""
    rolling = strategy.get("rollingUpdate") or {}
    return part_of(rolling.get("maxSurge"), size, up=True) if strategy.get("type") != "Recreate" else 0


def unavailable_of(strategy: JsonObject, size: int) -> int:
    """Pods that may be missing of `size`; where both limits round to 0 the Deployment takes 1."""
    if strategy.get("type") == "Recreate":
        return size
    rolling = strategy.get("rollingUpdate") or {}
    number = part_of(rolling.get("maxUnavailable"), size, up=False)
    return number or (0 if surge_of(strategy, size) else 1)


def selects(service: JsonObject, labels: Mapping[str, str]) -> bool:
    """Whether a Service selects pods with these labels; one without a selector selects none."""
    selector = service["spec"].get("selector") or {}
    return bool(selector) and all(labels.get(key) == value for key, value in selector.items())


def fits(selector: JsonObject, labels: Mapping[str, str]) -> bool:
    """Whether a selector of `matchLabels` and `matchExpressions` selects pods with these labels; an empty one does."""
    wanted = selector.get("matchLabels") or {}
    rules = selector.get("matchExpressions") or ()
    return wanted.items() <= labels.items() and all(_holds(rule, labels) for rule in rules)


def _holds(rule: JsonObject, labels: Mapping[str, str]) -> bool:
    key, values = rule["key"], rule.get("values") or ()
    if rule["operator"] in ("In", "Exists"):
        return key in labels and (rule["operator"] == "Exists" or labels[key] in values)
    return key not in labels or (rule["operator"] == "NotIn" and labels[key] not in values)


def ready_pods(slices: Iterable[JsonObject], service: str) -> frozenset[str]:
    """UIDs of a Service's pods that are ready and not terminating, each once over all its slices."""
    found: set[str] = set()
    for item in slices:
        if labels_of(item).get("kubernetes.io/service-name") == service:
            found.update(_ready_in(item))
    return frozenset(found)


def _ready_in(item: JsonObject) -> Iterable[str]:
    for endpoint in item.get("endpoints") or ():
        conditions: dict[str, Any] = endpoint.get("conditions") or {}
        target = endpoint.get("targetRef") or {}
        serves = conditions.get("ready", True) is not False and not conditions.get("terminating")
        if serves and target.get("kind") == "Pod":
            yield str(target["uid"])


def pod_ready(pod: JsonObject) -> bool:
    """Whether a pod is ready and not being deleted."""
    conditions = pod.get("status", {}).get("conditions") or ()
    ready = any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)
    return ready and not pod["metadata"].get("deletionTimestamp")
