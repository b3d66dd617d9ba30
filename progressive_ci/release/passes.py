"""Which steps are done, for a run that goes on where this one ends."""

from dataclasses import replace

from progressive_ci.model.journal import PassedStep
from progressive_ci.model.plan import Analyze, Step
from progressive_ci.release.release import Release


def note_pass(release: Release, step: Step, number: int) -> None:
    """Let the journal say that a step is done.

    The pass of an analysis stands there before anything that rests on it; that of others comes with the next entry,
    and without it such a step is taken once more.
    """
    now = release.hands.clock.wall().strftime("%Y-%m-%dT%H:%M:%SZ")
    passed = (*release.record.passed, PassedStep(number, now))
    if isinstance(step, Analyze):
        release.enter(passed=passed)
    else:
        release.record = replace(release.record, passed=passed)
