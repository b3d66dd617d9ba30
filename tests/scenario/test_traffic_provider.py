"""A traffic provider that is slow or lies: nothing is taken for done that was not confirmed, and nobody is fought."""

from math import inf

import pytest

from progressive_ci.model import kinds
from progressive_ci.model.outcome import Result
from progressive_ci.sandbox.call import Call
from progressive_ci.sandbox.store import Change
from tests.scenario import given, then, when
from tests.scenario.documents import rollout
from tests.scenario.scene import Scene

PATIENT = "progressDeadlineSeconds: 900"
MINUTES = 600.0


def slow(scene: Scene, lag: float, *, after: float = 0.0) -> None:
    when.later(scene, after, lambda: setattr(scene.sandbox.world.gateways, "lag", lag))


def ends_of_pods(scene: Scene, version: str) -> list[float]:
    """When pods of a version began to go."""
    times: list[float] = []

    def look(change: Change) -> None:
        going = change.object["metadata"].get("deletionTimestamp")
        if going and f"web:{version}" == change.object["spec"]["containers"][0]["image"]:
            times.append(scene.sandbox.clock.now())

    scene.sandbox.store.subscribe(look, kinds.POD)
    return times


@pytest.mark.acceptance("F17")
@pytest.mark.parametrize("after", [0.0, 10.0, 20.0], ids=lambda at: f"from {at:g} s")
def test_a_change_that_is_never_confirmed_is_taken_back(after: float) -> None:
    scene = given.app()
    slow(scene, inf, after=after)
    run = scene.released(rollout("gateway"))
    then.ended(run, Result.UNAVAILABLE)
    assert any("has not confirmed after 300 s" in text for text in then.warnings(run))
    then.serves(scene, "1.0.0")
    then.nobody_was_turned_away(scene)
    then.nothing_left(scene)
    then.rules_held(scene)


@pytest.mark.acceptance("F17")
def test_old_pods_stay_as_long_as_a_slow_provider_takes() -> None:
    scene = given.app()
    gone = ends_of_pods(scene, "1.0.0")
    slow(scene, MINUTES)
    run = scene.released(rollout("gateway", steps="- setWeight: 100\n", spec=PATIENT))
    then.ended(run, Result.PROMOTED)
    assert min(gone) > MINUTES + 30
    then.serves(scene, "2.0.0")
    then.nobody_was_turned_away(scene)
    then.nothing_left(scene)
    then.rules_held(scene)


@pytest.mark.acceptance("F17")
def test_new_pods_stay_on_the_way_back_until_it_is_confirmed() -> None:
    scene = given.app()
    gone = ends_of_pods(scene, "2.0.0")
    slow(scene, 120.0, after=15.0)
    when.later(scene, 16.0, lambda: scene.sandbox.clock.deliver("SIGTERM"))
    begins = scene.sandbox.clock.now() + 16
    run = scene.released(rollout("gateway"))
    then.ended(run, Result.CANCELLED)
    assert min(gone) > begins + 120 + 30
    then.serves(scene, "1.0.0")
    then.nothing_left(scene)
    then.all_is_as_before(scene)
    then.rules_held(scene)


@pytest.mark.acceptance("F17")
@pytest.mark.parametrize("router", ["gateway", "istio"])
def test_a_weight_that_is_read_back_as_another_is_not_written_for_ever(router: str) -> None:
    scene = given.app(router=router)
    written = 0

    def lie(_: int, call: Call) -> None:
        nonlocal written
        if call.method != "PATCH" or not any(part in call.path for part in then.ROUTES):
            return
        for step in call.body if isinstance(call.body, list) else ():
            if step["op"] != "test" and str(step["path"]).endswith("/weight"):
                written += step["value"] == 20
                step["value"] = {20: 10, 80: 90}.get(step["value"], step["value"])

    scene.sandbox.faults.before_each(lie)
    run = scene.released(rollout(router))
    then.ended(run, Result.UNAVAILABLE)
    assert run.outcome is not None
    assert run.outcome.reason.endswith("20 % was written 8 times, and 10 % was read back each time")
    assert written <= 8
    then.serves(scene, "1.0.0")
    then.nobody_was_turned_away(scene)
    then.nothing_left(scene)
    then.rules_held(scene)
