"""Between any two requests of a promotion: an autoscaler gets what it asks for, and a run may die.

With SWEEP=all each of the autoscaler's wishes at every request, else one of them.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

import pytest

from tests.e2e import then, when
from tests.e2e.cluster import workloads
from tests.e2e.given import NAME, Shop
from tests.e2e.interference import is_renewal
from tests.e2e.stand import SIZE, Stand, opened
from tests.e2e.strikes import KILLED, Fault, Process, Strike

pytest_plugins = ["tests.e2e.cluster.fixtures", "tests.e2e.opening"]

_SIZE = 4
_WISHES = (_SIZE - 2, _SIZE + 3, _SIZE * 2)
_LANES = 6
"""Each tries every so manyth request of the promotion, until a promotion ends before it gets there."""


@pytest.mark.acceptance("F21")
@pytest.mark.parametrize("lane", range(_LANES))
def test_an_autoscaler_may_write_between_any_two_requests_of_the_promotion(
    shop: Callable[..., Shop], lane: int
) -> None:
    with opened(shop(replicas=_SIZE)) as stand:
        for position in count(lane, _LANES):
            if not all(_gets(stand, wish, position) for wish in _wishes(lane, position)):
                break
    assert position > lane, "the promotion has no such request"


def _wishes(lane: int, position: int) -> tuple[int, ...]:
    if os.environ.get("SWEEP") == "all":
        return _WISHES
    return (_WISHES[(lane + position // _LANES) % len(_WISHES)],)


def _gets(stand: Stand, wish: int, position: int) -> bool:
    """Release a version, have another size asked for on the way, and go back to the usual one."""

    def scale(_: Process) -> None:
        stand.size = wish
        when.somebody_scales(stand.shop, wish)

    scales = Fault("somebody scales", before=scale)
    strike = Strike(scales, position, counts=lambda call: not is_renewal(call))
    stand.size = _SIZE
    with _fewest_ready(stand, strike) as fewest:
        reached = stand.promotes(strike)
    if reached:
        assert min(fewest) >= min(_SIZE, wish), f"{strike.told}: {fewest}"
        when.somebody_scales(stand.shop, _SIZE)
        workloads.wait_ready(stand.shop.cluster.admin, stand.shop.namespace, NAME)
    return reached


@pytest.mark.acceptance("F01")
@pytest.mark.parametrize("lane", range(_LANES))
def test_the_next_run_finishes_a_promotion_that_was_killed_between_any_two_requests(
    shop: Callable[..., Shop], lane: int
) -> None:
    with opened(shop(replicas=SIZE)) as stand:
        for position in count(lane, _LANES):
            killed = Strike(KILLED, position, counts=lambda call: not is_renewal(call))
            if not stand.promotes(killed):
                break
    assert position > lane, "the promotion has no such request"


@contextmanager
def _fewest_ready(stand: Stand, strike: Strike) -> Iterator[list[int]]:
    """Count the ready new pods again and again, from the beginning of the promotion on."""
    counts: list[int] = []
    over = threading.Event()
    image = f"example/app:{stand.version + 1}.0.0"

    def look() -> None:
        while not over.wait(0.1):
            if strike.begun.is_set():
                counts.append(then.ready(stand.shop, image))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield counts
    finally:
        over.set()
        watcher.join()
    if strike.met:
        counts.append(then.ready(stand.shop, image))  # also where the watcher got no turn
