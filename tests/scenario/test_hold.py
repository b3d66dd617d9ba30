"""`--on-failure hold`: a failed release stands still until a person takes it up."""

from dataclasses import replace

import pytest

from progressive_ci.model import kinds
from progressive_ci.model.event import Began
from progressive_ci.model.journal import State
from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Result
from progressive_ci.model.plan import Mode
from progressive_ci.sandbox import faults
from tests.scenario import commands, given, then, when
from tests.scenario.documents import MEASURED, STEPS, deployment, metric, rollout, template
from tests.scenario.rows import ROWS, Row, every
from tests.scenario.scene import NAMESPACE, Run, Scene
from tests.scenario.struck import LEASE_SECONDS, struck

UNMET = metric(successCondition="result[0] >= 2")
HOLD = Options(on_failure="hold")
RESUME = Options(resume=True)
GOOD = "web:2.0.0"
BAD = "web:2.0.0-err40"
CRASH = "web:2.0.0-crash"


def measured(router: str, image: str = BAD, steps: str = MEASURED) -> str:
    return rollout(router, image=image, steps=steps) + "---\n" + template(metric())


# In place has no weight at which a release could stand still; the test that says so is below.
weighted = every(lambda row: bool(row.router))


def held(row: Row) -> tuple[Scene, Run]:
    """A release that failed its analysis at 20 % and was held."""
    scene = row.open()
    return scene, row.judged(UNMET).released(scene, HOLD)


def stands(scene: Scene, row: Row, run: Run) -> None:
    """Held: said so, given up, and nothing moved."""
    then.ended(run, Result.HELD)
    record = scene.oracle.record
    assert record is not None
    assert record.state is State.HELD
    assert record.result is Result.UNHEALTHY
    assert then.deployment(scene)["spec"].get("paused", False) is (row.mode is Mode.ADOPT)
    lease = scene.sandbox.get(kinds.LEASE, NAMESPACE, "progressive-ci.web")
    assert lease is not None
    assert not lease["spec"].get("holderIdentity")


@weighted
def test_a_failed_check_freezes_the_weights_and_gives_the_lease_up(row: Row) -> None:
    scene, run = held(row)
    stands(scene, row, run)
    assert run.outcome is not None
    assert run.outcome.weight == 20
    for command in ("rollback web", "promote web", "run --resume"):
        assert command in run.outcome.advice
    share = scene.sandbox.traffic.share(row.new)
    scene.sandbox.clock.run(600)
    assert scene.sandbox.traffic.share(row.new) == pytest.approx(share)
    then.rules_held(scene)


@weighted
def test_a_held_release_is_rolled_back_by_command(row: Row) -> None:
    scene, _ = held(row)
    scene.sandbox.clock.run(600)
    back = scene.rescued()
    then.ended(back, Result.RECOVERED)
    then.serves(scene, row.old)
    then.nobody_was_turned_away(scene)
    then.all_is_as_before(scene)
    then.nothing_left(scene)
    then.rules_held(scene)


@weighted
def test_a_held_release_is_promoted_by_command(row: Row) -> None:
    scene, _ = held(row)
    scene.sandbox.clock.run(600)
    then.ended(commands.promote(scene, "the errors are expected"), Result.PROMOTED)
    then.serves(scene, row.new)
    then.nobody_was_turned_away(scene)
    then.everything_but_the_version_is_as_before(scene)
    then.nothing_left(scene)
    then.rules_held(scene)
    record = scene.oracle.record
    assert record is not None
    assert record.why == "the errors are expected"


@weighted
def test_a_held_release_goes_on_at_its_step_when_it_is_resumed(row: Row) -> None:
    scene = row.open()
    now = scene.sandbox.clock.now()
    scene.sandbox.prometheus.misbehave("503", since=now + 1, until=now + 200)
    judged = row.judged(metric())
    run = judged.released(scene, Options(on_failure="hold", metrics_timeout=30))
    then.ended(run, Result.HELD)
    scene.sandbox.clock.run(600)
    again = judged.released(scene, RESUME)
    then.ended(again, Result.PROMOTED)
    assert run.outcome is not None
    assert again.outcome is not None
    assert again.outcome.release == run.outcome.release
    assert begun(again) == ["step 2/4 analysis: step 2", "step 3/4 setWeight: 60", "step 4/4 pause: 20s"]
    then.serves(scene, row.new)
    then.nobody_was_turned_away(scene)
    then.everything_but_the_version_is_as_before(scene)
    then.nothing_left(scene)
    then.rules_held(scene)


def begun(run: Run) -> list[str]:
    """The steps that a run took."""
    phases = [told.event.phase for told in run.told if isinstance(told.event, Began)]
    return [phase for phase in phases if phase.startswith("step ")]


def test_neither_recover_nor_a_plain_run_nor_forget_touches_a_held_release() -> None:
    scene, _ = held(ROWS["gateway"])
    before = given.snapshot(scene.sandbox)
    scene.sandbox.clock.run(60)
    then.ended(commands.recover(scene), Result.NOTHING_TO_DO)
    run = scene.released(measured("gateway", "web:3.0.0"))
    then.ended(run, Result.REFUSED)
    assert run.outcome is not None
    for command in ("rollback web", "promote web", "run --resume"):
        assert command in run.outcome.reason
    assert given.snapshot(scene.sandbox) == before


@weighted
def test_a_held_release_of_another_version_is_not_resumed(row: Row) -> None:
    scene, _ = held(row)
    run = replace(row, new="3.0.0").judged(UNMET).released(scene, RESUME)
    then.ended(run, Result.REFUSED)
    assert run.outcome is not None
    assert "it releases another version of the pods" in run.outcome.reason
    then.nothing_was_written(run)


@weighted
def test_a_signal_rolls_back_although_failures_are_held(row: Row) -> None:
    scene = row.open()
    when.later(scene, 20.0, lambda: scene.sandbox.clock.deliver("SIGTERM"))
    run = scene.released(row.written(steps=STEPS), HOLD)
    then.ended(run, Result.CANCELLED)
    then.serves(scene, row.old)
    then.all_is_as_before(scene)
    then.rules_held(scene)


@weighted
def test_pods_that_never_served_are_not_held(row: Row) -> None:
    scene = row.open()
    given.turned(scene, row.new, "crash")
    run = scene.released(row.text, HOLD)
    then.ended(run, Result.UNREADY)
    then.serves(scene, row.old)
    then.all_is_as_before(scene)
    then.rules_held(scene)


def test_who_wants_to_hold_what_has_no_weights_is_told_that_it_is_rolled_back() -> None:
    scene = given.app(router="")
    run = scene.released(deployment(image=CRASH), HOLD)
    assert then.warnings(run)[0] == (
        "--on-failure hold has nothing to hold: no step has a weight, so a failure is rolled back"
    )
    then.ended(run, Result.UNREADY)
    then.serves(scene, "1.0.0")
    assert then.warnings(given.app(router="").released(deployment(image=GOOD))) == []


@weighted
@pytest.mark.parametrize("fault", [faults.kill_before(), faults.kill_after()], ids=["before", "after"])
def test_a_promotion_by_hand_that_dies_at_any_request_is_recovered(row: Row, fault: faults.Fault) -> None:
    first = 23 * list(ROWS).index(row.name)
    for scene, run, _ in struck(lambda: held(row)[0], commands.promote, fault, first=first):
        assert run.outcome is None
        scene.sandbox.clock.run(LEASE_SECONDS)
        back = commands.recover(scene)
        assert back.outcome is not None
        assert back.outcome.result in (Result.RECOVERED, Result.PROMOTED, Result.NOTHING_TO_DO), back.outcome
        record = scene.oracle.record
        if record is not None and record.state is State.HELD:
            then.ended(scene.rescued(), Result.RECOVERED)
        scene.sandbox.clock.run(1)
        new = scene.sandbox.traffic.share(row.new) > 0.5
        then.serves(scene, row.new if new else row.old)
        then.nobody_was_turned_away(scene)
        then.everything_but_the_version_is_as_before(scene)
        then.rules_held(scene)
