"""Virtual time: hours pass in milliseconds, in the order in which things were planned."""

import heapq
import itertools
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from progressive_ci.errors import Interrupted
from progressive_ci.model.outcome import Cause, signalled

Callback = Callable[[], None]
Cancel = Callable[[], None]

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class Timers(Protocol):
    """What the simulated world needs of time: virtual and real clocks offer it alike."""

    def now(self) -> float:
        """Monotonic seconds."""

    def wall(self) -> datetime:
        """Now in UTC."""

    def at(self, time: float, callback: Callback) -> Cancel:
        """Run a callback at a time; the answer takes it back."""


@dataclass(slots=True)
class Process:
    """What the clock knows of one process.

    Attributes:
        call: the first call to stop.
        shielded: whether calls to stop are only noted.
        woken: whether something has happened that it wants to see.
        pause: lets the others live up to a time or up to `rouse`; None for the one whose waits move the clock.
        rouse: ends its pause.
    """

    call: Cause | None = None
    shielded: bool = False
    woken: bool = False
    pause: Callable[[float], None] | None = None
    rouse: Callback = lambda: None


class VirtualClock:
    """A clock that moves only while somebody waits, from one planned callback to the next.

    It implements `ports.Clock` and never touches real time. A callback may plan others, write to the cluster
    and deliver signals; time stands still while it runs.
    """

    def __init__(self, start: datetime = EPOCH) -> None:
        self._start = start
        self._now = 0.0
        self._planned: list[tuple[float, int, Callback]] = []
        self._cancelled: set[int] = set()
        self._order = itertools.count()
        self._process = Process()
        self._in_callback = False

    @property
    def process(self) -> Process:
        """Who lives just now."""
        return self._process

    def now(self) -> float:
        """Seconds since the clock was made."""
        return self._now

    def wall(self) -> datetime:
        """The start's date plus the seconds that passed."""
        return self._start + timedelta(seconds=self._now)

    def at(self, time: float, callback: Callback) -> Cancel:
        """Run a callback at a time, or as soon as time moves when that is past; the answer takes it back."""
        order = next(self._order)
        heapq.heappush(self._planned, (max(time, self._now), order, callback))
        return lambda: self._cancelled.add(order)

    def repeat(self, seconds: float, callback: Callback) -> Cancel:
        """Run a callback every so many seconds, first after one such span, until the answer is called."""
        stopped = False

        def again() -> None:
            if not stopped:
                self.at(self._now + seconds, again)
                callback()

        def stop() -> None:
            nonlocal stopped
            stopped = True

        self.at(self._now + seconds, again)
        return stop

    def wait(self, until: float) -> None:
        """Let time pass up to `until`, or up to the first wake or signal.

        Raises:
            Interrupted: a signal came and signals are not shielded.
        """
        self._interrupt()
        while not self._process.woken and self._step(until):
            pass
        self._process.woken = False
        self._interrupt()

    def advance(self, seconds: float) -> None:
        """Let time pass for a request on its way; only a signal ends it early.

        Within a callback it does nothing: what the world does to itself takes no time of its own.

        Raises:
            Interrupted: a signal came and signals are not shielded.
        """
        if self._in_callback:
            return
        self._interrupt()
        until = self._now + seconds
        while self._step(until):
            self._interrupt()

    def run(self, seconds: float) -> None:
        """Let time pass whatever happens meanwhile; for tests that look at the world alone."""
        until = self._now + seconds
        while self._step(until):
            pass

    def wake(self) -> None:
        """Something that a waiting release wants to see has happened: an answer came."""
        self._process.woken = True

    def deliver(self, name: str) -> None:
        """A signal arrives now."""
        self.halt(signalled(name))

    def halt(self, cause: Cause) -> None:
        """Call to stop; the first call stays."""
        self._process.call = self._process.call or cause
        self._process.woken = True
        self._process.rouse()

    def halted(self) -> Cause | None:
        """The first call to stop, None as long as none came."""
        return self._process.call

    def shield(self) -> None:
        """From now on calls to stop are only noted."""
        self._process.shielded = True

    @contextmanager
    def elsewhere(self, process: Process | None = None) -> Iterator[Process]:
        """Another process lives meanwhile; a new one is not called off, and shields nothing."""
        before, self._process = self._process, process or Process()
        try:
            yield self._process
        finally:
            self._process = before

    def take_turn(self, process: Process, turn: Callback) -> None:
        """A process that lives beside others gets its turn, as long as time stands still."""
        before, self._in_callback = self._in_callback, False
        try:
            with self.elsewhere(process):
                turn()
        finally:
            self._in_callback = before

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """For a thread that signals don't reach: meanwhile they are only noted."""
        process = self._process
        before, process.shielded = process.shielded, True
        try:
            yield
        finally:
            process.shielded = before

    def _interrupt(self) -> None:
        if self._process.call and not self._process.shielded:
            raise Interrupted(self._process.call.reason)

    def _step(self, until: float) -> bool:
        """Run the next callback that is due by `until`; False when time has come there."""
        if self._in_callback:
            raise RuntimeError("a callback of the virtual clock waits for time to pass")
        if self._process.pause is not None:
            self._process.pause(until)
            return self._now < until
        self._forget_cancelled()
        if not self._planned or self._planned[0][0] > until:
            if math.isinf(until):
                raise RuntimeError("waiting forever: nothing is planned any more")
            self._now = max(self._now, until)
            return False
        time, _, callback = heapq.heappop(self._planned)
        self._now = max(self._now, time)
        self._in_callback = True
        try:
            callback()
        finally:
            self._in_callback = False
        return True

    def _forget_cancelled(self) -> None:
        while self._planned and self._planned[0][1] in self._cancelled:
            self._cancelled.discard(heapq.heappop(self._planned)[1])
