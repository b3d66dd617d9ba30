"""Owns what happens in a scenario: the tool runs as a program of its own, users send requests, others interfere."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from tests.e2e.cluster.client import Document
from tests.e2e.cluster.load import Load
from tests.e2e.cluster.waiting import wait_until
from tests.e2e.given import NAME, ROOT, Shop

QUICKLY = ("--settle", "1s")
_PASSED_ON = ("PATH", "HOME", "LANG", "VIRTUAL_ENV")


@dataclass(frozen=True, slots=True)
class Run:
    """How a run of the tool ended."""

    exit: int
    began: float
    ended: float
    lines: tuple[tuple[float, str], ...]
    errors: str

    @property
    def log(self) -> str:
        """What it printed."""
        return "\n".join(text for _, text in self.lines) + self.errors

    @property
    def told(self) -> dict[str, Any]:
        """The line of JSON at its end."""
        found: dict[str, Any] = json.loads(self.lines[-1][1])
        return found

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.ended - self.began


@dataclass(slots=True)
class Tool:
    """The tool at work in the runner's namespace; also a context manager that ends it."""

    process: subprocess.Popen[str]
    began: float
    lines: list[tuple[float, str]] = field(default_factory=list)
    reader: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def read(self) -> None:
        """Take note of its lines as they come."""

        def take() -> None:
            for line in self.process.stdout or ():
                self.lines.append((time.time(), line.rstrip("\n")))

        self.reader = threading.Thread(target=take, daemon=True)
        self.reader.start()

    def wait_for(self, text: str, *, seconds: float = 60) -> None:
        """Wait until it has printed a text."""

        def printed() -> bool:
            if any(text in line for _, line in list(self.lines)):
                return True
            if self.process.poll() is not None:
                raise AssertionError(f"ended without {text!r}:\n{self.log}")
            return False

        wait_until(f"the tool prints {text!r}", printed, seconds=seconds, every=0.02)

    @property
    def log(self) -> str:
        """What it has printed so far."""
        return "\n".join(text for _, text in list(self.lines))

    def stop(self) -> None:
        """Let it stand still with all its threads, as a machine that is suspended does."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> float:
        """Let it go on after `stop`; tells when."""
        now = time.time()
        self.process.send_signal(signal.SIGCONT)
        return now

    def terminate(self) -> float:
        """Send SIGTERM; tells when."""
        now = time.time()
        self.process.send_signal(signal.SIGTERM)
        return now

    def kill(self) -> float:
        """End it as a machine that loses its power would; tells when."""
        now = time.time()
        self.process.kill()
        self.process.wait(10)
        return now

    def end(self, *, seconds: float = 120) -> Run:
        """Wait for its end."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"no end after {seconds:g} s:\n{self.log}") from None
        ended = time.time()
        if self.reader:
            self.reader.join(10)
        errors = self.process.stderr.read() if self.process.stderr else ""
        return Run(self.process.returncode, self.began, ended, tuple(self.lines), errors)


def start(
    shop: Shop,
    command: str = "run",
    *options: str,
    role: str | None = None,
    server: str | None = None,
    lacking: Document | None = None,
) -> Tool:
    """Start the tool with the rights that it asks for, and no others.

    Args:
        shop: what is released.
        command: of the tool.
        options: further ones.
        role: instead of what `rbac` prints.
        server: instead of the API server itself, a proxy before it.
        lacking: a right that the role no longer has.
    """
    token = shop.token(role or shop.role(), lacking=lacking)
    if command == "run":
        options = ("-f", str(shop.folder), *QUICKLY, *options)
    return start_with(shop, token, command, *options, server=server)


def start_with(shop: Shop, token: str, *command: str, server: str | None = None) -> Tool:
    """Start the tool with a token that is there already; see `start`."""
    return start_as(shop, shop.cluster.kubeconfig(token, server), *command)


def start_as(shop: Shop, kubeconfig: Path, *command: str) -> Tool:
    """Start the tool with a kubeconfig; see `start`."""
    return start_by(shop, (*command, "--kubeconfig", str(kubeconfig)), {})


def start_by(shop: Shop, command: Sequence[str], environ: Mapping[str, str]) -> Tool:
    """Start the tool with what a job has in its environment; see `start`."""
    words = [sys.executable, "-m", "progressive_ci", *command, "-n", shop.namespace]
    environment = {key: os.environ[key] for key in _PASSED_ON if key in os.environ}
    process = shop.cluster.run_in_runner(
        words,
        cwd=empty(shop),
        env=environment | {"PYTHONPATH": str(ROOT), "GITHUB_ACTIONS": ""} | dict(environ),
    )
    tool = Tool(process, time.time())
    tool.read()
    return tool


def empty(shop: Shop) -> Path:
    """An empty folder."""
    place = shop.folder.parent / "empty"
    place.mkdir(exist_ok=True)
    return place


def run(shop: Shop, command: str = "run", *options: str, seconds: float = 120, **how: Any) -> Run:  # noqa: ANN401 - of `start`
    """Run the tool to its end."""
    with start(shop, command, *options, **how) as tool:
        return tool.end(seconds=seconds)


def roll_back(shop: Shop, *, seconds: float = 120) -> Run:
    """Run `progressive-ci rollback` from an empty folder."""
    return run(shop, "rollback", NAME, seconds=seconds)


def users(shop: Shop, *, rate: int = 100) -> Load:
    """Send requests from now on; returns when the first hundred are answered."""
    load = Load(shop.cluster, shop.url, shop.host, rate=rate)
    load.wait_for(requests=100)
    return load


def somebody_scales(shop: Shop, replicas: int) -> None:
    """Write the scale of the workload, as an autoscaler or a person would."""
    shop.cluster.admin.patch(
        "Deployment", NAME, {"spec": {"replicas": replicas}}, shop.namespace, subresource="scale"
    )


def somebody_sets_image(shop: Shop, image: str) -> None:
    """Do what `kubectl set image` does."""
    change = {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": image}]}}}}
    shop.cluster.admin.patch(
        "Deployment",
        NAME,
        change,
        shop.namespace,
        content_type="application/strategic-merge-patch+json",
    )


def somebody_undoes(shop: Shop) -> None:
    """Do what `kubectl rollout undo` does: the template of the revision before goes into the Deployment."""
    admin = shop.cluster.admin
    sets = admin.list("ReplicaSet", shop.namespace, labelSelector=f"app={NAME}")
    revision = "deployment.kubernetes.io/revision"
    ranked = sorted(sets, key=lambda item: int(item["metadata"]["annotations"][revision]))
    template: Document = ranked[-2]["spec"]["template"]
    del template["metadata"]["labels"]["pod-template-hash"]
    admin.patch(
        "Deployment", NAME, [{"op": "replace", "path": "/spec/template", "value": template}], shop.namespace
    )


def the_lease_soon_runs_out(shop: Shop) -> None:
    """Let the lease of a dead run last 2 s instead of 30: whoever finds it waits as long as it says."""
    change = {"spec": {"leaseDurationSeconds": 2}}
    shop.cluster.admin.patch("Lease", f"progressive-ci.{NAME}", change, shop.namespace)
