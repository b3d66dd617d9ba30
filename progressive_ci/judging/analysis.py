"""Owns an analysis from its first question to its verdict: a state machine over frozen values.

`begin` makes the state; `due` and `next_due` say what to ask and when; `record` takes an answer; `verdict` says
what the answers mean now; `finish` ends what would run for ever. Times are monotonic seconds of the caller.

Counts and limits are upstream's (`tally`), samples are judged in `measurement`. What differs from upstream is
in docs/compatibility.md: errors and no data hold until the metrics time-out and then end without a verdict,
an analysis fails as soon as one of its checks does, and no check passes that was not measured to its end.
"""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime

from progressive_ci.judging import texts
from progressive_ci.judging.measurement import Measurement, measured
from progressive_ci.judging.tally import Tally, ended, exceeded, status, wanted, without_success
from progressive_ci.model.check import Analysis, Check
from progressive_ci.model.durations import shown
from progressive_ci.model.sample import Sample
from progressive_ci.model.verdict import FailedCheck, NoVerdict, Passed, Phase, Undecided, Verdict

__all__ = [
    "AnalysisState",
    "CheckState",
    "Measurement",
    "begin",
    "due",
    "finish",
    "fresh_since",
    "next_due",
    "phase",
    "record",
    "verdict",
]

ERROR_RETRY = 10.0
"""Seconds from an error, or no data, to the next question, whatever the interval is."""

ENDED = (Phase.SUCCESSFUL, Phase.FAILED, Phase.INCONCLUSIVE, Phase.ERROR)
STOPPING = (Phase.FAILED, Phase.INCONCLUSIVE, Phase.ERROR)
ORDER = (Phase.SUCCESSFUL, Phase.RUNNING, Phase.PENDING, Phase.INCONCLUSIVE, Phase.ERROR, Phase.FAILED)
"""From best to worst, between checks."""


@dataclass(frozen=True, slots=True)
class CheckState:
    """One check at work.

    Attributes:
        check: what it measures.
        first_due: when its first measurement is due.
        phase: Pending before the first answer; once ended it never changes.
        tally: counts.
        last: the last answer.
        blind_since: when the first of an unbroken row of errors and no data ended.
        value_asked_at: when the last question was asked that gave a value.
        decided_at: when it ended.
        reason: why it ended so, unless it passed.
    """

    check: Check
    first_due: float
    phase: Phase = Phase.PENDING
    tally: Tally = field(default_factory=Tally)
    last: Measurement | None = None
    blind_since: float | None = None
    value_asked_at: float | None = None
    decided_at: float = 0.0
    reason: str = ""

    @property
    def has_ended(self) -> bool:
        """Whether nothing more is measured."""
        return self.phase in ENDED

    @property
    def decides(self) -> bool:
        """Whether it counts for the verdict."""
        return not self.check.dry_run


@dataclass(frozen=True, slots=True)
class AnalysisState:
    """All checks of an analysis."""

    analysis: Analysis
    checks: tuple[CheckState, ...]

    def of(self, name: str) -> CheckState:
        """The check with this name."""
        return next(state for state in self.checks if state.check.name == name)

    @property
    def is_stopping(self) -> bool:
        """Whether a check has ended badly: nothing more is asked then."""
        return any(state.decides and state.phase in STOPPING for state in self.checks)


def begin(analysis: Analysis, now: float) -> AnalysisState:
    """An analysis that starts now."""
    checks = tuple(CheckState(check, now + check.initial_delay) for check in analysis.checks)
    return AnalysisState(analysis, checks)


def due(state: AnalysisState, now: float) -> tuple[Check, ...]:
    """What to ask now. A question on the way is still due: who asks remembers it."""
    moments = [(checked, _moment(checked)) for checked in state.checks]
    if state.is_stopping:
        return ()
    return tuple(checked.check for checked, moment in moments if moment is not None and moment <= now)


def next_due(state: AnalysisState, *, besides: Collection[str] = ()) -> float | None:
    """When the next question is due, `besides` those on the way; None when nothing more is asked."""
    if state.is_stopping:
        return None
    idle = [checked for checked in state.checks if checked.check.name not in besides]
    return min((moment for checked in idle if (moment := _moment(checked)) is not None), default=None)


def _moment(state: CheckState) -> float | None:
    if state.has_ended:
        return None
    if state.last is None:
        return state.first_due
    interval = state.check.interval
    if interval is None:
        return state.last.ended_at + ERROR_RETRY
    if state.last.is_blind:
        # Upstream repeats an error after 10 s whatever the interval; no data is no error of the server's.
        interval = min(interval, ERROR_RETRY) if state.last.is_empty else ERROR_RETRY
    return state.last.ended_at + interval


def record(
    state: AnalysisState,
    name: str,
    sample: Sample,
    *,
    asked_at: float,
    now: float,
    counted: Sample | None = None,
    wall: datetime | None = None,
) -> tuple[AnalysisState, Measurement]:
    """Take an answer.

    Args:
        state: before.
        name: of the check.
        sample: the answer to its query.
        asked_at: when the question was sent.
        now: when the answer was there.
        counted: the answer to its `samples_query`; needed where it has one.
        wall: what conditions see as `now()`.
    """
    before = state.of(name)
    answer = measured(before.check, sample, asked_at=asked_at, ended_at=now, counted=counted, wall=wall)
    after = before if before.has_ended else taken(before, answer)
    checks = tuple(after if checked is before else checked for checked in state.checks)
    return replace(state, checks=checks), answer


def taken(state: CheckState, answer: Measurement) -> CheckState:
    """A check with one answer more."""
    tally = state.tally.plus(answer.phase, is_empty=answer.is_empty)
    found = without_success(status(state.check, tally), state.check, tally)
    blind = (
        (state.blind_since if state.blind_since is not None else answer.ended_at) if answer.is_blind else None
    )
    return replace(
        state,
        phase=found,
        tally=tally,
        last=answer,
        blind_since=blind,
        value_asked_at=state.value_asked_at if answer.is_blind else answer.asked_at,
        decided_at=answer.ended_at,
        reason=_reason(state.check, tally, answer) if found in STOPPING else "",
    )


def _reason(check: Check, tally: Tally, answer: Measurement) -> str:
    head = ", ".join(part for part in (texts.bare(answer.value), answer.message) if part)
    over = exceeded(check, tally)
    if over is None:
        why = f"{tally.count} measurements without {_success(check)}"
    elif over.phase is Phase.ERROR:
        why = f"{over.number} errors in a row, at most {over.limit}"
    else:
        why = f"{over.counted} {over.number} of at most {over.limit}"
    return f"{check.name}: {head} ({why})"


def _success(check: Check) -> str:
    row = check.limits.consecutive_success
    return f"{row} successes in a row" if row else "a success"


def verdict(state: AnalysisState, now: float, metrics_timeout: float) -> Verdict:
    """What the answers mean now.

    A check that failed decides at once and for good. Errors and no data that have lasted for the time-out, a
    written `consecutiveErrorLimit` and an inconclusive check end without a verdict on the version.
    """
    bad = [checked for checked in state.checks if checked.decides and checked.phase in STOPPING]
    if bad:
        return _ending(min(bad, key=lambda checked: (-ORDER.index(checked.phase), checked.decided_at)))
    open_checks = [checked for checked in state.checks if not checked.has_ended]
    required = [checked for checked in open_checks if checked.decides]
    for checked in required:
        if _blind_for(checked, now) >= metrics_timeout:
            return NoVerdict(checked.check.name, _outage(checked, now), _last_answer(checked))
    if all(_blind_for(checked, now) >= metrics_timeout for checked in open_checks):
        return Passed()  # what is still open never decides
    return Undecided(
        min((checked.blind_since for checked in required if checked.blind_since is not None), default=None)
    )


def _ending(checked: CheckState) -> FailedCheck | NoVerdict:
    if checked.phase is Phase.FAILED:
        return FailedCheck(checked.check.name, checked.reason, checked.decided_at)
    return NoVerdict(checked.check.name, checked.reason, checked.decided_at)


def _blind_for(checked: CheckState, now: float) -> float:
    return -1.0 if checked.blind_since is None else now - checked.blind_since


def _outage(checked: CheckState, now: float) -> str:
    message = checked.last.message if checked.last else "never measured"
    return f"{checked.check.name}: no usable answer for {shown(round(_blind_for(checked, now)))}, the last: {message}"


def _last_answer(checked: CheckState) -> float:
    return checked.last.ended_at if checked.last else checked.first_due


def finish(state: AnalysisState, now: float) -> AnalysisState:
    """The steps are done: every check that is still running ends now (`tally.ended`)."""
    checks = tuple(checked if checked.has_ended else _finished(checked, now) for checked in state.checks)
    return replace(state, checks=checks)


def _finished(checked: CheckState, now: float) -> CheckState:
    found = without_success(ended(checked.check, checked.tally), checked.check, checked.tally)
    reason = "" if found is Phase.SUCCESSFUL else _ended_early(checked)
    return replace(checked, phase=found, decided_at=now, reason=reason)


def _ended_early(checked: CheckState) -> str:
    name, number = checked.check.name, checked.tally.count
    if not number:
        last = f", the last answer: {checked.last.message}" if checked.last else ""
        return f"{name}: the steps were done before it was ever measured{last}"
    count = wanted(checked.check)
    if count is None:
        return f"{name}: the steps were done before it had {_success(checked.check)}"
    return f"{name}: the steps were done after {number} of its {count} measurements"


def fresh_since(state: AnalysisState, moment: float) -> bool:
    """Whether every check that decides has a value that was asked for after `moment`.

    A check that has passed by its own count or row of successes is at its end: it says nothing any more, and
    nobody waits for it.
    """
    return all(
        checked.phase is Phase.SUCCESSFUL
        or (checked.value_asked_at is not None and checked.value_asked_at > moment)
        for checked in state.checks
        if checked.decides
    )


def phase(state: AnalysisState) -> Phase:
    """The analysis in one word of upstream: the worst of its checks once all have ended, else Running."""
    if not all(checked.has_ended for checked in state.checks):
        return Phase.RUNNING
    deciding = [checked.phase for checked in state.checks if checked.decides]
    return max(deciding, key=ORDER.index, default=Phase.SUCCESSFUL)
