"""The API servers as fixtures; a module that wants them names this one in `pytest_plugins`."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator

import pytest

from progressive_ci.model import kinds
from progressive_ci.model.kinds import Ref
from tests.contract.api_cases.target import REAL, Target, Way, in_process, real, sandbox_server

WAYS = {"in process": in_process, "over http": sandbox_server}
if os.environ.get(REAL):
    WAYS["real"] = real


@pytest.fixture(scope="session", params=WAYS)
def way(request: pytest.FixtureRequest) -> Iterator[Way]:
    with WAYS[request.param]() as opened:
        yield opened


@pytest.fixture
def api(way: Way) -> Iterator[Target]:
    """A namespace of its own on each API server."""
    name = f"contract-{secrets.token_hex(4)}"
    path = kinds.collection_path(kinds.NAMESPACE, "")
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    reply = way.send("POST", path, {}, body, "application/json", "")
    assert reply.status == 201, reply.text
    yield Target(way, name)
    way.send("DELETE", Ref(kinds.NAMESPACE, "", name).path, {}, None, "application/json", "")
