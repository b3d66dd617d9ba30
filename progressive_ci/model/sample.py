"""One measurement: what a metrics provider answered, before anybody judged it."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Measured:
    """An answer to judge.

    Attributes:
        value: what a condition sees as `result`: a float, a tuple of floats (samples of series), or any JSON
            value (then its arrays are lists).
        detail: series labels or warnings worth printing.
        series: labels of each series that the values come from; empty where there are none.
    """

    value: Any
    detail: str = ""
    series: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NoData:
    """The server answered, but nothing can be said: empty, NaN, infinite, too few requests."""

    reason: str


@dataclass(frozen=True, slots=True)
class Errored:
    """No usable answer: time-out, 5xx, HTML, warnings, a condition that could not be evaluated."""

    reason: str


Sample = Measured | NoData | Errored
