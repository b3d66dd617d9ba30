"""Which cluster and which credential are chosen, how they are named, and that nothing of them is shown."""

import base64
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from progressive_ci.adapters import login
from progressive_ci.adapters.clock import RealClock
from progressive_ci.adapters.connection import Connection, connect
from progressive_ci.adapters.login import Access
from progressive_ci.adapters.transport import KubeTransport
from progressive_ci.adapters.wire import Wire
from progressive_ci.errors import Refused
from progressive_ci.ports import HttpResponse
from tests.unit.certificates import UNTIL_2027
from tests.unit.socket_server import Exchange, serve
from tests.unit.test_adapters_tls import secure
from tests.unit.test_adapters_wire import plugin
from tests.unit.tls import CERTIFICATE, KEY
from tests.unit.tokens import jwt

ENDS = datetime(2099, 1, 1, tzinfo=UTC)
SERVER = "https://shop.example"
ACTIONS = {"ACTIONS_ID_TOKEN_REQUEST_TOKEN": "r3quest"}


@pytest.fixture
def clock() -> Iterator[RealClock]:
    real = RealClock()
    yield real
    real.close()


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a pod's service account."""
    folder = tmp_path / "serviceaccount"
    folder.mkdir()
    (folder / "token").write_text("first")
    (folder / "namespace").write_text("shop")
    monkeypatch.setattr(login, "ACCOUNT", folder)
    return folder


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def kubeconfig(folder: Path, user: dict[str, Any], cluster: dict[str, Any] | None = None) -> str:
    body = {
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u", "namespace": "shop"}}],
        "clusters": [{"name": "c", "cluster": cluster or {"server": SERVER}}],
        "users": [{"name": "u", "user": user}],
    }
    (folder / "config").write_text(yaml.safe_dump(body))
    return str(folder / "config")


def get(connection: Connection, clock: RealClock) -> HttpResponse:
    transport = KubeTransport(Wire(connection), clock)
    return transport.request("GET", "/api", query={}, body=None, content_type="application/json", timeout=30)


@pytest.mark.parametrize(
    ("user", "kind", "ends", "renewed"),
    [
        ({"token": "opaque"}, "the token of the kubeconfig", None, False),
        ({"token": jwt(ENDS)}, "the token of the kubeconfig", ENDS, False),
        ({"tokenFile": "token"}, "the token file of the kubeconfig", ENDS, False),
        (
            {"client-certificate-data": encoded(UNTIL_2027), "client-key-data": encoded(KEY)},
            "the client certificate of the kubeconfig",
            datetime(2027, 11, 23, 9, 20, 24, tzinfo=UTC),
            False,
        ),
        ({"exec": {"command": "./plugin"}}, "the credential plugin `./plugin`", None, True),
        ({"username": "me", "password": "p4ssword"}, "the user of the kubeconfig", None, False),
    ],
    ids=["a token", "a JWT", "a token file", "a certificate", "a plugin", "a name and password"],
)
def test_a_credential_of_a_kubeconfig_is_named_with_its_end(  # a row of the table
    clock: RealClock, tmp_path: Path, user: dict[str, Any], kind: str, ends: datetime | None, *, renewed: bool
) -> None:
    (tmp_path / "token").write_text(jwt(ENDS))
    plugin(tmp_path, """echo '{"status": {"token": "t", "expirationTimestamp": "2099-01-01T00:00:00Z"}}'""")
    environ = {"PATH": os.environ["PATH"]}
    found = connect(clock, Access(kubeconfig=kubeconfig(tmp_path, user)), environ=environ).look()
    assert (found.kind, found.ends, found.renewed) == (kind, ends, renewed)
    assert (found.left is None) == (ends is None)


def github(exchange: Exchange) -> None:
    exchange.answer(200, {"value": jwt(ENDS)} if exchange.path.startswith("/token") else {})


@pytest.mark.parametrize("query", ["?api-version=2.0", ""])
def test_githubs_token_is_asked_for_and_sent_to_the_cluster(clock: RealClock, query: str) -> None:
    with serve(github) as server:
        environ = {**ACTIONS, "ACTIONS_ID_TOKEN_REQUEST_URL": f"{server.url}/token{query}"}
        access = Access("github-oidc", server=server.url, audience="https://shop.example/?a=b")
        connection = connect(clock, access, environ=environ)
        get(connection, clock)
        asked, sent = server.seen
    joint = "&" if query else "?"
    assert asked.path == f"/token{query}{joint}audience=https%3A%2F%2Fshop.example%2F%3Fa%3Db"
    assert asked.headers["authorization"] == "Bearer r3quest"
    assert sent.headers["authorization"] == f"Bearer {jwt(ENDS)}"
    assert connection.look().renewed


def test_a_redirect_of_the_token_server_is_followed_without_the_jobs_token(clock: RealClock) -> None:
    with serve(github) as elsewhere:
        moved = {"Location": f"{elsewhere.url}/token"}
        with serve(lambda exchange: exchange.answer(302, b"", moved)) as server:
            environ = {**ACTIONS, "ACTIONS_ID_TOKEN_REQUEST_URL": f"{server.url}/token"}
            connect(clock, Access("github-oidc", server=SERVER), environ=environ)
        assert "authorization" not in elsewhere.seen[0].headers


def test_gitlabs_token_comes_from_a_variable_of_the_job(clock: RealClock) -> None:
    with serve(Exchange.fine) as server:
        access = Access("gitlab-oidc", server=server.url, variable="KUBE_TOKEN")
        connection = connect(clock, access, environ={"KUBE_TOKEN": jwt(ENDS)})
        get(connection, clock)
        assert server.seen[0].headers["authorization"] == f"Bearer {jwt(ENDS)}"
    found = connection.look()
    assert (found.kind, found.ends, found.renewed) == ("the OIDC token in KUBE_TOKEN", ENDS, False)


def test_a_pods_account_is_read_again_for_every_request(clock: RealClock, account: Path) -> None:
    with serve(Exchange.fine) as server:
        environ = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "6443"}
        connection = connect(clock, environ=environ)
        assert (connection.server, connection.namespace, connection.in_cluster) == (
            "https://10.0.0.1:6443", "shop", True,
        )  # fmt: skip
        connection.server = server.url
        get(connection, clock)
        (account / "token").write_text("second")
        get(connection, clock)
        assert [seen.headers["authorization"] for seen in server.seen] == ["Bearer first", "Bearer second"]
    assert connection.look().kind == "the pod's service account"
    assert connection.look().renewed


def test_a_pods_account_at_an_address_of_version_6(clock: RealClock, account: Path) -> None:
    assert account.exists()
    environ = {"KUBERNETES_SERVICE_HOST": "fd00::1"}
    assert connect(clock, Access("in-cluster"), environ=environ).server == "https://[fd00::1]:443"


def test_a_login_by_oidc_goes_to_the_kubeconfigs_cluster(clock: RealClock, tmp_path: Path) -> None:
    access = Access("gitlab-oidc", kubeconfig=kubeconfig(tmp_path, {"token": "other"}), variable="T")
    connection = connect(clock, access, environ={"T": "mine"})
    assert connection.server == SERVER
    assert connection.credential.current().token == "mine"  # noqa: S105 - not one


@pytest.mark.parametrize("form", ["a path", "PEM", "base64"])
def test_the_authority_may_be_given_in_any_form(clock: RealClock, tmp_path: Path, form: str) -> None:
    context = secure(tmp_path)
    forms = {"a path": str(tmp_path / "both.pem"), "PEM": CERTIFICATE, "base64": encoded(CERTIFICATE)}
    with serve(Exchange.fine, tls=context) as server:
        access = Access("gitlab-oidc", server=server.url, authority=forms[form], variable="T")
        assert get(connect(clock, access, environ={"T": "token"}), clock).status == 200


@pytest.mark.parametrize(
    ("access", "environ", "what"),
    [
        (
            Access(server=SERVER),
            {},
            "--server has no effect with --auth auto; add --auth and how to log in there",
        ),
        (Access(audience="x"), {}, "--audience has no effect with --auth auto; add --auth github-oidc"),
        (Access("eks", authority="ca.pem"), {}, "--certificate-authority needs --server; give both"),
        (Access("eks"), {}, "--auth eks needs --eks-cluster"),
        (Access("in-cluster"), {}, "this is no pod with a service account"),
        (
            Access("gitlab-oidc", server=SERVER, variable="T"),
            {},
            "the variable T is empty; declare it below `id_t",
        ),
        (
            Access("github-oidc", server=SERVER),
            {},
            "GitHub offers this job no OIDC token; add `permissions: {id-",
        ),
        (
            Access("eks", cluster="shop", server=SERVER),
            {"AWS_REGION": "x"},
            "there are no AWS keys in this job",
        ),
        (Access("github-oidc"), {"HOME": "/nowhere"}, "no kubeconfig found"),
    ],
    ids=["server", "audience", "authority", "cluster", "pod", "variable", "permission", "keys", "no cluster"],
)
def test_what_is_missing_for_a_login_is_said_with_a_remedy(
    clock: RealClock, access: Access, environ: dict[str, str], what: str
) -> None:
    with pytest.raises(Refused) as caught:
        connect(clock, access, environ=environ)
    assert what in str(caught.value)


def test_a_plugin_for_eks_that_is_missing_is_replaced_and_the_user_told(
    clock: RealClock, tmp_path: Path
) -> None:
    args = ["--region", "eu-west-1", "eks", "get-token", "--cluster-name", "shop"]
    path = kubeconfig(tmp_path, {"exec": {"command": "aws", "args": args}})
    told: list[str] = []
    environ = {"PATH": "/nowhere", "AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "s3cret"}
    connection = connect(clock, Access(kubeconfig=path), environ=environ, tell=told.append)
    assert connection.credential.current().token.startswith("k8s-aws-v1.")
    assert told == [
        "`aws`, which the kubeconfig asks for a token, is not installed: the token is signed here"
    ]


def test_a_new_authority_in_the_same_file_is_trusted_from_then_on(clock: RealClock, tmp_path: Path) -> None:
    context = secure(tmp_path)
    trusted = tmp_path / "ca.pem"
    trusted.write_text(CERTIFICATE)
    with serve(Exchange.fine, tls=context) as server:
        cluster = {"server": server.url, "certificate-authority": "ca.pem"}
        connection = connect(
            clock, Access(kubeconfig=kubeconfig(tmp_path, {"token": "t"}, cluster)), environ={}
        )
        issued = connection.credential.current()
        before = connection.pool(issued)
        assert connection.pool(issued) is before
        trusted.write_text(UNTIL_2027 + CERTIFICATE)
        os.utime(trusted, (1, 1))
        assert connection.pool(issued) is not before
        assert get(connection, clock).status == 200


def test_an_end_is_reckoned_by_the_servers_clock(clock: RealClock, tmp_path: Path) -> None:
    server_time = datetime.now(UTC) + timedelta(minutes=10)
    ends = server_time + timedelta(minutes=20)

    def script(exchange: Exchange) -> None:
        exchange.handler.date_time_string = lambda *_: format_datetime(server_time, usegmt=True)  # type: ignore[method-assign]
        exchange.answer(200)

    with serve(script) as server:
        path = kubeconfig(tmp_path, {"token": jwt(ends)}, {"server": server.url})
        connection = connect(clock, Access(kubeconfig=path), environ={})
        left = connection.look().left
        assert left is not None
        assert 1790 < left < 1810
        get(connection, clock)
        left = connection.look().left
        assert left is not None
        assert 1190 < left < 1210


def test_every_secret_is_announced_before_it_is_sent(clock: RealClock, tmp_path: Path) -> None:
    secrets: list[str] = []
    token = tmp_path / "token"
    token.write_text("one-token")
    with serve(lambda exchange: exchange.answer(200, {}) if secrets else exchange.reset()) as server:
        path = kubeconfig(tmp_path, {"tokenFile": "token"}, {"server": server.url})
        connection = connect(clock, Access(kubeconfig=path), environ={}, secret=secrets.append)
        get(connection, clock)
        get(connection, clock)
        token.write_text("two-token")
        get(connection, clock)
    assert secrets == ["one-token", "two-token"]


def test_a_refusal_that_quotes_the_request_is_stripped_of_the_token(clock: RealClock, tmp_path: Path) -> None:
    def echo(exchange: Exchange) -> None:
        exchange.answer(502, json.dumps(dict(exchange.headers)).encode())

    with serve(echo) as server:
        path = kubeconfig(tmp_path, {"token": "s3cret-token"}, {"server": server.url})
        answer = get(connect(clock, Access(kubeconfig=path), environ={}), clock)
    assert b"Bearer ***" in answer.body
    assert b"s3cret" not in answer.body
