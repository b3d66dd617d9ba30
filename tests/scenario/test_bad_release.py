import pytest

from progressive_ci.model.event import Began
from progressive_ci.model.outcome import Result
from tests.scenario import given, then
from tests.scenario.documents import GUARD, MEASURED, metric, rollout, template
from tests.scenario.scene import Run, Scene
from tests.scenario.then import ROUTERS

WATCHED = template(metric(count=""))


def is_back(scene: Scene, run: Run, result: Result) -> None:
    then.ended(run, result)
    then.serves(scene, "1.0.0")
    then.nobody_was_turned_away(scene)
    then.nothing_left(scene)
    then.all_is_as_before(scene)
    then.rules_held(scene)


@pytest.mark.parametrize("router", ROUTERS)
def test_a_version_with_errors_is_taken_back_at_the_first_verdict(router: str) -> None:
    scene = given.app(router=router)
    run = scene.released(rollout(router, image="web:2.0.0-err30", canary=GUARD) + "---\n" + WATCHED)
    is_back(scene, run, Result.UNHEALTHY)
    if router != "ratio":
        then.the_safe_write_came_first(run)


@pytest.mark.parametrize("router", ROUTERS)
def test_an_analysis_step_that_fails_ends_the_release(router: str) -> None:
    scene = given.app(router=router)
    run = scene.released(
        rollout(router, image="web:2.0.0-err30", steps=MEASURED) + "---\n" + template(metric())
    )
    is_back(scene, run, Result.UNHEALTHY)
    assert run.outcome is not None
    assert "success-rate" in run.outcome.reason
    assert str(run.outcome.source).startswith("spec.yaml:")


def test_the_outcome_tells_the_step_that_the_log_has_last_told_of() -> None:
    scene = given.app()
    run = scene.released(rollout("gateway", image="web:2.0.0-err30", canary=GUARD) + "---\n" + WATCHED)
    begun = [told.event.phase for told in run.told if isinstance(told.event, Began)]
    steps = [phase for phase in begun if phase.startswith("step ")]
    assert run.outcome is not None
    assert steps[-1].startswith(f"step {run.outcome.step}/{run.outcome.steps} ")


PODS = {
    "an image that can't be pulled": (
        "web:missing",
        'container web of pod {pod}: ImagePullBackOff: Back-off pulling image "web:missing"',
    ),
    "a container that ends again and again": (
        "web:2.0.0-crash",
        "container web of pod {pod}: CrashLoopBackOff: back-off 10s restarting failed container=web pod={pod}",
    ),
    "a pod that never becomes ready": (
        "web:2.0.0-neverready",
        "0 of 1 new pods are ready after 60 s (progressDeadlineSeconds); {pod} is not",
    ),
}


@pytest.mark.parametrize("router", ROUTERS)
@pytest.mark.parametrize(("image", "reason"), PODS.values(), ids=PODS)
def test_pods_that_cannot_serve_end_the_release(router: str, image: str, reason: str) -> None:
    scene = given.app(router=router)
    scene.before["Deployment web"]["spec"]["progressDeadlineSeconds"] = 600
    run = scene.released(rollout(router, image=image, spec="progressDeadlineSeconds: 60"))
    is_back(scene, run, Result.UNREADY)
    assert run.outcome is not None
    pod = then.named_pod(run.outcome.reason)
    assert run.outcome.reason == reason.format(pod=pod)


@pytest.mark.parametrize("image", ["web:missing", "web:2.0.0-crash"])
def test_what_waiting_cannot_help_ends_the_release_long_before_its_deadline(image: str) -> None:
    scene = given.app()
    run = scene.released(rollout("gateway", image=image))
    is_back(scene, run, Result.UNREADY)
    assert run.stopped is not None
    assert run.stopped.time - run.told[0].time < 15


@pytest.mark.parametrize("router", ROUTERS)
def test_pods_that_find_no_node_end_the_release(router: str) -> None:
    scene = given.app(router=router)
    given.no_more_room(scene)
    run = scene.released(rollout(router))
    is_back(scene, run, Result.UNREADY)
    assert run.outcome is not None
    pod = then.named_pod(run.outcome.reason)
    assert run.outcome.reason == f"{pod}: Unschedulable: 0/3 nodes are available: 3 Too many pods."


@pytest.mark.parametrize("router", ROUTERS)
def test_pods_that_a_quota_refuses_end_the_release(router: str) -> None:
    scene = given.app(router=router)
    given.exceeded_quota(scene)
    run = scene.released(rollout(router))
    is_back(scene, run, Result.UNREADY)
    assert run.outcome is not None
    assert run.outcome.reason.endswith(": FailedCreate: pods are forbidden: exceeded quota: pods")


def test_pods_of_a_first_release_that_a_quota_refuses_end_it_at_once() -> None:
    scene = given.nothing()
    given.exceeded_quota(scene)
    run = scene.released(rollout("gateway"))
    then.ended(run, Result.UNREADY)
    assert run.stopped is not None
    assert run.stopped.time - run.told[0].time < 30
    assert run.outcome is not None
    assert "web: FailedCreate: pods are forbidden: exceeded quota: pods" in run.outcome.reason
