"""Owns the faults of the sweep: each befalls one request of a stretch of a release, at the proxy."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.e2e.cluster.exchange import Answer, Call, DropError, Twice
from tests.e2e.interference import is_renewal, starts_promotion

Process = subprocess.Popen[str]

TO_LIVE = 10.0
"""Seconds between SIGTERM and SIGKILL."""

PATIENCE = 6.0
"""Seconds that the tool waits for the answer to one write."""


def writes(call: Call) -> bool:
    """Whether it may change what is stored; the Lease is renewed by a thread of its own, at no fixed position."""
    dry = "dryRun" in call.query or b'"dryRun"' in call.body
    return call.method != "GET" and not dry and not is_renewal(call) and "/selfsubject" not in call.path


@dataclass(frozen=True, slots=True)
class Fault:
    """What befalls a request.

    Attributes:
        name: in reports.
        fatal: whether the process dies of it, so that somebody else has to finish.
        before: done before the server gets the request; gives an answer in its place, or lets it pass.
        after: done when the server has answered; gives another answer in its place, or lets it pass.
    """

    name: str
    fatal: bool = False
    before: Callable[[Process], Answer | Twice | None] = lambda _: None
    after: Callable[[Process, Answer], Answer | None] = lambda _, __: None


def kill(process: Process, _: Answer | None = None) -> None:
    """Nothing of it runs any more when this returns."""
    process.kill()
    process.wait(10)


def kill_unsent(process: Process) -> None:
    """It dies, and the server never hears of the request."""
    kill(process)
    raise DropError


def _terminate(process: Process) -> None:
    """What a CI system does: SIGTERM, and SIGKILL to what is still there some seconds later."""
    process.send_signal(signal.SIGTERM)
    end = threading.Timer(TO_LIVE, process.kill)
    end.daemon = True
    end.start()


def lose(process: Process, _: Answer | None = None) -> None:
    """The connection is closed: before the request is passed on, or before its answer is."""
    del process
    raise DropError


def held_for(seconds: float) -> Callable[[Process], None]:
    """A request that is so long on its way; nobody waits for one whose sender has ended meanwhile."""

    def hold(process: Process) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)

    return hold


def _status(code: int, reason: str) -> Answer:
    told = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code}
    return Answer(code, json.dumps(told | {"message": "a fault of the test"}).encode())


KILLED = Fault("killed when it is sent", fatal=True, before=kill)
FAULTS = (
    Fault("killed before it is sent", fatal=True, before=kill_unsent),
    KILLED,
    Fault("killed when it is answered", fatal=True, after=kill),
    Fault("SIGTERM", before=_terminate),
    Fault("the answer is lost", after=lose),
    Fault("409", before=lambda _: _status(409, "Conflict")),
    Fault("500", before=lambda _: _status(500, "InternalError")),
)
LONGER = (
    Fault("delivered twice", before=lambda _: Twice()),
    Fault("delivered twice, the first answer counts", before=lambda _: Twice(gives_first=True)),
    Fault("delivered late", before=held_for(PATIENCE / 2)),
    Fault("delivered too late", before=held_for(PATIENCE + 1)),
)
"""What costs more time, or is less to fear: by default at drawn requests only."""


@dataclass(slots=True)
class Strike:
    """One fault at one request, counted from 0 over those that `counts` from the moment the stretch has begun.

    Attributes:
        fault: what happens.
        position: at which request.
        process: whose requests these are; known once it runs.
        counts: which requests are counted.
        begins: at which request the stretch begins by itself, that one included.
        begun: set it to begin the stretch from outside.
        codes: with which a run may end after it.
        count: requests of the stretch so far.
        met: the request that was struck.
        memory: KiB that the process has needed at most, as seen at its requests.
    """

    fault: Fault
    position: int
    process: Process | None = None
    counts: Callable[[Call], bool] = writes
    begins: Callable[[Call], bool] = starts_promotion
    begun: threading.Event = field(default_factory=threading.Event)
    codes: frozenset[int] = frozenset({0})
    count: int = 0
    met: Call | None = None
    memory: int = 0
    _mutex: threading.Lock = field(default_factory=threading.Lock)

    @property
    def ends_it(self) -> bool:
        """Whether the process has died, so that somebody else has to finish."""
        return self.process is not None and self.process.returncode == -signal.SIGKILL

    @property
    def told(self) -> str:
        """Fault and request, for reports."""
        where = f"{self.met.method} {self.met.path}" if self.met else "never met"
        return f"{self.fault.name} at {self.position}: {where}"

    def before(self, call: Call) -> Answer | Twice | None:
        """Count, and strike where the position is reached."""
        if self.process is not None:
            self.memory = max(self.memory, _resident(self.process.pid))
        if not self._strikes(call) or self.process is None:
            return None
        return self.fault.before(self.process)

    def after(self, call: Call, answer: Answer) -> Answer | None:
        """Strike the one that was counted."""
        if self.met is call and self.process is not None:
            return self.fault.after(self.process, answer)
        return None

    def _strikes(self, call: Call) -> bool:
        with self._mutex:
            if self.begins(call):
                self.begun.set()
            if self.met or not self.begun.is_set() or not self.counts(call):
                return False
            self.count += 1
            if self.count <= self.position:
                return False
            self.met = call
            return True


def quiet(*codes: int) -> Strike:
    """No fault: a release that ends with one of these exit codes by itself."""
    return Strike(FAULTS[0], sys.maxsize, codes=frozenset(codes))


def _resident(pid: int) -> int:
    """The kernel's high-water mark of a process in KiB; 0 when it has gone."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = [line.split()[1] for line in text.splitlines() if line.startswith("VmHWM:")]
    return int(found[0]) if found else 0
