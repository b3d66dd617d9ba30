"""Others write what a release holds: it is put right once; the second time the release goes back and names who."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.e2e import given, meddling, then, when
from tests.e2e.given import NAME, NEW, OLD, Shop
from tests.e2e.rows import ROWS, Row
from tests.e2e.stand import SETTLE, SIZE

pytest_plugins = ["tests.e2e.cluster.fixtures", "tests.e2e.opening"]

_STEPS = given.setting(50, 80, 100, pause="6s")
"""Endpoints are counted every five seconds, and the route is read before each weight."""


@dataclass(frozen=True, slots=True)
class Case:
    """What somebody does, and the field that the tool names."""

    act: Callable[[Shop], None]
    field: str
    router: str = "gateway"


_AGAIN = {
    "weights": Case(meddling.sets_weights, "the weights"),
    "pins": Case(meddling.takes_pins_off, "spec.selector"),
}
_ONCE = {**_AGAIN, "weights, Istio": Case(meddling.sets_weights, "the weights", router="istio")}


@pytest.mark.acceptance("F18")
@pytest.mark.parametrize("case", _ONCE.values(), ids=_ONCE)
def test_what_somebody_changes_once_is_put_right_and_the_release_goes_on(
    shop: Callable[..., Shop], case: Case
) -> None:
    place = _open(shop, case)
    with when.users(place) as load:
        with when.start(place, "run", *SETTLE) as tool:
            tool.wait_for("== step 2/")
            case.act(place)
            run = tool.end()
        load.wait_for(requests=100)
        records = load.stop()
    then.ended(run, 0, "promoted")
    assert f"{meddling.WHO} has changed {case.field}" in run.log
    then.no_request_failed(records)
    _is_whole(place, NEW)


@pytest.mark.acceptance("F18")
@pytest.mark.parametrize("case", _AGAIN.values(), ids=_AGAIN)
def test_who_changes_it_again_is_named_and_the_release_goes_back(
    shop: Callable[..., Shop], case: Case
) -> None:
    place = _open(shop, case)
    before = then.pods(place, OLD)
    with when.users(place) as load:
        with when.start(place, "run", *SETTLE) as tool:
            tool.wait_for("== step 2/")
            case.act(place)
            tool.wait_for("== step 4/")
            case.act(place)
            run = tool.end()
        load.wait_for(requests=100)
        records = load.stop()
    then.ended(run, 13, "rolled-back-cancelled")
    assert f"{meddling.WHO} keeps changing {case.field}" in run.told["reason"]
    then.no_request_failed(records)
    assert then.pods(place, OLD) == before
    _is_whole(place, OLD)


@pytest.mark.acceptance("F18")
@pytest.mark.parametrize(
    ("act", "told"),
    [(meddling.pauses, ""), (meddling.resumes, "has resumed")],
    ids=["pauses", "resumes"],
)
def test_a_workload_that_somebody_pauses_or_resumes_meanwhile_is_promoted(
    shop: Callable[..., Shop], act: Callable[[Shop], None], told: str
) -> None:
    place = shop(replicas=SIZE)
    place.releases(NEW, steps=given.QUICK, judged=False, drains=(1, 1))
    with when.users(place) as load:
        with when.start(place, "run", *SETTLE) as tool:
            tool.wait_for("== step 2/")
            act(place)
            run = tool.end()
        load.wait_for(requests=100)
        records = load.stop()
    then.ended(run, 0, "promoted")
    assert told in run.log
    then.no_request_failed(records)
    _is_whole(place, NEW)


@pytest.mark.acceptance("F18")
@pytest.mark.parametrize("row", [ROWS["in place"], ROWS["roll"]], ids=["in place", "roll"])
def test_a_rollout_that_somebody_pauses_ends_the_release(shop: Callable[..., Shop], row: Row) -> None:
    place, image = shop(row.router, replicas=SIZE), f"{NEW}-start2"
    place.write(row.document(image, place.router, "0s"), *row.beside)
    role = place.role(*row.occasions)
    with row.within(place), when.users(place) as load:
        with when.start(place, "run", *SETTLE, role=role) as tool:
            meddling.wait_for_rollout(place, image, pods=SIZE + 1)
            meddling.pauses(place)
            run = tool.end()
        load.wait_for(requests=100)
        records = load.stop()
    then.ended(run, 13, "rolled-back-cancelled")
    assert f"{meddling.WHO} has paused Deployment {place.namespace}/{NAME}" in run.told["reason"]
    then.no_request_failed(records)
    _is_whole(place, OLD)


def _open(shop: Callable[..., Shop], case: Case) -> Shop:
    place = shop(case.router, replicas=SIZE)
    place.releases(NEW, steps=_STEPS, judged=False, drains=(1, 1))
    return place


def _is_whole(place: Shop, image: str) -> None:
    then.only_serves(place, image, replicas=SIZE)
    then.the_journal_is_closed(place)
    then.nothing_of_ours_is_left(place)
    if place.router in {"gateway", "istio"}:
        assert then.split(place) == {given.STABLE: 100, given.CANARY: 0}
