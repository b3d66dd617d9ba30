"""Real time for the simulated cluster: one thread runs what is planned, one lock guards the world."""

import heapq
import itertools
import threading
import time
from datetime import UTC, datetime, timedelta

from progressive_ci.sandbox.clock import Callback, Cancel


class RealTimeClock:
    """`clock.Timers` on real time.

    Args:
        speed: seconds of the simulated cluster that pass in one real second.

    Attributes:
        speed: as given.
        changed: notified after every callback; its lock guards the whole simulated cluster.
    """

    def __init__(self, *, speed: float = 1.0) -> None:
        self.changed = threading.Condition(threading.RLock())
        self.speed = speed
        self._start = time.monotonic()
        self._born = datetime.now(UTC)
        self._planned: list[tuple[float, int, Callback]] = []
        self._cancelled: set[int] = set()
        self._order = itertools.count()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="sandbox-clock", daemon=True)

    def now(self) -> float:
        """Seconds since the clock was made."""
        return (time.monotonic() - self._start) * self.speed

    def wall(self) -> datetime:
        """The start's date plus the seconds that passed."""
        return self._born + timedelta(seconds=self.now())

    def at(self, time: float, callback: Callback) -> Cancel:
        """Run a callback at a time, holding the lock; the answer takes it back."""
        order = next(self._order)
        with self.changed:
            heapq.heappush(self._planned, (time, order, callback))
            self.changed.notify_all()
        return lambda: self._cancelled.add(order)

    def start(self) -> None:
        """Begin to run what is planned."""
        self._thread.start()

    def stop(self) -> None:
        """Run nothing any more."""
        with self.changed:
            self._stopped = True
            self.changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        with self.changed:
            while not self._stopped:
                if not self._planned:
                    self.changed.wait()
                    continue
                left = self._planned[0][0] - self.now()
                if left > 0:
                    self.changed.wait(left / self.speed)
                    continue
                _, order, callback = heapq.heappop(self._planned)
                if order in self._cancelled:
                    self._cancelled.discard(order)
                    continue
                callback()
                self.changed.notify_all()
