"""Real time and calls to stop: everything that happens on SIGTERM starts here.

`RealClock` belongs to the main thread, in which Python runs signal handlers. `wait` sleeps on a pipe. The
interpreter itself writes a byte into it when a signal arrives (a handler in Python could run too late: when
the signal comes just before the sleep, only after it), and so does whoever has an answer; none is ever
missed. The handler notes the first signal's name, and nothing else. `ThreadClock` is time for any other
thread, which no signal reaches.
"""

import os
import select
import signal
import threading
import time
from collections.abc import Callable
from datetime import datetime
from types import FrameType
from typing import Protocol

from progressive_ci.adapters import held_signals
from progressive_ci.adapters.server_time import Now, own_wall
from progressive_ci.errors import Interrupted
from progressive_ci.model.outcome import Cause, signalled
from progressive_ci.ports import Clock

_LONGEST = 5.0
"""No sleep is longer than this: a sleep does not count the time in which the machine is suspended, and every
caller asks the time again."""
_SINCE_BOOT = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Linux's clock that goes on while the machine is suspended: a lease runs out in that time too."""


def now() -> float:
    """Monotonic seconds, those in which the machine was suspended included."""
    return time.clock_gettime(_SINCE_BOOT)


class Wakeable(Clock, Protocol):
    """A clock whose `wait` other threads can end."""

    def wake(self) -> None:
        """End the present or the next wait; callable from any thread."""


class Reminding(Wakeable, Protocol):
    """A clock whose `wait` also ends at times that others have named."""

    def remind(self, at: float) -> None:
        """End whatever wait goes on at that time."""


class Ticker(Protocol):
    """Something that calls back again and again."""

    def repeat(self, seconds: float, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back every so many seconds, first after one such span, until the answer is called."""


class RealClock:
    """`ports.Clock` for the main thread of a process."""

    def __init__(self) -> None:
        self._signal: str | None = None
        self._call: Cause | None = None
        self._shielded = False
        self._wall: Now = own_wall
        self._reminders: list[float] = []
        self._previous: dict[int, object] = {}
        self._wakeup = -1
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)

    def install(self) -> None:
        """Take over SIGINT, SIGTERM and SIGHUP; call it first thing.

        As PID 1 of a container a process without handlers never sees SIGTERM. A SIGHUP that was ignored
        before (`nohup`) stays ignored.
        """
        for name in held_signals.NAMES:
            number = getattr(signal, name)
            before = signal.getsignal(number)
            if name == "SIGHUP" and before is signal.SIG_IGN:
                continue
            self._previous[number] = before
            signal.signal(number, self._note)
        self._wakeup = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        held_signals.let_go()

    def close(self) -> None:
        """Give the signals back to whoever had them; the clock is of no use afterwards."""
        for number, before in self._previous.items():
            signal.signal(number, before)  # type: ignore[arg-type]  # what getsignal gave
        if self._previous:
            signal.set_wakeup_fd(self._wakeup)
        self._previous.clear()
        read, write = self._read, self._write
        self._read = self._write = -1  # an answer that comes late must not write into somebody else's file
        os.close(read)
        os.close(write)

    def now(self) -> float:
        """Monotonic seconds, see `now`."""
        return now()

    def wall(self) -> datetime:
        """Now in UTC: by this machine's clock, or by the one it was set by."""
        return self._wall()

    def set_by(self, wall: Now) -> None:
        """From now on the time of day is another clock's: a runner's may be wrong by minutes."""
        self._wall = wall

    def wait(self, until: float) -> None:
        """Sleep until then, or until something happened.

        Raises:
            Interrupted: a signal came and signals are not shielded.
        """
        self._interrupt()
        until = min(until, *self._reminders) if self._reminders else until
        seconds = min(max(until - self.now(), 0.0), _LONGEST)
        ready, _, _ = select.select([self._read], [], [], seconds)
        if ready:
            os.read(self._read, 4096)
        reached = self.now()
        self._reminders = [time for time in self._reminders if time > reached]
        self._interrupt()

    def wake(self) -> None:
        """End the present or the next wait; callable from any thread."""
        try:
            os.write(self._write, b"\0")
        except OSError:
            return  # full: a wake is pending already; closed: nobody waits any more

    def remind(self, at: float) -> None:
        """End whatever wait goes on at that time: somebody's deadline."""
        self._reminders.append(at)

    def halt(self, cause: Cause) -> None:
        """Call to stop; callable from any thread. The first call stays."""
        self._call = self._call or cause
        self.wake()

    def halted(self) -> Cause | None:
        """The first call to stop; a signal wins over what others ask."""
        return signalled(self._signal) if self._signal else self._call

    def shield(self) -> None:
        """From now on calls to stop are only noted."""
        self._shielded = True

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._signal = self._signal or signal.Signals(number).name

    def _interrupt(self) -> None:
        if not self._shielded and (cause := self.halted()):
            raise Interrupted(cause.reason)


class ThreadClock:
    """`ports.Clock` for threads other than the main one: signals never interrupt them."""

    def __init__(self, wall: Now = own_wall) -> None:
        self._wall = wall
        self._woken = threading.Condition()
        self._wakes = 0
        self._seen = threading.local()

    def now(self) -> float:
        """Monotonic seconds, see `now`."""
        return now()

    def wall(self) -> datetime:
        """Now in UTC."""
        return self._wall()

    def wait(self, until: float) -> None:
        """Sleep until then, or until the next `wake` that this thread has not seen."""
        with self._woken:
            if self._wakes == getattr(self._seen, "wakes", 0):
                self._woken.wait(min(max(until - self.now(), 0.0), _LONGEST))
            self._seen.wakes = self._wakes

    def wake(self) -> None:
        """End the present or the next wait of every thread."""
        with self._woken:
            self._wakes += 1
            self._woken.notify_all()

    def halt(self, cause: Cause) -> None:
        """Nothing to do: calls to stop go to the main thread."""

    def halted(self) -> Cause | None:
        """None: calls to stop go to the main thread."""
        return None

    def shield(self) -> None:
        """Nothing to do."""


class ThreadTicker:
    """A `Ticker` with a daemon thread for each callback."""

    def repeat(self, seconds: float, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back every so many seconds until the answer is called; never holds the process up."""
        stopped = threading.Event()

        def beat() -> None:
            while not stopped.wait(seconds):
                callback()

        threading.Thread(target=beat, name="ticker", daemon=True).start()
        return stopped.set
