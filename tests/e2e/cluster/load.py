"""Owns the load: a constant rate of requests through a gateway, and one record of each."""

from __future__ import annotations

import base64
import csv
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

from tests.e2e.cluster.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from tests.e2e.cluster.cluster import Cluster

csv.field_size_limit(sys.maxsize)
_FIRST_BAD_STATUS = 400


@dataclass(frozen=True, slots=True)
class Request:
    """One request: `began` is wall clock in seconds, `status` 0 where no answer came (`error` says why)."""

    began: float
    status: int
    latency: float
    error: str
    version: str
    pod: str

    @property
    def ended(self) -> float:
        """When the answer was complete, wall clock in seconds."""
        return self.began + self.latency

    @property
    def good(self) -> bool:
        """Whether the answer was what a user wants."""
        return 0 < self.status < _FIRST_BAD_STATUS


@dataclass(frozen=True, slots=True)
class Records:
    """The requests of one load, oldest first."""

    requests: tuple[Request, ...]

    def between(self, start: float = 0, end: float = float("inf")) -> Records:
        """Return the requests that began in a window of the wall clock."""
        return Records(tuple(r for r in self.requests if start <= r.began < end))

    def failed(self) -> tuple[Request, ...]:
        """Return every request whose user saw no answer, or 4xx, or 5xx."""
        return tuple(r for r in self.requests if not r.good)

    def lost(self) -> tuple[Request, ...]:
        """Return the requests that no pod answered: the router's own 5xx, and those without an answer."""
        return tuple(r for r in self.requests if not r.version)

    def shares(self) -> dict[str, float]:
        """Return each version's share of the answers, 0 to 1."""
        counts = Counter(r.version for r in self.requests if r.version)
        return {version: count / counts.total() for version, count in counts.items()}

    def share(self, version: str) -> float:
        """Return one version's share of the answers, 0 if it gave none."""
        return self.shares().get(version, 0.0)

    def last_bad(self) -> float | None:
        """Return when the last failed request ended, wall clock in seconds; None if none failed."""
        return max((r.ended for r in self.failed()), default=None)

    def last_of(self, version: str) -> float | None:
        """Return when a version's last answer ended, wall clock in seconds."""
        return max((r.ended for r in self.requests if r.version == version), default=None)

    def summary(self) -> str:
        """Return counts for the text of an assertion."""
        kinds = Counter(f"{r.status} {r.version or r.error or '(router)'}" for r in self.requests)
        return f"{len(self.requests)} requests: " + ", ".join(
            f"{count} x {kind}" for kind, count in kinds.most_common()
        )


class Load:
    """A running load; also a context manager that stops it."""

    def __init__(self, cluster: Cluster, url: str, host: str, *, rate: int = 100) -> None:
        """Start `rate` requests a second to `url` with a Host header; each may take 5 s."""
        with tempfile.NamedTemporaryFile(dir=cluster.folder, suffix=".csv", delete=False) as results:
            self._results = Path(results.name)
            self._attack, self._encode = _start(cluster, url, host, rate, results)
        self._requests: list[Request] = []
        self._read = 0  # bytes of the results
        self.began = time.time()

    def __enter__(self) -> Self:
        """Keep running; see `__init__`."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    def stop(self) -> Records:
        """End the load, wait for the answers still open, and return all records."""
        if self._results.exists():
            self._attack.send_signal(signal.SIGINT)
            for process in (self._attack, self._encode):
                process.wait(60)
            self.records()
            self._results.unlink()
        return self.records()

    def records(self) -> Records:
        """Return what was recorded so far; answers still open are not in it."""
        if self._results.exists():
            with self._results.open("rb") as file:
                file.seek(self._read)
                complete = file.read().rpartition(b"\n")[0]
            if complete:
                self._read += len(complete) + 1
                self._requests.extend(_requests(complete.decode()))
                self._requests.sort(key=lambda r: r.began)
        return Records(tuple(self._requests))

    def wait_for(self, requests: int, *, seconds: float = 60) -> None:
        """Wait until that many more requests are recorded than now."""
        target = len(self.records().requests) + requests
        wait_until(
            f"{requests} more requests", lambda: len(self.records().requests) >= target, seconds=seconds
        )


def _start(
    cluster: Cluster, url: str, host: str, rate: int, results: IO[bytes]
) -> tuple[subprocess.Popen[bytes], subprocess.Popen[bytes]]:
    """Start the attack and the program that turns its records into lines."""
    vegeta: str = cluster.state["vegeta"]
    flags = [f"-rate={rate}", "-duration=0", "-timeout=5s", f"-header=Host: {host}"]
    command = cluster.network.inside(vegeta, "attack", *flags)
    attack = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    if attack.stdin:
        with attack.stdin as targets:
            targets.write(f"GET {url}/\n".encode())
    encode = subprocess.Popen([vegeta, "encode", "-to=csv"], stdin=attack.stdout, stdout=results)
    if attack.stdout:
        attack.stdout.close()
    return attack, encode


def _requests(text: str) -> Iterator[Request]:
    """Read lines of: wall clock ns, status, latency ns, bytes out, bytes in, error, body, and more."""
    for row in csv.reader(text.splitlines()):
        body = base64.b64decode(row[6])
        told: dict[str, str] = json.loads(body) if body.startswith(b'{"pod"') else {}
        yield Request(
            began=int(row[0]) / 1e9,
            status=int(row[1]),
            latency=int(row[2]) / 1e9,
            error=row[5],
            version=told.get("version", ""),
            pod=told.get("pod", ""),
        )
