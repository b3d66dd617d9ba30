"""A credential plugin that issues short credentials, and an API server that refuses one of them in mid-release."""

import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from tests.e2e import given, then, when
from tests.e2e.cluster.exchange import Answer, Call
from tests.e2e.cluster.proxy import RecordingProxy
from tests.e2e.cluster.waiting import wait_until
from tests.e2e.given import NEW, OLD, Shop
from tests.e2e.interference import writes_route

pytest_plugins = ["tests.e2e.cluster.fixtures", "tests.e2e.opening"]

_LASTS = 8
_PLUGIN = """#!/bin/sh
echo x >> "$0.asked"
printf '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status":
  {"token": "%s", "expirationTimestamp": "%s"}}' \\
  "$(cat "$0.token")" "$(date -u -d '+LASTS seconds' +%Y-%m-%dT%H:%M:%SZ)"
"""


@dataclass(frozen=True, slots=True)
class Plugin:
    """A program that gives whatever token lies beside it, and says that it ends in eight seconds."""

    path: Path

    @property
    def asked(self) -> int:
        """How often it was run."""
        return len((self.path.parent / "login.asked").read_text().splitlines())

    def gives(self, token: str) -> None:
        """From now on it gives this token."""
        (self.path.parent / "login.token").write_text(token)

    def kubeconfig(self, place: Shop, server: str) -> Path:
        """One whose user is this plugin."""
        file = place.cluster.kubeconfig("none", server)
        body = yaml.safe_load(file.read_text())
        body["users"][0]["user"] = {
            "exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(self.path)}
        }
        file.write_text(yaml.safe_dump(body))
        return file


def installed(place: Shop) -> Plugin:
    folder = place.folder.parent / "plugin"
    folder.mkdir()
    path = folder / "login"
    path.write_text(_PLUGIN.replace("LASTS", str(_LASTS)))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return Plugin(path)


def command(place: Shop) -> tuple[str, ...]:
    return ("run", "-f", str(place.folder), *when.QUICKLY)


@dataclass(slots=True)
class RefusesOnce:
    """The first write to the route meets a 401, as of a token that was revoked just now."""

    refused: list[Call] = field(default_factory=list)
    seen: list[Call] = field(default_factory=list)

    def before(self, call: Call) -> Answer | None:
        """Refuse it, if it is the first."""
        if not writes_route(call):
            return None
        self.seen.append(call)
        if self.refused:
            return None
        self.refused.append(call)
        status = b'{"kind": "Status", "status": "Failure", "reason": "Unauthorized", "code": 401}'
        return Answer(401, status)

    def after(self, call: Call, answer: Answer) -> Answer | None:
        """Give the server's answer."""
        del call, answer
        return None


@pytest.mark.acceptance("F11")
def test_short_credentials_of_a_plugin_carry_a_release_to_its_end(shop: Callable[..., Shop]) -> None:
    place, hooks = shop(), RefusesOnce()
    place.releases(NEW, steps=given.setting(20, 60, pause="30s"))
    role, login = place.role(), installed(place)
    first = place.token(role)
    login.gives(first)
    with (
        RecordingProxy(place.cluster, hooks) as proxy,
        when.users(place) as load,
        when.start_as(place, login.kubeconfig(place, proxy.url), *command(place)) as tool,
    ):
        tool.wait_for("== step 2/")
        second = place.token(role, account="ci-again")
        login.gives(second)
        # The first may be void at once, and two refusals within seconds are one too many for any run.
        asked = login.asked
        wait_until("the plugin has given the second", lambda: login.asked >= asked + 2)
        place.cluster.admin.delete("ServiceAccount", "ci", place.namespace)  # its token is void within 10 s
        run = tool.end()
        records = load.stop()
        refusals = [call for call, answer in proxy.calls if answer.status == 401]
    then.ended(run, 0, "promoted")
    then.no_request_failed(records)
    then.only_serves(place, NEW)
    then.nothing_of_ours_is_left(place)
    assert hooks.seen[0].body == hooks.seen[1].body, "the same request is sent again"
    assert login.asked >= run.seconds / _LASTS, "it is asked before what it gave ends"
    assert len(refusals) < 5
    assert "the credential plugin `" in run.log
    for secret in (first, second):
        assert secret not in run.log


def test_a_token_that_nobody_renews_is_named_with_its_end_and_refused_where_it_is_too_short(
    shop: Callable[..., Shop],
) -> None:
    place = shop()
    place.releases(NEW)
    place.token(place.role())
    token = place.cluster.user("ci", "", place.namespace, seconds=600)
    file = place.cluster.kubeconfig(token)
    with when.start_as(place, file, "plan", "-f", str(place.folder)) as tool:
        warned = tool.end()
    assert "the token of the kubeconfig, which ends in" in warned.log
    assert "is rolled back; use a credential that is renewed" in warned.log
    steps = [{"setWeight": 20}, {"pause": {"duration": "1h"}}]
    place.releases(NEW, steps=steps, judged=False, ready_seconds=900)
    with when.start_as(place, file, "run", "-f", str(place.folder), "--settle", "300s") as tool:
        run = tool.end()
    then.ended(run, 3, "refused")
    assert "the token of the kubeconfig: it ends in" in run.told["reason"]
    assert token not in warned.log + run.log
    then.only_serves(place, OLD)
