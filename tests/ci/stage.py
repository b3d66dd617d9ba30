"""A simulated cluster over HTTP with an application that serves, and the real command as other programs start it."""

import json
import os
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import Ref
from progressive_ci.sandbox import app
from progressive_ci.sandbox.server import SandboxServer
from progressive_ci.sandbox.tokens import ADMIN_TOKEN

ROOT = Path(__file__).parents[2]
NAMESPACE, NAME = "shop", "web"
PATIENCE = 120.0
RATE = 'sum(rate(http_requests_total{namespace="shop"}[5s]))'
OWN = ("PROGRESSIVE_CI_", "GITHUB_", "GITLAB_", "CI_", "JENKINS_", "INPUT_", "STATE_", "RUNNER_")


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a test plays: the cluster, a folder of its own, and the programs that end with it."""

    server: SandboxServer
    folder: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def spec(self, *, image: str, pause: str = "1s", checked: bool = False) -> Path:
        """A folder with a Rollout that gives the new version half of the traffic for a while."""
        folder = self.folder / "deploy"
        folder.mkdir(exist_ok=True)
        documents = [rollout(image, pause, checked=checked), analysis()]
        (folder / "rollout.yaml").write_text(yaml.safe_dump_all(documents))
        if checked:
            eventually(self.measured)
        return folder

    def measured(self) -> bool:
        """Whether Prometheus has two samples of the users' requests yet, so that rates have a value."""
        with self.server.clock.changed:
            answer = self.server.world.prometheus.answer("GET", "/api/v1/query", {"query": RATE}, None)
        return bool(json.loads(answer.body)["data"]["result"])

    def environment(self, **more: str) -> dict[str, str]:
        """A clean environment with the cluster's kubeconfig and `progressive-ci` on the path."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(OWN)}
        path = f"{self.folder / 'bin'}{os.pathsep}{kept['PATH']}"
        return {
            **kept,
            "PATH": path,
            "KUBECONFIG": str(self.folder / "kubeconfig"),
            "PYTHONPATH": str(ROOT),
            **more,
        }

    def run(
        self,
        *command: str,
        environment: Mapping[str, str] | None = None,
        seconds: float = PATIENCE,
        folder: Path | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end, in the test's folder or another."""
        return subprocess.run(
            command,
            cwd=folder or self.folder,
            env=environment or self.environment(),
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def start(self, *command: str, environment: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """Start a program in the folder."""
        process = subprocess.Popen(
            command,
            cwd=self.folder,
            env=environment or self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.started.append(process)
        return process

    def end(self) -> None:
        """End what a test that failed has left running."""
        for process in self.started:
            if process.poll() is None:
                process.kill()
                process.wait()

    def weight(self) -> int:
        """What the route gives the new version."""
        with self.server.clock.changed:
            route = self.server.world.store.find(Ref(kinds.HTTP_ROUTE, NAMESPACE, NAME)) or {}
        backends = route["spec"]["rules"][0]["backendRefs"]
        return int(sum(each.get("weight", 1) for each in backends if each["name"] == f"{NAME}-canary"))

    def reach(self, weight: int, run: subprocess.Popen[str]) -> None:
        """Wait until the running command has brought the new version to this weight."""
        end = time.monotonic() + PATIENCE
        while self.weight() != weight:
            if run.poll() is not None or time.monotonic() > end:
                run.kill()
                raise AssertionError(run.communicate()[0])
            time.sleep(0.05)

    def deployment(self) -> JsonObject:
        """The application as the cluster has it."""
        with self.server.clock.changed:
            return self.server.world.store.find(Ref(kinds.DEPLOYMENT, NAMESPACE, NAME)) or {}

    def lease(self) -> JsonObject | None:
        """The Lease as the cluster has it."""
        with self.server.clock.changed:
            return self.server.world.store.find(Ref(kinds.LEASE, NAMESPACE, f"progressive-ci.{NAME}"))

    def shorten_lease(self) -> None:
        """Let the lease of a dead run end in a second instead of half a minute."""
        with self.server.clock.changed:
            lease = self.lease()
            assert lease is not None
            self.server.world.apply({**lease, "spec": {**lease["spec"], "leaseDurationSeconds": 1}})
            self.server.clock.changed.notify_all()


def eventually(claim: Callable[[], bool], *, seconds: float = PATIENCE) -> None:
    """Wait for something that happens in real time in another process."""
    end = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


@contextmanager
def opened() -> Iterator[Stage]:
    """A stage, from its first to its last moment."""
    server = SandboxServer()
    server.start()
    with tempfile.TemporaryDirectory() as name:
        stage = Stage(server, Path(name))
        with server.clock.changed:
            server.world.apply(
                *app.documents(NAME, NAMESPACE, replicas=3, router="gateway", image="example/web:1")
            )
            server.world.serve_prometheus()
            server.world.send_users("gateway", NAMESPACE, NAME)
            server.clock.changed.notify_all()
        server.write_kubeconfig(stage.folder / "kubeconfig", ADMIN_TOKEN)
        _command(stage.folder / "bin" / "progressive-ci")
        eventually(lambda: stage.deployment().get("status", {}).get("availableReplicas") == 3)
        try:
            yield stage
        finally:
            stage.end()
            server.stop()


def _command(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m progressive_ci "$@"\n')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def rollout(image: str, pause: str, *, checked: bool) -> JsonObject:
    """A canary of one step that lets go of pods quickly."""
    judged = {"analysis": {"templates": [{"templateName": "success-rate"}]}} if checked else {}
    container = {"name": NAME, "image": image, "ports": [{"name": "http", "containerPort": 8080}]}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": NAME, "namespace": NAMESPACE},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": {"app": NAME}},
            "template": {"metadata": {"labels": {"app": NAME}}, "spec": {"containers": [container]}},
            "strategy": {
                "canary": {
                    "stableService": f"{NAME}-stable",
                    "canaryService": f"{NAME}-canary",
                    "scaleDownDelaySeconds": 1,
                    "abortScaleDownDelaySeconds": 1,
                    "trafficRouting": {
                        "plugins": {"argoproj-labs/gatewayAPI": {"httpRoute": NAME, "namespace": NAMESPACE}}
                    },
                    "steps": [{"setWeight": 50}, {"pause": {"duration": pause}}],
                    **judged,
                }
            },
        },
    }


def analysis() -> JsonObject:
    """The share of good answers over the last seconds."""
    good, every = (
        'http_requests_total{namespace="shop",status!~"5.."}',
        'http_requests_total{namespace="shop"}',
    )
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisTemplate",
        "metadata": {"name": "success-rate", "namespace": NAMESPACE},
        "spec": {
            "metrics": [
                {
                    "name": "success-rate",
                    "interval": "1s",
                    "successCondition": "result[0] >= 0.95",
                    "failureLimit": 1,
                    "provider": {
                        "prometheus": {
                            "address": "http://prometheus.monitoring:9090",
                            "query": f"sum(rate({good}[5s])) / sum(rate({every}[5s]))",
                        }
                    },
                }
            ]
        },
    }
