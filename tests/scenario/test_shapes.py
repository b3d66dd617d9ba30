"""Releases of other shapes: the first one, settings alone, an earlier version, a Deployment beside, in place."""

import pytest

from progressive_ci.model import kinds
from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Result
from progressive_ci.release.workload import replicas_of
from tests.scenario import given, then
from tests.scenario.documents import deployment, rollout
from tests.scenario.scene import NAMESPACE
from tests.scenario.then import ROUTERS

STEPS = "- setWeight: 25\n- pause: {duration: 5s}\n- setWeight: 75\n"


@pytest.mark.parametrize("router", ROUTERS)
def test_a_first_release_needs_no_steps(router: str) -> None:
    scene = given.nothing(router=router)
    run = scene.released(rollout(router, replicas=3))
    then.ended(run, Result.PROMOTED)
    assert replicas_of(then.deployment(scene)) == 3
    then.nothing_left(scene)
    then.rules_held(scene)
    again = scene.released(rollout(router, replicas=3))
    then.ended(again, Result.UNCHANGED)
    then.nothing_was_written(again)


@pytest.mark.parametrize("image", ["web:missing", "web:2.0.0-crash"])
def test_a_first_release_that_fails_leaves_nothing_behind(image: str) -> None:
    scene = given.nothing()
    run = scene.released(rollout("gateway", image=image, replicas=3))
    then.ended(run, Result.UNREADY)
    assert run.outcome is not None
    assert run.outcome.reason.startswith("no previous version: container web of pod web-")
    scene.sandbox.clock.run(5)
    assert scene.sandbox.get(kinds.DEPLOYMENT, NAMESPACE, "web") is None
    assert not scene.sandbox.all(kinds.REPLICA_SET, NAMESPACE)
    assert not scene.sandbox.all(kinds.POD, NAMESPACE)


@pytest.mark.parametrize("router", ROUTERS)
def test_settings_alone_move_no_pod(router: str) -> None:
    scene = given.app(router=router)
    pods = {pod["metadata"]["uid"] for pod in scene.sandbox.all(kinds.POD, NAMESPACE)}
    run = scene.released(rollout(router, image="web:1.0.0", replicas=6, spec="minReadySeconds: 1"))
    then.ended(run, Result.PROMOTED)
    assert replicas_of(then.deployment(scene)) == 6
    assert then.deployment(scene)["spec"]["minReadySeconds"] == 1
    assert pods < {pod["metadata"]["uid"] for pod in scene.sandbox.all(kinds.POD, NAMESPACE)}
    then.nobody_was_turned_away(scene)
    then.nothing_left(scene)


@pytest.mark.parametrize("router", ROUTERS)
def test_another_size_comes_with_the_promotion(router: str) -> None:
    scene = given.app(router=router)
    run = scene.released(rollout(router, replicas=6, steps=STEPS))
    then.ended(run, Result.PROMOTED)
    assert replicas_of(then.deployment(scene)) == 6
    then.serves(scene, "2.0.0")
    then.nobody_was_turned_away(scene)
    then.nothing_left(scene)
    then.rules_held(scene)


@pytest.mark.parametrize("router", ROUTERS)
def test_an_earlier_version_comes_back_in_its_own_replica_set(router: str) -> None:
    scene = given.app(router=router)
    first = then.active_set(scene)
    then.ended(scene.released(rollout(router, steps=STEPS)), Result.PROMOTED)
    scene.oracle.next_release()
    then.ended(scene.released(rollout(router, image="web:1.0.0", steps=STEPS)), Result.PROMOTED)
    assert then.active_set(scene) == first
    then.serves(scene, "1.0.0")
    then.nobody_was_turned_away(scene)
    then.nothing_left(scene)
    then.all_is_as_before(scene)
    then.rules_held(scene)


@pytest.mark.parametrize("router", ROUTERS)
def test_an_earlier_version_that_is_stopped_goes_back_to_its_place(router: str) -> None:
    scene = given.app(router=router)
    then.ended(scene.released(rollout(router, steps=STEPS)), Result.PROMOTED)
    scene.oracle.next_release()
    begun = scene.sandbox.clock.now()
    scene.sandbox.clock.at(begun + 8, lambda: scene.sandbox.clock.deliver("SIGTERM"))
    then.ended(scene.released(rollout(router, image="web:1.0.0", steps=STEPS)), Result.CANCELLED)
    then.serves(scene, "2.0.0")
    then.nobody_was_turned_away(scene)
    then.nothing_left(scene)
    then.rules_held(scene)


@pytest.mark.parametrize("router", ["gateway", "istio", "nginx"])
@pytest.mark.parametrize("image", ["web:2.0.0", "web:2.0.0-crash"])
def test_where_a_policy_changes_deployments_alone_the_canary_is_one_itself(router: str, image: str) -> None:
    scene = given.app(router=router)
    given.policy_on_deployments(scene)
    run = scene.released(rollout(router, image=image, steps=STEPS))
    then.ended(run, Result.PROMOTED if image == "web:2.0.0" else Result.UNREADY)
    then.serves(scene, "2.0.0" if image == "web:2.0.0" else "1.0.0")
    assert scene.sandbox.get(kinds.DEPLOYMENT, NAMESPACE, "web-canary") is None
    then.nobody_was_turned_away(scene)
    then.nothing_left(scene)
    then.rules_held(scene)
    note = (
        "a webhook or policy changes Deployments and ReplicaSets differently, so the Deployment can't adopt"
    )
    assert note in then.warnings(run)


def test_a_deployment_document_is_released_by_its_own_strategy() -> None:
    scene = given.app(router="")
    then.ended(scene.released(deployment()), Result.PROMOTED)
    then.serves(scene, "2.0.0")
    then.nothing_left(scene)
    then.rules_held(scene)
    again = scene.released(deployment())
    then.ended(again, Result.UNCHANGED)
    then.nothing_was_written(again)


@pytest.mark.parametrize("image", ["web:missing", "web:2.0.0-crash", "web:2.0.0-neverready"])
def test_a_deployment_document_that_cannot_serve_is_undone(image: str) -> None:
    scene = given.app(router="")
    then.ended(scene.released(deployment(image=image)), Result.UNREADY)
    then.serves(scene, "1.0.0")
    then.nobody_was_turned_away(scene)
    then.nothing_left(scene)
    then.all_is_as_before(scene)


def test_steps_and_checks_are_skipped_where_the_user_says_why() -> None:
    scene = given.app()
    run = scene.released(rollout("gateway"), Options(skip_analysis=True, reason="stable is broken"))
    then.ended(run, Result.PROMOTED)
    then.serves(scene, "2.0.0")
    then.nobody_was_turned_away(scene)
    then.rules_held(scene)
