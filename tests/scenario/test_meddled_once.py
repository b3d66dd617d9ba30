"""Somebody changes or deletes once, before any request of a release, what it works with: no wait is long in vain.

Every request of every row is one case; a run takes some of them, spread evenly, and all with SWEEP=all.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import pytest

from progressive_ci.model import kinds
from progressive_ci.model.journal import Stage
from progressive_ci.model.outcome import Result
from progressive_ci.sandbox import faults
from progressive_ci.sandbox.call import Call
from tests.scenario import commands, given, meddling, then, when
from tests.scenario.documents import rollout
from tests.scenario.rows import ROWS, STEPS, Row
from tests.scenario.scene import Run, Scene
from tests.scenario.test_interrupted import LONGEST, STRIDE, offset

BETWEEN_LOOKS = 1500
"""Requests that are turned away in the few seconds between two looks; ten minutes would be a hundred times that."""


@dataclass(frozen=True, slots=True)
class Case:
    """What somebody does, and what becomes of the release.

    Attributes:
        act: what; it is told the version that comes.
        results: how the release may end.
        lost: how many requests the act itself may turn away.
        broken: rules that the act itself breaks, by the oracle's name for them.
    """

    act: Callable[[Scene, str], object]
    results: tuple[Result, ...] = (Result.PROMOTED,)
    lost: float = 1e-6
    broken: tuple[str, ...] = ()


CASES = {
    "selectors": Case(lambda scene, _: meddling.unpin(scene), broken=("1", "3", "pin")),
    "canary Service deleted": Case(
        lambda scene, _: meddling.delete(scene, kinds.SERVICE, meddling.CANARY),
        (Result.CANCELLED, Result.PROMOTED, Result.REFUSED),
        BETWEEN_LOOKS,
        ("1",),
    ),
    "canary's replicas": Case(
        lambda scene, new: meddling.scale_canary(scene, 0, new),
        (Result.PROMOTED, Result.UNREADY),
        BETWEEN_LOOKS,
        ("1", "3", "pin", "unpause"),
    ),
    "resumed": Case(lambda scene, _: meddling.resume(scene)),
    "weights to 0": Case(lambda scene, _: meddling.set_weight(scene, 0), broken=("3",)),
}
MEDDLED = [
    pytest.param(row, name, id=f"{row.name}-{name}")
    for row in ROWS.values()
    for name in CASES
    # In place has no split, no Service of the canary's, no pin and no pause: only its pods can be taken away.
    if row.router or name == "canary's replicas"
]


def meddled(row: Row, case: Case, first: int) -> Iterator[tuple[Scene, Run, str]]:
    """The release again and again, each time with the act before a later request, until there is none so late."""
    for number in range(1 + first, LONGEST, STRIDE):
        scene = row.open()
        scene.oracle.excused = case.broken
        acted = when.before(scene, len(scene.sandbox.log) + number, partial(case.act, scene, row.new))
        run = scene.released(row.text)
        if not acted:
            return
        scene.sandbox.clock.run(60)
        yield scene, run, f"before request {number}"
    pytest.fail(f"the release has more than {LONGEST} requests")


@pytest.mark.acceptance("F18")
@pytest.mark.parametrize(("row", "name"), MEDDLED)
def test_whatever_somebody_does_once_is_put_right_or_ends_the_release_soon(row: Row, name: str) -> None:
    case = CASES[name]
    for scene, run, where in meddled(row, case, offset(row, 31 * list(CASES).index(name))):
        assert run.outcome is not None
        assert run.outcome.result in case.results, f"{where}: {run.outcome.result}: {run.outcome.reason}"
        then.runs(scene, row.new if run.outcome.result is Result.PROMOTED else row.old)
        then.nothing_left(scene)
        assert scene.sandbox.traffic.failures < case.lost, where
        then.rules_held(scene)


@pytest.mark.acceptance("F18")
@pytest.mark.parametrize("number", [4, 6, 9, 14])
def test_a_service_that_is_deleted_while_everything_goes_to_the_new_version_ends_the_release_at_once(
    number: int,
) -> None:
    scene = given.app()
    acted = when.promoting(scene, number, partial(CASES["canary Service deleted"].act, scene, "2.0.0"))
    run = scene.released(rollout("gateway", steps=STEPS))
    assert acted()
    then.ended(run, Result.CANCELLED)
    assert run.outcome is not None
    assert run.outcome.reason == "somebody has deleted Service shop/web-canary, which this release needs"
    then.serves(scene, "1.0.0")
    then.nothing_left(scene)
    assert scene.sandbox.traffic.failures < BETWEEN_LOOKS


@pytest.mark.acceptance("F18")
@pytest.mark.parametrize("number", [4, 6, 9, 14])
def test_pins_that_are_taken_off_while_old_pods_drain_are_set_again_once(number: int) -> None:
    scene = given.app()
    scene.oracle.excused = CASES["selectors"].broken
    acted = when.promoting(scene, number, partial(meddling.unpin, scene))
    run = scene.released(rollout("gateway", steps=STEPS))
    assert acted()
    scene.oracle.excused = ()
    then.ended(run, Result.PROMOTED)
    assert any("it is set again, once" in told for told in then.warnings(run)) or number < 6
    then.serves(scene, "2.0.0")
    then.nothing_left(scene)
    then.nobody_was_turned_away(scene)


@pytest.mark.acceptance("F18")
def test_new_pods_that_somebody_takes_away_while_they_are_waited_for_are_asked_for_again() -> None:
    scene = given.app()
    when.later(scene, 1.0, partial(meddling.scale_canary, scene, 0))
    run = scene.released(rollout("gateway", steps=STEPS))
    then.promoted_as_if_nothing_had_happened(scene, run)
    assert any("kubectl has changed spec.replicas of" in told for told in then.warnings(run))


@pytest.mark.acceptance("F18")
@pytest.mark.parametrize("number", [17, 18, 19])
def test_a_canary_that_has_lost_its_pods_is_not_handed_over(number: int) -> None:
    scene = given.app()
    scene.oracle.excused = ("3",)
    acted = when.promoting(scene, number, partial(meddling.scale_canary, scene, 0))
    run = scene.released(rollout("gateway", steps=STEPS))
    assert acted()
    then.ended(run, Result.UNREADY)
    assert run.outcome is not None
    assert "which carries all traffic, has no pod: somebody has interfered" in run.outcome.reason
    then.serves(scene, "1.0.0")
    then.nothing_left(scene)
    then.rules_held(scene)


@pytest.mark.acceptance("F18")
@pytest.mark.parametrize("row", [ROWS["gateway"], ROWS["istio"], ROWS["nginx"]], ids=lambda row: row.name)
def test_a_route_that_somebody_has_deleted_is_named_before_the_next_weight(row: Row) -> None:
    scene = row.open()
    scene.oracle.excused = ("3",)
    when.later(scene, 12.0, partial(meddling.delete_route, scene))
    run = scene.released(row.text)
    then.ended(run, Result.CANCELLED)
    assert run.outcome is not None
    assert run.outcome.reason.startswith("somebody has deleted ")
    then.runs(scene, "1.0.0")
    then.nothing_left(scene)


@pytest.mark.acceptance("F18")
@pytest.mark.parametrize("stage", [Stage.STEPPING, Stage.PROMOTING, Stage.COMMITTED])
def test_a_canary_whose_marks_somebody_took_off_goes_with_the_release(stage: Stage) -> None:
    row = ROWS["roll"]
    scene = row.open()
    acted = _at(scene, stage, partial(meddling.unmark, scene))
    run = scene.released(row.text)
    assert acted
    then.promoted_as_if_nothing_had_happened(scene, run)


def _at(scene: Scene, stage: Stage, act: Callable[[], object]) -> list[int]:
    """Act once, before the first request after a release has entered a stage; tells whether that was."""
    return when.once(
        scene, lambda *_: scene.oracle.record is not None and scene.oracle.record.stage is stage, act
    )


@pytest.mark.acceptance("F18")
@pytest.mark.parametrize(
    "row", [ROWS[name] for name in ("gateway", "nginx", "roll")], ids=lambda row: row.name
)
def test_a_repository_that_is_applied_right_after_the_promotion_wins_and_the_last_line_says_so(
    row: Row,
) -> None:
    scene = row.open()
    scene.oracle.meddled = True
    scene.oracle.excused = ("6",)
    acted = _at(scene, Stage.COMMITTED, partial(meddling.reapply, scene))
    run = scene.released(row.text)
    assert acted
    then.ended(run, Result.PROMOTED)
    assert run.outcome is not None
    since = "kubectl has changed spec.template of Deployment web since, and that version rolls out now"
    assert run.outcome.reason.endswith(f" was promoted; {since}")
    scene.sandbox.clock.run(30)
    then.serves(scene, row.old)
    then.nothing_left(scene)
    then.all_is_as_before(scene)


@pytest.mark.acceptance("F18")
@pytest.mark.parametrize("number", [4, 12, 20])
def test_a_canary_ingress_that_somebody_has_set_to_0_goes_with_the_release_too(number: int) -> None:
    row = ROWS["nginx"]
    scene = row.open()
    acted = when.promoting(scene, number, partial(meddling.set_weight, scene, 0))
    run = scene.released(row.text)
    assert acted()
    then.promoted_as_if_nothing_had_happened(scene, run)


def test_a_route_with_a_split_of_its_own_gets_it_back_when_both_services_have_pods() -> None:
    row = ROWS["roll"]
    scene = row.open()
    meddling.set_weight(scene, 50)
    scene.before = given.snapshot(scene.sandbox)
    scene.oracle.next_release()
    scene.oracle.excused = ("6",)
    run = scene.released(row.text)
    then.promoted_as_if_nothing_had_happened(scene, run)


@pytest.mark.acceptance("F18")
@pytest.mark.parametrize("command", [commands.recover, commands.roll_back], ids=["recover", "rollback"])
@pytest.mark.parametrize("number", [1, 3, 6])
def test_a_journal_that_is_deleted_under_a_command_is_missed_however_late(
    number: int, command: Callable[[Scene], Run]
) -> None:
    scene = given.app()
    scene.sandbox.faults.plan(faults.kill_after(), when=faults.nth(45))
    scene.released(rollout("gateway", steps=STEPS))
    scene.sandbox.clock.run(60)
    journal = partial(meddling.delete, scene, kinds.CONFIG_MAP, "progressive-ci.web")
    acted = when.before(scene, len(scene.sandbox.log) + number, journal)
    run = command(scene)
    assert acted
    then.ended(run, Result.INCOMPLETE)
    assert run.outcome is not None
    assert run.outcome.left


@pytest.mark.acceptance("F18")
@pytest.mark.parametrize("row", [ROWS["in place"], ROWS["roll"]], ids=lambda row: row.name)
@pytest.mark.parametrize(
    "acts", [[("2.0.0", 4)], [("2.0.0", 5), ("1.0.0", 5)]], ids=["once", "on its way back too"]
)
def test_a_rollout_that_somebody_pauses_ends_the_release_at_once(
    row: Row, acts: list[tuple[str, int]]
) -> None:
    """Each time when NAME holds a version and has so many pods: a fifth is there while it rolls."""
    scene = row.open()
    paused: list[float] = []

    def look(number: int, call: Call) -> None:
        del number, call
        held = then.deployment(scene)
        version, pods = acts[len(paused)] if len(paused) < len(acts) else ("none", 0)
        if f"web:{version}" in str(held["spec"]["template"]) and held["status"]["replicas"] >= pods:
            paused.append(scene.sandbox.clock.now())
            meddling.pause(scene)

    scene.sandbox.faults.before_each(look)
    run = scene.released(row.text)
    then.ended(run, Result.CANCELLED)
    assert run.outcome is not None
    assert run.outcome.reason == "kubectl has paused Deployment shop/web in the middle of its rollout"
    assert run.stopped is not None
    assert run.stopped.time - paused[0] < 10
    assert len(paused) == len(acts)
    then.serves(scene, row.old)
    then.nothing_left(scene)
    then.nobody_was_turned_away(scene)
    then.rules_held(scene)
