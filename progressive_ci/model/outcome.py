"""How a run ended, and the exit code that says so (the README lists them)."""

from dataclasses import dataclass, field
from enum import Enum

from progressive_ci.model.document import Source


class Result(Enum):
    """Exit code and the word in the `result` output. A stable interface."""

    PROMOTED = (0, "promoted")
    UNCHANGED = (0, "unchanged")
    PARKED = (0, "parked")
    RECOVERED = (0, "recovered")
    NOTHING_TO_DO = (0, "nothing-to-do")
    ASKED = (0, "asked")
    INVALID = (2, "invalid")
    REFUSED = (3, "refused")
    TOO_LATE = (3, "too-late")
    LOCKED = (4, "locked")
    OUTDATED = (5, "outdated")
    UNHEALTHY = (10, "rolled-back-unhealthy")
    UNREADY = (11, "rolled-back-unready")
    UNAVAILABLE = (12, "rolled-back-unavailable")
    CANCELLED = (13, "rolled-back-cancelled")
    REJECTED = (14, "rolled-back-rejected")
    INTERNAL = (15, "rolled-back-internal")
    INCOMPLETE = (20, "rollback-incomplete")
    HELD = (21, "held")
    TAKEN_OVER = (22, "taken-over")

    @property
    def code(self) -> int:
        """The process's exit code."""
        return int(self.value[0])

    @property
    def word(self) -> str:
        """The word in outputs and in the last line."""
        return str(self.value[1])


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a release is not going on.

    Attributes:
        result: which kind of end it leads to.
        reason: one sentence: what was seen, against which rule.
        source: the line of the spec it comes from.
        advice: what to do next.
        details: further lines: a container's last log lines, the samples of a metric.
        at: monotonic time of the deciding observation, None where it has none.
    """

    result: Result
    reason: str
    source: Source = field(default_factory=Source)
    advice: str = ""
    details: tuple[str, ...] = ()
    at: float | None = None


def signalled(name: str) -> Cause:
    """Why a release stops that meets a signal."""
    return Cause(Result.CANCELLED, f"stopped by {name}", advice="run it again when you are ready")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended.

    Attributes:
        result: word and exit code.
        reason: one sentence.
        revision: hash of the version that this run was to release.
        previous_revision: hash of the version that served before.
        weight: percent of traffic on the new version at the end.
        step: index of the last step begun, counted from 1; 0 for none.
        steps: how many there were.
        source: line of the spec that the reason points to.
        advice: what to do next, with commands.
        details: lines below the reason.
        left: objects that could not be cleaned up, with the command for each.
        recovered: what was done first about an unfinished release of an earlier run.
        release: id of the release.
        workload: its name, where a run speaks of several.
        each: the outcomes that this one sums up.
    """

    result: Result
    reason: str
    revision: str = ""
    previous_revision: str = ""
    weight: int = 0
    step: int = 0
    steps: int = 0
    source: Source = field(default_factory=Source)
    advice: str = ""
    details: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    recovered: str = ""
    release: str = ""
    workload: str = ""
    each: tuple["Outcome", ...] = ()
