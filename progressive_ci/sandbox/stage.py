"""A simulated cluster over HTTP in which an application serves already: what the demo plays on."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from progressive_ci.sandbox import app, meter, tokens
from progressive_ci.sandbox.meter import Split
from progressive_ci.sandbox.server import SandboxServer

NAME, NAMESPACE, ROUTER, REPLICAS = "web", "shop", "gateway", 4
OLD, GOOD, BAD = "example.com/web:1.0.0", "example.com/web:2.0.0", "example.com/web:3.0.0-err8"
DOCUMENTS = ("rollout.yaml", "analysis.yaml")

_STARTS = 2.0
"""Seconds in which the first pods become ready."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Requests since the cluster began: all, answered with an error, not answered at all."""

    requests: float
    errors: float
    failures: float

    def since(self, before: "Tally") -> "Tally":
        """What has come since an earlier tally."""
        return Tally(
            self.requests - before.requests, self.errors - before.errors, self.failures - before.failures
        )


class Stage:
    """The running cluster, seen from the demo.

    Attributes:
        url: of its API server.
    """

    def __init__(self, server: SandboxServer) -> None:
        self._server = server
        self.url = server.url

    def kubeconfig(self, path: Path) -> None:
        """Write the administrator's kubeconfig."""
        self._server.write_kubeconfig(path, tokens.ADMIN_TOKEN, NAMESPACE)

    def split(self) -> Split:
        """How the requests are spread right now."""
        with self._server.clock.changed:
            return meter.split(self._server.world.traffic, "users")

    def tally(self) -> Tally:
        """Requests so far."""
        with self._server.clock.changed:
            traffic = self._server.world.traffic
            return Tally(traffic.count(), traffic.errors, traffic.failures)


@contextmanager
def opened() -> Iterator[Stage]:
    """Start the cluster, wait until its application serves, let users come; stop it afterwards."""
    server = SandboxServer()
    server.start()
    try:
        with server.clock.changed:
            server.world.serve_prometheus()
            server.world.apply(*app.documents(NAME, NAMESPACE, replicas=REPLICAS, router=ROUTER, image=OLD))
        time.sleep(_STARTS)
        with server.clock.changed:
            server.world.send_users(ROUTER, NAMESPACE, NAME)
        yield Stage(server)
    finally:
        server.stop()


def write_documents(folder: Path) -> None:
    """Put the demo's documents into a folder."""
    for name in DOCUMENTS:
        text = files("progressive_ci.sandbox").joinpath("demo", name).read_text(encoding="utf-8")
        folder.joinpath(name).write_text(text, encoding="utf-8")
