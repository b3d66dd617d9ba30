"""What each CI system says of a run: where its commit stands, and who started it."""

from collections.abc import Mapping

import pytest

from progressive_ci.cli.ci import job
from progressive_ci.model.position import Position

COMMIT = "c" * 40
GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_WORKFLOW_REF": "shop/web/.github/workflows/deploy.yml@refs/heads/main",
    "GITHUB_RUN_NUMBER": "42",
    "GITHUB_SHA": COMMIT,
    "GITHUB_ACTOR": "ann",
}
GITLAB = {
    "GITLAB_CI": "true",
    "CI_PROJECT_URL": "https://gitlab.example/shop/web",
    "CI_PIPELINE_IID": "42",
    "CI_COMMIT_SHA": COMMIT,
    "GITLAB_USER_LOGIN": "ann",
}
JENKINS = {
    "JENKINS_URL": "https://jenkins.example/",
    "JOB_URL": "https://jenkins.example/job/web/",
    "BUILD_NUMBER": "42",
    "GIT_COMMIT": COMMIT,
    "BUILD_USER_ID": "ann",
}
SOURCES = {
    "github": (GITHUB, "https://github.com/shop/web/.github/workflows/deploy.yml"),
    "gitlab": (GITLAB, "https://gitlab.example/shop/web"),
    "jenkins": (JENKINS, "https://jenkins.example/job/web/"),
}


@pytest.mark.parametrize(("environment", "source"), SOURCES.values(), ids=SOURCES)
def test_a_run_knows_its_number_whose_it_is_its_commit_and_its_user(
    environment: Mapping[str, str], source: str
) -> None:
    found = job(environment)
    assert found.position == Position(42, source, COMMIT)
    assert found.user == "ann"


@pytest.mark.parametrize(
    "missing",
    [{"GITHUB_RUN_NUMBER": ""}, {"GITHUB_RUN_NUMBER": "4b"}, {"GITHUB_WORKFLOW_REF": ""}],
    ids=["no number", "no digits", "no source"],
)
def test_a_number_without_its_source_says_nothing(missing: Mapping[str, str]) -> None:
    assert job({**GITHUB, **missing}).position == Position(commit=COMMIT)


def test_without_a_ci_system_the_shell_names_the_user_and_nobody_a_position() -> None:
    found = job({"USER": "bob"})
    assert (found.user, found.position) == ("bob", Position())
