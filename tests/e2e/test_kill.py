"""A run that is killed leaves a workload that serves, whatever others do; `rollback` or the next run ends it."""

from collections.abc import Callable

import pytest

from tests.e2e import given, then, when
from tests.e2e.given import NEW, OLD, Shop

pytest_plugins = ["tests.e2e.cluster.fixtures", "tests.e2e.opening"]

_THIRD = "example/app:3.0.0"
_STAYS = given.setting(50, 100, pause="5m")
"""However late the run is killed, it dies before its promotion."""


@pytest.mark.acceptance("F01")
@pytest.mark.parametrize(
    "moment",
    ["it has no traffic yet", "-> 50 %", "old pods finish"],
    ids=["after prepare", "at half of the traffic", "in the promotion"],
)
def test_what_others_do_to_an_orphan_costs_no_request(shop: Callable[..., Shop], moment: str) -> None:
    place = shop()
    promotes = moment == "old pods finish"
    place.releases(NEW, steps=given.QUICK if promotes else _STAYS, drains=(60, 3))
    with when.users(place) as load:
        with when.start(place) as tool:
            tool.wait_for(moment)
            tool.kill()
        when.somebody_sets_image(place, _THIRD)
        when.somebody_scales(place, 6)
        load.wait_for(requests=300)
        when.the_lease_soon_runs_out(place)
        run = when.roll_back(place)
        place.cluster.admin.wait_until("the third version serves", lambda _: _third_serves(place))
        load.wait_for(requests=200)
        records = load.stop()
    then.ended(run, 0, "recovered")
    then.no_request_failed(records)
    then.nothing_of_ours_is_left(place)


def _third_serves(place: Shop) -> bool:
    then.only_serves(place, _THIRD, replicas=6)
    return True


def test_an_orphan_is_rolled_back_once_its_lease_has_run_out(shop: Callable[..., Shop]) -> None:
    place = shop()
    place.releases(NEW, steps=_STAYS)
    before = then.pods(place, OLD)
    with when.users(place) as load:
        with when.start(place) as tool:
            tool.wait_for("-> 50 %")
            tool.kill()
        run = when.roll_back(place)
        load.wait_for(requests=100)
        records = load.stop()
    then.ended(run, 0, "recovered")
    assert run.seconds > 25
    then.no_request_failed(records)
    then.only_serves(place, OLD)
    assert then.pods(place, OLD) == before
    then.nothing_of_ours_is_left(place)


def test_there_is_nothing_to_roll_back_after_a_release(shop: Callable[..., Shop]) -> None:
    place = shop()
    place.releases(NEW, steps=given.QUICK, judged=False)
    then.ended(when.run(place), 0, "promoted")
    run = when.roll_back(place)
    then.ended(run, 0, "nothing-to-do")
    then.only_serves(place, NEW)
