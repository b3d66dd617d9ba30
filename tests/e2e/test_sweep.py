"""Every fault at every mutating request of the promotion and of the way back, on real parts under real traffic.

With SWEEP=all also at every reading one, and through every router that carries real traffic here.
"""

import os
import random
from collections.abc import Callable

import pytest

from tests.e2e.cluster.exchange import Call
from tests.e2e.given import Shop
from tests.e2e.interference import is_renewal
from tests.e2e.stand import opened
from tests.e2e.strikes import FAULTS, Fault, Strike, writes

pytest_plugins = ["tests.e2e.cluster.fixtures", "tests.e2e.opening"]

ALL = os.environ.get("SWEEP") == "all"
ROUTERS = ("gateway", "istio") if ALL else ("gateway",)
LONGEST = 400
ELSEWHERE = 3
"""Cases of each fault at requests of any kind, drawn by a seed that is printed."""

faults = pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
routers = pytest.mark.parametrize("router", ROUTERS)


def counts(call: Call) -> bool:
    """Which requests are struck."""
    return not is_renewal(call) if ALL else writes(call)


@pytest.mark.acceptance("F01")
@routers
@faults
def test_a_promotion_ends_with_the_new_version(shop: Callable[..., Shop], router: str, fault: Fault) -> None:
    # A signal that comes before the promotion's first entry stands is still a cancel.
    codes = frozenset({0, 13} if fault.name == "SIGTERM" else {0})
    with opened(shop(router, replicas=2)) as stand:
        position = 0
        while stand.promotes(Strike(fault, position, counts=counts, codes=codes)):
            position += 1
            assert position < LONGEST
    assert position > 0


@pytest.mark.acceptance("F01")
@routers
@faults
def test_a_way_back_ends_with_the_old_version(shop: Callable[..., Shop], router: str, fault: Fault) -> None:
    with opened(shop(router, replicas=2)) as stand:
        position = 0
        while stand.takes_back(Strike(fault, position, counts=counts, codes=frozenset({13}))):
            position += 1
            assert position < LONGEST
    assert position > 0


@pytest.mark.acceptance("F01")
@faults
def test_a_fault_anywhere_is_survived(shop: Callable[..., Shop], fault: Fault) -> None:
    seed = os.environ.get("SWEEP_SEED") or str(random.randrange(10**9))  # noqa: S311 - cases of a test
    print(f"SWEEP_SEED={seed}")  # noqa: T201 - repeats the case
    drawn = random.Random(f"{seed} {fault.name}")  # noqa: S311 - cases of a test
    codes = {"SIGTERM": {0, 13}, "409": {0, 3}}.get(fault.name, {0})
    with opened(shop(replicas=2)) as stand:
        clean = Strike(fault, LONGEST, counts=lambda call: not is_renewal(call))
        clean.begun.set()
        stand.promotes(clean)
        struck = 0
        # No two releases poll equally often, so that a late request may be missing in the next one.
        for position in drawn.sample(range(clean.count), clean.count):
            strike = Strike(fault, position, counts=lambda call: not is_renewal(call), codes=frozenset(codes))
            strike.begun.set()
            struck += stand.promotes(strike)
            if struck == ELSEWHERE:
                break
    assert struck == ELSEWHERE
