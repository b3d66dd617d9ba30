"""Owns the command line: `build` the programs, run a cluster (`up`, `with COMMAND...`), `check` what is missing."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TextIO

from tests.e2e.cluster import binaries
from tests.e2e.cluster.cluster import ATTACH, Cluster

STATE_FILE = "PROGRESSIVE_CI_E2E_STATE"
_DEFAULT_STATE = "/tmp/progressive-ci-e2e/state.json"  # noqa: S108 - a fixed place, so that other shells find the cluster


def main() -> int:
    """Run one command; 1 when something is missing."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.cluster", description=__doc__)
    parser.add_argument("command", choices=("build", "check", "up", "with"))
    parser.add_argument(
        "words", nargs=argparse.REMAINDER, help="of a command that uses one cluster of its own"
    )
    chosen = parser.parse_args()
    commands: dict[str, Callable[[], int]] = {
        "build": _build,
        "check": _check,
        "up": _up,
        "with": partial(_with, chosen.words),
    }
    try:
        return commands[chosen.command]()
    except binaries.MissingError as error:
        _say(str(error), sys.stderr)
        return 1


def _build() -> int:
    for line in binaries.build():
        _say(line)
    _say(f"complete: {binaries.cache()}")
    return 0


def _check() -> int:
    binaries.find()
    _say("nothing is missing")
    return 0


def _up() -> int:
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: _interrupt(ended))
    path = Path(os.environ.get(STATE_FILE) or _DEFAULT_STATE)
    cluster: Cluster | None = None
    try:
        cluster = Cluster.start(("contour", "istio"), say=_say)
        _write_state(path, cluster)
        while not ended.wait(5):
            cluster.check()
    except KeyboardInterrupt:
        pass
    finally:
        ended.set()  # from now on a second signal does not disturb the cleaning up
        if cluster:
            if path.exists() and json.loads(path.read_text())["slot"] == cluster.state["slot"]:
                path.unlink()
            cluster.stop()
    return 0


def _with(words: list[str]) -> int:
    """Run a command whose processes all attach to one cluster; its exit code."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    cluster = Cluster.start(("contour", "istio"), say=_say)
    path = cluster.folder / "state.json"
    try:
        _write_state(path, cluster)
        return subprocess.run(words, env=os.environ | {ATTACH: str(path)}, check=False).returncode
    finally:
        cluster.stop()


def _interrupt(ended: threading.Event) -> None:
    if not ended.is_set():
        ended.set()
        raise KeyboardInterrupt


def _write_state(path: Path, cluster: Cluster) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(cluster.state | {"pid": os.getpid(), "since": time.time()}, indent=2))
    partial.chmod(0o600)
    partial.rename(path)
    state = cluster.state
    _say(f"state        {path}   (export {ATTACH}={path})")
    _say(f"kubeconfig   {state['kubeconfig']}")
    _say(f"API server   {state['server']}")
    for name, url in state["gateways"].items():
        _say(f"{name:<12} {url}")
    _say(f"namespaces   cluster {state['cluster_namespace']}, runner {state['runner_namespace']} (ip netns)")


def _say(text: str, stream: TextIO = sys.stdout) -> None:
    print(text, file=stream, flush=True)


if __name__ == "__main__":
    sys.exit(main())
