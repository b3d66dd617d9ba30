"""The control plane is killed in the middle of a release and comes back: users notice nothing, and it goes on.

The gateway's controller watches the server too, and doubles its own pauses while nobody answers: it is back long
after the server, and knows no new endpoint until then. A pause is shorter than that.
"""

import os
from collections.abc import Callable, Iterator

import pytest

from tests.e2e import given, then, when
from tests.e2e.cluster.cluster import Cluster
from tests.e2e.given import NEW, Shop
from tests.e2e.stand import SIZE

pytest_plugins = ["tests.e2e.cluster.fixtures", "tests.e2e.opening"]

_AWAY = 700
"""Requests of users meanwhile: seven seconds, and about three more until the server is ready again."""


MOMENTS = {"a pause": ("== step 2/", "5s")}
if os.environ.get("SWEEP") == "all":
    MOMENTS["the promotion"] = ("old pods finish", "1s")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Give a cluster of its own, because nobody else could use it."""
    own = Cluster.start(("contour",))
    yield own
    own.stop()


@pytest.mark.acceptance("F09")
@pytest.mark.parametrize(("moment", "pause"), MOMENTS.values(), ids=MOMENTS)
def test_a_release_goes_on_after_the_api_server_was_restarted(
    shop: Callable[..., Shop], moment: str, pause: str
) -> None:
    place = shop(replicas=SIZE)
    place.releases(NEW, steps=given.setting(50, 100, pause=pause))
    with when.users(place) as load:
        with when.start(place) as tool:
            tool.wait_for(moment)
            with place.cluster.without_servers():
                load.wait_for(requests=_AWAY)
            run = tool.end(seconds=300)
        load.wait_for(requests=100)
        records = load.stop()
    then.ended(run, 0, "promoted")
    then.no_request_failed(records)
    then.only_serves(place, NEW, replicas=SIZE)
    then.the_journal_is_closed(place)
    then.nothing_of_ours_is_left(place)
    assert then.split(place) == {given.STABLE: 100, given.CANARY: 0}
