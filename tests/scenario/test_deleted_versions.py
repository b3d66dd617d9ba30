"""Somebody deletes the ReplicaSet of one of the two versions, wherever a release may be."""

from collections.abc import Callable
from functools import partial

import pytest

from progressive_ci.model.journal import Stage
from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Result
from progressive_ci.sandbox import faults
from progressive_ci.sandbox.call import Call
from tests.scenario import commands, meddling, then, when
from tests.scenario.orphans import died, handed_over
from tests.scenario.rows import ROWS, Row
from tests.scenario.scene import Run, Scene
from tests.scenario.struck import LEASE_SECONDS
from tests.scenario.test_meddled_once import BETWEEN_LOOKS

ADOPTED = tuple(ROWS[name] for name in ("gateway", "istio", "nginx", "an earlier version"))


@pytest.mark.acceptance("F18")
@pytest.mark.parametrize("number", [8, 20, 30, 43])
def test_stable_that_somebody_deletes_gets_everybody_back_under_whatever_hash_it_is_made_anew(
    number: int,
) -> None:
    row = ROWS["an earlier version"]
    scene = row.open()
    scene.oracle.excused = ("1", "3", "4", "pin", "unpause")
    acted = when.before(scene, len(scene.sandbox.log) + number, partial(meddling.delete_set, scene, row.old))
    run = scene.released(row.text)
    assert acted
    then.ended(run, Result.CANCELLED)
    assert run.outcome is not None
    assert run.outcome.reason.startswith("somebody has deleted ReplicaSet shop/web-")
    then.serves(scene, row.old)
    then.nothing_left(scene)
    assert scene.sandbox.traffic.failures < BETWEEN_LOOKS


@pytest.mark.acceptance("F18")
@pytest.mark.parametrize("row", [ROWS["gateway"], ROWS["an earlier version"]], ids=lambda row: row.name)
def test_stable_that_somebody_deletes_while_the_new_pods_finish_their_requests_is_back_within_seconds(
    row: Row,
) -> None:
    scene = row.open()
    scene.oracle.excused = ("1", "3", "4", "pin", "unpause")
    scene.sandbox.faults.plan(faults.signal_before("SIGTERM"), when=faults.nth(len(scene.sandbox.log) + 42))

    def in_the_drain(_: int, call: Call) -> bool:
        record = scene.oracle.record
        back = record is not None and record.stage is Stage.ROLLING_BACK
        # Of the way back that is the only part that is long enough for a renewal.
        return back and not scene.sandbox.traffic.share(row.new) and "/leases/" in call.path

    deleted = when.once(scene, in_the_drain, partial(meddling.delete_set, scene, row.old))
    run = scene.released(row.text)
    then.ended(run, Result.CANCELLED)
    assert deleted
    then.serves(scene, row.old)
    then.nothing_left(scene)
    assert scene.sandbox.traffic.failures < BETWEEN_LOOKS


@pytest.mark.acceptance("F18")
@pytest.mark.parametrize("number", range(4))
def test_stable_that_somebody_deletes_when_no_object_holds_its_template_any_more_is_made_anew_by_the_run(
    number: int,
) -> None:
    row = ROWS["in place"]
    scene = row.open()
    scene.oracle.excused = ("1", "4")
    rolls = when.once(
        scene, lambda *_: _holds(scene, row.new), lambda: scene.sandbox.clock.deliver("SIGTERM")
    )
    deleted = when.once(
        scene,
        lambda sent, _: bool(rolls) and sent >= rolls[0] + number,
        partial(meddling.delete_set, scene, row.old),
    )
    run = scene.released(row.text)
    assert deleted
    then.ended(run, Result.CANCELLED)
    assert run.stopped is not None
    then.serves(scene, row.old)
    then.nothing_left(scene)
    assert scene.sandbox.clock.now() - run.stopped.time < 60
    assert scene.sandbox.traffic.failures < BETWEEN_LOOKS


def _holds(scene: Scene, version: str) -> bool:
    """Whether NAME has a version's template."""
    return f"web:{version}" in str(then.deployment(scene)["spec"]["template"])


@pytest.mark.acceptance("F18")
@pytest.mark.parametrize("version", ["1.0.0", "2.0.0"], ids=["stable", "canary"])
@pytest.mark.parametrize("number", range(3))
def test_a_version_that_somebody_deletes_before_the_pods_are_all_new_is_not_waited_for(
    version: str, number: int
) -> None:
    row = ROWS["ratio"]
    scene = row.open()
    scene.oracle.excused = ("1", "3", "4", "pin", "unpause")
    deleted: list[float] = []

    def delete() -> None:
        deleted.append(scene.sandbox.clock.now())
        meddling.delete_set(scene, version)

    when.promoting(scene, number, delete)
    run = scene.released(row.text)
    then.ended(run, Result.CANCELLED)
    assert run.outcome is not None
    assert run.outcome.reason.startswith("somebody has deleted ReplicaSet shop/web-")
    assert run.stopped is not None
    assert run.stopped.time - deleted[0] < 10
    scene.sandbox.clock.run(60)
    then.serves(scene, row.old)
    then.nothing_left(scene)
    then.rules_held(scene)


@pytest.mark.acceptance("F18")
def test_a_new_version_that_is_deleted_after_it_was_handed_over_is_named_once() -> None:
    row = ROWS["gateway"]
    scene = died(row, lambda scene, _: handed_over(scene, row))
    scene.oracle.excused = ("1", "3", "4", "pin", "unpause")
    meddling.delete_set(scene, row.new)
    run = commands.recover(scene)
    then.ended(run, Result.RECOVERED)
    assert run.outcome is not None
    assert "is gone" not in run.outcome.reason
    scene.sandbox.clock.run(60)
    then.serves(scene, row.old)
    then.nothing_left(scene)


@pytest.mark.acceptance("F18")
@pytest.mark.parametrize("command", [commands.recover, commands.roll_back], ids=["recover", "rollback"])
def test_stable_that_somebody_deletes_when_an_earlier_version_is_back_in_its_place_is_not_waited_for(
    command: Callable[[Scene], Run],
) -> None:
    row = ROWS["an earlier version"]

    def in_its_place(scene: Scene, _: Call) -> bool:
        found, record = meddling.set_of(scene, row.new), scene.oracle.record
        back = record is not None and record.stage is Stage.ROLLING_BACK and not record.weight
        return back and found is not None and bool(found["metadata"].get("ownerReferences"))

    scene = row.open()
    when.later(scene, 15.0, lambda: scene.sandbox.clock.deliver("SIGTERM"))
    scene.sandbox.faults.plan(faults.kill_before(), when=lambda _, call: in_its_place(scene, call))
    assert scene.released(row.text).outcome is None
    scene.oracle.excused = ("1", "3", "4", "pin", "unpause")
    scene.sandbox.clock.run(LEASE_SECONDS)
    meddling.delete_set(scene, row.old)
    began = scene.sandbox.clock.now()
    then.ended(command(scene), Result.RECOVERED)
    assert scene.sandbox.clock.now() - began < 120
    then.serves(scene, row.old)
    then.nothing_left(scene)


@pytest.mark.acceptance("F18")
@pytest.mark.parametrize("row", ADOPTED, ids=lambda row: row.name)
def test_a_release_whose_stable_was_deleted_is_not_resumed_but_goes_back_at_once(row: Row) -> None:
    scene = died(row, lambda scene, _: carries_all_of_its_steps(scene))
    scene.oracle.excused = ("1", "3", "4", "pin", "unpause")
    meddling.delete_set(scene, row.old)
    began = scene.sandbox.clock.now()
    run = scene.released(row.text, Options(resume=True))
    then.ended(run, Result.CANCELLED)
    assert run.outcome is not None
    assert run.outcome.reason.startswith("somebody has deleted ReplicaSet shop/web-")
    assert scene.sandbox.clock.now() - began < 120
    then.serves(scene, row.old)
    then.nothing_left(scene)


def carries_all_of_its_steps(scene: Scene) -> bool:
    """Whether every step is passed, and the route leads to the new version alone."""
    record = scene.oracle.record
    return record is not None and record.stage is Stage.STEPPING and scene.oracle.weights[-1] == 100
