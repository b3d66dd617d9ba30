"""OIDC tokens that CI systems issue for a job: asked for again and again (GitHub), or given once (GitLab).

A cluster accepts them as they are where its API server trusts the CI system's issuer (structured authentication).
https://docs.github.com/actions/reference/security/oidc, https://docs.gitlab.com/ci/yaml/#id_tokens
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from urllib.parse import quote

from progressive_ci.adapters.credential import Fixed, Issued, end_of_jwt, until
from progressive_ci.adapters.http import Sender, origin
from progressive_ci.adapters.server_time import Now
from progressive_ci.errors import NOT_SENT, NoAnswer, ProgressiveError, Unauthorized
from progressive_ci.model.json_text import parsed
from progressive_ci.ports import HttpRequest, HttpResponse

_URL, _REQUEST = "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
_TIMEOUT = 20.0


def offered(environ: Mapping[str, str]) -> bool:
    """Whether this job may ask GitHub for tokens."""
    return bool(environ.get(_URL) and environ.get(_REQUEST))


@dataclass(frozen=True, slots=True)
class GitHubToken:
    """Tokens of a job on GitHub, each good for five minutes, to be had as long as the job lasts.

    Attributes:
        audience: for whom they are; empty is GitHub's default, the owner's address.
        environ: of the process.
        now: by the server's clock.
    """

    audience: str
    environ: Mapping[str, str]
    now: Now

    def ask(self) -> Issued:
        """The next one.

        Raises:
            Unauthorized: this job gets none.
            NoAnswer: nobody answered in time.
        """
        if not offered(self.environ):
            raise Unauthorized(
                "GitHub offers this job no OIDC token",
                where=_URL,
                advice="add `permissions: {id-token: write}` to the job; pull requests from forks get none",
            )
        address = self.environ[_URL]
        wanted = f"{'&' if '?' in address else '?'}audience={quote(self.audience, safe='')}"
        login = ("Authorization", f"Bearer {self.environ[_REQUEST]}")
        answer = asked(HttpRequest("GET", address + (wanted if self.audience else ""), (login,)))
        token = _value(answer)
        if not token:
            what = f"{origin(address)} gave no OIDC token, its answer was {answer.status}"
            raise Unauthorized(what, advice="see whether `permissions: {id-token: write}` stands at the job")
        ends = end_of_jwt(token)
        return until(Issued(token), ends, self.now()) if ends else Issued(token)


def asked(request: HttpRequest) -> HttpResponse:
    """The answer of a token server.

    Raises:
        NoAnswer: none; the API server itself was asked nothing then.
    """
    try:
        return Sender().send(replace(request, timeout=_TIMEOUT))
    except ProgressiveError as error:
        what = f"no credential: {error.what}"
        raise NoAnswer(what, advice="see whether this job may reach that address", reason=NOT_SENT) from error


def gitlab_token(variable: str, environ: Mapping[str, str]) -> Fixed:
    """The token that GitLab has put into a variable of the job.

    Raises:
        Unauthorized: there is none.
    """
    token = environ.get(variable, "").strip()
    if not token:
        raise Unauthorized(
            f"the variable {variable or 'with the OIDC token'} is empty",
            where="--token-variable",
            advice="declare it below `id_tokens:` of the job, with the cluster's audience as `aud`",
        )
    return Fixed(
        f"the OIDC token in {variable}",
        Issued(token, ends_at=end_of_jwt(token)),
        advice="GitLab issues it for as long as the job may last: set `timeout:` of the job",
    )


def _value(answer: HttpResponse) -> str:
    if answer.status != HTTPStatus.OK:
        return ""
    try:
        return str(parsed(answer.body)["value"])
    except (ValueError, KeyError, TypeError):
        return ""
