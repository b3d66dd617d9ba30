"""A way forward, and what follows when it can't be gone to its end: held where that was asked for, else back."""

from collections.abc import Callable
from functools import partial

from progressive_ci.errors import Interrupted, LeaseLost, ProgressiveError
from progressive_ci.model.outcome import Cause, Outcome, Result
from progressive_ci.release.hold import hold, may_hold
from progressive_ci.release.release import Release
from progressive_ci.release.rollback import roll_back
from progressive_ci.release.stop import cancelled, cause_of

Forward = Callable[[], Outcome]


def attempt(
    release: Release, forward: Forward, *, explain: Callable[[Cause], Cause] | None = None
) -> Outcome:
    """Whatever stops the way forward after the first write leads to the way back.

    Args:
        release: which.
        forward: the way.
        explain: adds to the cause what the user should know.
    """
    done = _tried(release, forward)
    if isinstance(done, Outcome):
        return done
    cause = explain(done) if explain else done
    if may_hold(release, cause):
        held = _tried(release, partial(hold, release, cause))
        if isinstance(held, Outcome):
            return held
        release.note(f"it can't be held, so it is rolled back: {held.reason}")
        cause = held if held.result is Result.CANCELLED else cause
    return roll_back(release, cause)


def _tried(release: Release, way: Forward) -> Outcome | Cause:
    try:
        return way()
    except LeaseLost:
        raise
    except Interrupted:
        return called_off(release)
    except ProgressiveError as error:
        return cause_of(error)
    except Exception as error:  # noqa: BLE001 - a bug of ours must not leave users on the new version
        told = f"a bug of this tool: {type(error).__name__}: {error}"
        return Cause(Result.INTERNAL, told, advice="please report it with this log")


def called_off(release: Release) -> Cause:
    """Why a wait ended early."""
    return release.hands.clock.halted() or cancelled("stopped").cause
