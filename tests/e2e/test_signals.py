"""A cancelled run takes its version back before it ends: at every step, and whatever it is waiting for."""

from collections.abc import Callable

import pytest

from tests.e2e import given, then, when
from tests.e2e.cluster.client import Document
from tests.e2e.cluster.exchange import Call
from tests.e2e.cluster.proxy import RecordingProxy
from tests.e2e.given import NEW, OLD, Shop
from tests.e2e.interference import Matches, Stall, is_question, writes_route

pytest_plugins = ["tests.e2e.cluster.fixtures", "tests.e2e.opening"]

_ARGS = [{"name": "hash", "valueFrom": {"podTemplateHashValue": "Latest"}}]
_ANALYSIS: Document = {"analysis": {"templates": [{"templateName": "counted"}], "args": _ARGS}}
_STEPS = [*given.setting(20, 20, pause="2s")[:2], _ANALYSIS, *given.setting(60, 100)]
_NEVER_PROMOTED = [*_STEPS, {"pause": {"duration": "5m"}}]
"""However late a signal comes, it comes before the promotion."""


@pytest.mark.acceptance("F02")
@pytest.mark.parametrize(
    "moment",
    [
        "== prepare",
        "== step 1/",
        "0 % -> 20 %",
        "== step 2/",
        "== step 3/",
        "== step 4/",
        "== step 5/",
        "== step 6/",
    ],
    ids=[
        "prepare",
        "first weight",
        "settling",
        "pause",
        "analysis",
        "second weight",
        "second pause",
        "all of it",
    ],
)
def test_a_cancelled_run_takes_its_version_back(shop: Callable[..., Shop], moment: str) -> None:
    place = _open(shop, _NEVER_PROMOTED)
    before = then.pods(place, OLD)
    with when.users(place) as load, when.start(place) as tool:
        tool.wait_for(moment)
        tool.terminate()
        run = tool.end()
        load.wait_for(requests=100)
        records = load.stop()
    then.ended(run, 13, "rolled-back-cancelled")
    then.no_request_failed(records)
    assert then.pods(place, OLD) == before
    then.only_serves(place, OLD)
    then.nothing_of_ours_is_left(place)


def test_a_run_cancelled_before_its_first_write_has_touched_nothing(shop: Callable[..., Shop]) -> None:
    place = _open(shop, _NEVER_PROMOTED)
    stall = Stall(_looks_at_the_workload, drips=False)
    with RecordingProxy(place.cluster, stall) as proxy:
        with when.start(place, server=proxy.url) as tool:
            assert stall.met.wait(60), tool.log
            tool.terminate()
            run = tool.end()
        stall.over.set()
    then.ended(run, 13, "rolled-back-cancelled")
    assert "before the first write" in run.log
    assert not place.cluster.admin.list("Lease", place.namespace)


def _looks_at_the_workload(call: Call) -> bool:
    return call.method == "GET" and call.path.endswith(f"/deployments/{given.NAME}")


@pytest.mark.acceptance("F02")
def test_a_promotion_is_finished_in_spite_of_a_signal(shop: Callable[..., Shop]) -> None:
    place = _open(shop, _STEPS)
    with when.users(place) as load, when.start(place) as tool:
        tool.wait_for("old pods finish")
        tool.terminate()
        run = tool.end()
        records = load.stop()
    then.ended(run, 0, "promoted")
    then.no_request_failed(records)
    then.only_serves(place, NEW)
    then.nothing_of_ours_is_left(place)


_WAITS = {
    "a read": lambda call: call.method == "GET" and call.path.endswith("/endpointslices"),
    "a write": lambda call: call.method == "PATCH" and "/replicasets/" in call.path,
    "a query": is_question,
}


def _begins_the_analysis(call: Call) -> bool:
    """The entry of step 3: the new version has its first weight, and the tool knows."""
    return call.method == "PATCH" and "/configmaps/" in call.path and b'\\"step\\":3' in call.body


@pytest.mark.acceptance("F02")
@pytest.mark.parametrize("drips", [False, True], ids=["hangs", "drips"])
@pytest.mark.parametrize("matches", _WAITS.values(), ids=_WAITS)
def test_the_safe_write_is_the_next_request(
    shop: Callable[..., Shop], matches: Matches, *, drips: bool
) -> None:
    place = _open(shop, _NEVER_PROMOTED)
    stall = Stall(matches, drips=drips, begins=_begins_the_analysis)
    with RecordingProxy(place.cluster, stall) as proxy, when.users(place) as load:
        with when.start(place, server=proxy.url) as tool:
            assert stall.met.wait(60), tool.log
            tool.stop()  # or it could send something between the moment and the signal
            cancelled = tool.terminate()
            tool.go_on()
            run = tool.end()
        stall.over.set()
        records = load.stop()
    then.ended(run, 13, "rolled-back-cancelled")
    assert writes_route(stall.first_after(cancelled)), stall.seen
    then.no_request_failed(records)
    then.only_serves(place, OLD)
    then.nothing_of_ours_is_left(place)


def _open(shop: Callable[..., Shop], steps: list[Document]) -> Shop:
    place = shop()
    place.releases(NEW, steps=steps)
    place.write(given.analysis("counted", count=2))
    return place
