"""What the samples of an analysis say."""

from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """Of one measurement, one check or a whole analysis, in upstream's words."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUCCESSFUL = "Successful"
    FAILED = "Failed"
    ERROR = "Error"
    INCONCLUSIVE = "Inconclusive"


@dataclass(frozen=True, slots=True)
class Undecided:
    """Goes on. `blind_since`: monotonic time from which errors or no data stand unbroken, else None."""

    blind_since: float | None = None


@dataclass(frozen=True, slots=True)
class Passed:
    """Every required check passed."""


@dataclass(frozen=True, slots=True)
class FailedCheck:
    """The new version is bad.

    Attributes:
        check: name of the deciding metric.
        reason: one sentence with the value, the condition and the count against the limit.
        at: monotonic time at which the deciding measurement ended.
    """

    check: str
    reason: str
    at: float


@dataclass(frozen=True, slots=True)
class NoVerdict:
    """Nothing can be said for too long: an outage, no data, inconclusive. Not a bad release."""

    check: str
    reason: str
    at: float


Verdict = Undecided | Passed | FailedCheck | NoVerdict
