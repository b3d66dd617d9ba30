"""In `roll` an autoscaler's floor keeps stable at its size until NAME serves again; then it is given back."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.journal import Stage
from progressive_ci.model.outcome import Result
from progressive_ci.release.ownership import MANAGER
from progressive_ci.sandbox import managed
from tests.scenario import commands, given, meddling, then, when
from tests.scenario.documents import rollout
from tests.scenario.orphans import dead
from tests.scenario.rows import ROWS, Row
from tests.scenario.scene import NAME, NAMESPACE, Run, Scene

SIZE = 4
LONG = "- setWeight: 25\n- pause: {duration: 100s}\n- setWeight: 75\n"
"""Time for three looks at what nothing else reads."""

AT = 12.0
EVERY = 3.0


def scaled(floor: int | None = 2, most: int = 20) -> Row:
    """A release with a canary of its own beside an autoscaler; no floor is the server's, 1."""

    def begin() -> Scene:
        scene = ROWS["roll"].open()
        given.autoscaler(scene, NAME, floor=floor, most=most)
        return scene

    return replace(ROWS["roll"], open=begin)


ROW = scaled()
SLOW = replace(ROW, text=rollout("gateway", steps=LONG))


def hpa(scene: Scene) -> JsonObject:
    found = scene.sandbox.get(kinds.HPA, NAMESPACE, NAME)
    assert found is not None
    return found


def floor_of(scene: Scene) -> int:
    return int(hpa(scene)["spec"]["minReplicas"])


def lower(scene: Scene, floor: int = 1) -> None:
    meddling.edit(scene, kinds.HPA, NAME, lambda item: item["spec"].update(minReplicas=floor))


def watched(scene: Scene) -> list[int]:
    """The floor whenever stable has fewer than all users, or the new version rolls into NAME."""
    seen: list[int] = []

    def look(_: object) -> None:
        record = scene.oracle.record
        if record is not None and record.stage is not Stage.PREPARING and scene.oracle.weight(record):
            seen.append(floor_of(scene))

    scene.sandbox.faults.after_each(look)
    return seen


def is_given_back(scene: Scene, floor: int) -> None:
    """The autoscaler is as it was, and nothing of it is ours."""
    assert floor_of(scene) == floor
    assert MANAGER not in [entry["manager"] for entry in managed.of(hpa(scene))]
    then.nothing_left(scene)
    then.nobody_was_turned_away(scene)
    then.rules_held(scene)


@pytest.mark.acceptance("F21")
@pytest.mark.parametrize("floor", [None, 2, SIZE, 6], ids=["unnamed", "lower", "equal", "higher"])
def test_the_floor_is_raised_for_the_release_and_given_back_after_the_promotion(floor: int | None) -> None:
    row = scaled(floor)
    scene = row.open()
    seen = watched(scene)
    then.ended(scene.released(row.text), Result.PROMOTED)
    assert set(seen) == {max(SIZE, floor or 1)}
    then.serves(scene, row.new)
    is_given_back(scene, floor or 1)
    then.everything_but_the_version_is_as_before(scene)


@pytest.mark.acceptance("F21")
@pytest.mark.parametrize("at", [1.0, 5.0, AT, 16.0], ids=lambda at: f"{at:g} s")
@pytest.mark.parametrize("floor", [None, 2], ids=["unnamed", "lower"])
def test_the_floor_is_given_back_after_a_signal(floor: int | None, at: float) -> None:
    row = scaled(floor)
    scene = row.open()
    seen = watched(scene)
    when.later(scene, at, partial(scene.sandbox.clock.deliver, "SIGTERM"))
    then.ended(scene.released(row.text), Result.CANCELLED)
    assert set(seen) <= {SIZE}
    then.serves(scene, row.old)
    is_given_back(scene, floor or 1)
    then.all_is_as_before(scene)


@pytest.mark.acceptance("F21")
def test_a_signal_in_the_promotion_leaves_the_floor_to_its_end() -> None:
    scene = ROW.open()
    seen = watched(scene)
    at = when.once(
        scene,
        lambda *_: scene.oracle.record is not None and scene.oracle.record.stage is Stage.PROMOTING,
        partial(scene.sandbox.clock.deliver, "SIGTERM"),
    )
    run = scene.released(ROW.text)
    assert at
    assert run.outcome is not None
    assert run.outcome.result in (Result.PROMOTED, Result.CANCELLED)
    assert set(seen) == {SIZE}
    is_given_back(scene, 2)
    then.everything_but_the_version_is_as_before(scene)


DEATHS = [
    *((Stage.PREPARING, number) for number in (1, 4, 8, 12)),
    *((Stage.STEPPING, number) for number in (1, 10, 20)),
    *((Stage.PROMOTING, number) for number in (1, 5, 10)),
    *((Stage.COMMITTED, number) for number in (1, 5, 10, 14, 18)),
]


@pytest.mark.acceptance("F01")
@pytest.mark.parametrize(
    ("stage", "number"), DEATHS, ids=[f"{stage.value}-{number}" for stage, number in DEATHS]
)
def test_the_floor_that_a_dead_release_has_left_is_given_back_by_whoever_finishes_it(
    stage: Stage, number: int
) -> None:
    scene = dead(ROW, stage, number)
    back = commands.recover(scene)
    assert back.outcome is not None
    assert back.outcome.result in (Result.RECOVERED, Result.PROMOTED), back.outcome
    then.serves(scene, ROW.new if back.outcome.result is Result.PROMOTED else ROW.old)
    is_given_back(scene, 2)
    then.everything_but_the_version_is_as_before(scene)


@pytest.mark.acceptance("F18")
def test_a_floor_that_somebody_lowers_is_raised_again_once() -> None:
    scene = SLOW.open()
    when.later(scene, AT, partial(lower, scene))
    run = scene.released(SLOW.text)
    then.ended(run, Result.PROMOTED)
    assert changes_told(run) == [
        "kubectl has changed spec.minReplicas of HorizontalPodAutoscaler shop/web; it is set again, once"
    ]
    is_given_back(scene, 2)
    then.everything_but_the_version_is_as_before(scene)


def changes_told(run: Run) -> list[str]:
    return [told for told in then.warnings(run) if "spec.minReplicas" in told]


@pytest.mark.acceptance("F18")
def test_nobody_is_fought_over_the_floor_and_who_keeps_lowering_it_is_named() -> None:
    scene = SLOW.open()
    when.later(scene, AT, lambda: scene.sandbox.clock.repeat(EVERY, partial(lower, scene)))
    run = scene.released(SLOW.text)
    then.ended(run, Result.CANCELLED)
    assert run.outcome is not None
    assert run.outcome.reason == (
        "kubectl keeps changing spec.minReplicas of HorizontalPodAutoscaler shop/web, which this release needs"
    )
    assert len(changes_told(run)) == 1
    then.serves(scene, ROW.old)
    is_given_back(scene, 1)


@pytest.mark.acceptance("F18")
@pytest.mark.parametrize(
    "end", [lambda _: None, lambda scene: scene.sandbox.clock.deliver("SIGTERM")], ids=["promoted", "signal"]
)
def test_a_floor_that_somebody_raises_above_ours_is_theirs_and_stays(end: Callable[[Scene], object]) -> None:
    scene = ROW.open()
    when.later(scene, AT, partial(lower, scene, 6))
    when.later(scene, AT + 5, lambda: end(scene))
    run = scene.released(ROW.text)
    assert run.outcome is not None
    assert run.outcome.result in (Result.PROMOTED, Result.CANCELLED)
    assert not changes_told(run)
    is_given_back(scene, 6)


def test_the_floor_is_never_raised_above_the_ceiling() -> None:
    row = scaled(2, most=3)
    scene = row.open()
    seen = watched(scene)
    then.ended(scene.released(row.text), Result.PROMOTED)
    assert set(seen) == {3}
    is_given_back(scene, 2)


def test_an_autoscaler_that_somebody_deletes_meanwhile_is_not_missed() -> None:
    scene = ROW.open()
    when.later(scene, AT, partial(meddling.delete, scene, kinds.HPA, NAME))
    then.ended(scene.released(ROW.text), Result.PROMOTED)
    then.serves(scene, ROW.new)
    then.nothing_left(scene)
    then.rules_held(scene)
