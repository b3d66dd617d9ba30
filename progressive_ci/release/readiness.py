"""Why pods don't become ready, said as early as it is certain, with the container's own words."""

from collections.abc import Iterable
from dataclasses import dataclass

from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.event import Untrusted
from progressive_ci.model.journal import Side
from progressive_ci.model.kinds import Ref
from progressive_ci.release.release import Release
from progressive_ci.release.stop import Stop, unready
from progressive_ci.release.workload import name_of, pod_ready

_HOPELESS = {
    "ImagePullBackOff": "the image can't be pulled: check its name, its tag and the pull secret",
    "InvalidImageName": "the image's name is not valid: correct it",
    "ErrImageNeverPull": "the image is not on the node and imagePullPolicy is Never",
    "CreateContainerConfigError": "a ConfigMap or Secret that the pod names is missing: create it first",
    "CreateContainerError": "the container can't be created: see the message",
    "RunContainerError": "the container can't be started: check its command",
    "CrashLoopBackOff": "the container ends again and again: see its last lines",
}
_SCHEDULING_SHARE = 0.25
_LOG_LINES = 10
_FIRST_LOOK = 2.0


@dataclass(frozen=True, slots=True)
class Trouble:
    """What keeps a pod from serving.

    Attributes:
        pod: its name.
        container: empty where the pod has not come that far.
        reason: Kubernetes' own word.
        message: Kubernetes' own sentence.
        advice: what to do about it.
    """

    pod: str
    container: str
    reason: str
    message: str
    advice: str


def pods_of(release: Release, side: Side) -> tuple[JsonObject, ...]:
    """Fresh pods of one version."""
    return release.hands.cluster.list(kinds.POD, release.record.namespace, labels=side.selector)


def ready_uids(pods: Iterable[JsonObject]) -> frozenset[str]:
    """UIDs of those that are ready and stay."""
    return frozenset(str(pod["metadata"]["uid"]) for pod in pods if pod_ready(pod))


def uids(pods: Iterable[JsonObject]) -> frozenset[str]:
    """UIDs of all of them."""
    return frozenset(str(pod["metadata"]["uid"]) for pod in pods)


def hopeless(pods: Iterable[JsonObject]) -> Trouble | None:
    """The first container that will not start by waiting."""
    for pod in pods:
        status = pod.get("status", {})
        for item in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
            waiting = item.get("state", {}).get("waiting") or {}
            if advice := _HOPELESS.get(waiting.get("reason", "")):
                reason, message = str(waiting["reason"]), str(waiting.get("message", ""))
                return Trouble(name_of(pod), str(item["name"]), reason, message, advice)
    return None


def unschedulable(pods: Iterable[JsonObject]) -> Trouble | None:
    """The first pod that found no node."""
    for pod in pods:
        for item in pod.get("status", {}).get("conditions") or ():
            if item["type"] == "PodScheduled" and item["status"] == "False":
                advice = "no node takes the pod: free resources, or let the cluster grow"
                return Trouble(
                    name_of(pod), "", str(item.get("reason", "")), str(item.get("message", "")), advice
                )
    return None


def refused_creation(owner: JsonObject | None) -> Trouble | None:
    """What the API server answers to the ReplicaSet that wants to create pods: quota, policy, webhook."""
    for item in ((owner or {}).get("status", {}).get("conditions")) or ():
        if item["type"] == "ReplicaFailure" and item["status"] == "True":
            advice = "the pods are refused before they exist: raise the quota, or satisfy the policy"
            return Trouble(
                name_of(owner or {}), "", str(item.get("reason", "")), str(item.get("message", "")), advice
            )
    return None


def trouble_of(release: Release, side: Side, owner: JsonObject | None) -> str:
    """What keeps one version's pods from being ready, as far as the cluster says; empty where it says nothing."""
    pods = pods_of(release, side)
    found = hopeless(pods) or refused_creation(owner) or unschedulable(pods)
    if found is None:
        return ""
    container = f"container {found.container} of " if found.container else ""
    return f"{container}{found.pod}: {found.reason}: {found.message} ({found.advice})"


def diagnose(release: Release, owner: JsonObject | None, *, elapsed: float, allowed: float) -> Stop | None:
    """A reason to stop at once, where waiting won't help.

    Args:
        release: whose canary.
        owner: its ReplicaSet as last seen.
        elapsed: seconds waited so far.
        allowed: seconds that may be waited.
    """
    if elapsed < _FIRST_LOOK:
        return None
    pods = pods_of(release, release.record.canary)
    trouble = hopeless(pods) or refused_creation(owner)
    if trouble is None and elapsed >= allowed * _SCHEDULING_SHARE:
        trouble = unschedulable(pods)
    return explain(release, trouble) if trouble else None


def explain(release: Release, trouble: Trouble) -> Stop:
    """The stop for a trouble, with the container's last lines."""
    lines: tuple[str, ...] = ()
    if trouble.container:
        pod = Ref(kinds.POD, release.record.namespace, trouble.pod)
        logs = release.hands.cluster.logs
        lines = logs(pod, trouble.container, lines=_LOG_LINES, previous=True) or logs(
            pod, trouble.container, lines=_LOG_LINES
        )
        if lines:
            release.hands.reporter.emit(Untrusted(f"last lines of {trouble.pod}/{trouble.container}", lines))
    where = f"container {trouble.container} of pod {trouble.pod}" if trouble.container else trouble.pod
    return unready(f"{where}: {trouble.reason}: {trouble.message}", advice=trouble.advice, details=lines)


def too_late(
    release: Release, wanted: int, found: int, seconds: float, *, owner: JsonObject | None = None
) -> Stop:
    """The stop when pods had their time and did not use it; `owner` may know why they don't even exist."""
    pods = pods_of(release, release.record.canary)
    if trouble := hopeless(pods) or unschedulable(pods) or refused_creation(owner):
        return explain(release, trouble)
    told = f"{found} of {wanted} new pods are ready after {seconds:.0f} s (progressDeadlineSeconds)"
    pod = next((pod for pod in pods if not pod_ready(pod)), None)
    if pod is None:
        advice = f"see why there are no more: kubectl -n {release.record.namespace} get events"
        return unready(f"{told}; no other was started", advice=advice)
    name = name_of(pod)
    return unready(
        f"{told}; {name} is not",
        advice=f"see why its readiness probe fails: kubectl -n {release.record.namespace} describe pod {name}",
    )
