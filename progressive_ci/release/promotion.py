"""From the last passed check to the terminal entry: the commit point, and the cleaning up after it."""

from progressive_ci.errors import ApiError, LeaseLost
from progressive_ci.model.event import Began, Warned
from progressive_ci.model.journal import Stage
from progressive_ci.model.outcome import Cause, Outcome, Result
from progressive_ci.release.modes.table import MODES
from progressive_ci.release.release import Release
from progressive_ci.release.rollback import end, incomplete
from progressive_ci.release.stop import Overdue, Stop

_AGAIN = 1.0


def promote(release: Release) -> Outcome:
    """Promote; from here a signal is only noted, because forward is the shortest way to safety.

    Raises:
        Stop: the promotion can't be finished, and the commit point is not reached.
    """
    release.began("promote")
    release.enter(stage=Stage.PROMOTING)
    release.hands.clock.shield()
    MODES[release.record.mode].promote(release)
    return complete_promotion(release)


def complete_promotion(release: Release) -> Outcome:
    """The new version serves: take everything of ours away, and say so. Never goes back."""
    clock = release.hands.clock
    release.limit = clock.now() + release.options.rollback_budget
    cause = Cause(Result.PROMOTED, f"revision {release.record.canary.hash} serves all traffic")
    release.hands.reporter.emit(Began("clean up"))
    told = ""
    while True:
        try:
            if release.record.stage is not Stage.COMMITTED:
                release.enter(stage=Stage.COMMITTED)
            MODES[release.record.mode].finish(release)
            return end(release, Result.PROMOTED, cause)
        except LeaseLost:
            raise
        except Overdue as over:
            return incomplete(release, cause, str(over))
        except (ApiError, Stop) as error:
            if told != str(error):
                release.hands.reporter.emit(Warned(f"cleaning up goes on after: {error}"))
            told = str(error)
            release.seen.clear()
            try:
                release.pause(_AGAIN)
            except Overdue as over:
                return incomplete(release, cause, str(over))
