"""`run --resume`: a release whose run has died goes on at its step."""

from collections.abc import Callable

import pytest

from progressive_ci.model import kinds
from progressive_ci.model.event import Began
from progressive_ci.model.journal import Stage
from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Result
from progressive_ci.model.plan import Mode
from progressive_ci.sandbox import faults
from progressive_ci.sandbox.call import Call
from tests.scenario import given, meddling, then, when
from tests.scenario.documents import GUARD, metric, rollout, template
from tests.scenario.rows import ROWS, Row, every
from tests.scenario.scene import NAMESPACE, Run, Scene
from tests.scenario.struck import LEASE_SECONDS, struck
from tests.scenario.then import ROUTERS

RESUME = Options(resume=True)
STEPS = """
- setWeight: 20
- analysis:
    templates: [{templateName: healthy}]
    args: [{name: hash, valueFrom: {podTemplateHashValue: Latest}}]
- setWeight: 50
- pause: {duration: 60s}
- setWeight: 80
"""
CHECKS = "---\n" + template(metric())
rows = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)


def judged(router: str, *, image: str = "web:2.0.0", steps: str = STEPS) -> str:
    return rollout(router, image=image, steps=steps) + CHECKS


def dead(router: str, text: str = "") -> Scene:
    """A release that died in its pause at 50 %, half a minute ago."""
    scene = given.app(router=router)
    dies_at(scene, 50)
    scene.released(text or judged(router))
    scene.sandbox.clock.run(LEASE_SECONDS)
    return scene


def dies_at(scene: Scene, weight: int) -> None:
    """The process dies with the first read after the journal has announced a weight for ten seconds."""
    since: list[float] = []

    def now(_: int, call: Call) -> bool:
        record = scene.oracle.record
        if record is None or record.weight < weight or record.stage is not Stage.STEPPING:
            return False
        since.append(scene.sandbox.clock.now())
        return call.method == "GET" and since[-1] - since[0] > 10

    scene.sandbox.faults.plan(faults.kill_before(), when=now)


def begun(run: Run) -> list[str]:
    """The steps that a run took."""
    phases = [told.event.phase for told in run.told if isinstance(told.event, Began)]
    return [phase for phase in phases if phase.startswith("step ")]


def is_promoted(scene: Scene, version: str = "2.0.0") -> None:
    then.serves(scene, version)
    then.nobody_was_turned_away(scene)
    then.everything_but_the_version_is_as_before(scene)
    then.nothing_left(scene)
    then.rules_held(scene)


@pytest.mark.parametrize("router", ROUTERS)
def test_passed_steps_are_not_taken_again(router: str) -> None:
    scene = dead(router)
    first = scene.oracle.record
    assert first is not None
    run = scene.released(judged(router), RESUME)
    then.ended(run, Result.PROMOTED)
    assert run.outcome is not None
    assert run.outcome.release == first.release
    assert begun(run)[0] in ("step 3/5 setWeight: 50", "step 4/5 pause: 60s")
    is_promoted(scene)


@pytest.mark.parametrize("router", ROUTERS)
def test_background_checks_begin_anew_and_the_promotion_waits_for_their_values(router: str) -> None:
    text = rollout(router, steps=STEPS, canary=GUARD) + "---\n" + template(metric())
    scene = dead(router, text)
    asked = len(scene.sandbox.prometheus.asked)
    then.ended(scene.released(text, RESUME), Result.PROMOTED)
    assert len(scene.sandbox.prometheus.asked) > asked
    is_promoted(scene)


def test_a_bad_version_is_rolled_back_by_a_check_after_its_resumption() -> None:
    check = STEPS[STEPS.index("- analysis") : STEPS.index("- setWeight: 50")]
    text = judged(
        "gateway", image="web:2.0.0-err40", steps=f"- setWeight: 50\n- pause: {{duration: 60s}}\n{check}"
    )
    run = dead("gateway", text).released(text, RESUME)
    then.ended(run, Result.UNHEALTHY)
    then.serves(run.scene, "1.0.0")
    then.nothing_left(run.scene)
    then.rules_held(run.scene)


def other_image(router: str) -> str:
    return judged(router, image="web:3.0.0")


def other_steps(router: str) -> str:
    return judged(router, steps=STEPS.replace("80", "90"))


NOT_RESUMED: dict[str, tuple[Callable[[str], str], Options, float, str]] = {
    "another version": (other_image, RESUME, 0, "it releases another version of the pods"),
    "another plan": (
        other_steps,
        RESUME,
        0,
        "the plan has other steps or analyses than the one that was begun",
    ),
    "another commit": (judged, Options(resume=True, commit="b"), 0, "it releases commit a, this run b"),
    "too old": (judged, RESUME, 3600, "longer ago than --resume-within"),
}


@pytest.mark.parametrize(("text", "options", "later", "why"), NOT_RESUMED.values(), ids=NOT_RESUMED)
def test_what_does_not_fit_is_finished_first_and_released_anew(
    text: Callable[[str], str], options: Options, later: float, why: str
) -> None:
    scene = given.app()
    dies_at(scene, 50)
    scene.released(judged("gateway"), Options(commit="a"))
    scene.sandbox.clock.run(LEASE_SECONDS + later)
    run = scene.released(text("gateway"), options)
    then.ended(run, Result.PROMOTED)
    [warning] = [told for told in then.warnings(run) if "is not resumed" in told]
    assert why in warning
    assert begun(run)[0] == "step 1/5 setWeight: 20"
    is_promoted(scene, "3.0.0" if text is other_image else "2.0.0")


def test_where_nothing_is_unfinished_a_release_begins_as_always() -> None:
    scene = given.app()
    then.ended(scene.released(judged("gateway"), RESUME), Result.PROMOTED)
    is_promoted(scene)
    again = scene.released(judged("gateway"), RESUME)
    then.ended(again, Result.UNCHANGED)
    then.nothing_was_written(again)


def test_without_the_option_an_orphan_is_finished_first() -> None:
    scene = dead("gateway")
    run = scene.released(judged("gateway"))
    then.ended(run, Result.PROMOTED)
    assert begun(run)[0] == "step 1/5 setWeight: 20"
    is_promoted(scene)


def test_a_signal_after_the_resumption_takes_the_canary_out_at_once() -> None:
    scene = dead("gateway")
    when.later(scene, 45.0, lambda: scene.sandbox.clock.deliver("SIGTERM"))
    run = scene.released(judged("gateway"), RESUME)
    then.ended(run, Result.CANCELLED)
    then.serves(scene, "1.0.0")
    then.all_is_as_before(scene)
    then.nothing_left(scene)
    then.rules_held(scene)


def test_canary_pods_that_went_meanwhile_are_waited_for() -> None:
    scene = dead("gateway")
    scene.oracle.meddled = True
    for pod in scene.sandbox.all(kinds.POD, NAMESPACE):
        if "2.0.0" in str(pod["spec"]["containers"]):
            scene.sandbox.store.drop(kinds.POD, pod)
    then.ended(scene.released(judged("gateway"), RESUME), Result.PROMOTED)
    then.serves(scene, "2.0.0")
    then.nothing_left(scene)


WATCHED = """
- setWeight: 50
- analysis:
    templates: [{templateName: healthy}]
    args: [{name: hash, valueFrom: {podTemplateHashValue: Latest}}]
"""
AT_LATEST = 30.0
"""Seconds by which somebody's change of the weights is seen, long before the next step."""
LONG = "---\n" + template(metric(interval="20s", count="10"))


def resumed_in_its_analysis(row: Row, act: Callable[[Scene], None]) -> tuple[Scene, Run]:
    """It dies at 50 %, goes on in the step that measures, and a minute later somebody acts."""
    scene = row.open()
    text = row.written(steps=WATCHED) + LONG
    dies_at(scene, 50)
    assert scene.released(text).outcome is None
    scene.sandbox.clock.run(LEASE_SECONDS)
    scene.oracle.meddled = True
    scene.oracle.excused = ("3",)  # it is not the tool that takes pods
    when.later(scene, 60.0, lambda: act(scene))
    return scene, scene.released(text, RESUME)


@every(lambda row: row.routed)
def test_what_carries_the_weight_in_a_resumed_step_is_held_against_others(row: Row) -> None:
    changed: list[float] = []

    def act(scene: Scene) -> None:
        meddling.set_weight(scene, 5)
        changed.append(scene.sandbox.clock.now())

    scene, run = resumed_in_its_analysis(row, act)
    then.ended(run, Result.PROMOTED)
    told = [each.time for each in run.told if "has changed the weights" in str(each.event)]
    assert [time - changed[0] < AT_LATEST for time in told] == [True]
    then.serves(scene, row.new)
    then.nothing_left(scene)


@every(lambda row: row.mode is Mode.ADOPT)
def test_the_pods_of_a_resumed_step_are_held_against_others(row: Row) -> None:
    scene, run = resumed_in_its_analysis(row, lambda scene: meddling.scale_canary(scene, 0, row.new))
    then.ended(run, Result.PROMOTED)
    assert any("spec.replicas" in told for told in then.warnings(run)), then.warnings(run)
    then.serves(scene, row.new)
    then.nothing_left(scene)


@rows
@pytest.mark.parametrize("fault", [faults.kill_before(), faults.kill_after()], ids=["before", "after"])
def test_a_run_that_dies_at_any_request_is_resumed_to_its_end(row: Row, fault: faults.Fault) -> None:
    first = 13 * list(ROWS).index(row.name)
    for scene, run, _ in struck(row.open, lambda scene: scene.released(row.text), fault, first=first):
        assert run.outcome is None
        again = scene.released(row.text, RESUME)
        assert again.outcome is not None
        assert again.outcome.result in (Result.PROMOTED, Result.UNCHANGED), again.outcome
        then.serves(scene, row.new)
        then.nobody_was_turned_away(scene)
        then.everything_but_the_version_is_as_before(scene)
        then.rules_held(scene)


@pytest.mark.parametrize("router", ROUTERS)
@pytest.mark.parametrize("fault", [faults.kill_before(), faults.kill_after()], ids=["before", "after"])
def test_a_resumed_run_that_dies_at_any_request_is_resumed_again(router: str, fault: faults.Fault) -> None:
    def resume(scene: Scene) -> Run:
        return scene.released(judged(router), RESUME)

    first = 17 * ROUTERS.index(router)
    for scene, run, _ in struck(lambda: dead(router), resume, fault, first=first):
        assert run.outcome is None
        again = resume(scene)
        assert again.outcome is not None
        assert again.outcome.result in (Result.PROMOTED, Result.UNCHANGED), again.outcome
        then.serves(scene, "2.0.0")
        then.nobody_was_turned_away(scene)
        then.everything_but_the_version_is_as_before(scene)
        then.rules_held(scene)
