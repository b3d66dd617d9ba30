"""Errors that end a command before a release has begun, as outcomes with their exit codes."""

from progressive_ci.errors import (
    ApiError,
    Interrupted,
    LeaseLost,
    Locked,
    Outdated,
    ProgressiveError,
    Refused,
    SpecInvalid,
    Unfinished,
)
from progressive_ci.model.outcome import Outcome, Result

RESULTS: tuple[tuple[type[ProgressiveError], Result], ...] = (
    (SpecInvalid, Result.INVALID),
    (Refused, Result.REFUSED),
    (Unfinished, Result.INCOMPLETE),
    (Locked, Result.LOCKED),
    (Outdated, Result.OUTDATED),
    (LeaseLost, Result.TAKEN_OVER),
    (Interrupted, Result.CANCELLED),
    (ApiError, Result.REFUSED),
    (ProgressiveError, Result.INVALID),
)
"""The first row that fits counts."""


def outcome_of(error: ProgressiveError) -> Outcome:
    """How a run ends that this error ends before its first write."""
    result = next(result for kind, result in RESULTS if isinstance(error, kind))
    if isinstance(error, Interrupted):
        return Outcome(result, f"{error.what} before the first write", advice=error.advice)
    if isinstance(error, Unfinished):
        return Outcome(result, error.what, advice=error.advice, left=error.left, weight=error.weight)
    if isinstance(error, SpecInvalid | Refused):
        return Outcome(result, str(error))
    return Outcome(result, f"{error.where}: {error.what}" if error.where else error.what, advice=error.advice)
