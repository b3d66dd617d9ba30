"""No room for pods, of the new version or of the old one on the way back, in every way of releasing (F20).

A PodDisruptionBudget is not among the reasons: it stands against evictions, and no controller here evicts.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from progressive_ci.model.event import Shifted
from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Result
from progressive_ci.model.plan import Mode
from tests.scenario import given, meddling, then, when
from tests.scenario.rows import Input, Row, every
from tests.scenario.scene import Run, Scene

DEADLINE = "progressDeadlineSeconds: 60"
FULL = "- setWeight: 100\n- pause: {duration: 120s}\n"
AT = 50.0
LOST = 3
"""Pods of the old version's four that go: the one that is left carries a third of the three it may be."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why there is no room: what brings it about, and what ends it."""

    told: str
    begin: Callable[[Scene], None]
    end: Callable[[Scene], None]


def refusal(message: str) -> Reason:
    return Reason(
        message,
        lambda scene: given.refused_pods(scene, message),
        lambda scene: given.refused_pods(scene, ""),
    )


REASONS = {
    "a quota": refusal("pods are forbidden: exceeded quota: pods"),
    "a LimitRange": refusal("pods are forbidden: maximum cpu usage per Container is 1, but limit is 2"),
    "a policy": refusal('admission webhook "policy.example" denied the request: no digest'),
    "no node": Reason("Unschedulable: 0/3 nodes are available", given.no_more_room, given.room),
}
reasons = pytest.mark.parametrize("reason", REASONS.values(), ids=REASONS)


@pytest.mark.acceptance("F20")
@every()
@reasons
def test_new_pods_without_room_end_the_release_early_and_say_why(row: Row, reason: Reason) -> None:
    scene = row.open()
    scene.before["Deployment web"]["spec"]["progressDeadlineSeconds"] = 600
    reason.begin(scene)
    if row.mode is Mode.IN_PLACE:  # an old pod has gone by the end, and needs room to come back
        when.later(scene, 90, lambda: reason.end(scene))
    run = scene.released(row.written(spec=DEADLINE))
    then.back_as_if_nothing_had_happened(scene, run, Result.UNREADY, row.old)
    assert run.outcome is not None
    assert reason.told in run.outcome.reason
    assert run.stopped is not None
    assert run.stopped.time - run.told[0].time < (30 if row.router else 75)


def without_room(row: Row, reason: Reason) -> tuple[Scene, Input]:
    """All users have the new version; a node of the old one's goes, there is room for nobody, and a signal comes."""
    scene = row.open()

    def act() -> None:
        reason.begin(scene)
        if row.routed:
            meddling.lose_pods(scene, row.old, LOST)

    when.later(scene, AT, act)
    when.later(scene, AT + 6, lambda: scene.sandbox.clock.deliver("SIGTERM"))
    return scene, row.lasting(FULL, 120)


def is_back(scene: Scene, run: Run, result: Result, row: Row) -> None:
    """Whoever comes by the route met no error; of those within the cluster the lost pods took some with them."""
    then.ended(run, result)
    then.serves(scene, row.old)
    then.nothing_left(scene)
    then.all_is_as_before(scene)
    assert scene.sandbox.traffic.count(status=503, users="users") < 1e-6
    then.rules_held(scene)


def last_share_of_all(scene: Scene) -> int:
    """What the new version has after several runs."""
    shifted = [told.event for run in scene.runs for told in run.told if isinstance(told.event, Shifted)]
    return shifted[-1].after.percent


def last_share(run: Run) -> int:
    """What the new version has in the end."""
    return [told.event.after.percent for told in run.told if isinstance(told.event, Shifted)][-1]


@pytest.mark.acceptance("F20")
@every()
@reasons
def test_without_room_for_stable_the_rest_stays_where_it_is_and_the_reason_is_named(
    row: Row, reason: Reason
) -> None:
    scene, given_to = without_room(row, reason)
    run = given_to.released(scene, Options(rollback_budget=120))
    then.ended(run, Result.INCOMPLETE)
    assert run.outcome is not None
    assert reason.told in run.outcome.reason
    assert any("describe pods" in line for line in run.outcome.left)
    if row.routed and row.mode is Mode.ADOPT:  # NAME that rolls gets nobody before it is whole again
        assert last_share(run) == run.outcome.weight == 67
    elif row.routed:
        assert last_share(run) == run.outcome.weight == 100
    reason.end(scene)
    is_back(scene, scene.rescued(), Result.RECOVERED, row)


@pytest.mark.acceptance("F20")
@every()
def test_the_next_run_does_not_say_that_nothing_was_touched(row: Row) -> None:
    """It tries to finish what stands there, and begins nothing: a person has to look at the earlier release."""
    reason = REASONS["a quota"]
    scene, given_to = without_room(row, reason)
    then.ended(given_to.released(scene, Options(rollback_budget=120)), Result.INCOMPLETE)
    run = given_to.released(scene, Options(rollback_budget=60))
    then.ended(run, Result.INCOMPLETE)
    assert run.outcome is not None
    assert run.outcome.reason.startswith("an earlier release could not be finished")
    assert reason.told in run.outcome.reason
    assert any("describe pods" in line for line in run.outcome.left)
    if row.routed:
        assert run.outcome.weight == last_share_of_all(scene)
    reason.end(scene)
    is_back(scene, scene.rescued(), Result.RECOVERED, row)


@pytest.mark.acceptance("F20")
@every()
@reasons
def test_a_way_back_without_room_goes_on_as_soon_as_there_is_some(row: Row, reason: Reason) -> None:
    scene, given_to = without_room(row, reason)
    when.later(scene, AT + 60, lambda: reason.end(scene))
    run = given_to.released(scene, Options(rollback_budget=400))
    is_back(scene, run, Result.CANCELLED, row)
