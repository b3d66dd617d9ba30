"""What PromQL expressions evaluate to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass


class NotComputed(Exception):
    """Valid PromQL that the sandbox does not compute; says what."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One element of a vector."""

    labels: Mapping[str, str]
    value: float


Vector = list[Sample]
Value = float | str | Vector


@dataclass(frozen=True, slots=True)
class Range:
    """The scrapes of one series within a window.

    Attributes:
        labels: of the series.
        start: of the window.
        end: of the window.
        first: time of its first scrape.
        last: time of its last scrape.
        interval: between two scrapes.
        at: value at a time.
    """

    labels: Mapping[str, str]
    start: float
    end: float
    first: float
    last: float
    interval: float
    at: Callable[[float], float]

    def values(self) -> list[float]:
        """The value at each scrape."""
        count = round((self.last - self.first) / self.interval)
        return [self.at(self.first + number * self.interval) for number in range(count + 1)]
