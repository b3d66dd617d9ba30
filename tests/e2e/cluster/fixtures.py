"""Owns the pytest fixtures: one cluster for a session, a fresh namespace for a test.

Use with `pytest_plugins = ["tests.e2e.cluster.fixtures"]`.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.e2e.cluster import binaries
from tests.e2e.cluster.cluster import Cluster

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Give a running cluster; fail where its programs are not built, saying what to do."""
    # SIGTERM ends the session as Ctrl-C does, so that the namespaces are removed.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        running = Cluster.start_or_attach()
    except binaries.MissingError as error:
        pytest.fail(str(error), pytrace=False)
    yield running
    running.stop()
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    """Give a namespace of its own to a test, and delete it without waiting."""
    name = cluster.namespace()
    yield name
    cluster.admin.delete("Namespace", name)
