"""Which CI system this is, and what it tells a job by its environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class System:
    """One row: the variable that gives a system away, and those with which it tells of the run.

    Attributes:
        sign: is set and not empty there.
        reporter: row of the reporters' table.
        url: variables that joined by `/` make the page of the run.
        commit: variable with the commit.
        workspace: variable with the folder of the checkout.
    """

    sign: str
    reporter: str
    url: tuple[str, ...]
    commit: str
    workspace: str


SYSTEMS = (
    System(
        "GITHUB_ACTIONS",
        "github",
        ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "=actions/runs", "GITHUB_RUN_ID"),
        "GITHUB_SHA",
        "GITHUB_WORKSPACE",
    ),
    System("GITLAB_CI", "plain", ("CI_JOB_URL",), "CI_COMMIT_SHA", "CI_PROJECT_DIR"),
    System("JENKINS_URL", "plain", ("BUILD_URL",), "GIT_COMMIT", "WORKSPACE"),
)


@dataclass(frozen=True, slots=True)
class Job:
    """What the environment says of this run; empty where it says nothing."""

    reporter: str = "plain"
    run_url: str = ""
    commit: str = ""
    workspace: str = ""
    summary_file: str = ""
    output_file: str = ""
    state_file: str = ""
    release: str = ""
    workload: str = ""


def job(environment: Mapping[str, str]) -> Job:
    """Read the environment of this process."""
    system = next((row for row in SYSTEMS if environment.get(row.sign)), None)
    if system is None:
        return Job(workspace=str(Path.cwd()))
    parts = [name[1:] if name.startswith("=") else environment.get(name, "") for name in system.url]
    return Job(
        reporter=system.reporter,
        run_url="/".join(parts) if all(parts) else "",
        commit=environment.get(system.commit, ""),
        workspace=environment.get(system.workspace) or str(Path.cwd()),
        summary_file=environment.get("GITHUB_STEP_SUMMARY", ""),
        output_file=environment.get("GITHUB_OUTPUT", ""),
        state_file=environment.get("GITHUB_STATE", ""),
        release=environment.get("STATE_release", ""),
        workload=environment.get("STATE_workload", ""),
    )
