"""Owns the life of one pod: a process, its readiness, restarts and end, reported as a kubelet would."""

from __future__ import annotations

import contextlib
import http.client
import signal
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Any, Protocol

from tests.e2e.cluster.client import ApiError, Client, Document
from tests.e2e.cluster.pod_account import environment
from tests.e2e.cluster.pod_behaviour import Behaviour, ConfigError, behaviour
from tests.e2e.cluster.pod_status import PodStatus, running, terminated, waiting

if TYPE_CHECKING:
    from pathlib import Path

_POLL = 0.1  # seconds, until ready
_PROBE = 1.0  # seconds, from then on
_BACK_OFF = (0, 10, 20, 40, 80, 160, 300)  # seconds before a restart, a kubelet's
_NOT_FOUND = 404
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Node(Protocol):
    """What a pod needs of the node it is on."""

    client: Client
    address: str

    def command(self, pod: Document, plan: Behaviour) -> list[str]:
        """Return the command line of a pod's process."""
        ...

    def log(self, pod: Document) -> Path:
        """Return the file for a pod's output."""
        ...


class PodLife:
    """One pod; `run` returns when it is gone from the API server."""

    def __init__(self, pod: Document, address: str, node: Node) -> None:
        """Take over a pod that has just been bound to the node."""
        self.pod = pod
        self.address = address
        self.plan: Behaviour | None = None
        self._node = node
        self._status = PodStatus(pod, address, node.address, node.client)
        self._changed = threading.Event()
        self._restarts = 0
        self._last: dict[str, Any] = {}

    def update(self, pod: Document) -> None:
        """Hear of a newer version of the object."""
        self.pod = pod
        if self._ending():
            self._changed.set()

    def vanish(self) -> None:
        """Hear that the object is gone: the process has no grace left."""
        self.pod["metadata"] |= {"deletionTimestamp": "now", "deletionGracePeriodSeconds": 0}
        self._changed.set()

    def _ending(self) -> bool:
        return "deletionTimestamp" in self.pod["metadata"]

    def run(self) -> None:
        """Live until deleted. Runs in a thread of its own that lasts as long as the pod."""
        process: subprocess.Popen[bytes] | None = None
        self._status.report(waiting("ContainerCreating"))
        while not self._ending():
            if (plan := self._prepare()) is None:
                continue
            self.plan = plan
            process = self._start(plan)
            code = self._attend(process, plan)
            if code is None:
                break
            if self._finished(code):
                self._status.report(terminated(code), phase="Failed" if code else "Succeeded")
                self._changed.wait()
                break
            self._back_off(code)
        self._end(process)

    def _prepare(self) -> Behaviour | None:
        """Return what to run; None after some time of a failure that a kubelet retries."""
        image = self.pod["spec"]["containers"][0].get("image", "")
        try:
            plan = behaviour(self.pod, self.address, self._read)
        except ConfigError as error:
            self._status.report(waiting("CreateContainerConfigError", str(error)))
            self._changed.wait(1)
            return None
        if not plan.image_missing:
            return plan
        missing = f'failed to pull and unpack image "{image}": {image}: not found'
        self._status.report(waiting("ErrImagePull", f"rpc error: code = NotFound desc = {missing}"))
        self._changed.wait(1)
        if not self._ending():
            self._status.report(
                waiting("ImagePullBackOff", f'Back-off pulling image "{image}": ErrImagePull: {missing}')
            )
            self._changed.wait(10)
        return None

    def _read(self, kind: str, name: str) -> Document:
        try:
            return self._node.client.get(kind, name, self.pod["metadata"]["namespace"])
        except ApiError as error:
            if error.status != _NOT_FOUND:
                raise
            text = f'{kind.lower()} "{name}" not found'
            raise ConfigError(text) from error

    def _start(self, plan: Behaviour) -> subprocess.Popen[bytes]:
        command = self._node.command(self.pod, plan)
        with self._node.log(self.pod).open("ab") as output:
            return subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", *command],
                env={
                    "PATH": _PATH,
                    **environment(self._node.client.server),
                    **plan.environment,
                },
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _attend(self, process: subprocess.Popen[bytes], plan: Behaviour) -> int | None:
        """Report readiness until the process ends (return its exit code) or the pod is deleted (None)."""
        state = running()
        ready, failures, started = not plan.probe_path, 0, time.monotonic()
        self._report(state, ready=ready)
        while not self._changed.wait(_PROBE if ready else _POLL):
            if (code := process.poll()) is not None:
                return code
            if not plan.probe_path or time.monotonic() < started + plan.initial_delay:
                continue
            answers = probe(self.address, plan)
            failures = 0 if answers else failures + 1
            now_ready = answers or (ready and failures < plan.failure_threshold)
            if now_ready != ready:
                ready = now_ready
                self._report(state, ready=ready)
        return None

    def _report(self, state: dict[str, Any], *, ready: bool) -> None:
        self._status.report(state, phase="Running", ready=ready, restarts=self._restarts, last=self._last)

    def _finished(self, code: int) -> bool:
        policy = self.pod["spec"].get("restartPolicy", "Always")
        return policy == "Never" or (policy == "OnFailure" and code == 0)

    def _back_off(self, code: int) -> None:
        self._last = terminated(code)
        pause = _BACK_OFF[min(self._restarts, len(_BACK_OFF) - 1)]
        if pause:
            name = self.pod["spec"]["containers"][0]["name"]
            text = f"back-off {pause}s restarting failed container={name} pod={self.pod['metadata']['name']}"
            self._report(waiting("CrashLoopBackOff", text), ready=False)
            self._changed.wait(pause)
        self._restarts += 1

    def _end(self, process: subprocess.Popen[bytes] | None) -> None:
        """End the process within the grace period and remove the object."""
        grace = self.pod["metadata"].get("deletionGracePeriodSeconds", 30)
        code = 0
        if process and process.poll() is None:
            if grace and self.plan:
                time.sleep(min(self.plan.pre_stop, grace))
            process.send_signal(signal.SIGTERM if grace else signal.SIGKILL)
            try:
                process.wait(grace or 5)
            except subprocess.TimeoutExpired:
                process.kill()
        if process:
            code = process.wait()
        self._status.report(terminated(code), phase="Failed" if code else "Succeeded")
        metadata = self.pod["metadata"]
        with contextlib.suppress(ApiError):  # 404 or 409: it is gone already
            only_this = {"uid": metadata["uid"]}
            self._node.client.delete(
                "Pod", metadata["name"], metadata["namespace"], gracePeriodSeconds=0, preconditions=only_this
            )


def probe(address: str, plan: Behaviour) -> bool:
    """Ask the readiness path once."""
    connection = http.client.HTTPConnection(address, plan.port, timeout=1)
    try:
        connection.request("GET", plan.probe_path)
        return connection.getresponse().status < 400
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
