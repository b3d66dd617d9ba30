"""When the API server was away, by what all threads of a run have met."""

import threading

from progressive_ci.model.outage import Outage
from progressive_ci.ports import Clock

_SHORTEST = 2.0
"""Seconds without an answer: what is shorter is one request's bad luck."""


class Reach:
    """Hears of every request's end; those of several connections to one server share one of these."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._heard = clock.now()
        self._silent: float | None = None
        self._last: Outage | None = None

    def now(self) -> float:
        """Monotonic seconds: when a request is sent."""
        return self._clock.now()

    def silent(self, sent: float) -> None:
        """A request that was sent then has got no answer that is worth one."""
        with self._lock:
            if self._silent is None:
                # Whoever hangs while others are answered says nothing of that time, nor of what comes next.
                self._silent = sent if sent >= self._heard else self._clock.now()

    def answered(self) -> None:
        """The server answers."""
        now = self._clock.now()
        with self._lock:
            if self._silent is not None and now - self._silent >= _SHORTEST:
                self._last = Outage(self._heard, now)
            self._silent, self._heard = None, now

    def last_outage(self) -> Outage | None:
        """The latest one that is over; None where there was none."""
        with self._lock:
            return self._last
