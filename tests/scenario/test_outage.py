"""The API server is away for some seconds, and whoever else watches it is back later than it is (F09).

The users' data plane hears of nothing from the first second of the outage until a client-go's last attempt: of no
endpoint, and in half of the cases of no route either.
"""

import pytest

from progressive_ci.model import kinds
from progressive_ci.model.event import Noted
from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Result
from progressive_ci.model.plan import Mode
from progressive_ci.sandbox import faults
from progressive_ci.sandbox.call import Call
from progressive_ci.sandbox.faults import nth
from tests.scenario import given, meddling, then
from tests.scenario.rows import ROWS, Row
from tests.scenario.scene import NAMESPACE, Scene
from tests.scenario.struck import LONGEST, STRIDE

_AWAY = 10.0
_LAST_ATTEMPT = 2 * 60.0 - 1
"""Seconds after its return by which the longest pauses of client-go are over, that of a watch and that of a list."""

_BACK = 42
"""The request at which a release is cancelled in which one version has users already, and the other still has."""

ROUTED = {name: row for name, row in ROWS.items() if row.routed}
rows = pytest.mark.parametrize("row", ROUTED.values(), ids=ROUTED)
known = pytest.mark.parametrize("routes", [True, False], ids=["no news", "no news of endpoints"])


def goes_away(scene: Scene, number: int, *, routes: bool, again: float | None = None) -> list[float]:
    """From this request on nobody is answered for some seconds; tells since when, once it is so.

    Args:
        scene: where.
        number: of the request.
        routes: whether changes of routes are missed, too.
        again: seconds after its return at which the server goes away once more.
    """
    since: list[float] = []

    def away(sent: int, call: Call) -> bool:
        del call
        now = scene.sandbox.clock.now()
        once_more = again is not None and len(since) == 1 and now >= since[0] + _AWAY + again
        if sent == number or once_more:
            since.append(now)
            scene.sandbox.traffic.lag(now + _AWAY + _LAST_ATTEMPT, routes=routes)
        return bool(since) and now < since[-1] + _AWAY

    scene.sandbox.faults.plan(faults.refuse(), when=away, times=10_000)
    return since


def at_each(row: Row, first: int, result: Result, *, routes: bool) -> None:
    """The outage at one request after the other, each in a release of its own."""
    for number in range(1 + first % STRIDE, LONGEST, STRIDE):
        scene = row.open()
        before = len(scene.sandbox.log)
        if result is Result.CANCELLED:
            scene.sandbox.faults.plan(faults.signal_before("SIGTERM"), when=nth(before + _BACK))
        since = goes_away(scene, before + number, routes=routes)
        run = scene.released(row.text, Options(rollback_budget=45))
        if not since:
            return
        then.ended(run, result)
        then.rules_held(scene)
        nobody_was_led_astray(scene)
        then.serves(scene, row.new if result is Result.PROMOTED else row.old)
        # Nobody waits for the server only to say that the lease is free, which runs out by itself.
        still = scene.sandbox.clock.now() < since[0] + _AWAY + 1
        then.nothing_left(scene, but=("the lease's holder",) if still else ())


def nobody_was_led_astray(scene: Scene) -> None:
    """None of those who come by the route; who comes by another Service meets NAME's own rolling update in `roll`."""
    record = scene.oracle.record
    by_route = record is not None and record.mode is Mode.ROLL
    failures = scene.sandbox.traffic.count(status=503, users="users" if by_route else None)
    assert failures < 1e-6, f"{failures:.2f} requests failed"


@pytest.mark.acceptance("F09")
@rows
@known
@pytest.mark.parametrize("first", [43, 61, 79])
def test_users_are_led_to_no_pod_that_the_gateway_does_not_know(
    row: Row, first: int, *, routes: bool
) -> None:
    at_each(row, first, Result.PROMOTED, routes=routes)


@pytest.mark.acceptance("F09")
@rows
@known
@pytest.mark.parametrize("first", [45, 51, 58])
def test_on_the_way_back_too_pods_stay_until_the_gateway_knows(row: Row, first: int, *, routes: bool) -> None:
    at_each(row, first, Result.CANCELLED, routes=routes)


@pytest.mark.acceptance("F09")
@known
@pytest.mark.parametrize("gap", [60.0, 110.0])
@pytest.mark.parametrize("result", [Result.PROMOTED, Result.CANCELLED], ids=str)
def test_another_outage_while_the_end_of_the_first_is_waited_for_has_its_own_two_minutes(
    gap: float, result: Result, *, routes: bool
) -> None:
    row = ROWS["roll"]
    scene = row.open()
    before = len(scene.sandbox.log)
    first = 124 if result is Result.PROMOTED else 45
    if result is Result.CANCELLED:
        scene.sandbox.faults.plan(faults.signal_before("SIGTERM"), when=nth(before + _BACK))
    since = goes_away(scene, before + first, routes=routes, again=gap)
    run = scene.released(row.text)
    assert len(since) == 2
    then.ended(run, result)
    nobody_was_led_astray(scene)
    then.rules_held(scene)
    then.nothing_left(scene)


@pytest.mark.acceptance("F09")
@pytest.mark.parametrize("row", [ROUTED["gateway"], ROUTED["roll"]], ids=["gateway", "roll"])
@pytest.mark.parametrize("gap", [90.0, 140.0])
def test_two_outages_leave_a_way_back_with_little_time_enough_of_it(row: Row, gap: float) -> None:
    scene = row.open()
    before = len(scene.sandbox.log)
    scene.sandbox.faults.plan(faults.signal_before("SIGTERM"), when=nth(before + _BACK))
    goes_away(scene, before + 45, routes=True, again=gap)
    run = scene.released(row.text, Options(rollback_budget=45))
    then.ended(run, Result.CANCELLED)
    then.serves(scene, row.old)
    then.nothing_left(scene)


@pytest.mark.acceptance("F09")
@known
@pytest.mark.parametrize("how", ["crash", "missing", "quota"])
@pytest.mark.parametrize("pods", [1, 2])
def test_a_rollout_that_fails_leads_nobody_back_to_pods_that_were_made_meanwhile(
    how: str, pods: int, *, routes: bool
) -> None:
    row = ROWS["roll"]
    scene = row.open()
    since: list[float] = []

    def away(_: int, call: Call) -> bool:
        del call
        now = scene.sandbox.clock.now()
        if not since and renewed(scene, row.new) >= pods:
            since.append(now)
            scene.sandbox.traffic.lag(now + _AWAY + _LAST_ATTEMPT, routes=routes)
            if how == "quota":
                given.no_more_pods_of(scene, f"web:{row.new}")
            else:
                given.turned(scene, row.new, how)
        return bool(since) and now < since[0] + _AWAY

    scene.sandbox.faults.plan(faults.refuse(), when=away, times=10_000)
    run = scene.released(row.written(spec="progressDeadlineSeconds: 60"))
    assert since
    then.ended(run, Result.UNREADY)
    then.serves(scene, row.old)
    nobody_was_led_astray(scene)
    then.rules_held(scene)
    then.nothing_left(scene)


@pytest.mark.acceptance("F09")
@rows
@pytest.mark.parametrize("seconds", [5.0, 30.0])
def test_new_pods_in_place_of_lost_ones_get_their_share_again_when_the_gateway_knows_them(
    row: Row, seconds: float
) -> None:
    scene = row.open()
    scene.oracle.excused = ("3",)  # it is not the tool that takes them
    clock = scene.sandbox.clock
    away = clock.now() + 40
    back = away + _AWAY
    clock.at(away, lambda: scene.sandbox.traffic.lag(back + _LAST_ATTEMPT, routes=False))
    clock.at(back, lambda: given.turned(scene, row.new, "start20"))
    clock.at(back + seconds, lambda: meddling.lose_pods(scene, row.new, 2))
    scene.sandbox.faults.plan(faults.refuse(), when=lambda *_: away <= clock.now() < back, times=10_000)
    run = scene.released(row.written(steps="- setWeight: 50\n- pause: {duration: 300s}\n"))
    then.ended(run, Result.PROMOTED)
    # Until the first count after they went.
    assert not scene.sandbox.traffic.count(status=503, since=back + seconds + 10)


@pytest.mark.acceptance("F09")
@pytest.mark.parametrize(
    "row", [ROUTED["gateway"], ROUTED["nginx"], ROUTED["roll"]], ids=lambda row: row.name
)
def test_whoever_is_led_to_old_pods_in_the_two_minutes_is_led_back_before_they_go(row: Row) -> None:
    scene = row.open()
    scene.oracle.meddled = True
    clock, since = scene.sandbox.clock, list[float]()
    draining = Noted("old pods finish their requests (30 s)")

    def meddle() -> None:
        if row.mode is Mode.ROLL:
            meddling.set_weight(scene, 50)
        else:
            meddling.unpin(scene)

    def away(_: int, call: Call) -> bool:
        del call
        now = clock.now()
        if not since and any(told.event == draining for told in scene.runs[-1].told):
            since.append(now + 12)
            clock.at(now + 82, meddle)
        return bool(since) and since[0] <= now < since[0] + _AWAY

    scene.sandbox.faults.plan(faults.refuse(), when=away, times=10_000)
    run = scene.released(row.text)
    then.ended(run, Result.PROMOTED)
    changed = "the weights" if row.mode is Mode.ROLL else "spec.selector"
    assert any(f"has changed {changed}" in told and "set again" in told for told in then.warnings(run))


def renewed(scene: Scene, version: str) -> int:
    """How many pods of this version NAME has by its status."""
    found = scene.sandbox.get(kinds.DEPLOYMENT, NAMESPACE, "web")
    assert found is not None
    status, image = found["status"], found["spec"]["template"]["spec"]["containers"][0]["image"]
    seen = status.get("observedGeneration") == found["metadata"]["generation"]
    return int(status.get("updatedReplicas", 0)) if seen and image == f"web:{version}" else 0
