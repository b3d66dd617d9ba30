"""The commits of the checkout, asked of git: read only, in bounded time, and without anything that runs its code."""

import os
import re
import subprocess
from pathlib import Path

from progressive_ci.adapters.clock import Wakeable
from progressive_ci.adapters.worker import call
from progressive_ci.errors import NoAnswer

_SECONDS = 5.0
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_YES, _NO = 0, 1

_ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
}
_SETTINGS = (
    "safe.directory=*",  # checkouts in CI belong to other users; what follows keeps their settings harmless
    f"core.hooksPath={os.devnull}",
    "core.fsmonitor=false",
    "core.pager=",
    "protocol.allow=never",
    "maintenance.auto=false",
    "gc.auto=0",
)


class GitHistory:
    """`ports.History` of one folder.

    Args:
        folder: anywhere in the checkout, if it is one.
        clock: of the thread that asks.
    """

    def __init__(self, folder: str, clock: Wakeable) -> None:
        self._folder = folder
        self._clock = clock

    def contains(self, commit: str, earlier: str) -> bool | None:
        """See `ports.History`. A shallow checkout may say no where a whole one says yes, never the other way."""
        if not _COMMIT.fullmatch(commit) or not _COMMIT.fullmatch(earlier):
            return None
        try:
            code = call(
                lambda: _is_ancestor(self._folder, earlier, commit),
                self._clock,
                timeout=_SECONDS + 1,
                what="ask git for the order of two commits",
            )
        except (OSError, subprocess.SubprocessError, NoAnswer):
            return None
        return {_YES: True, _NO: False}.get(code)


def _is_ancestor(folder: str, earlier: str, commit: str) -> int:
    if not Path(folder).is_dir():
        return -1
    settings = (part for setting in _SETTINGS for part in ("-c", setting))
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    done = subprocess.run(  # noqa: S603 - no shell, and both commits are hexadecimal numbers
        ("git", *settings, "merge-base", "--is-ancestor", earlier, commit),  # noqa: S607 - git is where PATH says
        cwd=folder,
        env={**kept, **_ENVIRONMENT},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=_SECONDS,
        check=False,
    )
    return done.returncode
