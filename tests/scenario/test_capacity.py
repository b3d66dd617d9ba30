"""The way back never makes it worse: stable gets traffic as its ready pods can carry it, and its pods come first."""

from collections.abc import Callable
from functools import partial

import pytest

from progressive_ci.model.event import Shifted
from progressive_ci.model.journal import Stage
from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Result
from progressive_ci.release.workload import replicas_of
from tests.scenario import commands, given, meddling, then, when
from tests.scenario.documents import rollout
from tests.scenario.orphans import dead
from tests.scenario.rows import ROWS
from tests.scenario.scene import Run, Scene

ROUTED = ("gateway", "istio", "nginx")
FULL = "- setWeight: 100\n- pause: {duration: 120s}\n"
LOWERED = "- setWeight: 100\n- pause: {duration: 30s}\n- setWeight: 10\n- pause: {duration: 20s}\n"
AT = 40.0


def cancelled(scene: Scene, seconds: float = AT + 1) -> None:
    when.later(scene, seconds, lambda: scene.sandbox.clock.deliver("SIGTERM"))


def is_back(scene: Scene, run: Run) -> None:
    then.ended(run, Result.CANCELLED)
    then.serves(scene, "1.0.0")
    then.nothing_left(scene)
    then.all_is_as_before(scene)
    then.rules_held(scene)


def splits(run: Run) -> list[int]:
    """The canary's weights as they were told on the way back."""
    assert run.stopped is not None
    since = run.stopped.time
    return [
        told.event.after.percent
        for told in run.told
        if isinstance(told.event, Shifted) and told.time >= since
    ]


def shifts(run: Run) -> list[int]:
    """All weights of the canary as they were told."""
    return [told.event.after.percent for told in run.told if isinstance(told.event, Shifted)]


@pytest.mark.parametrize("router", ROUTED)
def test_the_safe_write_is_told_as_a_shift(router: str) -> None:
    scene = given.app(router=router)
    cancelled(scene)
    run = scene.released(rollout(router, steps=FULL))
    is_back(scene, run)
    assert splits(run) == [0]
    assert run.outcome is not None
    assert run.outcome.weight == 0


@pytest.mark.acceptance("F21")
@pytest.mark.parametrize("router", ROUTED)
def test_pods_of_stable_that_a_node_took_are_back_before_they_get_all_traffic(router: str) -> None:
    scene = given.app(router=router, replicas=6)
    when.later(scene, AT, lambda: meddling.sicken(scene, "1.0.0", 4))
    when.later(scene, AT + 30, lambda: meddling.heal(scene, "1.0.0"))
    cancelled(scene, AT + 6)
    run = scene.released(rollout(router, steps=FULL))
    is_back(scene, run)
    assert splits(run)[0] == 60
    assert splits(run)[-1] == 0
    [warned] = then.warnings(run)
    assert warned == "stable has 2 of 5 ready pods, so the new version keeps 60 % until it has more"


@pytest.mark.parametrize("router", ROUTED)
def test_a_rollback_goes_on_where_one_was_out_of_time(router: str) -> None:
    scene = given.app(router=router, replicas=6)
    when.later(scene, AT, lambda: meddling.sicken(scene, "1.0.0", 4))
    cancelled(scene, AT + 6)
    run = scene.released(rollout(router, steps=FULL), Options(rollback_budget=120))
    then.ended(run, Result.INCOMPLETE)
    meddling.heal(scene, "1.0.0")
    then.ended(scene.rescued(), Result.RECOVERED)
    then.serves(scene, "1.0.0")
    then.nothing_left(scene)
    then.all_is_as_before(scene)
    then.rules_held(scene)


def test_a_step_down_that_stable_cannot_bear_ends_in_one_budget_not_in_two() -> None:
    scene = given.app(replicas=8)
    when.later(scene, 15.0, lambda: meddling.sicken(scene, "1.0.0", 7))
    run = scene.released(rollout("gateway", steps=LOWERED))
    then.ended(run, Result.INCOMPLETE)
    assert run.stopped is not None
    assert scene.sandbox.clock.now() - run.stopped.time < 65
    assert splits(run) == [84]
    then.rules_held(scene)


@pytest.mark.parametrize("router", ROUTED)
def test_stable_that_somebody_has_scaled_down_is_scaled_up_first(router: str) -> None:
    scene = given.app(router=router, replicas=8)
    when.later(scene, AT, lambda: meddling.scale(scene, 1))
    cancelled(scene, AT + 10)
    run = scene.released(rollout(router, steps=FULL))
    is_back(scene, run)
    assert splits(run)[-1] == 0
    assert replicas_of(then.deployment(scene)) == 8
    assert then.warnings(run)[0].startswith("kubectl has scaled Deployment shop/web to 1 meanwhile")
    then.nobody_was_turned_away(scene)


def test_stable_that_an_autoscaler_has_shrunk_gets_twice_the_share_each_time() -> None:
    scene = given.app(replicas=8)
    given.autoscaler(scene, "web")
    scene.oracle.excused = ("1",)
    when.later(scene, AT, lambda: meddling.scale(scene, 1))
    cancelled(scene, AT + 10)
    run = scene.released(rollout("gateway", steps=FULL))
    then.ended(run, Result.CANCELLED)
    assert splits(run) == [84, 68, 36, 0]
    assert replicas_of(then.deployment(scene)) == 1
    then.serves(scene, "1.0.0")
    then.nothing_left(scene)


def test_an_autoscaler_that_answers_gets_no_more_than_its_pods_carry() -> None:
    scene = given.app(replicas=8)
    given.autoscaler(scene, "web")
    when.later(scene, AT, lambda: meddling.scale(scene, 1))
    when.later(scene, AT + 20, lambda: meddling.scale(scene, 8))
    cancelled(scene, AT + 10)
    run = scene.released(rollout("gateway", steps=FULL))
    is_back(scene, run)
    assert splits(run)[0] == 84
    then.nobody_was_turned_away(scene)


def test_where_both_versions_are_broken_each_gets_what_its_share_of_the_pods_can_carry() -> None:
    scene = given.app(replicas=6)
    when.later(scene, AT, lambda: meddling.sicken(scene, "1.0.0", 5))
    when.later(scene, AT, lambda: meddling.sicken(scene, "2.0.0", 5))
    when.later(scene, AT + 60, lambda: meddling.heal(scene, "1.0.0"))
    cancelled(scene, AT + 8)
    run = scene.released(rollout("gateway", steps=FULL))
    then.ended(run, Result.CANCELLED)
    assert shifts(run)[1:] == [50, 0]
    then.serves(scene, "1.0.0")
    then.nothing_left(scene)


def test_a_canary_without_a_ready_pod_keeps_nothing_that_one_of_stable_can_serve() -> None:
    scene = given.app(replicas=6)
    scene.oracle.excused = ("1",)
    when.later(scene, AT, lambda: meddling.sicken(scene, "1.0.0", 5))
    when.later(scene, AT, lambda: meddling.sicken(scene, "2.0.0", 6))
    cancelled(scene, AT + 8)
    run = scene.released(rollout("gateway", steps=FULL))
    then.ended(run, Result.CANCELLED)
    assert shifts(run) == [100, 0]


def sick_for_a_while(scene: Scene) -> None:
    meddling.sicken(scene, "2.0.0", 4)
    when.later(scene, 20.0, lambda: meddling.heal(scene, "2.0.0"))


LOSSES: dict[str, Callable[[Scene], None]] = {
    "not ready": sick_for_a_while,
    "scaled to 0": lambda scene: meddling.scale_canary(scene, 0),
}


@pytest.mark.acceptance("F21")
@pytest.mark.parametrize("router", ROUTED)
@pytest.mark.parametrize("act", LOSSES.values(), ids=LOSSES)
def test_lost_pods_of_the_new_version_give_their_traffic_to_stable_until_they_are_back(
    router: str, act: Callable[[Scene], None]
) -> None:
    scene = given.app(router=router)
    scene.oracle.excused = ("3",)
    when.later(scene, AT, lambda: act(scene))
    run = scene.released(rollout(router, steps=FULL))
    then.ended(run, Result.PROMOTED)
    assert shifts(run)[:3] == [100, 0, 100]
    assert "0 of 4 new pods are ready: they get 0 % instead of 100 % until they are back" in then.warnings(
        run
    )
    then.serves(scene, "2.0.0")
    then.nothing_left(scene)
    then.rules_held(scene)


@pytest.mark.parametrize("router", ROUTED)
def test_a_new_version_that_keeps_losing_its_pods_is_taken_back(router: str) -> None:
    scene = given.app(router=router)
    scene.oracle.excused = ("3",)
    scene.sandbox.clock.repeat(12.0, lambda: meddling.lose_pods(scene, "2.0.0", 4))
    steps = "- setWeight: 50\n- pause: {duration: 300s}\n"
    run = scene.released(rollout(router, steps=steps))
    then.ended(run, Result.UNREADY)
    then.serves(scene, "1.0.0")
    then.nothing_left(scene)


@pytest.mark.parametrize("image", ["web:2.0.0-crash", "web:missing"])
def test_with_a_dead_stable_a_failed_new_version_leaves_it_as_it_was(image: str) -> None:
    scene = given.app()
    meddling.sicken(scene, "1.0.0", 4)
    scene.sandbox.clock.run(10)
    run = scene.released(
        rollout("gateway", image=image), Options(skip_analysis=True, reason="stable is down")
    )
    then.ended(run, Result.UNREADY)
    then.nothing_left(scene)
    then.all_is_as_before(scene)
    then.rules_held(scene)


@pytest.mark.acceptance("F18")
@pytest.mark.parametrize("number", [7, 9, 11])
def test_a_repository_that_is_applied_while_a_promotion_is_taken_up_sends_nobody_to_too_few_pods(
    number: int,
) -> None:
    """It takes the canary's Service off its pods, and the weight away, when NAME has begun to roll."""
    row = ROWS["roll"]
    scene = dead(row, Stage.PROMOTING, number)
    acted = when.before(scene, len(scene.sandbox.log) + 20, partial(meddling.reapply, scene))
    run = commands.recover(scene)
    assert acted
    then.ended(run, Result.PROMOTED)
    then.serves(scene, row.new)
    then.nothing_left(scene)
    then.nobody_was_turned_away(scene)
    then.rules_held(scene)
