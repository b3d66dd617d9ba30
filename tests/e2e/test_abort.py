"""A release that somebody calls back from another machine is on its way back within seconds, wherever it is."""

from collections.abc import Callable

import pytest

from tests.e2e import then, when
from tests.e2e.cluster.client import Document
from tests.e2e.given import NAME, NEW, OLD, Shop

pytest_plugins = ["tests.e2e.cluster.fixtures", "tests.e2e.opening"]

PROMISED = 5.0
"""Seconds from the request in the journal to the first write of the way back, and to the last user's answer."""

_PERSON = "person"
_ASKED = ("--by", "the team on call", "--reason", "the queue grows")
_STATES: dict[str, tuple[str, list[Document]]] = {
    "a pause": (NEW, [{"setWeight": 50}, {"pause": {"duration": "5m"}}]),
    "a rise": (f"{NEW}-start6", [{"setWeight": 20}, {"setWeight": 80}, {"pause": {"duration": "5m"}}]),
}
"""What is released, and with a second step in which it is called back: pods that take long to start hold up a rise."""


@pytest.mark.parametrize("state", _STATES)
@pytest.mark.parametrize("router", ["gateway", "istio"])
def test_a_release_that_is_called_back_goes_back_within_five_seconds(
    shop: Callable[..., Shop], router: str, state: str
) -> None:
    image, steps = _STATES[state]
    place = shop(router)
    place.releases(image, steps=steps, judged=False, drains=(3, 1))
    before = then.pods(place, OLD)
    person = place.token(place.role(), account=_PERSON)
    with when.users(place) as load:
        with when.start(place) as tool:
            tool.wait_for("== step 2/")
            load.wait_for(requests=100)
            with when.start_with(place, person, "abort", NAME, *_ASKED) as other:
                aborted = other.end()
            run = tool.end()
        records = load.stop()
    then.ended(run, 13, "rolled-back-cancelled")
    then.ended(aborted, 0, "recovered")
    assert "the team on call" in run.told["reason"]
    assert "the queue grows" in run.told["reason"]
    assert "-> 80 %" not in run.log
    then.no_request_failed(records)
    asked = _asked(place, aborted)
    served = _first_of_the_way_back(place, asked)
    felt = (records.last_of(image.partition(":")[2]) or 0.0) - asked
    print(f"seconds from the request to the first write: {served:.2f}, to the last answer: {felt:.2f}")  # noqa: T201 - the figures
    assert 0 < served < PROMISED
    assert felt < PROMISED
    assert then.pods(place, OLD) == before
    then.only_serves(place, OLD)
    then.the_journal_is_closed(place)
    then.nothing_of_ours_is_left(place)


def _asked(place: Shop, aborted: when.Run) -> float:
    """When the API server got the request of who calls the release back."""
    account = place.account.rpartition(":")[0] + f":{_PERSON}"
    sent = then.asked(place, aborted.began, by=account)
    return next(one.began for one in sent if one.verb == "patch" and one.resource == "configmaps")


def _first_of_the_way_back(place: Shop, asked: float) -> float:
    """Seconds until the run wrote the route."""
    routes = ("httproutes", "virtualservices")
    sent = then.asked(place, asked)
    return next(one.began for one in sent if one.verb == "patch" and one.resource in routes) - asked
