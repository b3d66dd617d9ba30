"""`undo NAME`: a finished release returned to its predecessor."""

from collections.abc import Callable

import pytest

from progressive_ci.model import kinds
from progressive_ci.model.outcome import Result
from progressive_ci.sandbox import faults
from progressive_ci.sandbox.faults import Fault
from tests.scenario import commands, given, then, when
from tests.scenario.documents import deployment, rollout
from tests.scenario.rows import ROWS, Row
from tests.scenario.scene import NAMESPACE, Scene
from tests.scenario.struck import LEASE_SECONDS, struck

rows = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)


def finished(row: Row) -> Scene:
    """The release of a row, promoted."""
    scene = row.open()
    then.ended(scene.released(row.text), Result.PROMOTED)
    scene.oracle.next_release()
    scene.before = given.snapshot(scene.sandbox)
    scene.before.pop("ConfigMap progressive-ci.web")
    return scene


def is_undone(scene: Scene, row: Row) -> None:
    then.serves(scene, row.old)
    then.nobody_was_turned_away(scene)
    then.everything_but_the_version_is_as_before(scene)
    then.rules_held(scene)


@rows
def test_a_finished_release_is_undone_and_nobody_is_turned_away(row: Row) -> None:
    scene = finished(row)
    sets = names(scene)
    run = commands.undo_last(scene)
    then.ended(run, Result.PROMOTED)
    is_undone(scene, row)
    then.nothing_left(scene)
    assert names(scene) == sets
    record = scene.oracle.record
    assert record is not None
    assert record.why == commands.WHY
    assert record.endings[-1].reason.startswith(f"release {record.undoes} is undone: revision ")


def names(scene: Scene) -> set[str]:
    return {item["metadata"]["name"] for item in scene.sandbox.all(kinds.REPLICA_SET, NAMESPACE)}


@rows
def test_what_is_undone_is_not_undone_again(row: Row) -> None:
    scene = finished(row)
    commands.undo_last(scene)
    again = commands.undo_last(scene)
    then.ended(again, Result.NOTHING_TO_DO)
    then.nothing_was_written(again)
    is_undone(scene, row)


def test_a_version_that_breaks_after_its_promotion_is_undone() -> None:
    scene = finished(ROWS["gateway"])
    scene.oracle.meddled = True
    for pod in scene.sandbox.all(kinds.POD, NAMESPACE)[1:]:
        scene.sandbox.store.drop(kinds.POD, pod)
    given.no_more_pods_of(scene, "web:2.0.0")
    then.ended(commands.undo_last(scene), Result.PROMOTED)
    then.serves(scene, "1.0.0")


def test_a_finished_release_is_undone_after_a_later_one_was_rolled_back() -> None:
    scene = finished(ROWS["gateway"])
    then.ended(scene.released(rollout("gateway", image="web:3.0.0-crash")), Result.UNREADY)
    then.ended(commands.undo_last(scene), Result.PROMOTED)
    is_undone(scene, ROWS["gateway"])
    then.nothing_left(scene)


def test_the_fields_that_the_release_wrote_get_their_values_back() -> None:
    scene = given.app()
    before = then.deployment(scene)["spec"]
    changed = "minReadySeconds: 3\nrevisionHistoryLimit: 4"
    then.ended(scene.released(rollout("gateway", spec=changed)), Result.PROMOTED)
    scene.oracle.next_release()
    then.ended(commands.undo_last(scene), Result.PROMOTED)
    after = then.deployment(scene)["spec"]
    assert after.get("minReadySeconds", 0) == before.get("minReadySeconds", 0)
    assert after["revisionHistoryLimit"] == before["revisionHistoryLimit"]


def first_release() -> Scene:
    scene = given.nothing()
    scene.released(rollout("gateway"))
    return scene


def rolled_back() -> Scene:
    scene = given.app()
    scene.released(rollout("gateway", image="web:2.0.0-crash"))
    return scene


def other_settings() -> Scene:
    scene = given.app()
    scene.released(rollout("gateway", image="web:1.0.0", spec="minReadySeconds: 3"))
    return scene


def changed_since() -> Scene:
    scene = given.app()
    scene.released(rollout("gateway"))
    when.image_set(scene, "web:3.0.0")
    scene.sandbox.clock.run(60)
    return scene


def without_history() -> Scene:
    scene = given.app()
    scene.released(rollout("gateway"))
    old = next(
        item for item in scene.sandbox.all(kinds.REPLICA_SET, NAMESPACE) if not item["spec"]["replicas"]
    )
    scene.sandbox.store.drop(kinds.REPLICA_SET, old)
    return scene


def unfinished() -> Scene:
    scene = given.app()
    scene.sandbox.faults.plan(faults.kill_after(), when=faults.nth(50))
    scene.released(rollout("gateway"))
    scene.sandbox.clock.run(LEASE_SECONDS)
    return scene


REFUSED: dict[str, tuple[Callable[[], Scene], str]] = {
    "no journal": (given.app, "there is no journal of a release"),
    "a first release": (first_release, "it was the first release: it has no predecessor"),
    "rolled back": (
        rolled_back,
        "the last release ended rolled-back-unready, and the journal knows no finished one before it",
    ),
    "other settings alone": (other_settings, "the last release changed no pods"),
    "changed since": (changed_since, "another version than the promoted one runs"),
    "no history": (without_history, "is gone (revisionHistoryLimit)"),
    "unfinished": (unfinished, "`progressive-ci rollback web --namespace shop` brings it back"),
}


@pytest.mark.parametrize(("begin", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_can_not_be_undone_is_refused_with_the_reason(begin: Callable[[], Scene], reason: str) -> None:
    scene = begin()
    run = commands.undo_last(scene)
    then.ended(run, Result.REFUSED)
    assert run.outcome is not None
    assert reason in run.outcome.reason
    then.nothing_was_written(run)


@rows
@pytest.mark.parametrize("fault", [faults.kill_before(), faults.kill_after()], ids=["before", "after"])
def test_an_undoing_that_dies_at_any_request_is_finished_by_the_next(row: Row, fault: Fault) -> None:
    first = 11 * list(ROWS).index(row.name)
    for scene, run, _ in struck(lambda: finished(row), commands.undo_last, fault, first=first):
        assert run.outcome is None
        scene.sandbox.clock.run(LEASE_SECONDS)
        back = commands.recover(scene)
        assert back.outcome is not None
        assert back.outcome.result in (Result.RECOVERED, Result.PROMOTED, Result.NOTHING_TO_DO), back.outcome
        again = commands.undo_last(scene)
        assert again.outcome is not None
        assert again.outcome.result in (Result.PROMOTED, Result.NOTHING_TO_DO), again.outcome
        is_undone(scene, row)


def test_a_rollback_of_a_finished_release_points_to_undo() -> None:
    scene = finished(ROWS["gateway"])
    run = scene.rescued()
    then.ended(run, Result.NOTHING_TO_DO)
    assert run.outcome is not None
    assert (
        run.outcome.advice
        == "a finished release is taken back by `progressive-ci undo web --namespace shop --reason TEXT`"
    )
    then.nothing_was_written(run)


def test_a_deployment_in_place_is_undone_by_its_own_strategy() -> None:
    scene = finished(ROWS["in place"])
    then.ended(commands.undo_last(scene), Result.PROMOTED)
    then.ended(scene.released(deployment(image="web:1.0.0")), Result.UNCHANGED)
