"""One measurement: what a metrics provider answered, before anybody judged it."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Measured:
    """An answer to judge.

    Attributes:
        value: what a condition sees as `result`: a float, a list of floats, or any JSON value.
        detail: series labels or warnings worth printing.
    """

    value: Any
    detail: str = ""


@dataclass(frozen=True, slots=True)
class NoData:
    """The server answered, but nothing can be said: empty, NaN, infinite, too few requests."""

    reason: str


@dataclass(frozen=True, slots=True)
class Errored:
    """No usable answer: time-out, 5xx, HTML, warnings, a condition that could not be evaluated."""

    reason: str


Sample = Measured | NoData | Errored
