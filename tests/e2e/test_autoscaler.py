"""Whatever an autoscaler asks for during the promotion, the workload gets, and it never has too few pods."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.e2e import given, then, when
from tests.e2e.cluster.proxy import RecordingProxy
from tests.e2e.given import NEW, Shop
from tests.e2e.interference import AtPromotion

pytest_plugins = ["tests.e2e.cluster.fixtures", "tests.e2e.opening"]

_SIZE = 4


@pytest.mark.parametrize(("position", "wish"), [(1, 2), (6, 7), (12, 8), (16, 2), (21, 7), (27, 8)])
def test_an_autoscaler_may_write_at_any_time(shop: Callable[..., Shop], position: int, wish: int) -> None:
    place = shop(replicas=_SIZE)
    place.releases(NEW, steps=given.QUICK, judged=False)
    with RecordingProxy(place.cluster) as proxy, when.users(place) as load:
        hooks = AtPromotion(position, lambda: when.somebody_scales(place, wish))
        proxy.hooks = hooks
        with when.start(place, server=proxy.url) as tool:
            tool.wait_for("== promote")
            with _fewest_ready(place) as fewest:
                run = tool.end()
        assert hooks.acted
        records = load.stop()
    then.ended(run, 0, "promoted")
    then.no_request_failed(records)
    assert min(fewest) >= min(_SIZE, wish)
    then.only_serves(place, NEW, replicas=wish)
    then.nothing_of_ours_is_left(place)


@contextmanager
def _fewest_ready(place: Shop) -> Iterator[list[int]]:
    """Count the ready new pods again and again."""
    counts: list[int] = []
    over = threading.Event()

    def count() -> None:
        while not over.wait(0.1):
            counts.append(then.ready(place, NEW))

    watcher = threading.Thread(target=count)
    watcher.start()
    try:
        yield counts
    finally:
        over.set()
        watcher.join()
