"""Owns a workload under traffic that is released again and again, each time with a fault at one request."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from tests.e2e import given, then, when
from tests.e2e.cluster import observability
from tests.e2e.cluster.client import Document
from tests.e2e.cluster.load import Load
from tests.e2e.cluster.proxy import RecordingProxy
from tests.e2e.given import NAME, OLD, Shop
from tests.e2e.rows import ROWS, Row
from tests.e2e.strikes import Strike

SIZE = 2
RATE = 50
LEASE = ("--lease", "3s")
SETTLE = ("--settle", "0.2s")
_FOREVER = "60s"
_JUDGED = given.setting(50, 100, pause="30s")
"""Half of the users are enough for a verdict, which comes within seconds."""


@dataclass(slots=True)
class Stand:
    """One workload, one load and one token for all cases, because each of them takes longer than a release.

    Attributes:
        shop: the workload.
        row: how it is released.
        proxy: between the tool and the API server.
        metrics: between the tool and Prometheus, where faults are to befall questions; else it asks by its own way.
        load: the users, where there are any.
        token: with exactly the printed rights.
        image: what should serve.
        version: how many versions there were.
        size: how many pods there should be after a case.
    """

    shop: Shop
    row: Row
    proxy: RecordingProxy
    load: Load | None
    token: str
    metrics: RecordingProxy | None = None
    image: str = OLD
    version: int = 1
    size: int = SIZE

    def promotes(self, strike: Strike) -> bool:
        """Release a new version, struck on the way; whoever comes next finishes it.

        False: the release had no such request.
        """
        image = self._next(pause="0s")
        code = self._struck(strike)
        result = ""
        if strike.ends_it:
            run = self._run("run", "-f", str(self.shop.folder))
            code, result = run.exit, run.told["result"]
            assert code in strike.codes, f"{strike.told}: the next run: {run.log}"
        self.image = image if code == 0 else self.image
        self._is_whole(strike, result)
        return strike.met is not None

    def recovers(self, strike: Strike) -> bool:
        """Release a new version, struck on the way; `recover` finishes it, as far as it had come; see `promotes`."""
        image = self._next(pause="0s")
        code = self._struck(strike)
        if strike.ends_it:
            run = self._run("recover", NAME)
            assert run.exit == 0, f"{strike.told}: {run.log}"
            image = then.image_of(self.shop)
        self.image = image if code == 0 or strike.ends_it else self.image
        self._is_whole(strike, run.told["result"] if strike.ends_it else "")
        return strike.met is not None

    def takes_back(self, strike: Strike) -> bool:
        """Release a new version and cancel it halfway, struck on the way back; see `promotes`."""
        self._next(pause=_FOREVER, tag=self.row.tag)
        self._struck(strike, cancel_at=self.row.halfway)
        result = ""
        if strike.ends_it:
            run = self._run("rollback", NAME)
            assert run.exit == 0, f"{strike.told}: {run.log}"
            result = run.told["result"]
        self._is_whole(strike, result)
        return strike.met is not None

    def fails(self, strike: Strike, image: str) -> None:
        """Release a version that never becomes ready."""
        self._write(image, pause="0s")
        self._struck(strike)
        self._is_whole(strike)

    def judged(self, strike: Strike) -> None:
        """Release a version that serves everybody well, by a metric that asks for more than that."""
        self.version += 1
        self.shop.write(*_measured(f"example/app:{self.version}.0.0", self.shop))
        self._struck(strike)
        self._is_whole(strike)

    def _next(self, *, pause: str, tag: str = "") -> str:
        """Let the folder say that a version comes that never was there."""
        self.version += 1
        image = f"example/app:{self.version}.0.0{tag}"
        self._write(image, pause=pause)
        return image

    def _write(self, image: str, *, pause: str) -> None:
        self.shop.write(self.row.document(image, self.shop.router, pause), *self.row.beside)

    def _struck(self, strike: Strike, *, cancel_at: str = "") -> int:
        """Run with the fault; the exit code, negative where it was killed."""
        (self.metrics or self.proxy).hooks = strike
        with self._start("run", "-f", str(self.shop.folder), server=self.proxy.url) as tool:
            strike.process = tool.process
            if cancel_at:
                tool.wait_for(cancel_at)
                strike.begun.set()
                tool.terminate()
            code = _ended(tool)
        assert strike.ends_it or code in strike.codes, f"{strike.told}: exit {code}: {tool.log}"
        return code

    def _run(self, *words: str) -> when.Run:
        with self._start(*words) as tool:
            return tool.end()

    def _start(self, *words: str, server: str | None = None) -> when.Tool:
        options = (*LEASE, *SETTLE, *self._ways()) if words[0] == "run" else LEASE
        return when.start_with(self.shop, self.token, *words, *options, server=server)

    def _ways(self) -> tuple[str, ...]:
        return ("--address", f"{given.PROMETHEUS}={self.metrics.url}") if self.metrics else ()

    def _is_whole(self, strike: Strike, result: str = "") -> None:
        """The version that should serve does, alone, nothing is left, and no user has met an error.

        Where the next run found nothing to do, it also had no reason to take the lease; and a signal while the lease is
        taken may leave it taken, until it runs out.
        """
        then.only_serves(self.shop, self.image, replicas=self.size)
        then.the_journal_is_closed(self.shop)
        idle = result in {"unchanged", "nothing-to-do"}
        taking = strike.met is not None and "/leases" in strike.met.path
        then.nothing_of_ours_is_left(self.shop, but_a_dead_holder=idle or taking)
        if self.row.routed:
            assert then.split(self.shop) == {given.STABLE: 100, given.CANARY: 0}, strike.told
        failed = self.load.records().failed() if self.load else ()
        assert not failed, f"{strike.told}: {failed[0]}"


def _ended(tool: when.Tool) -> int:
    """Wait for its end, which a release without faults reaches in a fifth of that time."""
    try:
        return tool.process.wait(120.0)
    except subprocess.TimeoutExpired:
        tool.process.kill()
        raise


def _measured(image: str, shop: Shop) -> tuple[Document, Document]:
    """A release that no version passes."""
    document = given.rollout(image, shop.router, steps=_JUDGED, drains=(1, 1))
    return document, given.analysis(successCondition="result[0] > 1")


@contextmanager
def opened(
    shop: Shop,
    row: Row = ROWS["gateway"],
    *,
    rate: int = RATE,
    judged: bool = False,
    asking: bool = False,
) -> Iterator[Stand]:
    """Put a stand around a workload, with the rights to measure it where some of its releases are judged.

    Where it is about `asking`, faults befall questions to Prometheus in place of requests to the API server.
    """
    document = row.document(OLD, shop.router, "0s")
    shop.write(*(_measured(OLD, shop) if judged else (document, *row.beside)))
    token = shop.token(shop.role(*row.occasions))
    with ExitStack() as stack:
        stack.enter_context(row.within(shop))
        proxy = stack.enter_context(RecordingProxy(shop.cluster))
        load = stack.enter_context(when.users(shop, rate=rate)) if row.used else None
        upstream = observability.address(shop.cluster.admin)
        metrics = stack.enter_context(RecordingProxy(shop.cluster, upstream=upstream)) if asking else None
        yield Stand(shop, row, proxy, load, token, metrics)
