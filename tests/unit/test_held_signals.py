"""A signal in the first moments, before anything could answer it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from progressive_ci.cli import commands

EARLY = """
import os, signal
from progressive_ci.adapters import held_signals
held_signals.hold()
os.kill(os.getpid(), signal.{name})
from progressive_ci.cli import main
main.main([{command!r}, "-f", "/nowhere"])
"""


def ended(name: str, command: str) -> subprocess.CompletedProcess[str]:
    code = EARLY.format(name=name, command=command)
    return subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_during_the_imports_ends_a_run_before_its_first_write(name: str) -> None:
    done = ended(name, "run")
    assert done.returncode == 13, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["result"] == "rolled-back-cancelled"
    assert f"stopped by {name}" in told["reason"]


def test_a_command_without_a_clock_ends_at_once() -> None:
    assert ended("SIGTERM", "lint").returncode == -15


@pytest.mark.parametrize("command", commands.TABLE, ids=lambda command: command.name)
def test_a_command_that_lets_signals_wait_has_a_clock_that_answers_them(command: commands.Command) -> None:
    text = (Path(commands.__file__).parent / f"{command.module}.py").read_text()
    assert command.patient == any(call in text for call in ("conduct(", "quietly("))


def test_a_program_started_by_the_entrypoint_hears_signals(tmp_path: Path) -> None:
    entrypoint = Path(__file__).parents[2] / "entrypoint.py"
    script = tmp_path / "program"
    script.write_text("#!/bin/sh\nkill -TERM $$\nexit 7\n")
    script.chmod(0o755)
    done = subprocess.run((sys.executable, str(entrypoint), str(script)), check=False)
    assert done.returncode == -15
