"""Pods that are being evicted: nodes that are drained, seen with no right to look at nodes."""

from collections.abc import Iterable

from progressive_ci.model.document import JsonObject
from progressive_ci.release.workload import name_of

_EVICTED = "DisruptionTarget"
"""The condition of a pod that somebody else ends: an eviction, a preemption, a taint, the garbage collector."""

_ENDED = ("Failed", "Succeeded")
"""What a node that was shut down leaves behind keeps the condition until somebody removes the pod."""

_SHOWN = 3


def evictions(pods: Iterable[JsonObject]) -> tuple[str, ...]:
    """A warning for each node whose pods are being moved; they are missing until others are ready elsewhere."""
    moved: dict[str, list[str]] = {}
    for pod in pods:
        if why := _why(pod):
            node = pod["spec"].get("nodeName")
            moved.setdefault(f"from node {node} ({why})" if node else f"({why})", []).append(name_of(pod))
    return tuple(_told(where, names) for where, names in moved.items())


def _why(pod: JsonObject) -> str:
    """The cluster's word for who evicts it; empty where nobody does, or where it has ended long ago."""
    if pod.get("status", {}).get("phase") in _ENDED:
        return ""
    for item in pod.get("status", {}).get("conditions") or ():
        if item["type"] == _EVICTED and item["status"] == "True":
            return str(item.get("reason") or _EVICTED)
    return ""


def _told(where: str, names: list[str]) -> str:
    shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if names[_SHOWN:] else "")
    return (
        f"{shown} {'is' if len(names) == 1 else 'are'} being evicted {where}: until all pods are ready elsewhere both "
        "versions may lose some, and the release waits for them or goes back; better begin it after that"
    )
