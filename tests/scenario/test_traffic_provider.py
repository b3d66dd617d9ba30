"""A traffic provider that is slow or lies: nothing is taken for done that was not confirmed, and nobody is fought."""

from math import inf

import pytest

from progressive_ci.model import kinds
from progressive_ci.model.journal import Stage
from progressive_ci.model.outcome import Result
from progressive_ci.model.plan import Mode
from progressive_ci.routers.table import ROUTERS
from progressive_ci.sandbox.call import Call
from progressive_ci.sandbox.store import Change
from tests.scenario import then, when
from tests.scenario.documents import STEPS as LONG
from tests.scenario.rows import Row, every
from tests.scenario.scene import Scene

acknowledged = every(lambda row: row.routed and row.router == "gateway")
"""The one router whose controller says when it has taken a change up."""
written = every(lambda row: row.router in ("gateway", "istio"))
"""Those whose weights stand in a list that one write changes."""
routed = every(lambda row: row.routed)
adopting = every(lambda row: row.routed and row.mode is Mode.ADOPT)
"""Where NAME rolls behind its canary, pods go while others of their version serve."""
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
@acknowledged
@pytest.mark.parametrize("after", [0.0, 10.0, 20.0], ids=lambda at: f"from {at:g} s")
def test_a_change_that_is_never_confirmed_is_taken_back(row: Row, after: float) -> None:
    scene = row.open()
    slow(scene, inf, after=after)
    run = scene.released(row.written(steps=LONG))
    then.back_as_if_nothing_had_happened(scene, run, Result.UNAVAILABLE, row.old)
    assert any("has not confirmed after 300 s" in text for text in then.warnings(run))


@pytest.mark.acceptance("F17")
@acknowledged
def test_old_pods_stay_as_long_as_a_slow_provider_takes(row: Row) -> None:
    scene = row.open()
    gone, begins = ends_of_pods(scene, row.old), scene.sandbox.clock.now()
    slow(scene, MINUTES)
    run = scene.released(row.written(steps="- setWeight: 100\n", spec=PATIENT))
    scene.before["Deployment web"]["spec"]["progressDeadlineSeconds"] = 900
    then.promoted_as_if_nothing_had_happened(scene, run, row.new)
    assert min(gone) > begins + MINUTES + 30


@pytest.mark.acceptance("F17")
@acknowledged
def test_new_pods_stay_on_the_way_back_until_it_is_confirmed(row: Row) -> None:
    scene = row.open()
    gone = ends_of_pods(scene, row.new)
    slow(scene, 120.0, after=15.0)
    when.later(scene, 16.0, lambda: scene.sandbox.clock.deliver("SIGTERM"))
    begins = scene.sandbox.clock.now() + 16
    run = scene.released(row.written(steps=LONG))
    then.back_as_if_nothing_had_happened(scene, run, Result.CANCELLED, row.old)
    assert min(gone) > begins + 120 + 30


@pytest.mark.acceptance("F17")
@written
def test_a_weight_that_is_read_back_as_another_is_not_written_for_ever(row: Row) -> None:
    scene = row.open()
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
    run = scene.released(row.written(steps=LONG))
    then.back_as_if_nothing_had_happened(scene, run, Result.UNAVAILABLE, row.old)
    assert run.outcome is not None
    assert run.outcome.reason.endswith("20 % was written 8 times, and 10 % was read back each time")
    assert written <= 8


def lagging_from_the_first_weight(scene: Scene, seconds: float) -> None:
    """The route's controller answers so much later once the canary gets traffic."""
    gateways = scene.sandbox.world.gateways

    def look(_: int, call: Call) -> None:
        record = scene.oracle.record
        if record is not None and record.weight and call.method == "PATCH" and "/httproutes/" in call.path:
            gateways.lag = seconds if record.stage is not Stage.ROLLING_BACK else 0.0

    scene.sandbox.faults.before_each(look)


@pytest.mark.acceptance("F17")
@acknowledged
def test_a_controller_that_acknowledges_late_is_waited_for(row: Row) -> None:
    scene = row.open()
    lagging_from_the_first_weight(scene, 40.0)
    run = scene.released(row.text)
    then.promoted_as_if_nothing_had_happened(scene, run, row.new)
    assert run.told[-1].time - run.told[0].time > 3 * 40


@pytest.mark.acceptance("F17")
@acknowledged
def test_a_controller_that_never_acknowledges_ends_the_release(row: Row) -> None:
    scene = row.open()
    lagging_from_the_first_weight(scene, inf)
    run = scene.released(row.text)
    then.back_as_if_nothing_had_happened(scene, run, Result.UNAVAILABLE, row.old)


QUICK = "scaleDownDelaySeconds: 1\nabortScaleDownDelaySeconds: 1\n"


def slow_proxies(scene: Scene, row: Row) -> None:
    """Users follow the route so late as its router's row just allows for, and nobody says so."""
    scene.sandbox.traffic.route_lag = 0.8 * ROUTERS[row.router].SETTLE


def users_of_going_pods(scene: Scene) -> list[float]:
    """What share of the users was on a version when a pod of it began to go."""
    shares: list[float] = []

    def look(change: Change) -> None:
        if change.object["metadata"].get("deletionTimestamp"):
            version = change.object["spec"]["containers"][0]["image"].removeprefix("web:")
            shares.append(scene.sandbox.traffic.share(version, users="users"))

    scene.sandbox.store.subscribe(look, kinds.POD)
    return shares


@pytest.mark.acceptance("F17")
@adopting
def test_users_who_follow_the_route_late_meet_no_old_pod_that_goes(row: Row) -> None:
    scene = row.open()
    slow_proxies(scene, row)
    shares = users_of_going_pods(scene)
    run = scene.released(row.written(steps=LONG, canary=QUICK))
    then.promoted_as_if_nothing_had_happened(scene, run, row.new)
    assert shares
    assert max(shares) == 0.0


@pytest.mark.acceptance("F17")
@routed
@pytest.mark.parametrize("at", [10.0, 15.0, 30.0], ids=lambda at: f"after {at:g} s")
def test_users_who_follow_the_way_back_late_meet_no_new_pod_that_goes(row: Row, at: float) -> None:
    scene = row.open()
    slow_proxies(scene, row)
    shares = users_of_going_pods(scene)
    when.later(scene, at, lambda: scene.sandbox.clock.deliver("SIGTERM"))
    run = scene.released(row.written(steps=LONG, canary=QUICK))
    then.back_as_if_nothing_had_happened(scene, run, Result.CANCELLED, row.old)
    assert shares
    assert max(shares) == 0.0
