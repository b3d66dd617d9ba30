"""The job's own status, asked of servers that answer as each CI system does."""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import SimpleQueue

import pytest

from progressive_ci.adapters import job_status
from progressive_ci.adapters.http import Sender
from progressive_ci.errors import ProgressiveError
from progressive_ci.model.outcome import Cause, Result
from tests.unit.socket_server import Exchange, Server, serve

FAR = 30.0
"""Seconds that no test waits."""


def github(url: str) -> dict[str, str]:
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_API_URL": url,
        "GITHUB_REPOSITORY": "acme/shop",
        "GITHUB_RUN_ID": "42",
        "GITHUB_RUN_ATTEMPT": "2",
        "RUNNER_NAME": "ours",
        "PROGRESSIVE_CI_JOB_TOKEN": "planted-token",
    }


def job(number: int, status: str, runner: str = "", conclusion: str = "cancelled") -> dict[str, object]:
    """One of a run's jobs, as GitHub lists it."""
    ended = conclusion if status == "completed" else None
    return {"id": number, "status": status, "conclusion": ended, "runner_name": runner or None}


def jobs(*listed: dict[str, object], more: int = 0) -> dict[str, object]:
    return {"total_count": len(listed) + more, "jobs": list(listed)}


RUNS = jobs(job(1, "in_progress", "ours"))
OVER = jobs(job(1, "completed", "ours"))


def gitlab(url: str) -> dict[str, str]:
    return {"GITLAB_CI": "true", "CI_API_V4_URL": f"{url}/api/v4", "CI_JOB_TOKEN": "planted-token"}


def jenkins(url: str) -> dict[str, str]:
    return {
        "JENKINS_URL": url,
        "BUILD_URL": f"{url}/job/shop/7/",
        "PROGRESSIVE_CI_JOB_TOKEN": "ci:planted-token",
    }


BASIC = f"Basic {base64.b64encode(b'ci:planted-token').decode()}"


@dataclass
class Heard:
    """What the watch says."""

    halts: SimpleQueue[Cause] = field(default_factory=SimpleQueue)
    told: SimpleQueue[str] = field(default_factory=SimpleQueue)

    def watch(self, environment: dict[str, str]) -> None:
        question = job_status.question(environment)
        job_status.watch(question, send=Sender().send, halt=self.halts.put, tell=self.told.put, every=0.01)


def one_by_one(*answers: object) -> Callable[[Exchange], None]:
    """Each answer once, the last one again and again; a number is a status without a body."""
    left = list(answers)

    def script(exchange: Exchange) -> None:
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, int):
            exchange.answer(answer)
        else:
            exchange.answer(200, answer)

    return script


@pytest.mark.parametrize(
    ("environment", "running", "over", "path", "login", "reason"),
    [
        pytest.param(
            github,
            jobs(job(1, "completed", "ours", "success"), job(2, "in_progress", "ours"), job(3, "queued")),
            jobs(job(1, "completed", "ours", "success"), job(2, "completed", "ours"), job(3, "in_progress")),
            "/repos/acme/shop/actions/runs/42/attempts/2/jobs?per_page=100",
            ("authorization", "Bearer planted-token"),
            "the job was ended in GitHub: cancelled",
            id="GitHub",
        ),
        pytest.param(
            gitlab,
            {"status": "running"},
            {"status": "canceling"},
            "/api/v4/job",
            ("job-token", "planted-token"),
            "the job was ended in GitLab: canceling",
            id="GitLab",
        ),
        pytest.param(
            jenkins,
            {"building": True, "result": None},
            {"building": True, "result": "ABORTED"},
            "/job/shop/7/api/json?tree=building,result",
            ("authorization", BASIC),
            "the job was ended in Jenkins: aborted",
            id="Jenkins",
        ),
    ],
)
def test_a_job_that_ends_in_its_system_calls_the_release_off(
    environment: Callable[[str], dict[str, str]],
    running: object,
    over: object,
    path: str,
    login: tuple[str, str],
    reason: str,
) -> None:
    heard = Heard()
    with serve(one_by_one(running, running, over)) as server:
        heard.watch(environment(server.url))
        cause = heard.halts.get(timeout=FAR)
    assert (cause.result, cause.reason) == (Result.CANCELLED, reason)
    assert len(server.seen) == 3
    assert {exchange.path for exchange in server.seen} == {path}
    assert all(exchange.headers[login[0]] == login[1] for exchange in server.seen)
    assert heard.told.empty()


GITHUBS = {
    "the job of this runner, while the run goes on": (
        "ours",
        (
            jobs(job(1, "in_progress", "other"), job(2, "queued")),
            jobs(job(1, "in_progress", "other"), job(2, "in_progress", "ours")),
            jobs(job(1, "in_progress", "other"), job(2, "completed", "ours")),
        ),
    ),
    "not the job that this runner did before": (
        "ours",
        (
            jobs(job(1, "completed", "ours", "success"), job(2, "queued")),
            jobs(job(1, "completed", "ours", "success"), job(2, "in_progress", "ours")),
            jobs(job(1, "completed", "ours", "success"), job(2, "completed", "ours")),
        ),
    ),
    "not the job that this runner does next": (
        "ours",
        (RUNS, jobs(job(1, "completed", "ours"), job(2, "in_progress", "ours"))),
    ),
    "all of them, where two runners have the same name": (
        "ours",
        (
            jobs(job(1, "in_progress", "ours"), job(2, "in_progress", "ours")),
            jobs(job(1, "completed", "ours"), job(2, "completed", "ours")),
        ),
    ),
    "all of them, where the runner has no name": (
        "",
        (RUNS, jobs(job(1, "completed", "ours"), job(2, "in_progress")), OVER),
    ),
    "not those of one page of several": (
        "",
        (jobs(job(1, "completed"), more=1), jobs(job(1, "completed"), job(2, "completed"))),
    ),
}


@pytest.mark.parametrize(("runner", "answers"), GITHUBS.values(), ids=GITHUBS)
def test_of_the_jobs_of_a_run_on_github_this_one_counts(
    runner: str, answers: tuple[dict[str, object], ...]
) -> None:
    heard = Heard()
    with serve(one_by_one(*answers)) as server:
        heard.watch({**github(server.url), "RUNNER_NAME": runner})
        assert heard.halts.get(timeout=FAR).reason == "the job was ended in GitHub: cancelled"
        assert len(server.seen) == len(answers)
    assert heard.told.empty()


def test_an_answer_of_github_without_jobs_is_told_once() -> None:
    heard = Heard()
    with serve(one_by_one({"message": "moved"}, {"jobs": None}, RUNS, OVER)) as server:
        heard.watch(github(server.url))
        assert heard.halts.get(timeout=FAR).reason == "the job was ended in GitHub: cancelled"
    assert "its answer lists no jobs" in heard.told.get(timeout=FAR)
    assert heard.told.empty()


@pytest.mark.parametrize(
    ("bad", "what"),
    [
        (403, "it answers with 403"),
        (b"<html>log in</html>", "its answer is no JSON"),
        (b'{"status": "canc', "its answer is no JSON"),
        (["canceled"], "its answer is no object"),
        (b"[" * 100_000, "its answer is no JSON"),
    ],
    ids=["forbidden", "a page", "cut off", "a list", "endlessly deep"],
)
def test_an_answer_that_says_nothing_is_told_once_and_the_next_good_one_counts(
    bad: object, what: str
) -> None:
    heard = Heard()
    with serve(one_by_one(bad, bad, bad, {"status": "canceled"})) as server:
        heard.watch(gitlab(server.url))
        cause = heard.halts.get(timeout=FAR)
    assert cause.reason == "the job was ended in GitLab: canceled"
    assert what in heard.told.get(timeout=FAR)
    assert heard.told.empty()
    assert len(server.seen) == 4


@pytest.mark.parametrize("refusal", [401, 403])
def test_a_token_that_was_good_and_is_refused_twice_tells_that_the_job_is_over(refusal: int) -> None:
    heard = Heard()
    running = {"status": "running"}
    with serve(one_by_one(running, refusal, running, refusal, 500, refusal, refusal)) as server:
        heard.watch(gitlab(server.url))
        cause = heard.halts.get(timeout=FAR)
        assert len(server.seen) == 7
    told = f"the job was ended in GitLab: it answers with {refusal}, as it does when a job is over"
    assert (cause.result, cause.reason) == (Result.CANCELLED, told)


def test_a_token_of_another_system_may_be_refused_while_the_job_goes_on() -> None:
    heard = Heard()
    with serve(one_by_one(RUNS, 401, 401, 401, OVER)) as server:
        heard.watch(github(server.url))
        assert heard.halts.get(timeout=FAR).reason == "the job was ended in GitHub: cancelled"
        assert len(server.seen) == 5


def test_a_connection_that_breaks_does_not_end_the_watch() -> None:
    heard, broken = Heard(), [Exchange.reset, Exchange.reset]

    def script(exchange: Exchange) -> None:
        broken.pop()(exchange) if broken else exchange.answer(200, {"status": "canceled"})

    with serve(script) as server:
        heard.watch(gitlab(server.url))
        assert heard.halts.get(timeout=FAR).reason.endswith("canceled")
        assert "planted-token" not in heard.told.get(timeout=FAR)
        assert len(server.seen) == 3


def test_a_redirect_takes_no_credential_elsewhere() -> None:
    heard = Heard()
    with serve(one_by_one({"status": "canceled"})) as elsewhere:

        def script(exchange: Exchange) -> None:
            exchange.answer(302, headers={"Location": f"{elsewhere.url}/api/v4/job"})

        with serve(script) as server:
            heard.watch(gitlab(server.url))
            heard.halts.get(timeout=FAR)
    assert carries_token(server)
    assert not carries_token(elsewhere)


def carries_token(server: Server) -> bool:
    return any("planted-token" in value for exchange in server.seen for value in exchange.headers.values())


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ({}, "--watch-job knows the jobs of GitHub, GitLab, Jenkins, and this is none of them"),
        ({"GITHUB_ACTIONS": "true"}, "needs GITHUB_API_URL, GITHUB_REPOSITORY, GITHUB_RUN_ID"),
        (github("http://api") | {"PROGRESSIVE_CI_JOB_TOKEN": " "}, "has no token to ask GitHub with"),
    ],
    ids=["no system", "no variables", "no token"],
)
def test_a_job_that_cannot_be_watched_is_a_wrong_use(environment: dict[str, str], complaint: str) -> None:
    with pytest.raises(ProgressiveError, match=complaint):
        job_status.question(environment)


def test_jenkins_may_be_asked_without_a_credential() -> None:
    question = job_status.question({"JENKINS_URL": "http://ci", "BUILD_URL": "http://ci/job/shop/7/"})
    assert question.request.headers == (("Accept", "application/json"),)
