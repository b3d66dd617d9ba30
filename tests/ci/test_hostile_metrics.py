"""A release by the real command whose metrics server turns hostile on the wire in mid-release (F13)."""

import time
import zlib
from pathlib import Path

import pytest
import yaml

from progressive_ci.model import kinds
from progressive_ci.sandbox.store import Change
from tests.ci.stage import Stage, analysis, rollout
from tests.ci.test_command import QUICK, last
from tests.unit.socket_server import Exchange, serve

TIMEOUT, PATIENCE = 3, 1
"""Seconds for a query, and for a metric without usable answers."""
SLACK = 10.0
"""Seconds of real time for the way back on a busy machine."""
UNPACKED = 200
"""MB."""
MOST_MEMORY = 150_000
"""KiB, where the command has about half of it without a hostile server."""
FINE = {
    "status": "success",
    "data": {"resultType": "vector", "result": [{"metric": {}, "value": [0, "0.99"]}]},
}


def packed() -> bytes:
    """So much of nothing, packed without ever being in memory."""
    packer = zlib.compressobj(1, wbits=31)
    return b"".join([*(packer.compress(bytes(1_000_000)) for _ in range(UNPACKED)), packer.flush()])


def highest(pid: int) -> int:
    """KiB of memory that a process has had at most."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


@pytest.mark.acceptance("F13")
def test_a_metrics_server_that_leads_to_a_bomb_elsewhere_costs_neither_memory_nor_credential_nor_user(
    stage: Stage,
) -> None:
    bomb, memory = packed(), [0]

    def answers(exchange: Exchange) -> None:
        if not stage.weight():
            exchange.answer(200, FINE)
        elif exchange.method == "POST":
            exchange.answer(405)  # asked again by GET, which follows where it is sent
        else:
            exchange.answer(302, b"", {"Location": f"{other.url}/login"})

    def look(_: Change) -> None:
        memory.append(highest(run.pid))

    with (
        serve(lambda exchange: exchange.answer(200, bomb, {"Content-Encoding": "gzip"})) as other,
        serve(answers) as server,
    ):
        template = analysis()
        prometheus = template["spec"]["metrics"][0]["provider"]["prometheus"]
        prometheus |= {
            "address": server.url,
            "timeout": TIMEOUT,
            "headers": [{"key": "X-Key", "value": "canary-key-4D"}],
        }
        spec = stage.folder / "rollout.yaml"
        spec.write_text(yaml.safe_dump_all([rollout("example/web:2", "60s", checked=True), template]))
        run = stage.start(
            "progressive-ci", "run", "-f", str(spec), *QUICK, "--metrics-timeout", f"{PATIENCE}s"
        )
        stage.reach(50, run)
        began = time.monotonic()
        with stage.server.clock.changed:
            stage.server.world.store.subscribe(look, kinds.HTTP_ROUTE)
        output, _ = run.communicate()
        took = time.monotonic() - began
    assert last(output)["result"] == "rolled-back-unavailable", output
    assert f"{other.url} answered with more than 10 MB" in str(last(output)["reason"])
    assert took < PATIENCE + TIMEOUT + SLACK
    assert 0 < max(memory) < MOST_MEMORY
    assert stage.weight() == 0
    [container] = stage.deployment()["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "example/web:1"
    for exchange in other.seen:
        assert not {"authorization", "x-key"} & set(exchange.headers)
