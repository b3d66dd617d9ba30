"""Rule 12: the exit code is true. What a command says of a release is what the journal says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from progressive_ci.model.journal import Record, State
from progressive_ci.model.outcome import Outcome, Result

if TYPE_CHECKING:
    from tests.scenario.oracle import Oracle


def after(oracle: Oracle, outcome: Outcome) -> None:
    """How a command ended; one that speaks of no release, or of an earlier one, says nothing of this journal."""
    record = oracle.record
    if record is None or record.release != outcome.release:
        return
    if not _is_true(outcome.result, record):
        ended = record.result.word if record.result else "nothing"
        oracle.say("12", f"a command says {outcome.result.word}, the journal {record.state.value}, {ended}")


def _is_true(result: Result, record: Record) -> bool:
    ended = record.result if record.state is State.ENDED else None
    match result:
        case Result.PROMOTED | Result.TOO_LATE:
            return ended is Result.PROMOTED
        case Result.RECOVERED:
            return ended not in (None, Result.PROMOTED)
        case Result.HELD:
            return record.state is State.HELD
        case Result.INCOMPLETE:
            return record.state is not State.ENDED
        case Result.NOTHING_TO_DO:
            return record.state is not State.RUNNING
        case _:
            return ended is result or not _restored(result)


def _restored(result: Result) -> bool:
    """Exit codes from 10 to 19."""
    return result.code // 10 == 1
