"""The order of two commits, asked of a real git in a checkout that may belong to anybody."""

import subprocess
from pathlib import Path

import pytest

from progressive_ci.adapters.clock import ThreadClock
from progressive_ci.adapters.history import GitHistory


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str, str]:
    """A folder, two commits of one line, and one beside them."""
    folder = tmp_path_factory.mktemp("checkout")

    def git(*arguments: str) -> str:
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
        command = ("git", "-C", str(folder), *identity, *arguments)
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    def commit(name: str) -> str:
        git("commit", "-q", "--allow-empty", "-m", name)
        return git("rev-parse", "HEAD")

    git("init", "-q")
    one, two = commit("one"), commit("two")
    git("checkout", "-q", "--orphan", "beside")
    return folder, one, two, commit("beside")


def history(folder: Path) -> GitHistory:
    return GitHistory(str(folder), ThreadClock())


def test_the_checkout_knows_which_commit_rests_on_which(checkout: tuple[Path, str, str, str]) -> None:
    folder, one, two, beside = checkout
    asked = history(folder)
    assert asked.contains(two, one) is True
    assert asked.contains(one, two) is False
    assert asked.contains(beside, one) is False


@pytest.mark.parametrize("other", ["a" * 40, "", "HEAD", "--help", "../x"])
def test_what_is_no_commit_of_the_checkout_is_not_known(
    checkout: tuple[Path, str, str, str], other: str
) -> None:
    folder, one, _, _ = checkout
    assert history(folder).contains(one, other) is None
    assert history(folder).contains(other, one) is None


@pytest.mark.parametrize("folder", ["no checkout", "no folder", "no git"])
def test_where_there_is_no_checkout_nothing_is_known(
    checkout: tuple[Path, str, str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    place, one, two, _ = checkout
    if folder == "no git":
        monkeypatch.setenv("PATH", str(tmp_path))
    else:
        place = tmp_path / ("" if folder == "no checkout" else "gone")
    assert history(place).contains(two, one) is None


def test_nothing_that_the_checkout_configures_is_run(
    checkout: tuple[Path, str, str, str], tmp_path: Path
) -> None:
    folder, one, two, _ = checkout
    trap, sprung = tmp_path / "trap", tmp_path / "sprung"
    trap.write_text(f"#!/bin/sh\ntouch {sprung}\n")
    trap.chmod(0o755)
    settings = folder / ".git" / "config"
    before = settings.read_text()
    settings.write_text(
        before
        + f"[core]\n\tfsmonitor = {trap}\n\tpager = {trap}\n\tsshCommand = {trap}\n\thooksPath = {tmp_path}\n"
        + f'[alias]\n\tmerge-base = "!{trap}"\n[extensions]\n\tpartialClone = origin\n'
        + f'[remote "origin"]\n\turl = ext::{trap}\n\tpromisor = true\n\tuploadpack = {trap}\n'
    )
    try:
        assert history(folder).contains(two, one) is True
        assert history(folder).contains("b" * 40, one) is None
    finally:
        settings.write_text(before)
    assert not sprung.exists()
