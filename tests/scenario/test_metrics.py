import pytest

from progressive_ci.model.event import Shifted
from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Result
from tests.scenario import given, then
from tests.scenario.documents import GUARD, MEASURED, metric, rollout, template
from tests.scenario.scene import Run, Scene

LONG = """
- setWeight: 20
- pause: {duration: 2m}
- setWeight: 50
- pause: {duration: 10s}
"""
GUARDED = rollout("gateway", canary=GUARD, steps=LONG) + "---\n" + template(metric(count=""))


def released(scene: Scene, text: str = GUARDED, *, metrics_timeout: float = 300) -> Run:
    return scene.released(text, Options(metrics_timeout=metrics_timeout))


def is_back(scene: Scene, run: Run, result: Result) -> None:
    then.ended(run, result)
    then.serves(scene, "1.0.0")
    then.nobody_was_turned_away(scene)
    then.nothing_left(scene)
    then.all_is_as_before(scene)
    then.rules_held(scene)


def is_promoted(scene: Scene, run: Run) -> None:
    then.ended(run, Result.PROMOTED)
    then.serves(scene, "2.0.0")
    then.nobody_was_turned_away(scene)
    then.nothing_left(scene)
    then.everything_but_the_version_is_as_before(scene)
    then.rules_held(scene)


@pytest.mark.parametrize("kind", ["down", "html", "503", "nan", "empty", "two", "warnings", "slow"])
def test_a_short_outage_of_metrics_holds_the_weight_and_ends_well(kind: str) -> None:
    scene = given.app()
    scene.sandbox.prometheus.misbehave(kind, since=60, until=160, seconds=60)
    run = released(scene)
    is_promoted(scene, run)
    assert not [told for told in run.told if isinstance(told.event, Shifted) and 70 < told.time < 160]


@pytest.mark.parametrize("kind", ["down", "html", "503", "nan", "empty", "two", "warnings", "slow"])
def test_a_long_outage_of_metrics_is_no_verdict_on_the_version(kind: str) -> None:
    scene = given.app()
    scene.sandbox.prometheus.misbehave(kind, since=60, seconds=60)
    run = released(scene, metrics_timeout=120)
    is_back(scene, run, Result.UNAVAILABLE)
    assert run.outcome is not None
    assert run.outcome.reason.startswith("success-rate: no usable answer for 2m")


def test_errors_beyond_a_written_limit_are_no_verdict_either() -> None:
    scene = given.app()
    scene.sandbox.prometheus.misbehave("down", since=60)
    text = rollout("gateway", canary=GUARD, steps=LONG) + "---\n"
    run = released(scene, text + template(metric(count="", consecutiveErrorLimit="2")))
    is_back(scene, run, Result.UNAVAILABLE)


def test_a_metric_without_data_holds_and_then_ends_the_release() -> None:
    scene = given.app()
    text = rollout("gateway", steps=MEASURED) + "---\n" + template(metric(query="sum(rate(unknown[1m]))"))
    run = released(scene, text, metrics_timeout=60)
    is_back(scene, run, Result.UNAVAILABLE)


def test_an_inconclusive_analysis_ends_the_release_as_unavailable() -> None:
    scene = given.app()
    unsure = metric(successCondition="result[0] > 2", failureCondition="result[0] < 0", inconclusiveLimit="0")
    run = released(scene, rollout("gateway", steps=MEASURED) + "---\n" + template(unsure))
    is_back(scene, run, Result.UNAVAILABLE)


def test_a_dry_run_metric_that_fails_changes_nothing() -> None:
    scene = given.app()
    body = template(metric(), metric(name="other", successCondition="result[0] > 2"))
    body = body.replace("  metrics:\n", "  dryRun: [{metricName: other}]\n  metrics:\n")
    is_promoted(scene, released(scene, rollout("gateway", steps=MEASURED) + "---\n" + body))


def test_a_guard_that_fails_while_a_step_measures_ends_the_release() -> None:
    scene = given.app()
    body = template(metric(count="")).replace("name: healthy", "name: watch") + "---\n" + template(metric())
    canary = GUARD.replace("healthy", "watch")
    run = released(
        scene, rollout("gateway", image="web:2.0.0-err30", canary=canary, steps=MEASURED) + "---\n" + body
    )
    is_back(scene, run, Result.UNHEALTHY)
    then.the_safe_write_came_first(run)


def test_a_query_without_an_answer_is_refused_before_anything_is_written() -> None:
    scene = given.app()
    scene.sandbox.prometheus.misbehave("down")
    run = released(scene)
    then.refused(
        run,
        "spec.yaml:34: spec.metrics[0]: metric success-rate has no answer: the connection to "
        "prometheus.monitoring:9090 was refused; correct the query or the address "
        "(`progressive-ci plan` shows by which way it is asked)",
    )
    then.nothing_was_written(run, but=())
