"""Owns the soak: many releases in a row of one workload under traffic, with all kinds of ends and faults between.

`python -m tests.e2e.soak [RELEASES]` prints a line for each release and one JSON object at the end. It fails where a
release ends otherwise than it should, a user meets an error, something is left, the tool needs more memory than at
first, or all of it takes too long.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.cluster.cluster import Cluster
from tests.e2e.given import OLD, open_shop
from tests.e2e.interference import is_renewal
from tests.e2e.stand import SIZE, Stand, opened
from tests.e2e.strikes import FAULTS, Strike, quiet

RELEASES = 200
REQUESTS = 80
"""A fault befalls one of so many requests."""

SECONDS = 15.0
"""A release may take so long on average; one takes about nine."""

GROWTH = 1.1
"""Memory of the last quarter over that of the first, medians, for runs that end alike."""


def good(stand: Stand, _: random.Random) -> Strike:
    """A version that is promoted."""
    strike = quiet(0)
    stand.promotes(strike)
    return strike


def cancelled(stand: Stand, _: random.Random) -> Strike:
    """A run that is cancelled at half of the traffic."""
    strike = quiet(13)
    stand.takes_back(strike)
    return strike


def unready(stand: Stand, _: random.Random) -> Strike:
    """A version whose image does not exist."""
    strike = quiet(11)
    stand.fails(strike, "example/app:0.0.1-missing")
    return strike


def judged(stand: Stand, _: random.Random) -> Strike:
    """A version that a metric finds bad."""
    strike = quiet(10)
    stand.judged(strike)
    return strike


def befallen(stand: Stand, drawn: random.Random) -> Strike:
    """A release that meets a fault somewhere."""
    strike = Strike(
        drawn.choice(FAULTS),
        drawn.randrange(REQUESTS),
        counts=lambda call: not is_renewal(call),
        codes=frozenset({0, 3, 13}),
    )
    strike.begun.set()
    stand.promotes(strike)
    return strike


KINDS: tuple[Callable[[Stand, random.Random], Strike], ...] = (
    good,
    befallen,
    cancelled,
    judged,
    befallen,
    unready,
)


@dataclass(frozen=True, slots=True)
class Figures:
    """What came of it.

    Attributes:
        seconds: in all.
        growth: of memory, by the kind of release: the last quarter over the first.
        told: these and others, by name.
    """

    seconds: float
    growth: dict[str, float]
    told: dict[str, object]


def soak(stand: Stand, releases: int, seed: str) -> Figures:
    """Release again and again; the figures."""
    drawn, memory = random.Random(seed), defaultdict[str, list[int]](list)  # noqa: S311 - cases of a test
    faults: Counter[str] = Counter()
    began = time.monotonic()
    for number in range(releases):
        kind, start = KINDS[number % len(KINDS)], time.monotonic()
        strike = kind(stand, drawn)
        memory[kind.__name__].append(strike.memory)
        faults[strike.fault.name if strike.met else "none"] += 1
        told = strike.told if strike.met else kind.__name__
        print(f"{number + 1}/{releases} {time.monotonic() - start:.1f} s {told}", flush=True)  # noqa: T201 - the product
    requests = stand.load.records().requests if stand.load else ()
    seconds = time.monotonic() - began
    grown = {kind: growth(each) for kind, each in memory.items() if kind != "befallen"}
    named: dict[str, object] = {
        "releases": releases,
        "seed": seed,
        "seconds": round(seconds),
        "faults": dict(faults),
        "requests of users": len(requests),
        "failed": sum(not one.good for one in requests),
        "memory, last quarter over first": grown,
        "most memory in MB": round(max(map(max, memory.values())) / 1024, 1),
    }
    return Figures(seconds, grown, named)


def growth(each: list[int]) -> float:
    """Median of the last quarter over that of the first."""
    quarter = max(1, len(each) // 4)
    return round(statistics.median(each[-quarter:]) / statistics.median(each[:quarter]), 3)


def main() -> int:
    """Soak a workload of its own; 1 where memory grows, or the time is over."""
    releases = int(sys.argv[1]) if len(sys.argv) > 1 else RELEASES
    seed = os.environ.get("SWEEP_SEED") or str(random.randrange(10**9))  # noqa: S311 - cases of a test
    cluster = Cluster.start_or_attach()
    namespace = cluster.namespace()
    try:
        with tempfile.TemporaryDirectory() as folder:
            shop = open_shop(cluster, namespace, Path(folder) / "spec", "gateway", image=OLD, replicas=SIZE)
            with opened(shop, judged=True) as stand:
                figures = soak(stand, releases, seed)
    finally:
        cluster.admin.delete("Namespace", namespace)
        cluster.stop()
    print(json.dumps(figures.told))  # noqa: T201 - the product
    slow = figures.seconds > releases * SECONDS
    return int(slow or max(figures.growth.values()) > GROWTH)


if __name__ == "__main__":
    sys.exit(main())
