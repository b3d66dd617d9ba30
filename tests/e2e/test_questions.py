"""Every fault at questions to the real Prometheus, under real traffic: some of them, and all with SWEEP=all."""

import os
from collections.abc import Callable, Iterable
from itertools import cycle

import pytest

from tests.e2e.given import Shop
from tests.e2e.questions import DEADLY, PASSING, strike
from tests.e2e.rows import ROWS
from tests.e2e.stand import SIZE, opened
from tests.e2e.strikes import Fault, Strike

pytest_plugins = ["tests.e2e.cluster.fixtures", "tests.e2e.opening"]

LONGEST = 100
ALL = os.environ.get("SWEEP") == "all"
FAULTS = (*PASSING, *DEADLY)
TRIED = PASSING if ALL else PASSING[::2]


def _positions(fault: Fault) -> Iterable[int]:
    """Which question is struck, in one release after the other."""
    if ALL:
        return range(LONGEST)
    early = FAULTS.index(fault) % 7
    return (early, early + 2) if fault.fatal else (early,)


def _struck(fault: Fault, *finishes: Callable[[Strike], bool]) -> int:
    """Release again and again, in turns finished so; how often the fault was met before a release asked no more."""
    met = 0
    for position, finish in zip(_positions(fault), cycle(finishes), strict=False):
        if not finish(strike(fault, position)):
            break
        met += 1
    return met


@pytest.mark.acceptance("F12")
@pytest.mark.parametrize("fault", TRIED, ids=[fault.name for fault in TRIED])
def test_a_question_that_goes_wrong_changes_nothing_in_the_end(
    shop: Callable[..., Shop], fault: Fault
) -> None:
    with opened(shop(replicas=SIZE), ROWS["measured"], asking=True) as stand:
        assert _struck(fault, stand.promotes)


@pytest.mark.acceptance("F01")
@pytest.mark.parametrize("fault", DEADLY, ids=[fault.name for fault in DEADLY])
def test_a_run_that_dies_of_a_question_is_finished_by_whoever_comes(
    shop: Callable[..., Shop], fault: Fault
) -> None:
    with opened(shop(replicas=SIZE), ROWS["measured"], asking=True) as stand:
        assert _struck(fault, stand.promotes, stand.recovers)
