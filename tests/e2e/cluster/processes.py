"""Owns the processes of the cluster: starts them, keeps their logs, ends exactly those it started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.e2e.cluster.waiting import HopelessError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_FIRST = -10
"""Nine times the usual share of a core."""


@dataclass(frozen=True, slots=True)
class Process:
    """One started program and where its output goes."""

    name: str
    popen: subprocess.Popen[bytes]
    log: Path


class Processes:
    """The programs of one cluster; all of them end with this process, however it ends."""

    def __init__(self, folder: Path) -> None:
        """Keep the logs in `folder`."""
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._started: list[Process] = []
        # The kernel sends the parent-death signal when the *thread* that started the child ends.
        self._starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="starter")

    def start(
        self,
        name: str,
        command: Sequence[str],
        env: Mapping[str, str] | None = None,
        *,
        death: str = "KILL",
        first: bool = False,
    ) -> Process:
        """Start a program that gets the signal `death` when this process is gone, and its time `first` of all."""
        process = self._starter.submit(
            self._start, name, ["setpriv", "--pdeathsig", death, "--", *command], env
        ).result()
        self._started.append(process)
        if first:
            _prefer(process.popen.pid)
        return process

    def _start(self, name: str, command: Sequence[str], env: Mapping[str, str] | None) -> Process:
        log = self._folder / f"{name}.log"
        with log.open("ab") as output:
            popen = subprocess.Popen(
                command,
                env={**os.environ, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return Process(name, popen, log)

    def check(self) -> None:
        """Raise HopelessError with the end of the log if a program has ended by itself."""
        for process in self._started:
            if process.popen.poll() is not None:
                text = f"{process.name} ended with {process.popen.returncode}:\n{tail(process.log)}"
                raise HopelessError(text)

    def end(self, process: Process, seconds: float = 10) -> None:
        """SIGTERM, then SIGKILL after `seconds`."""
        if process in self._started:
            self._started.remove(process)
        process.popen.send_signal(signal.SIGTERM)
        try:
            process.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            process.popen.kill()
            process.popen.wait()

    def stop(self) -> None:
        """End everything, the last started first."""
        while self._started:
            self.end(self._started[-1])
        self._starter.shutdown()


def _prefer(pid: int) -> None:
    """Let the scheduler prefer a session's only process, where we may: no user waits because tests are busy."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, _FIRST)
        # Where sessions are scheduled as groups, the process's own priority counts only within its session.
        Path(f"/proc/{pid}/autogroup").write_text(str(_FIRST))


def tail(file: Path, characters: int = 3000) -> str:
    """Return the end of a log."""
    return file.read_text(errors="replace")[-characters:] if file.exists() else ""
