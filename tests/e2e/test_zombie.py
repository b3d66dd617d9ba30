"""A run that stood still for longer than its lease changes nothing after somebody has taken its release over."""

import json
from collections.abc import Callable

import pytest

from tests.e2e import given, then, when
from tests.e2e.cluster.exchange import Call
from tests.e2e.cluster.proxy import RecordingProxy
from tests.e2e.cluster.waiting import wait_until
from tests.e2e.given import NEW, OLD, Shop
from tests.e2e.interference import Matches, OnTheWire, writes_route

pytest_plugins = ["tests.e2e.cluster.fixtures", "tests.e2e.opening"]

_SHORT = ("--lease", "3s")
_CONTROLLERS = "deployment.kubernetes.io/"
_KINDS = ("Deployment", "ReplicaSet", "Service", "HTTPRoute", "ConfigMap", "Lease")

_MOMENTS = {
    "prepare": "it has no traffic yet",
    "at half of the traffic": "-> 50 %",
    "promotion": "old pods finish",
    "rollback": "the new pods finish",
}
_DRAINS = {"promotion": (15, 3), "rollback": (3, 15)}
"""Seconds in which the test has to notice the moment."""


@pytest.mark.acceptance("F04")
@pytest.mark.parametrize("moment", _MOMENTS)
def test_a_run_that_stood_still_changes_nothing_after_a_take_over(
    shop: Callable[..., Shop], moment: str
) -> None:
    place = _open(shop, promoted=moment == "promotion", drains=_DRAINS.get(moment, (3, 3)))
    with when.users(place) as load:
        with when.start(place, "run", *_SHORT) as tool:
            if moment == "rollback":
                tool.wait_for("-> 50 %")
                tool.terminate()
            tool.wait_for(_MOMENTS[moment])
            tool.stop()
            other = when.roll_back(place)
            before = _stands(place)
            since = tool.go_on()
            zombie = tool.end()
        records = load.stop()
    then.ended(other, 0, "recovered")
    _changed_nothing(place, zombie, before, since)
    then.no_request_failed(records)
    then.only_serves(place, OLD)
    then.nothing_of_ours_is_left(place)


def _journals(text: bytes) -> Matches:
    """A journal entry that says so."""
    return lambda call: call.method == "PATCH" and "/configmaps/" in call.path and text in call.body


def _is_delete(call: Call) -> bool:
    return call.method == "DELETE" and "/replicasets/" in call.path


_WRITES: dict[str, tuple[Matches, bool]] = {
    "the first write of the route": (writes_route, False),
    "a raise of the weight": (lambda call: writes_route(call) and b"50" in call.body, False),
    "the entry before it": (_journals(b'\\"weight\\":50'), False),
    "the entry that begins the promotion": (_journals(b"PROMOTING"), False),
    "the entry that ends it": (_journals(b"ENDED"), False),
    "the end of the canary": (_is_delete, True),
}


@pytest.mark.acceptance("F04")
@pytest.mark.parametrize(("matches", "cancelled"), _WRITES.values(), ids=_WRITES)
def test_a_request_that_is_on_the_wire_meanwhile_takes_no_effect(
    shop: Callable[..., Shop], matches: Matches, *, cancelled: bool
) -> None:
    place = _open(shop, promoted=not cancelled)
    wire = OnTheWire(matches)
    with RecordingProxy(place.cluster, wire) as proxy, when.users(place) as load:
        with when.start(place, "run", *_SHORT, server=proxy.url) as tool:
            if cancelled:
                tool.wait_for("-> 50 %")
                tool.terminate()
            assert wire.met.wait(60), tool.log
            tool.stop()
            other = when.roll_back(place)
            before = _stands(place)
            wire.go.set()
            wait_until("the late request is answered", lambda: wire.landed)
            assert _stands(place) == before
            since = tool.go_on()
            zombie = tool.end()
        records = load.stop()
    assert wire.landed is not None
    assert wire.landed.status in {404, 409, 422}, wire.landed
    assert other.told["result"] in {"recovered", "too-late"}, other.log
    _changed_nothing(place, zombie, before, since)
    then.no_request_failed(records)
    then.nothing_of_ours_is_left(place)


def _open(shop: Callable[..., Shop], *, promoted: bool, drains: tuple[int, int] = (3, 3)) -> Shop:
    """A release that comes to its promotion, or one that waits at half of the traffic for whatever is to happen."""
    place = shop()
    place.releases(NEW, steps=given.setting(50, 100, pause="2s" if promoted else "20s"), drains=drains)
    return place


def _changed_nothing(place: Shop, zombie: when.Run, before: dict[str, str], since: float) -> None:
    """It says that it was taken over, and the API server did nothing that it asked for."""
    then.ended(zombie, 22, "taken-over")
    late = [one for one in then.asked(place, since) if one.mutating and one.status < 300]
    reviews = ("selfsubjectaccessreviews", "selfsubjectrulesreviews")
    assert not [one for one in late if one.resource not in reviews], late
    assert _stands(place) == before


def _stands(place: Shop) -> dict[str, str]:
    """Everything that a release writes, without what controllers and the server add meanwhile."""
    found: dict[str, str] = {}
    for kind in _KINDS:
        for item in place.cluster.admin.list(kind, place.namespace):
            metadata = {key: item["metadata"].get(key) for key in ("labels", "uid")}
            notes = item["metadata"].get("annotations") or {}
            # The Deployment's controller notes revisions and sizes when it comes to it.
            metadata["annotations"] = {k: v for k, v in notes.items() if not k.startswith(_CONTROLLERS)}
            body = {key: item.get(key) for key in ("spec", "data")}
            found[f"{kind} {item['metadata']['name']}"] = json.dumps([metadata, body], sort_keys=True)
    return found
