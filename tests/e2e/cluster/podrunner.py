"""Owns the stand-in for a kubelet: registers one Node and gives every pod bound to it a local process.

Runs as a program of its own inside the cluster's network namespace; its argument is a file of `Settings`.
"""

from __future__ import annotations

import itertools
import json
import signal
import sys
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import requests

from tests.e2e.cluster.client import ApiError, Client, Document
from tests.e2e.cluster.network import Addresses
from tests.e2e.cluster.pod_account import with_account
from tests.e2e.cluster.pod_life import PodLife
from tests.e2e.cluster.pod_logs import serve_logs
from tests.e2e.cluster.pod_status import now
from tests.e2e.cluster.scraping import Scraping

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.e2e.cluster.pod_behaviour import Behaviour

NODE = "node-1"
_HEARTBEAT = 10  # seconds
_TOOL = "progressive-ci"
_ROOT = Path(__file__).parents[3]
_CAPACITY = {"cpu": "1000", "memory": "4Ti", "pods": "1000", "ephemeral-storage": "10Ti"}


@dataclass(frozen=True, slots=True)
class Settings:
    """What the program is started with."""

    slot: int
    server: str
    token: str
    certificate: str
    key: str
    folder: str
    app: str
    prometheus: str

    def write(self, path: Path) -> Path:
        """Store for `read`."""
        path.write_text(json.dumps(asdict(self)))
        path.chmod(0o600)
        return path

    @classmethod
    def read(cls, path: Path) -> Settings:
        """Return what `write` stored."""
        return cls(**json.loads(path.read_text()))


class PodRunner:
    """One node and the pods on it."""

    def __init__(self, settings: Settings) -> None:
        """Prepare; `run` does the work."""
        self._settings = settings
        self._folder = Path(settings.folder)
        self._addresses = Addresses(settings.slot)
        self.address = self._addresses.node
        self.client = Client(settings.server, settings.token, settings.certificate)
        self._numbers = itertools.count()
        self._lives: dict[str, PodLife] = {}
        self._scraping = Scraping(self._folder / "prometheus", self.address)
        self._began = now()
        self.stopping = threading.Event()

    def run(self) -> None:
        """Serve until `stopping` is set."""
        port = serve_logs(self.address, self._settings.certificate, self._settings.key, self._folder)
        self._register(port)
        threading.Thread(target=self._beat, name="heartbeat", daemon=True).start()
        threading.Thread(target=self._follow_forever, name="follow", daemon=True).start()
        self.stopping.wait()

    def command(self, pod: Document, plan: Behaviour) -> list[str]:
        """Return the command line of a pod's process."""
        match plan.program:
            case "app":
                return [self._settings.app]
            case "prometheus":
                return self._scraping.command(
                    self._settings.prometheus, plan.environment["POD_IP"], plan.port, pod["metadata"]["uid"]
                )
            case _:
                return with_account(
                    pod, self.client, self._pod_folder(pod), self._settings.certificate, _really(plan.command)
                )

    def log(self, pod: Document) -> Path:
        """Return the file for a pod's output; `pod_logs` finds it there."""
        return self._pod_folder(pod) / f"{pod['spec']['containers'][0]['name']}.log"

    def _pod_folder(self, pod: Document) -> Path:
        metadata = pod["metadata"]
        folder = self._folder.joinpath("pods", metadata["namespace"], metadata["name"])
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _register(self, port: int) -> None:
        node = {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": NODE, "labels": {"kubernetes.io/hostname": NODE}},
        }
        self.client.apply(node)
        status = {
            "capacity": _CAPACITY,
            "allocatable": _CAPACITY,
            "addresses": [
                {"type": "InternalIP", "address": self.address},
                {"type": "Hostname", "address": NODE},
            ],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
            "nodeInfo": {"kubeletVersion": "v1.37.2", "operatingSystem": "linux", "architecture": "amd64"},
            "conditions": self._conditions(),
        }
        self.client.patch("Node", NODE, {"status": status}, subresource="status")

    def _conditions(self) -> list[dict[str, str]]:
        beat = {"lastHeartbeatTime": now(), "lastTransitionTime": self._began}
        pressures = [
            {"type": f"{p}Pressure", "status": "False", "reason": "Fine", **beat}
            for p in ("Memory", "Disk", "PID")
        ]
        return [*pressures, {"type": "Ready", "status": "True", "reason": "KubeletReady", **beat}]

    def _beat(self) -> None:
        """Keep the node lifecycle controller content."""
        while True:
            try:
                self.client.patch(
                    "Node", NODE, {"status": {"conditions": self._conditions()}}, subresource="status"
                )
            except (ApiError, requests.RequestException) as error:
                _say(f"heartbeat: {error}")
            if self.stopping.wait(_HEARTBEAT):
                return

    def _follow_forever(self) -> None:
        while True:
            try:
                self._follow()
            except (ApiError, requests.RequestException) as error:
                _say(f"watch: {error}")
            if self.stopping.wait(0.5):
                return

    def _follow(self) -> None:
        """List the node's pods, then follow their changes until the server ends the watch."""
        path, mine = self.client.path("Pod"), {"fieldSelector": f"spec.nodeName={NODE}"}
        listed = self.client.call("GET", path, params=mine)
        present = {pod["metadata"]["uid"] for pod in listed["items"]}
        for uid in self._lives.keys() - present:
            self._lives[uid].vanish()
        for pod in listed["items"]:
            self._see("MODIFIED", pod)
        for kind, pod in self.client.watch(
            path, resourceVersion=listed["metadata"]["resourceVersion"], **mine
        ):
            if kind == "ERROR":
                _say(f"watch: {pod}")
                return
            self._see(kind, pod)

    def _see(self, kind: str, pod: Document) -> None:
        life = self._lives.get(pod["metadata"]["uid"])
        if life and kind == "DELETED":
            life.vanish()
        elif life:
            life.update(pod)
        elif kind != "DELETED" and pod.get("status", {}).get("phase") not in {"Succeeded", "Failed"}:
            life = PodLife(pod, self._addresses.pod(next(self._numbers)), self)
            self._lives[pod["metadata"]["uid"]] = life
            threading.Thread(
                target=self._live, args=(life,), name=pod["metadata"]["name"], daemon=True
            ).start()

    def _live(self, life: PodLife) -> None:
        self._scraping.add(life.pod, life.address)
        try:
            life.run()
        except Exception as error:
            _say(f"pod {life.pod['metadata']['name']}: {type(error).__name__}: {error}")
            raise
        finally:
            self._scraping.remove(life.pod)
            self._lives.pop(life.pod["metadata"]["uid"], None)


def _really(command: Sequence[str]) -> Sequence[str]:
    """What a command of an image is on this machine: the tool is this checkout's."""
    if command[0] != _TOOL:
        return command
    return ["env", f"PYTHONPATH={_ROOT}", sys.executable, "-m", "progressive_ci", *command[1:]]


def _say(text: str) -> None:
    sys.stderr.write(f"{now()} {text}\n")


def main() -> None:
    """Run until SIGTERM; the pods' processes end with this one."""
    runner = PodRunner(Settings.read(Path(sys.argv[1])))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: runner.stopping.set())
    runner.run()


if __name__ == "__main__":
    main()
