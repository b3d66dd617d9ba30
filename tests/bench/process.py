"""One run of the tool as a process of its own: when it began, how it ended, how much memory it took."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_PASSED_ON = ("PATH", "HOME", "LANG", "VIRTUAL_ENV")
_GLANCE = 0.02


@dataclass(frozen=True, slots=True)
class Run:
    """How it went.

    Attributes:
        began: monotonic seconds.
        exit: its code.
        told: the line of JSON at its end.
        log: what it printed.
        memory: most bytes resident at any time; 0 where the system doesn't tell.
    """

    began: float
    exit: int
    told: dict[str, Any]
    log: str
    memory: int


def environment(cache: str) -> dict[str, str]:
    """Of a user's machine, where the tool's modules are compiled already; the checkout stays clean."""
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return passed_on | {"PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": cache}


def run(arguments: Sequence[str], *, cwd: Path, cache: str) -> Run:
    """Run `progressive-ci` to its end."""
    log = cwd / "log.txt"
    with log.open("wb") as out:
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "progressive_ci", *arguments],
            cwd=cwd,
            env=environment(cache),
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        memory = _watched(process)
    text = log.read_text(encoding="utf-8")
    return Run(began, process.returncode, _last_line(text), text, memory)


def _watched(process: "subprocess.Popen[bytes]") -> int:
    """Wait for its end, and look at its high-water mark meanwhile.

    What `wait4` tells would count this process too: the child shares its memory until it starts the program.
    """
    memory = 0
    while True:
        memory = _high_water_mark(process.pid) or memory
        try:
            process.wait(_GLANCE)
        except subprocess.TimeoutExpired:
            continue
        return memory


def _high_water_mark(pid: int) -> int:
    """Bytes; 0 for a process that is gone, and where there is no /proc."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0
    marks = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(marks[0]) * 1024 if marks else 0


def _last_line(text: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(text.splitlines()[-1])
    except (IndexError, ValueError):
        return {}
    return found
