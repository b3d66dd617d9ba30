"""Owns the status of one pod as the API server sees it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.e2e.cluster.client import STRATEGIC_PATCH, ApiError, Client, Document

if TYPE_CHECKING:
    from collections.abc import Mapping

State = dict[str, Any]
_GONE = (404, 409)  # deleted, or another pod with the same name: the watch tells


def now() -> str:
    """Return the time as Kubernetes writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def waiting(reason: str, message: str = "") -> State:
    """Return the state of a container that does not run yet."""
    return {"waiting": {"reason": reason, "message": message} if message else {"reason": reason}}


def running() -> State:
    """Return the state of a container that has just started."""
    return {"running": {"startedAt": now()}}


def terminated(code: int) -> State:
    """Return the state of a container whose process ended; a signal counts as 128 plus its number."""
    return {
        "terminated": {
            "exitCode": 128 - code if code < 0 else code,
            "reason": "Error" if code else "Completed",
            "startedAt": now(),
            "finishedAt": now(),
        },
    }


class PodStatus:
    """Writes the status of one pod."""

    def __init__(self, pod: Document, address: str, host: str, client: Client) -> None:
        """Report for `pod`, which has `address` and runs on the node with the address `host`."""
        self._pod = pod
        self._host = host
        self._address = address
        self._client = client
        self._began = now()
        self._conditions: dict[str, tuple[str, str]] = {}

    def report(
        self,
        state: State,
        *,
        phase: str = "Pending",
        ready: bool = False,
        restarts: int = 0,
        last: Mapping[str, Any] | None = None,
    ) -> None:
        """Write phase, conditions, addresses and states; every container shares the first one's."""
        metadata, spec = self._pod["metadata"], self._pod["spec"]
        up = phase == "Running"
        containers = [
            {
                "name": container["name"],
                "image": container.get("image", ""),
                "imageID": container.get("image", "") if up else "",
                "containerID": f"process://{metadata['uid']}" if up else "",
                "ready": ready,
                "started": "running" in state,
                "restartCount": restarts,
                "state": state,
                "lastState": dict(last or {}),
            }
            for container in spec["containers"]
        ]
        status = {
            "phase": phase,
            "startTime": self._began,
            "hostIP": self._host,
            "hostIPs": [{"ip": self._host}],
            **({"podIP": self._address, "podIPs": [{"ip": self._address}]} if up else {}),
            "conditions": [
                self._condition("PodReadyToStartContainers", holds=True),
                self._condition("Initialized", holds=True),
                self._condition("ContainersReady", holds=ready),
                self._condition("Ready", holds=ready),
            ],
            "containerStatuses": containers,
        }
        path = self._client.path("Pod", metadata["namespace"], metadata["name"], "status")
        change = {"metadata": {"uid": metadata["uid"]}, "status": status}
        try:
            self._client.call("PATCH", path, change, content_type=STRATEGIC_PATCH)
        except ApiError as error:
            if error.status not in _GONE:
                raise

    def _condition(self, kind: str, *, holds: bool) -> dict[str, str]:
        status = str(holds)
        if self._conditions.get(kind, ("", ""))[0] != status:
            self._conditions[kind] = (status, now())
        found = {"type": kind, "status": status, "lastTransitionTime": self._conditions[kind][1]}
        if not holds:
            found |= {"reason": "ContainersNotReady", "message": "containers with unready status"}
        return found
