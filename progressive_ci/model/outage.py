"""A time in which the API server answered nobody."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outage:
    """As this run's own requests have met it.

    Attributes:
        began: monotonic time of the last answer before.
        ended: monotonic time of the first one after.
    """

    began: float
    ended: float
