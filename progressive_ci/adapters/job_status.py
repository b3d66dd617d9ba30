"""The job's own status in its CI system, asked over and over: for runners that send a cancelled job no signal.

Speaks GitHub's REST API (the jobs of a run's attempt), GitLab's (`GET /job`), and Jenkins' (a build). Whatever goes
wrong here is told once and never disturbs the release.
"""

import base64
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from string import Formatter

from progressive_ci.adapters.clock import ThreadClock
from progressive_ci.adapters.github_job import ThisJob
from progressive_ci.adapters.worker import call
from progressive_ci.errors import ProgressiveError
from progressive_ci.model.document import JsonObject
from progressive_ci.model.json_text import parsed
from progressive_ci.model.outcome import Cause, Result
from progressive_ci.ports import HttpRequest, HttpResponse

TOKEN = "PROGRESSIVE_CI_JOB_TOKEN"  # noqa: S105 - a variable's name
EVERY = 10.0
"""Seconds from one answer to the next question: 360 an hour, of the 1,000 that GitHub gives a repository."""
_LONGEST = 60.0
"""The same while there is no usable answer."""
_TIMEOUT = 10.0
_REFUSALS = 2
"""In a row, before the refusal of a token that was good is believed."""

Send = Callable[[HttpRequest], HttpResponse]
Reader = Callable[[JsonObject], str]


class _TokenRefused(ProgressiveError):
    """The answer to a credential that is not, or no longer, good."""


@dataclass(frozen=True, slots=True)
class System:
    """One CI system.

    Attributes:
        name: as its users call it.
        address: of the job, with the variables that it is made of.
        tokens: variables of which the first that is set holds the credential.
        login: the header that carries it.
        reader: by the variables, what reads how the job ended out of its answers; empty while it runs.
        anonymous: whether it may be asked without a credential.
        falls_silent: whether the job's own token is refused as soon as the job is over.
    """

    name: str
    address: str
    tokens: tuple[str, ...]
    login: Callable[[str], tuple[str, str]]
    reader: Callable[[Mapping[str, str]], Reader]
    anonymous: bool = False
    falls_silent: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked again and again.

    Attributes:
        system: which CI system.
        request: the question itself.
        ended: reads the answers, one after the other.
        token: the credential in it, for masks; empty for none.
    """

    system: System
    request: HttpRequest
    ended: Reader
    token: str = ""


def _canceled(job: JsonObject) -> str:
    """Also `failed`: that is how a job ends which ran into its timeout, or whose runner was given up."""
    status = str(job.get("status", ""))
    return status if status in {"canceling", "canceled", "failed"} else ""


def _aborted(build: JsonObject) -> str:
    """The result comes before the end, where the build still has something to clean up."""
    if build.get("result") == "ABORTED" or build.get("building") is False:
        return str(build.get("result") or "ended").lower()
    return ""


def _basic(token: str) -> tuple[str, str]:
    return "Authorization", f"Basic {base64.b64encode(token.encode()).decode()}"


TABLE: Mapping[str, System] = {
    "GITHUB_ACTIONS": System(
        "GitHub",
        "{GITHUB_API_URL}/repos/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}/attempts/{GITHUB_RUN_ATTEMPT}"
        "/jobs?per_page=100",
        (TOKEN, "GITHUB_TOKEN"),
        lambda token: ("Authorization", f"Bearer {token}"),
        lambda variables: ThisJob(variables.get("RUNNER_NAME", "")),
    ),
    "GITLAB_CI": System(
        "GitLab",
        "{CI_API_V4_URL}/job",
        (TOKEN, "CI_JOB_TOKEN"),
        lambda token: ("JOB-TOKEN", token),
        lambda _: _canceled,
        falls_silent=True,
    ),
    "JENKINS_URL": System(
        "Jenkins",
        "{BUILD_URL}/api/json?tree=building,result",
        (TOKEN,),
        _basic,
        lambda _: _aborted,
        anonymous=True,
    ),
}
"""By the variable that gives the system away."""


def question(environment: Mapping[str, str]) -> Question:
    """What to ask about the job with this environment.

    Raises:
        ProgressiveError: there is nobody to ask, or nothing to ask with.
    """
    system = next((row for sign, row in TABLE.items() if environment.get(sign)), None)
    if system is None:
        known = ", ".join(row.name for row in TABLE.values())
        raise ProgressiveError(
            f"--watch-job knows the jobs of {known}, and this is none of them", advice="leave it out here"
        )
    names = [name for _, name, _, _ in Formatter().parse(system.address) if name]
    if missing := [name for name in names if not environment.get(name)]:
        raise ProgressiveError(
            f"--watch-job needs {', '.join(missing)}, which {system.name} sets for every job",
            advice="pass the job's environment on to this process",
        )
    token = next((found for name in system.tokens if (found := environment.get(name, "").strip())), "")
    if not token and not system.anonymous:
        raise ProgressiveError(
            f"--watch-job has no token to ask {system.name} with", advice=f"set {' or '.join(system.tokens)}"
        )
    address = system.address.format_map({name: environment[name].rstrip("/") for name in names})
    ended = system.reader(environment)
    headers = (("Accept", "application/json"), *((system.login(token),) if token else ()))
    return Question(system, HttpRequest("GET", address, headers, timeout=_TIMEOUT), ended, token)


def watch(
    asked: Question,
    *,
    send: Send,
    halt: Callable[[Cause], None],
    tell: Callable[[str], None],
    every: float = EVERY,
) -> None:
    """Ask on a thread of its own until the job is over, and call the release off then.

    Args:
        asked: see `question`.
        send: sends it; blocks.
        halt: hears why the release is to stop.
        tell: hears, once, that there is no usable answer.
        every: seconds between two questions.
    """
    threading.Thread(target=_watch, args=(asked, send, halt, tell, every), name="job", daemon=True).start()


def _watch(
    asked: Question, send: Send, halt: Callable[[Cause], None], tell: Callable[[str], None], every: float
) -> None:
    clock, gap, told, known, refusals = ThreadClock(), every, False, False, 0
    while True:
        try:
            ended = _ended(asked, send, clock)
            gap, known, refusals = every, True, 0
        except ProgressiveError as error:
            refused = known and asked.system.falls_silent and isinstance(error, _TokenRefused)
            refusals = refusals + 1 if refused else 0
            ended = f"{error.what}, as it does when a job is over" if refusals == _REFUSALS else ""
            gap = min(gap * 2, max(every, _LONGEST))
            if not told and not refused:
                told = True
                tell(
                    f"{asked.system.name} does not say how this job is, so only a signal cancels: {error.what}"
                )
        if ended:
            reason = f"the job was ended in {asked.system.name}: {ended}"
            halt(Cause(Result.CANCELLED, reason, advice="run it again when you are ready"))
            return
        until = clock.now() + gap
        while clock.now() < until:
            clock.wait(until)


def _ended(asked: Question, send: Send, clock: ThreadClock) -> str:
    answer = call(lambda: send(asked.request), clock, timeout=2 * _TIMEOUT, what="ask for the job's status")
    if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        raise _TokenRefused(f"it answers with {answer.status}")
    if answer.status != HTTPStatus.OK:
        raise ProgressiveError(f"it answers with {answer.status}")
    try:
        found = parsed(answer.body)
    except (ValueError, RecursionError) as error:
        raise ProgressiveError("its answer is no JSON") from error
    if not isinstance(found, dict):
        raise ProgressiveError("its answer is no object")
    return asked.ended(found)
