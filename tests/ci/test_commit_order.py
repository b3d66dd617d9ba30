"""Which commit is older, told by the checkout alone: the command as a process in a real git checkout."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.ci.stage import Stage
from tests.ci.test_command import QUICK, last


@dataclass(frozen=True, slots=True)
class Checkout:
    """A whole checkout with two commits, one upon the other."""

    folder: Path
    older: str
    newer: str

    def shallow(self, folder: Path) -> Path:
        """A checkout of the newer commit without its history, as CI systems make one."""
        source = f"file://{self.folder}"
        subprocess.run(("git", "clone", "-q", "--depth", "1", source, folder), check=True, timeout=60)
        return folder


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """Made by a real git."""
    folder = tmp_path / "checkout"
    folder.mkdir()

    def git(*arguments: str) -> str:
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
        command = ("git", "-C", str(folder), *identity, *arguments)
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    def commit(name: str) -> str:
        git("commit", "-q", "--allow-empty", "-m", name)
        return git("rev-parse", "HEAD")

    git("init", "-q")
    return Checkout(folder, commit("one"), commit("two"))


def released(stage: Stage, image: str, *, commit: str, workspace: Path) -> subprocess.CompletedProcess[str]:
    """A run in a CI that names commit and workspace, and no number of the run."""
    told = {"JENKINS_URL": "https://jenkins.example/", "GIT_COMMIT": commit, "WORKSPACE": str(workspace)}
    spec = str(stage.spec(image=image))
    # It starts outside the checkout: the workspace that CI names has to be asked.
    return stage.run("progressive-ci", "run", "-f", spec, *QUICK, environment=stage.environment(**told))


def image(stage: Stage) -> str:
    return str(stage.deployment()["spec"]["template"]["spec"]["containers"][0]["image"])


def test_the_checkout_tells_the_order_of_commits_where_no_run_has_a_number(
    stage: Stage, checkout: Checkout
) -> None:
    first = released(stage, "example/web:2", commit=checkout.older, workspace=checkout.folder)
    assert first.returncode == 0, first.stdout
    newer = released(stage, "example/web:3", commit=checkout.newer, workspace=checkout.folder)
    assert (newer.returncode, last(newer.stdout)["result"]) == (0, "promoted"), newer.stdout
    assert "nobody can tell" not in newer.stdout
    older = released(stage, "example/web:2", commit=checkout.older, workspace=checkout.folder)
    assert (older.returncode, last(older.stdout)["result"]) == (5, "outdated"), older.stdout
    assert image(stage) == "example/web:3"


def test_a_checkout_without_the_history_warns_and_the_release_goes_on(
    stage: Stage, checkout: Checkout, tmp_path: Path
) -> None:
    shallow = checkout.shallow(tmp_path / "shallow")
    newer = released(stage, "example/web:2", commit=checkout.newer, workspace=shallow)
    assert newer.returncode == 0, newer.stdout
    older = released(stage, "example/web:3", commit=checkout.older, workspace=shallow)
    assert (older.returncode, last(older.stdout)["result"]) == (0, "promoted"), older.stdout
    assert "nobody can tell whether" in older.stdout
    assert image(stage) == "example/web:3"
