"""Which CI system this is, and what it tells a job by its environment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from progressive_ci.model.position import Position, order_of


@dataclass(frozen=True, slots=True)
class System:
    """One row: the variable that gives a system away, and those with which it tells of the run.

    Attributes:
        sign: is set and not empty there.
        reporter: row of the reporters' table.
        url: variables that joined by `/` make the page of the run.
        commit: variable with the commit.
        workspace: variable with the folder of the checkout.
        order: variable with a number that grows from run to run, and stays when a run is repeated.
        pipeline: variables that joined by `/` say whose number that is.
        user: variable with whoever started the run.
    """

    sign: str
    reporter: str
    url: tuple[str, ...]
    commit: str
    workspace: str
    order: str
    pipeline: tuple[str, ...]
    user: str


SYSTEMS = (
    System(
        "GITHUB_ACTIONS",
        "github",
        ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "=actions/runs", "GITHUB_RUN_ID"),
        "GITHUB_SHA",
        "GITHUB_WORKSPACE",
        "GITHUB_RUN_NUMBER",
        ("GITHUB_SERVER_URL", "GITHUB_WORKFLOW_REF"),
        "GITHUB_ACTOR",
    ),
    System(
        "GITLAB_CI",
        "plain",
        ("CI_JOB_URL",),
        "CI_COMMIT_SHA",
        "CI_PROJECT_DIR",
        "CI_PIPELINE_IID",
        ("CI_PROJECT_URL",),
        "GITLAB_USER_LOGIN",
    ),
    System(
        "JENKINS_URL",
        "plain",
        ("BUILD_URL",),
        "GIT_COMMIT",
        "WORKSPACE",
        "BUILD_NUMBER",
        ("JOB_URL",),
        "BUILD_USER_ID",
    ),
)


@dataclass(frozen=True, slots=True)
class Job:
    """What the environment says of this run; empty where it says nothing."""

    reporter: str = "plain"
    run_url: str = ""
    commit: str = ""
    workspace: str = ""
    position: Position = field(default_factory=Position)
    user: str = ""
    summary_file: str = ""
    output_file: str = ""
    state_file: str = ""
    release: str = ""
    workload: str = ""


def job(environment: Mapping[str, str]) -> Job:
    """Read the environment of this process."""
    system = next((row for row in SYSTEMS if environment.get(row.sign)), None)
    if system is None:
        return Job(workspace=str(Path.cwd()), user=_user(environment))
    parts = [name[1:] if name.startswith("=") else environment.get(name, "") for name in system.url]
    return Job(
        reporter=system.reporter,
        run_url="/".join(parts) if all(parts) else "",
        commit=environment.get(system.commit, ""),
        workspace=environment.get(system.workspace) or str(Path.cwd()),
        position=_position(system, environment),
        user=environment.get(system.user) or _user(environment),
        summary_file=environment.get("GITHUB_STEP_SUMMARY", ""),
        output_file=environment.get("GITHUB_OUTPUT", ""),
        state_file=environment.get("GITHUB_STATE", ""),
        release=environment.get("STATE_release", ""),
        workload=environment.get("STATE_workload", ""),
    )


def _position(system: System, environment: Mapping[str, str]) -> Position:
    """Where the commit stands by the system's own numbers."""
    commit, order = environment.get(system.commit, ""), environment.get(system.order, "")
    # A workflow is named with the branch it was read from, and counts its runs over all branches.
    parts = [environment.get(name, "").partition("@")[0] for name in system.pipeline]
    number = order_of(order)
    if not all(parts) or number is None:
        return Position(commit=commit)
    return Position(number, "/".join(parts), commit)


def _user(environment: Mapping[str, str]) -> str:
    return environment.get("USER") or environment.get("LOGNAME") or ""
