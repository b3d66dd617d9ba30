"""The ReplicaSet controller: as many pods as wished, adopted, created or deleted."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import POD, REPLICA_SET
from progressive_ci.sandbox.controllers.claims import claim, controller_of, reference
from progressive_ci.sandbox.controllers.queue import Queue
from progressive_ci.sandbox.json_patch import clone
from progressive_ci.sandbox.selectors import labels_of, matches_selector
from progressive_ci.sandbox.store import Change, Store

REACTION = 0.015
_FIRST_TRY, _LONGEST_TRY = 0.005, 1000.0
"""Seconds to the next look after a pod was refused: the first, doubled each time, and the last."""

NAME_PREFIX = 58
"""Characters of the ReplicaSet's name that its pods keep; five more make theirs unique."""


class ReplicaSets:
    """Reacts to ReplicaSets and pods.

    Attributes:
        refusal: what a quota or policy answers to a new pod; empty for yes.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._refused: dict[str, str] = {}
        self._tries: dict[str, int] = {}
        self.refusal: Callable[[JsonObject], str] = lambda _: ""
        self._queue = Queue(store.timers, self._look, REACTION)
        store.subscribe(self._set_changed, REPLICA_SET)
        store.subscribe(self._pod_changed, POD)

    def _set_changed(self, change: Change) -> None:
        metadata = change.object["metadata"]
        self._queue.add(metadata["namespace"], metadata["name"])

    def _pod_changed(self, change: Change) -> None:
        namespace = change.object["metadata"]["namespace"]
        for pod in (change.object, change.before):
            owner = controller_of(pod) if pod else None
            if owner and owner["kind"] == REPLICA_SET.name:
                self._queue.add(namespace, owner["name"])
        if change.type != "DELETED" and controller_of(change.object) is None:
            for each in self._store.all(REPLICA_SET, namespace):
                if matches_selector(each["spec"]["selector"], labels_of(change.object)):
                    self._queue.add(namespace, each["metadata"]["name"])

    def _look(self, namespace: str, name: str) -> None:
        found = self._store.get(REPLICA_SET, namespace, name)
        if found is None:
            return
        pods = [pod for pod in claim(self._store, REPLICA_SET, found, POD) if _alive(pod)]
        if not found["metadata"].get("deletionTimestamp"):
            self._resize(found, pods)
        self._report(found, claim(self._store, REPLICA_SET, found, POD))

    def _resize(self, owner: JsonObject, pods: list[JsonObject]) -> None:
        missing = owner["spec"]["replicas"] - len(pods)
        if not self._refused.pop(owner["metadata"]["uid"], None):
            self._tries.pop(owner["metadata"]["uid"], None)
        for _ in range(missing):
            pod = _pod_of(self._store, owner)
            if message := self.refusal(pod):
                self._try_again_later(owner, message)
                break
            self._store.insert(POD, pod)
        for pod in sorted(pods, key=_worth)[: max(-missing, 0)]:
            self._end(pod)

    def _try_again_later(self, owner: JsonObject, message: str) -> None:
        """As the controller's queue does: twice as late each time."""
        metadata = owner["metadata"]
        tries = self._tries.get(metadata["uid"], 0)
        self._refused[metadata["uid"]], self._tries[metadata["uid"]] = message, tries + 1
        delay = min(_FIRST_TRY * 2 ** min(tries, 20), _LONGEST_TRY)
        self._queue.add(metadata["namespace"], metadata["name"], delay)

    def _end(self, pod: JsonObject) -> None:
        if not pod["spec"].get("nodeName"):
            self._store.drop(POD, clone(pod))
            return
        leaving = clone(pod)
        leaving["metadata"]["deletionTimestamp"] = self._store.timestamp()
        grace = pod["spec"].get("terminationGracePeriodSeconds", 30)
        leaving["metadata"]["deletionGracePeriodSeconds"] = grace
        self._store.write(POD, leaving)

    def _report(self, owner: JsonObject, owned: list[JsonObject]) -> None:
        pods = [pod for pod in owned if _alive(pod)]
        now = self._store.timers.wall()
        patience = owner["spec"].get("minReadySeconds", 0)
        waits = [_wait(pod, patience, now) for pod in pods]
        labels = owner["spec"]["template"]["metadata"].get("labels") or {}
        counts = {
            "replicas": len(pods),
            "fullyLabeledReplicas": sum(labels.items() <= labels_of(pod).items() for pod in pods),
            "readyReplicas": sum(wait is not None for wait in waits),
            "availableReplicas": sum(wait == 0 for wait in waits),
        }
        status = {key: count for key, count in counts.items() if count or key == "replicas"}
        status["terminatingReplicas"] = sum(bool(pod["metadata"].get("deletionTimestamp")) for pod in owned)
        status["observedGeneration"] = owner["metadata"]["generation"]
        if message := self._refused.get(owner["metadata"]["uid"]):
            failure = {
                "type": "ReplicaFailure",
                "status": "True",
                "reason": "FailedCreate",
                "message": message,
            }
            status["conditions"] = [failure]
        later = [wait for wait in waits if wait]
        if later:
            metadata = owner["metadata"]
            self._queue.add(metadata["namespace"], metadata["name"], min(later) + REACTION)
        if owner.get("status") != status:
            fresh = self._store.get(REPLICA_SET, owner["metadata"]["namespace"], owner["metadata"]["name"])
            self._store.write(REPLICA_SET, {**clone(fresh), "status": status})


def _alive(pod: JsonObject) -> bool:
    phase = (pod.get("status") or {}).get("phase")
    return phase not in {"Succeeded", "Failed"} and not pod["metadata"].get("deletionTimestamp")


def _pod_of(store: Store, owner: JsonObject) -> JsonObject:
    template = clone(owner["spec"]["template"])
    metadata = {key: template.get("metadata", {}).get(key) for key in ("labels", "annotations", "finalizers")}
    pod: JsonObject = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {key: value for key, value in metadata.items() if value},
        "spec": template["spec"],
        "status": {"phase": "Pending"},
    }
    name = owner["metadata"]["name"]
    pod["metadata"] |= {
        "generateName": f"{name}-",
        "name": f"{name[: NAME_PREFIX - 1]}-{store.suffix()}",
        "namespace": owner["metadata"]["namespace"],
        "ownerReferences": [reference(REPLICA_SET, owner)],
    }
    return pod


def ready_condition(pod: JsonObject) -> JsonObject | None:
    """The pod's Ready condition when it is true, else None."""
    for condition in (pod.get("status") or {}).get("conditions") or ():
        if condition["type"] == "Ready" and condition["status"] == "True":
            found: JsonObject = condition
            return found
    return None


def _wait(pod: JsonObject, patience: float, now: datetime) -> float | None:
    """Seconds until the pod is available; None while it isn't ready."""
    condition = ready_condition(pod)
    if condition is None:
        return None
    if not patience:
        return 0.0
    since = datetime.fromisoformat(condition["lastTransitionTime"])
    return max(0.0, patience - (now - since).total_seconds())


def _worth(pod: JsonObject) -> tuple[Any, ...]:
    """Sorts the pods that go first to the front: not scheduled, not running, not ready, young."""
    condition = ready_condition(pod)
    phases = {"Pending": 0, "Running": 2}
    return (
        bool(pod["spec"].get("nodeName")),
        phases.get((pod.get("status") or {}).get("phase", ""), 1),
        condition is not None,
        _age(condition["lastTransitionTime"] if condition else ""),
        _age(pod["metadata"]["creationTimestamp"]),
        pod["metadata"]["uid"],
    )


def _age(timestamp: str) -> float:
    """The younger, the smaller."""
    return -datetime.fromisoformat(timestamp).timestamp() if timestamp else 0.0
