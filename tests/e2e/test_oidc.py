"""A job that logs in with the tokens of its CI system, on an API server that is set up as docs/credentials.md says."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import yaml

from tests.e2e import given, then, when
from tests.e2e.cluster.issuer import Issuer, owner, served, trusted
from tests.e2e.given import NEW, ROOT, Shop

pytest_plugins = ["tests.e2e.cluster.fixtures", "tests.e2e.opening"]

_PAGE = (ROOT / "docs/credentials.md").read_text()
_TRUST: dict[str, Any] = next(
    yaml.safe_load_all(re.findall(r"```yaml\n(apiVersion: api.*?)```", _PAGE, re.DOTALL)[0])
)["jwt"][0]
_USER = re.findall(r"to the user `(github:.*?)`", _PAGE)[0]
_AUDIENCE = _TRUST["issuer"]["audiences"][0]
_ORGANISATION = _TRUST["claimValidationRules"][0]["requiredValue"]
_LASTS = 16
_LOGIN = "Bearer the-job-itself"


@dataclass(slots=True)
class Jobs:
    """The token server of a CI system."""

    issuer: Issuer
    given: list[str] = field(default_factory=list)

    def answer(self, path: str, authorization: str) -> object:
        """What a job gets that asks for a token."""
        if (
            authorization != _LOGIN
            or f"audience={_AUDIENCE.replace(':', '%3A').replace('/', '%2F')}" not in path
        ):
            return None
        self.given.append(signed(self.issuer, seconds=_LASTS))
        return {"value": self.given[-1]}


def signed(issuer: Issuer, *, seconds: float = 60, organisation: str = _ORGANISATION) -> str:
    subject = _USER.removeprefix(_TRUST["claimMappings"]["username"]["prefix"])
    return issuer.token(seconds=seconds, aud=_AUDIENCE, sub=subject, repository_owner=organisation)


@contextmanager
def jobs(place: Shop) -> Iterator[tuple[Jobs, dict[str, str]]]:
    """A CI system that the API server trusts as the page says; with what a job finds in its environment."""
    with trusted(place.cluster, _TRUST, signed) as issuer:
        system = Jobs(issuer)
        with served(place.cluster.runner_socket(), system.answer) as address:
            found = {"ACTIONS_ID_TOKEN_REQUEST_URL": f"http://{address}/?api-version=2.0"}
            yield system, found | {"ACTIONS_ID_TOKEN_REQUEST_TOKEN": _LOGIN.removeprefix("Bearer ")}


def login(place: Shop, *more: str) -> tuple[str, ...]:
    cluster = place.cluster
    return ("--server", cluster.server, "--certificate-authority", str(cluster.certificate), *more)


@pytest.mark.acceptance("F11")
def test_a_release_is_carried_by_tokens_that_a_job_is_given_one_after_the_other(
    shop: Callable[..., Shop],
) -> None:
    place = shop()
    place.releases(NEW, steps=given.setting(20, 60, pause="15s"))
    role, github = place.role(), ("--auth", "github-oidc", "--audience", _AUDIENCE)
    with jobs(place) as (system, environ):
        place.cluster.allow(_USER, role, place.namespace)
        place.await_rights(signed(system.issuer), role)
        assert not owner(place.cluster, signed(system.issuer, organisation="another"))
        with (
            when.users(place) as load,
            when.start_by(
                place, ("run", "-f", str(place.folder), *when.QUICKLY, *login(place, *github)), environ
            ) as tool,
        ):
            run = tool.end()
            records = load.stop()
    then.ended(run, 0, "promoted")
    then.no_request_failed(records)
    then.only_serves(place, NEW)
    then.nothing_of_ours_is_left(place)
    assert len(system.given) >= run.seconds / _LASTS, "it asks before what it was given ends"
    assert not [token for token in system.given if token in run.log]


def test_the_one_token_that_gitlab_gives_a_job_is_named_with_its_end(shop: Callable[..., Shop]) -> None:
    place = shop()
    place.releases(NEW, steps=given.QUICK, judged=False)
    role, gitlab = place.role(), ("--auth", "gitlab-oidc", "--token-variable", "CLUSTER_TOKEN")
    with jobs(place) as (system, _):
        place.cluster.allow(_USER, role, place.namespace)
        token = signed(system.issuer, seconds=3600)
        place.await_rights(token, role)
        words = ("run", "-f", str(place.folder), *when.QUICKLY, *login(place, *gitlab))
        with when.start_by(place, words, {"CLUSTER_TOKEN": token}) as tool:
            run = tool.end()
    then.ended(run, 0, "promoted")
    assert "the OIDC token in CLUSTER_TOKEN, which ends in 59 min " in run.log
    assert token not in run.log
    then.only_serves(place, NEW)
    then.nothing_of_ours_is_left(place)
