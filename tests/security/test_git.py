"""A checkout comes from whoever may open a pull request: asking git about it runs nothing of it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from progressive_ci.adapters.clock import RealClock
from progressive_ci.adapters.history import GitHistory

HOSTILE = """
[core]
    fsmonitor = {touch}
    hooksPath = {folder}/hooks
    sshCommand = {touch}
    pager = {touch}
    editor = {touch}
    askPass = {touch}
[alias]
    merge-base = !{touch}
[credential]
    helper = !{touch}
[extensions]
    partialClone = evil
[remote "evil"]
    url = ext::{touch}
    promisor = true
    uploadpack = {touch}
[protocol]
    allow = always
"""


@pytest.fixture
def clock() -> Iterator[RealClock]:
    real = RealClock()
    yield real
    real.close()


def commit(folder: Path, text: str) -> str:
    who = ("-c", "user.name=x", "-c", "user.email=x@example.com")
    subprocess.run(("git", *who, "commit", "-q", "--allow-empty", "-m", text), cwd=folder, check=True)
    done = subprocess.run(
        ("git", "rev-parse", "HEAD"), cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_the_order_of_commits_is_asked_without_running_what_a_checkout_configures(
    clock: RealClock, tmp_path: Path
) -> None:
    folder = tmp_path / "checkout"
    folder.mkdir()
    subprocess.run(("git", "init", "-q"), cwd=folder, check=True)
    first, second = commit(folder, "one"), commit(folder, "two")
    touch = tmp_path / "touch"
    touch.write_text(f"#!/bin/sh\ntouch {tmp_path}/pwned\n")
    touch.chmod(0o755)
    hooks = folder / "hooks"
    hooks.mkdir()
    for name in ("post-index-change", "reference-transaction", "pre-auto-gc"):
        (hooks / name).symlink_to(touch)
    with (folder / ".git" / "config").open("a") as config:
        config.write(HOSTILE.format(touch=touch, folder=folder))
    history = GitHistory(str(folder), clock)
    assert history.contains(second, first) is True
    assert history.contains(second, "0" * 40) is None
    assert history.contains("--upload-pack=x", first) is None
    assert not (tmp_path / "pwned").exists()
