"""What is sent again, how soon, and until when: by class of error, on a clock that signals interrupt."""

from collections.abc import Callable
from typing import TypeVar

import tenacity

from progressive_ci.errors import NOT_SENT, Conflict, NoAnswer, ServerError, TooManyRequests
from progressive_ci.ports import Clock

T = TypeVar("T")

_FIRST, _LONGEST = 0.2, 5.0
"""Seconds between two attempts: the first span, doubled each time up to the longest."""


def reads(error: BaseException) -> bool:
    """A read is repeated whenever the answer says nothing about what was asked; nothing conflicts with a read."""
    return isinstance(error, Conflict) or dry_runs(error)


def dry_runs(error: BaseException) -> bool:
    """A dry run writes nothing, so it is repeated like a read; a conflict is its answer."""
    return isinstance(error, NoAnswer | TooManyRequests | ServerError)


def writes(error: BaseException) -> bool:
    """A write is repeated only when it surely had no effect."""
    return isinstance(error, TooManyRequests) or (isinstance(error, NoAnswer) and error.reason == NOT_SENT)


def repeat(
    attempt: Callable[[], T], clock: Clock, *, until: float, again: Callable[[BaseException], bool]
) -> T:
    """Make the attempt until it succeeds, fails for good, or the next one would begin after `until`.

    What the last attempt raised is raised. A Retry-After is honoured, never shortened.
    """

    def sleep(seconds: float) -> None:
        end = clock.now() + seconds
        while clock.now() < end:
            clock.wait(end)

    retrying = tenacity.Retrying(
        sleep=sleep,
        wait=_pause,
        stop=lambda state: clock.now() + state.upcoming_sleep >= until,
        retry=tenacity.retry_if_exception(again),
        reraise=True,
    )
    return retrying(attempt)


def _pause(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    grown = min(_FIRST * 2.0 ** (state.attempt_number - 1), _LONGEST)
    return max(grown, error.retry_after) if isinstance(error, TooManyRequests) else grown
