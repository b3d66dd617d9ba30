"""Waiting where signals are only noted: in the promotion and on the way back."""

from collections.abc import Callable
from dataclasses import dataclass

from progressive_ci.model.document import JsonObject
from progressive_ci.model.journal import Side
from progressive_ci.release.readiness import pods_of, ready_uids
from progressive_ci.release.release import Release
from progressive_ci.release.stop import unready

CONTROLLER = 0.3
"""Seconds that a controller needs for its answer to a write; asking earlier is a question for nothing."""

ENDPOINTS = 1.0
"""Seconds in which Services follow their selectors: where one doesn't, somebody may have changed it."""

_CONTROLLER_GAP = 0.2
_GOODBYE = 30.0
_LONGEST_GAP = 5.0
_CONTROLLER_SECONDS = 60.0


@dataclass(slots=True)
class Progress:
    """How long nothing has gone forward; what is lost and comes back is no progress.

    Attributes:
        since: monotonic time of the last progress, or of the beginning.
        most: most of what is waited for, of all that was seen so far.
    """

    since: float
    most: int = 0

    def goes(self, reached: int, *, now: float) -> bool:
        """Whether there is more of it than ever before."""
        if reached <= self.most:
            return False
        self.most, self.since = reached, now
        return True


def until(
    release: Release,
    check: Callable[[], bool],
    text: str,
    *,
    seconds: float | None = None,
    after: float = 0.0,
    progress: Progress | None = None,
) -> None:
    """Ask until it is so.

    Args:
        release: on whose behalf.
        check: asks, by fresh reads.
        text: what is waited for, as a sentence in the present tense.
        seconds: how long; None gives what pods may take to become ready.
        after: seconds before the first question, where it can't be so at once.
        progress: what the check keeps up to date, where the time is for the next part of it and not for all.

    Raises:
        Stop: the time is over.
    """
    clock = release.hands.clock
    allowed = max(release.record.ready_seconds, _CONTROLLER_SECONDS) if seconds is None else seconds
    began = clock.now()
    last = progress or Progress(began)
    release.pause(after)
    while not check():
        elapsed = clock.now() - last.since
        if elapsed > allowed:
            raise unready(f"still not so after {elapsed:.0f} s: {text}")
        release.waiting(text, elapsed, allowed)
        release.pause(next_look(clock.now() - began, _CONTROLLER_GAP))


def next_look(elapsed: float, shortest: float) -> float:
    """Seconds to the next question: soon at first, at leisure when it takes long."""
    return min(max(shortest, elapsed / 2), _LONGEST_GAP)


def await_gone(release: Release, side: Side, who: str) -> None:
    """Wait until pods take no traffic any more, and a little for their end, which they may take their time for."""
    left: tuple[JsonObject, ...] = ()

    def none_serves() -> bool:
        nonlocal left
        left = pods_of(release, side)
        return not ready_uids(left)

    until(release, none_serves, f"{who} take no traffic any more")
    limit = release.hands.clock.now() + _GOODBYE
    while left:
        if release.hands.clock.now() >= limit:
            release.note(f"{who} still finish what they were asked; nothing waits for them")
            return
        release.pause(_CONTROLLER_GAP * 2)
        left = pods_of(release, side)


def bounded(release: Release, text: str) -> Callable[[float], None]:
    """A pause that gives up when pods had their time."""
    clock = release.hands.clock
    began = clock.now()

    def pause(seconds: float) -> None:
        elapsed = clock.now() - began
        if elapsed > max(release.record.ready_seconds, _CONTROLLER_SECONDS):
            raise unready(f"still not so after {elapsed:.0f} s: {text}")
        release.pause(seconds)

    return pause
