"""Acceptance scenarios that no other file holds, each with what has to come of it and what must never happen."""

from collections.abc import Callable
from math import inf

import pytest

from progressive_ci.errors import ProgressiveError
from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.event import Noted, Shifted
from progressive_ci.model.journal import Stage
from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Result
from progressive_ci.release.workload import replicas_of
from progressive_ci.sandbox import faults
from progressive_ci.sandbox.call import Call
from tests.scenario import given, then
from tests.scenario.documents import GUARD, MEASURED, metric, rollout, template
from tests.scenario.rows import ROWS, STEPS, Row
from tests.scenario.scene import NAMESPACE, Run, Scene, planned
from tests.scenario.then import ROUTERS

routers = pytest.mark.parametrize("router", ROUTERS)
LEASE_SECONDS = 40


def is_back(scene: Scene, run: Run, result: Result, version: str = "1.0.0") -> None:
    then.ended(run, result)
    then.serves(scene, version)
    then.nobody_was_turned_away(scene)
    then.nothing_left(scene)
    then.rules_held(scene)


def at_weight(scene: Scene, percent: int) -> Callable[[int, Call], bool]:
    """The first request for which the canary carries so much."""
    seen: list[int] = []

    def chosen(_: int, call: Call) -> bool:
        record = scene.oracle.record
        if not seen and record is not None and record.weight >= percent and "/leases" not in call.path:
            seen.append(1)
            return call.method != "GET"
        return False

    return chosen


@pytest.mark.acceptance("F03")
@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
@pytest.mark.parametrize("late", [0, 2, 5, 9, 14])
def test_a_rollback_that_was_killed_is_finished_before_a_newer_version_begins(row: Row, late: int) -> None:
    scene = row.open()
    count = 0

    def in_rollback(_: int, call: Call) -> bool:
        nonlocal count
        record = scene.oracle.record
        if record is None or record.stage is not Stage.ROLLING_BACK or "/leases" in call.path:
            return False
        count += 1
        return count > late

    given_signal = 12.0 if row.routed else 1.0
    scene.sandbox.clock.at(
        scene.sandbox.clock.now() + given_signal, lambda: scene.sandbox.clock.deliver("SIGTERM")
    )
    scene.sandbox.faults.plan(faults.kill_before(), when=in_rollback)
    killed = scene.released(row.text)
    newer = scene.released(row.text.replace(f"web:{row.new}", "web:3.0.0"))
    then.ended(newer, Result.PROMOTED)
    told = [event.event.text for event in newer.told if isinstance(event.event, Noted)]
    finished = [text for text in told if text.startswith("an earlier release was finished first")]
    assert len(finished) == (killed.outcome is None)
    then.serves(scene, "3.0.0")
    then.nobody_was_turned_away(scene)
    then.nothing_left(scene)
    then.rules_held(scene)


LONG = "- setWeight: 20\n- pause: {duration: 2m}\n- setWeight: 50\n- pause: {duration: 2m}\n- setWeight: 80\n"
AWAY = {"in the first pause": 40, "around a change of weight": 130, "in the second pause": 200}


@pytest.mark.acceptance("F12")
@routers
@pytest.mark.parametrize("since", AWAY.values(), ids=AWAY)
@pytest.mark.parametrize("kind", ["down", "503", "slow"])
def test_metrics_that_are_away_for_a_while_hold_the_weight(router: str, since: int, kind: str) -> None:
    scene = given.app(router=router)
    scene.sandbox.prometheus.misbehave(kind, since=since, until=since + 60, seconds=60)
    text = rollout(router, canary=GUARD, steps=LONG) + "---\n" + template(metric(count=""))
    run = scene.released(text)
    is_back(scene, run, Result.PROMOTED, "2.0.0")
    blind = (since + 15, since + 60)
    assert not [one for one in run.told if isinstance(one.event, Shifted) and blind[0] < one.time < blind[1]]
    assert len(scene.sandbox.prometheus.asked) < 2 * run.told[-1].time / 5


@pytest.mark.acceptance("F12")
@routers
@pytest.mark.parametrize("since", AWAY.values(), ids=AWAY)
@pytest.mark.parametrize("kind", ["down", "503", "slow"])
def test_metrics_that_stay_away_are_no_verdict(router: str, since: int, kind: str) -> None:
    scene = given.app(router=router)
    scene.sandbox.prometheus.misbehave(kind, since=since, seconds=60)
    text = rollout(router, canary=GUARD, steps=LONG) + "---\n" + template(metric(count=""))
    run = scene.released(text, Options(metrics_timeout=60))
    is_back(scene, run, Result.UNAVAILABLE)
    assert run.outcome is not None
    assert "no usable answer" in run.outcome.reason


NOTHING_TO_JUDGE = {
    "not a number": "vector(0) / vector(0)",
    "infinity": "vector(1) / vector(0)",
    "minus infinity": "vector(-1) / vector(0)",
    "nothing": "sum(rate(unknown[1m]))",
}
CONDITIONS = {
    "success only": {"successCondition": "result[0] >= 0.9"},
    "failure only": {"successCondition": "", "failureCondition": "result[0] < 0.9"},
    "both": {"successCondition": "result[0] >= 0.9", "failureCondition": "result[0] < 0.5"},
}


@pytest.mark.acceptance("F14")
@routers
@pytest.mark.parametrize("conditions", CONDITIONS.values(), ids=CONDITIONS)
@pytest.mark.parametrize("query", NOTHING_TO_JUDGE.values(), ids=NOTHING_TO_JUDGE)
def test_what_is_no_number_never_promotes(router: str, query: str, conditions: dict[str, str]) -> None:
    scene = given.app(router=router)
    measured = template(metric(query=query, **conditions))
    run = scene.released(rollout(router, steps=MEASURED) + "---\n" + measured, Options(metrics_timeout=30))
    is_back(scene, run, Result.UNAVAILABLE)


@pytest.mark.acceptance("F15")
@routers
@pytest.mark.parametrize("kind", ["two", "warnings"])
def test_an_answer_of_several_parts_or_with_warnings_decides_nothing(router: str, kind: str) -> None:
    scene = given.app(router=router)
    scene.sandbox.prometheus.misbehave(kind, since=12)
    text = rollout(router, steps=MEASURED) + "---\n" + template(metric())
    run = scene.released(text, Options(metrics_timeout=30))
    is_back(scene, run, Result.UNAVAILABLE)


TRAPS = {
    "every measurement fails and may": metric(failureLimit="3"),
    "no metric": "",
}


@pytest.mark.acceptance("F16")
@pytest.mark.parametrize("body", TRAPS.values(), ids=TRAPS)
def test_an_analysis_that_could_never_fail_is_refused_when_it_is_read(body: str) -> None:
    text = rollout("gateway", steps=MEASURED) + "---\n" + (template(body) if body else template())
    with pytest.raises(ProgressiveError) as caught:
        planned(text)
    assert "spec.yaml:" in str(caught.value)


@pytest.mark.acceptance("F16")
@routers
def test_a_metric_that_a_sibling_ended_early_is_no_pass(router: str) -> None:
    scene = given.app(router=router)
    body = template(metric(name="bad", successCondition="result[0] > 2", count="1"), metric(count="10"))
    run = scene.released(rollout(router, steps=MEASURED) + "---\n" + body)
    is_back(scene, run, Result.UNHEALTHY)


def lagging_from_the_first_weight(scene: Scene, seconds: float) -> None:
    """The route's controller answers so much later once the canary gets traffic."""
    gateways = scene.sandbox.world.gateways

    def look(_: int, call: Call) -> None:
        record = scene.oracle.record
        if record is not None and record.weight and call.method == "PATCH" and "/httproutes/" in call.path:
            gateways.lag = seconds if record.stage is not Stage.ROLLING_BACK else 0.0

    scene.sandbox.faults.before_each(look)


@pytest.mark.acceptance("F17")
def test_a_controller_that_acknowledges_late_is_waited_for() -> None:
    scene = given.app()
    lagging_from_the_first_weight(scene, 40.0)
    run = scene.released(rollout("gateway", steps=STEPS))
    is_back(scene, run, Result.PROMOTED, "2.0.0")
    assert run.told[-1].time > 3 * 40


@pytest.mark.acceptance("F17")
def test_a_controller_that_never_acknowledges_ends_the_release() -> None:
    scene = given.app()
    lagging_from_the_first_weight(scene, inf)
    run = scene.released(rollout("gateway", steps=STEPS))
    assert run.outcome is not None
    assert run.outcome.result in (Result.UNAVAILABLE, Result.CANCELLED), run.outcome
    then.serves(scene, "1.0.0")
    then.nobody_was_turned_away(scene)
    then.rules_held(scene)


DEADLINE = "progressDeadlineSeconds: 60\nminReadySeconds: 5"


@pytest.mark.acceptance("F19")
@routers
@pytest.mark.parametrize(
    "image", ["web:2.0.0-flap", "web:2.0.0-neverready", "web:missing", "web:2.0.0-crash"]
)
def test_bad_pods_end_the_release_by_an_absolute_deadline(router: str, image: str) -> None:
    scene = given.app(router=router)
    run = scene.released(rollout(router, image=image, spec=DEADLINE, steps=STEPS))
    then.ended(run, Result.UNREADY)
    then.serves(scene, "1.0.0")
    then.nothing_left(scene)
    then.rules_held(scene)
    assert run.stopped is not None
    assert run.stopped.time - run.told[0].time < 75
    assert max(scene.oracle.weights) == 0
    if router != "ratio":  # there every pod that is ready for a moment has users
        then.nobody_was_turned_away(scene)


@pytest.mark.acceptance("F22")
def test_a_promotion_that_fails_leaves_the_traffic_on_pods_that_were_analysed() -> None:
    scene = ROWS["roll"].open()
    refusals: list[float] = []

    def promoting(_: int, __: Call) -> None:
        record = scene.oracle.record
        if not refusals and record is not None and record.stage is Stage.PROMOTING:
            refusals.append(scene.sandbox.clock.now())
            given.exceeded_quota(scene)
            given.room_again(scene, seconds=150)

    scene.sandbox.faults.before_each(promoting)
    run = scene.released(ROWS["roll"].text.replace("spec:\n", "spec:\n  progressDeadlineSeconds: 60\n", 1))
    assert refusals
    is_back(scene, run, Result.UNREADY)


def objects(scene: Scene) -> dict[str, JsonObject]:
    """Every object of the namespace with its version, but lease and journal."""
    every = (kinds.DEPLOYMENT, kinds.REPLICA_SET, kinds.POD, kinds.SERVICE, kinds.HTTP_ROUTE, kinds.INGRESS)
    return {
        f"{kind.name} {item['metadata']['name']}": item["metadata"]["resourceVersion"]
        for kind in every
        for item in scene.sandbox.all(kind, NAMESPACE)
    }


ENDS = {
    "promoted": ("web:2.0.0", None, Result.PROMOTED),
    "unready": ("web:missing", None, Result.UNREADY),
    "cancelled": ("web:2.0.0", 12.0, Result.CANCELLED),
    "refused": ("web:2.0.0", None, Result.INVALID),
}


@pytest.mark.acceptance("F25")
@routers
@pytest.mark.parametrize(("image", "signal", "result"), ENDS.values(), ids=ENDS)
def test_after_any_end_nothing_of_ours_is_needed_and_a_rescue_writes_nothing(
    router: str, image: str, signal: float | None, result: Result
) -> None:
    scene = given.app(router=router)
    clock = scene.sandbox.clock
    if signal is not None:
        clock.at(clock.now() + signal, lambda: clock.deliver("SIGTERM"))
    steps = "- setWeight: 20\n- pause: {}\n" if result is Result.INVALID else STEPS
    run = scene.released(rollout(router, image=image, steps=steps))
    then.ended(run, result)
    then.nothing_left(scene)
    before, sent = objects(scene), len(scene.sandbox.log)
    then.ended(scene.rescued(), Result.NOTHING_TO_DO)
    assert not [done for done in scene.sandbox.log[sent:] if done.writes]
    for kind in (kinds.CONFIG_MAP, kinds.LEASE):
        for item in scene.sandbox.all(kind, NAMESPACE):
            scene.sandbox.store.drop(kind, item)
    clock.run(30)
    assert objects(scene) == before
    assert replicas_of(then.deployment(scene)) == 4
    then.nobody_was_turned_away(scene)
    then.rules_held(scene)
