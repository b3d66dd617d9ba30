"""Real runs against the simulated cluster over HTTP: first request, memory, and from the verdict to the safe write."""

import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from progressive_ci.model import kinds
from progressive_ci.ports import HttpResponse
from progressive_ci.sandbox import app
from progressive_ci.sandbox.reads import Watch
from progressive_ci.sandbox.server import SandboxServer, _Request
from progressive_ci.sandbox.tokens import ADMIN_TOKEN
from tests.bench import process
from tests.bench.figures import seconds
from tests.scenario.documents import GUARD, metric, rollout, template

RUNS = 20
NAMESPACE, NAME = "shop", "web"
GOOD, BAD = "web:2.0.0", "web:2.0.0-err30"
_QUICK = "scaleDownDelaySeconds: 1\nabortScaleDownDelaySeconds: 1\n"
_GOOD_STEPS = """
- setWeight: 5
- pause: {duration: 2s}
- setWeight: 20
- pause: {duration: 2s}
- setWeight: 50
- pause: {duration: 2s}
- setWeight: 100
"""
_BAD_STEPS = """
- setWeight: 50
- pause: {duration: 2m}
"""


@dataclass(frozen=True, slots=True)
class Answered:
    """One request of the tool; monotonic seconds at which it arrived and its answer was ready to be sent."""

    method: str
    path: str
    arrived: float
    answered: float


class TimedServer(SandboxServer):
    """The simulated cluster with a log of times; one clock for both ends of what is measured."""

    def __init__(self) -> None:
        super().__init__()
        self.log: list[Answered] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _answer_api(self, request: _Request) -> HttpResponse | Watch:
        arrived = time.monotonic()
        answer = super()._answer_api(request)
        self.log.append(Answered(request.command, request.parts()[0], arrived, time.monotonic()))
        return answer


@dataclass(frozen=True, slots=True)
class Bench:
    """A served cluster in which the application runs, and the folder that the tool runs in."""

    server: TimedServer
    folder: Path
    cache: str

    def release(self, image: str, *, steps: str, exit_code: int) -> tuple[process.Run, list[Answered]]:
        """Run the tool to its end; also what it asked.

        Raises:
            RuntimeError: it did not end as it should.
        """
        text = rollout("gateway", image=image, steps=steps, canary=_QUICK + GUARD)
        judge = template(metric(interval="1s", count="", failureLimit="1"))
        (self.folder / "spec.yaml").write_text(f"{text}---\n{judge}", encoding="utf-8")
        first = len(self.server.log)
        arguments = ("run", "-f", "spec.yaml", "--kubeconfig", "kubeconfig", "--settle", "0s")
        done = process.run(arguments, cwd=self.folder, cache=self.cache)
        if done.exit != exit_code:
            raise RuntimeError(f"a run to be measured ended with {done.exit}:\n{done.log}")
        return done, self.server.log[first:]


def measure(cache: str) -> Mapping[str, Mapping[str, object]]:
    """All figures that need real processes."""
    firsts, writes, memory = [], [], []
    with _bench(cache) as bench:
        # The first run compiles what it imports.
        bench.release(BAD, steps=_BAD_STEPS, exit_code=10)
        for _ in range(RUNS):
            run, log = bench.release(BAD, steps=_BAD_STEPS, exit_code=10)
            firsts.append(log[0].arrived - run.began)
            writes.append(_from_verdict(log))
            memory.append(run.memory)
        run, _ = bench.release(GOOD, steps=_GOOD_STEPS, exit_code=0)
        memory.append(run.memory)
    return {
        "first_request": seconds(firsts),
        "memory": {"most_mb": round(max(memory) / 1e6, 1)},
        "safe_write": seconds(writes),
    }


def _from_verdict(log: list[Answered]) -> float:
    """Seconds from the last answer of Prometheus to the arrival of the write that follows it."""
    measured = max(one.answered for one in log if "/proxy/" in one.path)
    route = f"/{kinds.HTTP_ROUTE.plural}/"
    safe = min(
        one.arrived for one in log if one.method == "PATCH" and route in one.path and one.arrived > measured
    )
    return safe - measured


@contextmanager
def _bench(cache: str) -> Iterator[Bench]:
    with tempfile.TemporaryDirectory() as name, TimedServer() as server:
        folder = Path(name)
        server.write_kubeconfig(folder / "kubeconfig", ADMIN_TOKEN, NAMESPACE)
        with server.clock.changed:
            server.world.serve_prometheus()
            objects = app.documents(NAME, NAMESPACE, replicas=4, router="gateway", image="web:1.0.0")
            server.world.apply(*objects)
        time.sleep(app.STARTED)
        with server.clock.changed:
            server.world.send_users("gateway", NAMESPACE, NAME)
        yield Bench(server, folder, cache)
