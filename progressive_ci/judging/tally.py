"""Owns counting: what the measurements of one check add up to, by upstream's rules and limits.

`reference/argo.md` 6.3. Within one check an error beats inconclusive, which beats failed.
"""

from dataclasses import dataclass, replace

from progressive_ci.model.check import Check
from progressive_ci.model.verdict import Phase


@dataclass(frozen=True, slots=True)
class Tally:
    """Measurements so far. An error, and no data that is held, never add to `count`."""

    count: int = 0
    successful: int = 0
    failed: int = 0
    inconclusive: int = 0
    error: int = 0
    consecutive_error: int = 0
    consecutive_success: int = 0

    def plus(self, phase: Phase, *, is_empty: bool = False) -> "Tally":
        """One measurement more. No data is no error: it only ends a row of successes."""
        if is_empty:
            return replace(self, consecutive_success=0)
        match phase:
            case Phase.SUCCESSFUL:
                row = self.consecutive_success + 1
                more = replace(self, successful=self.successful + 1, consecutive_success=row)
            case Phase.FAILED:
                more = replace(self, failed=self.failed + 1, consecutive_success=0)
            case Phase.INCONCLUSIVE:
                more = replace(self, inconclusive=self.inconclusive + 1, consecutive_success=0)
            case _:
                return replace(
                    self,
                    error=self.error + 1,
                    consecutive_error=self.consecutive_error + 1,
                    consecutive_success=0,
                )
        return replace(more, count=self.count + 1, consecutive_error=0)


@dataclass(frozen=True, slots=True)
class Exceeded:
    """A limit that a check went beyond."""

    phase: Phase
    counted: str
    number: int
    limit_name: str
    limit: int

    def __str__(self) -> str:
        """In upstream's words, which people search for."""
        return f"{self.counted} ({self.number}) > {self.limit_name} ({self.limit})"


def exceeded(check: Check, tally: Tally) -> Exceeded | None:
    """The limit that decides, if one is exceeded. `consecutiveErrorLimit` counts only where it is written."""
    limits = check.limits
    if limits.consecutive_error is not None and tally.consecutive_error > limits.consecutive_error:
        return Exceeded(
            Phase.ERROR,
            "consecutiveErrors",
            tally.consecutive_error,
            "consecutiveErrorLimit",
            limits.consecutive_error,
        )
    if tally.inconclusive > limits.inconclusive:
        return Exceeded(
            Phase.INCONCLUSIVE, "inconclusive", tally.inconclusive, "inconclusiveLimit", limits.inconclusive
        )
    if 0 <= limits.failure < tally.failed:
        return Exceeded(Phase.FAILED, "failed", tally.failed, "failureLimit", limits.failure)
    return None


def wanted(check: Check) -> int | None:
    """Measurements after which a check ends; None is endless."""
    if check.count:
        return check.count
    return 1 if check.interval is None else None


def status(check: Check, tally: Tally) -> Phase:
    """What a check with at least one finished measurement has come to."""
    over = exceeded(check, tally)
    if over is not None:
        return over.phase
    row = check.limits.consecutive_success
    if 0 < row <= tally.consecutive_success:
        return Phase.SUCCESSFUL
    count = wanted(check)
    if count is None or tally.count < count:
        return Phase.RUNNING
    if not row:
        return Phase.SUCCESSFUL
    return Phase.FAILED if check.limits.failure < 0 else Phase.INCONCLUSIVE


def ended(check: Check, tally: Tally) -> Phase:
    """What a check that is still running comes to when the steps are done.

    Endless ones end well where something was measured. A check that was never measured, one that ends before
    its count, and one that still waits for its row of successes are no pass.
    """
    if check.dry_run:
        return Phase.SUCCESSFUL
    complete = tally.count > 0 and wanted(check) is None and not check.limits.consecutive_success
    return Phase.SUCCESSFUL if complete else Phase.INCONCLUSIVE


def without_success(found: Phase, check: Check, tally: Tally) -> Phase:
    """The one deviation: what stayed within its limits without a single success is upstream's pass, and not ours."""
    blank = found is Phase.SUCCESSFUL and not tally.successful and not check.dry_run
    return Phase.INCONCLUSIVE if blank else found
