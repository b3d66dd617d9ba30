"""A machine with a clock of its own: its wall clock is wrong, or it sleeps while the world goes on."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from progressive_ci.model.outcome import Cause
from progressive_ci.sandbox.clock import VirtualClock

_ROUNDING = 1e-6
"""Seconds: or a sum that is rounded down never reaches its moment."""


@dataclass(slots=True)
class OwnClock:
    """`ports.Clock` of one machine.

    Attributes:
        world: everybody else's time.
        wrong: what its wall clock is ahead.
        counts_sleep: whether its monotonic clock goes on while it sleeps.
        missed: seconds that its monotonic clock has not seen.
    """

    world: VirtualClock
    wrong: timedelta = timedelta()
    counts_sleep: bool = True
    missed: float = 0.0

    def sleep(self, seconds: float) -> None:
        """The whole machine is suspended; the world is not."""
        self.world.run(seconds)
        self.missed += 0.0 if self.counts_sleep else seconds

    def now(self) -> float:
        """Monotonic seconds."""
        return self.world.now() - self.missed

    def wall(self) -> datetime:
        """What it takes for the time in UTC."""
        return self.world.wall() + self.wrong

    def wait(self, until: float) -> None:
        """Let time pass."""
        self.world.wait(until + self.missed + _ROUNDING)

    def halt(self, cause: Cause) -> None:
        """Call to stop."""
        self.world.halt(cause)

    def halted(self) -> Cause | None:
        """The first call to stop."""
        return self.world.halted()

    def shield(self) -> None:
        """From now on calls to stop are only noted."""
        self.world.shield()
