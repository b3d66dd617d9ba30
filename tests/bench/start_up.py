"""How long the command takes to start, beside what its command-line library alone takes."""

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from statistics import median

from tests.bench.process import ROOT, environment

PAIRS = 21
VERSION = (sys.executable, "-c", "from progressive_ci.cli.main import main; main(['version'])")
"""What the installed `progressive-ci version` does, wherever it is installed."""

CLICK = (sys.executable, "-c", "import click")


def measure(cache: str) -> Mapping[str, object]:
    """Medians of interleaved pairs, so that a busy moment of the machine meets both."""
    for command in (VERSION, CLICK):
        _seconds(command, cache)
    pairs = [(_seconds(VERSION, cache), _seconds(CLICK, cache)) for _ in range(PAIRS)]
    ours, click = (median(pair[index] for pair in pairs) for index in (0, 1))
    return {
        "version_over_click": round(ours / click, 3),
        "version_seconds": round(ours, 4),
        "click_seconds": round(click, 4),
        "pairs": PAIRS,
    }


def _seconds(command: Sequence[str], cache: str) -> float:
    began = time.perf_counter()
    subprocess.run(command, cwd=ROOT, env=environment(cache), stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began
