"""The hands of a command are wired as their parts ask for."""

import json
from pathlib import Path

import yaml

from progressive_ci.adapters.clock import RealClock
from progressive_ci.cli import ci
from progressive_ci.cli.desk import Desk
from progressive_ci.cli.reporter import Listener
from progressive_ci.cli.settings import Settings
from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import LEASE
from progressive_ci.ports import Hands
from progressive_ci.sandbox import status
from tests.unit.socket_server import Exchange, Script, serve

NAME = "progressive-ci.web"
ATTEMPTS = 5
"""To give a lease up (`adapters/lease.py`)."""


def hands(url: str, folder: Path) -> Hands:
    """Those of a release that talks to this server."""
    kubeconfig = folder / "kubeconfig"
    context = {"cluster": "one", "user": "one"}
    content = {
        "current-context": "one",
        "clusters": [{"name": "one", "cluster": {"server": url}}],
        "users": [{"name": "one", "user": {"token": "secret"}}],
        "contexts": [{"name": "one", "context": context}],
    }
    kubeconfig.write_text(yaml.safe_dump(content))
    listener = Listener()
    settings = Settings(kubeconfig=str(kubeconfig))
    return Desk(settings, ci.job({}), RealClock(), listener, listener.hide).hands(
        namespace="shop", name="web"
    )


def takes_once() -> Script:
    """The Lease can be made, and from then on neither changed nor read."""
    made: list[JsonObject] = []

    def answer(exchange: Exchange) -> None:
        if exchange.method == "POST":
            made.append(json.loads(exchange.body))
            made[0]["metadata"] |= {"uid": "u", "resourceVersion": "1"}
            exchange.answer(201, made[0])
            return
        refusal = status.server_error() if made else status.not_found(LEASE, NAME)
        if exchange.method == "PATCH":
            refusal = status.conflict(LEASE, NAME)
        exchange.answer(refusal.code, refusal.body)

    return answer


def test_behind_a_lease_no_read_is_repeated_because_its_time_runs_meanwhile(tmp_path: Path) -> None:
    with serve(takes_once()) as server:
        lease = hands(server.url, tmp_path).lease
        assert lease.acquire("r1", wait=0).epoch == 1
        first = len(server.seen)
        lease.release()
        assert [each.method for each in server.seen[first:]] == ["PATCH", *["GET"] * (ATTEMPTS - 1)]
