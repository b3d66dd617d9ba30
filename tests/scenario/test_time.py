import pytest

from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Result
from tests.scenario import given, then
from tests.scenario.documents import GUARD, metric, rollout, template
from tests.scenario.then import ROUTERS

WAITING = "- setWeight: 20\n- pause: {}\n- setWeight: 60\n"


def test_a_pause_without_duration_is_refused_because_nobody_can_answer() -> None:
    scene = given.app()
    run = scene.released(rollout("gateway", steps=WAITING))
    then.ended(run, Result.INVALID)
    assert run.outcome is not None
    assert run.outcome.reason == (
        "spec.yaml:20: spec.strategy.canary.steps[1]: a pause without duration waits for a person, and nobody can "
        "answer a pipeline; give it a duration, or say how long it may wait with --pause-timeout"
    )
    then.nothing_was_written(run, but=())


def test_a_pause_without_duration_ends_at_its_timeout() -> None:
    scene = given.app()
    began = scene.sandbox.clock.now()
    run = scene.released(rollout("gateway", steps=WAITING), Options(pause_timeout=300))
    then.ended(run, Result.PROMOTED)
    assert scene.sandbox.clock.now() - began > 300
    then.rules_held(scene)


@pytest.mark.parametrize("router", ROUTERS)
def test_a_release_that_takes_too_long_is_rolled_back_at_its_hard_end(router: str) -> None:
    scene = given.app(router=router)
    for since in (15, 290, 565):
        scene.sandbox.prometheus.misbehave("down", since=since, until=since + 260)
    scene.before["Deployment web"]["spec"]["progressDeadlineSeconds"] = 600
    steps = "".join(f"- setWeight: {share}\n- pause: {{duration: 10s}}\n" for share in (20, 40, 60, 80))
    text = rollout(router, steps=steps, canary=GUARD, spec="progressDeadlineSeconds: 10")
    run = scene.released(text + "---\n" + template(metric(count="")), Options(max_duration=480))
    then.ended(run, Result.CANCELLED)
    assert run.outcome is not None
    assert run.outcome.reason == "the release takes longer than --max-duration"
    then.serves(scene, "1.0.0")
    then.nothing_left(scene)
    then.all_is_as_before(scene)
    then.nobody_was_turned_away(scene)
    then.rules_held(scene)


def test_a_plan_longer_than_its_hard_end_is_refused() -> None:
    scene = given.app()
    text = rollout(
        "gateway", steps="- setWeight: 20\n- pause: {duration: 1h}\n", spec="progressDeadlineSeconds: 60"
    )
    run = scene.released(text, Options(max_duration=1800))
    then.refused(
        run,
        "spec.yaml:1: the plan may take 3756 s, longer than --max-duration of 1800 s; raise --max-duration, or "
        "shorten pauses, analyses or progressDeadlineSeconds",
    )
