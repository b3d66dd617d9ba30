"""A Deployment that rolls by its own strategy, pod by pod: its deadline is for the next pod, not for all of them."""

from collections.abc import Callable
from functools import partial

import pytest

from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Result
from progressive_ci.sandbox import faults
from progressive_ci.sandbox.call import Call
from progressive_ci.sandbox.faults import Fault
from tests.scenario import given, meddling, then, when
from tests.scenario.documents import deployment, rollout
from tests.scenario.rows import ROWS, STEPS
from tests.scenario.scene import Scene

_PODS = 12
_SLOW = "2.0.0-start40"
_DEADLINE = "progressDeadlineSeconds: 60\n"
_ONE_BY_ONE = _DEADLINE + "strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}\n"
_LONG = Options(max_duration=3600.0, rollback_budget=90.0)


def _in_place() -> Scene:
    scene = given.app(router="", replicas=_PODS, image="web:1.0.0-start40")
    scene.sandbox.clock.run(120)
    return scene


def _rolling() -> Scene:
    """NAME rolls behind its canary, as slowly as its own strategy has it."""
    scene = given.app(replicas=_PODS, image="web:1.0.0-start40")
    live = when.deployment(scene)
    live["spec"]["strategy"]["rollingUpdate"] = {"maxSurge": 1, "maxUnavailable": 0}
    scene.sandbox.apply(live)
    given.policy_on_deployments(scene)
    scene.sandbox.clock.run(900)
    scene.before = given.snapshot(scene.sandbox)
    return scene


_WAYS: dict[str, tuple[Callable[[], Scene], str]] = {
    "in place": (_in_place, deployment(image=f"web:{_SLOW}", replicas=_PODS, spec=_ONE_BY_ONE)),
    "roll": (_rolling, rollout("gateway", image=f"web:{_SLOW}", spec=_DEADLINE, steps=STEPS)),
}
ways = pytest.mark.parametrize("way", _WAYS)


@ways
def test_a_rollout_may_take_its_deadline_for_each_pod(way: str) -> None:
    begin, text = _WAYS[way]
    scene = begin()
    began = scene.sandbox.clock.now()
    run = scene.released(text, _LONG)
    then.ended(run, Result.PROMOTED)
    assert scene.sandbox.clock.now() - began > _PODS * 40
    then.serves(scene, _SLOW)
    then.rules_held(scene)


def test_a_size_that_the_documents_leave_to_others_counts_as_it_is() -> None:
    scene = _in_place()
    began = scene.sandbox.clock.now()
    run = scene.released(deployment(image=f"web:{_SLOW}", spec=_ONE_BY_ONE))
    then.ended(run, Result.PROMOTED)
    assert scene.sandbox.clock.now() - began > _PODS * 40
    then.serves(scene, _SLOW)


@ways
def test_a_rollout_that_stops_going_forward_ends_by_its_deadline(way: str) -> None:
    begin, text = _WAYS[way]
    scene = begin()
    stuck: list[float] = []

    def halfway() -> None:
        stuck.append(scene.sandbox.clock.now())
        given.no_more_pods_of(scene, f"web:{_SLOW}")

    when.once(scene, lambda *_: _updated(scene) == _PODS // 2, halfway)
    run = scene.released(text, _LONG)
    then.ended(run, Result.UNREADY)
    assert run.stopped is not None
    assert run.stopped.time - stuck[0] < 40 + 60 + 5
    assert run.outcome is not None
    assert run.outcome.reason == "web: FailedCreate: the image is gone"
    then.serves(scene, "1.0.0-start40")
    then.nothing_left(scene)
    then.rules_held(scene)


@ways
def test_a_way_back_that_goes_forward_pod_by_pod_is_not_cut_short_by_its_budget(way: str) -> None:
    begin, text = _WAYS[way]
    scene = begin()
    when.once(
        scene,
        lambda *_: _updated(scene) == _PODS - 2,
        lambda: given.no_more_pods_of(scene, f"web:{_SLOW}"),
    )
    run = scene.released(text, _LONG)
    then.ended(run, Result.UNREADY)
    then.serves(scene, "1.0.0-start40")
    then.nothing_left(scene)


def test_a_way_back_from_pods_that_are_not_ready_goes_forward_too() -> None:
    scene = _in_place()
    text = _WAYS["in place"][1].replace("-start40", "")

    def fail() -> None:
        meddling.sicken(scene, "2.0.0", _PODS)
        scene.sandbox.clock.deliver("SIGTERM")

    when.once(scene, lambda *_: _updated(scene, "2.0.0") >= _PODS // 2, fail)
    run = scene.released(text, _LONG)
    then.ended(run, Result.CANCELLED)
    then.serves(scene, "1.0.0-start40")
    then.nothing_left(scene)


@pytest.mark.parametrize("status", [faults.broken(403), faults.broken()], ids=["refused", "failing"])
def test_a_way_back_that_can_not_be_finished_ends_all_the_same(status: Fault) -> None:
    scene = ROWS["roll"].open()
    begun: list[float] = []

    def deletes(_: int, call: Call) -> bool:
        doomed = call.method == "DELETE" and call.path.endswith("/deployments/web-canary")
        begun.extend([scene.sandbox.clock.now()] if doomed else [])
        return doomed

    scene.sandbox.faults.plan(status, when=deletes, times=10**6)
    when.later(scene, 12.0, partial(scene.sandbox.clock.deliver, "SIGTERM"))
    run = scene.released(ROWS["roll"].text, Options(rollback_budget=90.0))
    then.ended(run, Result.INCOMPLETE)
    assert begun[-1] - begun[0] < 90
    assert run.outcome is not None
    assert any("web-canary" in left for left in run.outcome.left)


def test_a_quota_that_refuses_pods_for_a_while_is_waited_for() -> None:
    scene = given.app(router="", replicas=4)
    given.exceeded_quota(scene)
    given.room_again(scene, seconds=45)
    run = scene.released(deployment(image="web:2.0.0", replicas=4))
    then.ended(run, Result.PROMOTED)
    then.serves(scene, "2.0.0")
    then.nobody_was_turned_away(scene)
    then.rules_held(scene)


def _updated(scene: Scene, tag: str = _SLOW) -> int:
    """Pods of NAME that have the version that comes."""
    live = then.deployment(scene)
    image = live["spec"]["template"]["spec"]["containers"][0]["image"]
    return int(live["status"].get("updatedReplicas") or 0) if image.endswith(tag) else 0
