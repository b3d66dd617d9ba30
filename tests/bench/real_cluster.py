"""From the verdict to the last bad answer that a user gets, on the real cluster of the e2e tests."""

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from tests.bench.figures import seconds
from tests.e2e import given, then, when
from tests.e2e.cluster.cluster import Cluster

RUNS = 5
ROUTERS = ("gateway", "istio")


def measure() -> Mapping[str, object]:
    """Bad releases through each gateway, under load."""
    cluster = Cluster.start_or_attach()
    try:
        return {router: _measured(cluster, router) for router in ROUTERS}
    finally:
        cluster.stop()


def _measured(cluster: Cluster, router: str) -> Mapping[str, object]:
    namespace = cluster.namespace("bench")
    try:
        with tempfile.TemporaryDirectory() as folder:
            shop = given.open_shop(
                cluster, namespace, Path(folder) / "spec", router, image=given.OLD, replicas=4
            )
            shop.releases(given.BAD, steps=given.setting(50, 60, pause="10s"))
            return seconds([_from_verdict(shop) for _ in range(RUNS)])
    finally:
        cluster.admin.delete("Namespace", namespace)


def _from_verdict(shop: given.Shop) -> float:
    """Seconds; both moments are of the one clock of this machine."""
    began = time.time()
    with when.users(shop) as load:
        run = when.run(shop)
        load.wait_for(requests=50)
        records = load.stop()
    then.ended(run, 10, "rolled-back-unhealthy")
    last = records.last_bad()
    if last is None:
        raise RuntimeError("no user saw a bad answer, so there is nothing to measure")
    return last - then.verdict(then.asked(shop, began)).measured
