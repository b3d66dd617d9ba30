"""Every fault at every mutating request of the promotion and of the way back, on real parts under real traffic.

With SWEEP=all at every request whatsoever, from the first one of a release on, in every way in which a release can go.
"""

import os
import random
from collections.abc import Callable, Iterator

import pytest

from tests.e2e.cluster.exchange import Call
from tests.e2e.given import Shop
from tests.e2e.interference import is_renewal
from tests.e2e.rows import ROWS, Row
from tests.e2e.stand import SIZE, opened
from tests.e2e.strikes import FAULTS, LONGER, Fault, Strike, writes

pytest_plugins = ["tests.e2e.cluster.fixtures", "tests.e2e.opening"]

ALL = os.environ.get("SWEEP") == "all"
SWEPT = tuple(ROWS) if ALL else ("gateway",)
RATE = 20 if ALL else 50
"""Users' requests a second in each of the lanes side by side."""

PARTS = 4 if ALL else 1
"""Of each lane, so that none of them is long: a part takes every so manyth request."""

LONGEST = 400
ELSEWHERE = 2
"""Cases of each fault at requests of any kind, questions to Prometheus included, drawn by a seed that is printed."""

EVERY = (*FAULTS, *LONGER)
TAKEN = EVERY if ALL else FAULTS

faults = pytest.mark.parametrize("fault", TAKEN, ids=[fault.name for fault in TAKEN])
rows = pytest.mark.parametrize("row", [ROWS[name] for name in SWEPT], ids=SWEPT)
parts = pytest.mark.parametrize("part", range(PARTS))


def counts(call: Call) -> bool:
    """Which requests are struck."""
    return ALL or writes(call)


@pytest.mark.acceptance("F01")
@rows
@faults
@parts
def test_a_way_forward_ends_with_a_version_that_works(
    shop: Callable[..., Shop], row: Row, fault: Fault, part: int
) -> None:
    with opened(shop(row.router, replicas=SIZE), row, rate=RATE) as stand:
        for position in _positions(part):
            if not stand.promotes(_forward(fault, position)):
                break
    assert position > part


def _positions(part: int) -> Iterator[int]:
    """Later and later requests, until somebody stops because there is none so late."""
    yield from range(part, LONGEST, PARTS)
    pytest.fail(f"the release has more than {LONGEST} requests")


def _forward(fault: Fault, position: int) -> Strike:
    """At a request of the promotion, or of the whole release."""
    strike = Strike(fault, position, counts=counts, codes=_codes(fault, whole=ALL))
    if ALL:
        strike.begun.set()
    return strike


def _codes(fault: Fault, *, whole: bool) -> frozenset[int]:
    """How it may end: a signal is a cancel, and at the start of a release a conflict says that somebody was faster."""
    return frozenset({"SIGTERM": {0, 13}, "409": {0, 3} if whole else {0}}.get(fault.name, {0}))


@pytest.mark.acceptance("F01")
@rows
@faults
@parts
def test_a_way_back_ends_with_the_old_version(
    shop: Callable[..., Shop], row: Row, fault: Fault, part: int
) -> None:
    with opened(shop(row.router, replicas=SIZE), row, rate=RATE) as stand:
        for position in _positions(part):
            if not stand.takes_back(Strike(fault, position, counts=counts, codes=frozenset({13}))):
                break
    assert position > part


@pytest.mark.acceptance("F01")
@pytest.mark.parametrize("fault", EVERY, ids=[fault.name for fault in EVERY])
def test_a_fault_anywhere_is_survived(shop: Callable[..., Shop], fault: Fault) -> None:
    seed = os.environ.get("SWEEP_SEED") or str(random.randrange(10**9))  # noqa: S311 - cases of a test
    print(f"SWEEP_SEED={seed}")  # noqa: T201 - repeats the case
    drawn = random.Random(f"{seed} {fault.name}")  # noqa: S311 - cases of a test
    with opened(shop(replicas=SIZE), ROWS["measured"]) as stand:
        clean = Strike(fault, LONGEST, counts=lambda call: not is_renewal(call))
        clean.begun.set()
        stand.promotes(clean)
        struck = 0
        # No two releases poll equally often, so that a late request may be missing in the next one.
        for position in drawn.sample(range(clean.count), clean.count):
            strike = Strike(
                fault, position, counts=lambda call: not is_renewal(call), codes=_codes(fault, whole=True)
            )
            strike.begun.set()
            struck += stand.promotes(strike)
            if struck == ELSEWHERE:
                break
    assert struck == ELSEWHERE
