"""Any plan, any version, any faults, a signal or death at any time: it ends restored or promoted, by the rules.

What befalls a release is drawn before it begins (`tests/scenario/drawn.py`), and so is known by then whether
it may end with 20: only where the faults outlast a rollback's budget, or deny a verb that it needs.
"""

import os
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings

from progressive_ci.model.journal import State
from progressive_ci.model.outcome import Result
from tests.scenario import commands, then
from tests.scenario.drawn import CASES, Case, Denial, Outage, opened
from tests.scenario.scene import Run, Scene
from tests.scenario.struck import LEASE_SECONDS

EXAMPLES = 2000 if os.environ.get("SWEEP") == "all" else 12
ENDINGS = (
    Result.UNHEALTHY,
    Result.UNREADY,
    Result.UNAVAILABLE,
    Result.CANCELLED,
    Result.REFUSED,
    Result.PROMOTED,
    Result.UNCHANGED,
    Result.RECOVERED,
    Result.NOTHING_TO_DO,
    Result.TOO_LATE,
)
"""15 is no ending, whatever happens, and 20 only where it was said before."""

PATIENCE = 6
"""Commands after the first; the last of them come when everything is over that was drawn to last."""


@settings(max_examples=EXAMPLES, print_blob=True)
@given(CASES)
def test_a_release_ends_restored_or_promoted_whatever_happens(case: Case) -> None:
    scene = opened(case)
    allowed = (*ENDINGS, Result.INCOMPLETE) if case.may_end_20 else ENDINGS
    start = scene.sandbox.clock.now()
    run = scene.released(case.text, analysis=case.analysis)
    for number in range(PATIENCE):
        assert run.outcome is None or run.outcome.result in allowed, run.outcome
        if is_over(scene, run):
            break
        rest = start + case.quiet_after - scene.sandbox.clock.now() if number >= PATIENCE - 3 else 0.0
        scene.sandbox.clock.run(max(rest, 0.0) + LEASE_SECONDS)
        run = FOLLOW[case.follow[number % len(case.follow)]](scene, case)
    assert is_over(scene, run), run.outcome
    then.serves(scene, case.version if is_promoted(scene, run) else "1.0.0")
    then.nothing_left(scene, but=("the lease's holder",) if case.struck else ())
    then.everything_but_the_version_is_as_before(scene)
    then.nobody_was_turned_away(scene)
    then.rules_held(scene)


FOLLOW: dict[str, Callable[[Scene, Case], Run]] = {
    "recover": lambda scene, _: commands.recover(scene),
    "rollback": lambda scene, _: commands.roll_back(scene),
    "run": lambda scene, case: scene.released(case.text, analysis=case.analysis),
}


def is_over(scene: Scene, run: Run) -> bool:
    """Whether nobody has to do anything any more."""
    record = scene.oracle.record
    at_rest = record is None or record.state is State.ENDED
    return run.outcome is not None and run.outcome.result is not Result.INCOMPLETE and at_rest


def is_promoted(scene: Scene, run: Run) -> bool:
    """Whether the new version is the one to serve, by the journal."""
    assert run.outcome is not None
    record = scene.oracle.record
    promoted = record is not None and record.result is Result.PROMOTED
    says = run.outcome.result
    assert promoted or says not in (Result.PROMOTED, Result.UNCHANGED, Result.TOO_LATE), run.outcome
    return promoted


QUIET = Case("gateway", 2, "2.0.0", ("setWeight: 50", "pause: {duration: 40s}"))
LONG = 800.0


def _taking(case: Case, verb: str, resource: str) -> Denial:
    every = case.rights
    number = next(index for index, each in enumerate(every) if (each.verb, each.resource) == (verb, resource))
    return Denial(20, LONG, number)


FORESEEN: dict[str, tuple[Case, bool]] = {
    "nothing": (QUIET, False),
    "an outage that a rollback outlives": (replace(QUIET, outages=(Outage(20, 300, 0),)), False),
    "an outage that outlives a rollback": (replace(QUIET, outages=(Outage(20, LONG, 0),)), True),
    "two outages that follow one another": (
        replace(QUIET, outages=(Outage(20, 400, 0), Outage(420, 400, 1))),
        True,
    ),
    "a right that the way back needs": (
        replace(QUIET, denials=(_taking(QUIET, "patch", "httproutes"),)),
        True,
    ),
    "a right that only the way there needs": (
        replace(QUIET, denials=(_taking(QUIET, "list", "networkpolicies"),)),
        False,
    ),
}


@pytest.mark.parametrize(("case", "may"), FORESEEN.values(), ids=FORESEEN)
def test_whether_a_release_may_end_with_20_is_known_before_it_begins(case: Case, *, may: bool) -> None:
    assert case.may_end_20 is may
    run = opened(case).released(case.text)
    assert run.outcome is not None
    assert (run.outcome.result is Result.INCOMPLETE) is may, run.outcome
