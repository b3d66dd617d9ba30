"""Others change what a release works with, while it works."""

import os
from functools import partial
from itertools import count

import pytest

from progressive_ci.model import kinds
from progressive_ci.model.outcome import Result
from progressive_ci.release.workload import replicas_of
from tests.scenario import given, then, when
from tests.scenario.documents import STEPS, deployment, rollout
from tests.scenario.scene import NAMESPACE, Run, Scene

LANES = 6
"""Each tries every so manyth request of the promotion, until the promotion ends without reaching it."""

STRIDE = LANES if os.environ.get("SWEEP") == "all" else 30

ROUTED = ("gateway", "istio", "nginx")


@pytest.mark.acceptance("F21")
@pytest.mark.parametrize("router", ROUTED)
@pytest.mark.parametrize("wish", [2, 7, 8], ids=["N-2", "N+3", "2N"])
@pytest.mark.parametrize("lane", range(LANES))
def test_an_autoscaler_is_followed_wherever_in_the_promotion_it_speaks(
    router: str, wish: int, lane: int
) -> None:
    for place in count(lane, STRIDE):
        scene = given.app(router=router)
        given.autoscaler(scene, "web")
        spoken = when.promoting(scene, place, partial(when.scaled, scene, wish))
        run = scene.released(rollout(router))
        if not spoken():
            assert place > lane, "the promotion has no such request"
            return
        is_followed(scene, run, wish)


def is_followed(scene: Scene, run: Run, wish: int) -> None:
    then.ended(run, Result.PROMOTED)
    scene.sandbox.clock.run(5)
    assert replicas_of(then.deployment(scene)) == wish
    then.serves(scene, "2.0.0")
    then.nobody_was_turned_away(scene)
    then.nothing_left(scene)
    assert then.deployment(scene)["spec"]["strategy"]["type"] == "RollingUpdate"
    then.rules_held(scene)


@pytest.mark.acceptance("F18")
@pytest.mark.parametrize("at", [1.0, 12.0, 27.0, 40.0, 60.0], ids=lambda at: f"{at:g} s")
@pytest.mark.parametrize("router", ROUTED)
def test_another_version_set_meanwhile_wins(router: str, at: float) -> None:
    scene = given.app(router=router)
    when.later(scene, at, lambda: when.image_set(scene, "web:3.0.0"))
    run = scene.released(rollout(router))
    if run.outcome is not None and run.outcome.result is Result.PROMOTED:
        assert at >= 60
    else:
        then.ended(run, Result.CANCELLED)
        assert run.outcome is not None
        assert (
            run.outcome.reason == "superseded: kubectl has changed spec.template of Deployment web meanwhile"
        )
    scene.sandbox.clock.run(30)
    then.serves(scene, "3.0.0")
    then.nobody_was_turned_away(scene)
    then.nothing_left(scene)
    then.rules_held(scene)


def test_a_pin_that_somebody_takes_off_is_set_again_once() -> None:
    scene = given.app()
    scene.oracle.meddled = True
    when.later(scene, 8.0, lambda: when.unpinned(scene, "web"))
    run = scene.released(rollout("gateway", steps=STEPS))
    then.ended(run, Result.PROMOTED)
    then.serves(scene, "2.0.0")
    then.nothing_left(scene)
    warned = [told for told in then.warnings(run) if "spec.selector" in told]
    assert warned == ["kubectl has changed spec.selector of Service shop/web; it is set again, once"]


def test_a_pin_that_keeps_being_undone_ends_the_release_and_names_who_does_it() -> None:
    scene = given.app()
    scene.oracle.meddled = True
    scene.sandbox.clock.repeat(3.0, lambda: when.unpinned(scene, "web"))
    run = scene.released(rollout("gateway", steps=STEPS))
    then.ended(run, Result.CANCELLED)
    assert run.outcome is not None
    assert (
        run.outcome.reason
        == "kubectl keeps changing spec.selector of Service shop/web, which this release needs"
    )
    then.serves(scene, "1.0.0")
    then.nothing_left(scene)
    then.all_is_as_before(scene)


def test_stable_pods_that_die_are_waited_for_before_they_get_all_traffic_again() -> None:
    scene = given.app()

    def lose_pods() -> None:
        for pod in scene.sandbox.all(kinds.POD, NAMESPACE)[:3]:
            scene.sandbox.store.drop(kinds.POD, pod)

    when.later(scene, 25.0, lose_pods)
    when.later(scene, 25.1, lambda: scene.sandbox.clock.deliver("SIGTERM"))
    run = scene.released(rollout("gateway"))
    then.ended(run, Result.CANCELLED)
    then.serves(scene, "1.0.0")
    then.nothing_left(scene)
    then.all_is_as_before(scene)
    then.rules_held(scene)


def test_the_pods_of_a_deployment_in_place_are_undone_too() -> None:
    scene = given.app(router="")
    run = scene.released(deployment(image="web:2.0.0-crash"))
    then.ended(run, Result.UNREADY)
    then.serves(scene, "1.0.0")
    then.nobody_was_turned_away(scene)
    then.nothing_left(scene)
    then.all_is_as_before(scene)
