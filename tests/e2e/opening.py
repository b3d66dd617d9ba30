"""Owns the fixture that every scenario begins with. Loaded as a plugin, so nothing may import it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.cluster.cluster import Cluster
from tests.e2e.given import OLD, Shop, open_shop


@pytest.fixture
def shop(cluster: Cluster, namespace: str, tmp_path: Path) -> Callable[..., Shop]:
    """Open a shop behind a router, `shop("gateway")`; without an image nothing runs there yet."""

    def open_one(router: str = "gateway", *, image: str = OLD, replicas: int = 4) -> Shop:
        return open_shop(cluster, namespace, tmp_path / "spec", router, image=image, replicas=replicas)

    return open_one
