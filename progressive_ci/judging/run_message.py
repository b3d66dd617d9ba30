"""Owns upstream's words for an analysis that has ended, for reports that people compare with a controller's."""

from collections.abc import Iterable, Mapping

from progressive_ci.judging.analysis import ORDER, AnalysisState, CheckState
from progressive_ci.judging.tally import exceeded
from progressive_ci.model.verdict import Phase


def run_message(state: AnalysisState, *, terminated: bool) -> str:
    """Why the run ended as it did: about the first of its worst checks; empty while it runs or when it passed."""
    message = "Run Terminated" if terminated else ""
    if not all(checked.has_ended for checked in state.checks):
        return message
    deciding = [checked for checked in state.checks if checked.decides]
    worst = max(deciding, key=lambda checked: ORDER.index(checked.phase), default=None)
    if worst is None or worst.phase is Phase.SUCCESSFUL:
        return message
    over = exceeded(worst.check, worst.tally)
    if over is None:
        return "; ".join(part for part in (message, worst.reason) if part)
    told = f': "Error Message: {worst.last.message}"' if worst.last and worst.last.message else ""
    return f'Metric "{worst.check.name}" assessed {worst.phase} due to {over}{told}'


def dry_run_message(checked: CheckState) -> str:
    """What a check that never decides would have done."""
    over = exceeded(checked.check, checked.tally)
    return f"Metric assessed {checked.phase} due to {over}" if over else ""


def summary(checks: Iterable[CheckState]) -> Mapping[str, int]:
    """How many checks there are, and how the ended ones ended."""
    every = list(checks)
    counts = {"count": len(every)}
    for phase in (Phase.SUCCESSFUL, Phase.FAILED, Phase.INCONCLUSIVE, Phase.ERROR):
        counts[phase.value.lower()] = sum(checked.phase is phase for checked in every)
    return counts
