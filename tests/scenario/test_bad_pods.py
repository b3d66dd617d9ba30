"""Pods that never serve, and pods that fail when the promotion needs them, in every way of releasing (F19, F22)."""

from dataclasses import dataclass

import pytest

from progressive_ci.model import kinds
from progressive_ci.model.event import Shifted
from progressive_ci.model.journal import Stage
from progressive_ci.model.outcome import Result
from progressive_ci.model.plan import Mode
from progressive_ci.sandbox.call import Call
from tests.scenario import given, then, when
from tests.scenario.rows import Row, every
from tests.scenario.scene import NAMESPACE, Run, Scene

DEADLINE = "progressDeadlineSeconds: 60\nminReadySeconds: 5"
LATE = "new pods are ready after 60 s (progressDeadlineSeconds)"


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of pods, what is told of it, how soon, and whether their containers have printed something."""

    tag: str
    told: str
    seconds: float = 75.0
    prints: bool = False


FATES = {
    "ready now and then": Fate("flap", LATE),
    "never ready": Fate("neverready", LATE),
    "ready too late": Fate("start90", LATE),
    "no image": Fate("missing", "ImagePullBackOff", 20.0),
    "ends again and again": Fate("crash", "CrashLoopBackOff", 20.0, prints=True),
    "needs too much memory": Fate("outofmemory", "CrashLoopBackOff", 20.0, prints=True),
}


def is_back(scene: Scene, run: Run, row: Row) -> None:
    """Nobody but users of pods that were ready for a moment met an error."""
    then.ended(run, Result.UNREADY)
    then.serves(scene, row.old)
    then.nothing_left(scene)
    scene.before["Deployment web"]["spec"]["progressDeadlineSeconds"] = 600
    then.all_is_as_before(scene)
    then.rules_held(scene)


def shares(run: Run) -> list[int]:
    """What the new version got."""
    return [told.event.after.percent for told in run.told if isinstance(told.event, Shifted)]


@pytest.mark.acceptance("F19")
@every()
@pytest.mark.parametrize("fate", FATES.values(), ids=FATES)
def test_bad_pods_end_the_release_by_an_absolute_deadline(row: Row, fate: Fate) -> None:
    scene = row.open()
    given.turned(scene, row.new, fate.tag)
    run = scene.released(row.written(spec=DEADLINE))
    is_back(scene, run, row)
    if row.routed or fate.tag != "flap":  # without a route every pod that is ready for a moment has users
        then.nobody_was_turned_away(scene)
    assert run.stopped is not None
    assert run.stopped.time - run.told[0].time < fate.seconds
    assert not any(shares(run))
    assert run.outcome is not None
    assert fate.told in run.outcome.reason
    assert bool(run.outcome.details) is fate.prints


@pytest.mark.acceptance("F19")
@every(lambda row: row.routed)
def test_ready_pods_that_no_service_leads_to_get_no_user(row: Row) -> None:
    scene = row.open()
    given.not_led_to(scene, row.new)
    run = scene.released(row.written(spec=DEADLINE))
    is_back(scene, run, row)
    then.nobody_was_turned_away(scene)
    assert run.stopped is not None
    assert run.stopped.time - run.told[0].time < 75
    assert not any(shares(run))


USERS = "users"
BREAKS = ("missing", "crash", "neverready", "quota")


def broken_at_the_promotion(scene: Scene, row: Row, how: str) -> list[frozenset[str]]:
    """No pod of the new version comes up any more; answers which ones were there by then."""
    there: list[frozenset[str]] = []

    def promoting(_: int, __: Call) -> bool:
        record = scene.oracle.record
        return record is not None and record.stage is Stage.PROMOTING

    def act() -> None:
        there.append(pods(scene))
        if how == "quota":
            given.no_more_pods_of(scene, f"web:{row.new}")
        else:
            given.turned(scene, row.new, how)

    when.once(scene, promoting, act)
    return there


def pods(scene: Scene) -> frozenset[str]:
    """Those that are there."""
    return frozenset(pod["metadata"]["uid"] for pod in scene.sandbox.all(kinds.POD, NAMESPACE))


@pytest.mark.acceptance("F22")
@every(lambda row: row.mode is Mode.ROLL)
@pytest.mark.parametrize("how", BREAKS)
def test_a_promotion_that_fails_leaves_the_traffic_on_pods_that_were_analysed(row: Row, how: str) -> None:
    scene = row.open()
    there = broken_at_the_promotion(scene, row, how)
    run = scene.released(row.written(spec="progressDeadlineSeconds: 60"))
    is_back(scene, run, row)
    then.nobody_was_turned_away(scene)
    assert there
    assert run.stopped is not None
    assert run.outcome is not None
    assert (run.outcome.previous_revision, run.outcome.weight) != ("", 100)
    # Whoever comes by another Service of NAME meets its rolling update; the route's users do not.
    stopped, count = run.stopped.time, scene.sandbox.traffic.count
    asked = count(since=stopped - 1, until=stopped, users=USERS)
    assert asked > 0
    assert count(since=stopped - 1, until=stopped, users=USERS, version=row.new) == pytest.approx(asked)


@pytest.mark.acceptance("F22")
@every(lambda row: row.mode is Mode.ADOPT)
@pytest.mark.parametrize("how", BREAKS)
def test_a_promotion_that_moves_no_pod_needs_none_to_come_up(row: Row, how: str) -> None:
    scene = row.open()
    there = broken_at_the_promotion(scene, row, how)
    run = scene.released(row.written())
    then.promoted_as_if_nothing_had_happened(scene, run, row.new)
    assert pods(scene) <= there[0]
