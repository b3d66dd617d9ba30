import itertools
import json
import os
import signal
import stat
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from progressive_ci.adapters import wire
from progressive_ci.adapters.clock import RealClock
from progressive_ci.adapters.connection import Connection, connect
from progressive_ci.adapters.login import Access
from progressive_ci.adapters.transport import KubeTransport
from progressive_ci.adapters.wire import Wire
from progressive_ci.errors import NOT_SENT, Interrupted, NoAnswer, Refused
from progressive_ci.ports import HttpResponse, Transport
from tests.unit.socket_server import Exchange, Script, free_port, serve

FAR = 60.0


@pytest.fixture
def clock() -> Iterator[RealClock]:
    real = RealClock()
    yield real
    real.close()


def kubeconfig(folder: Path, server: str, user: Mapping[str, Any] | None = None) -> str:
    path = folder / "config"
    body = {
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u", "namespace": "shop"}}],
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": dict(user or {"token": "t0ken"})}],
    }
    path.write_text(yaml.safe_dump(body))
    return str(path)


def plugin(folder: Path, script: str) -> dict[str, Any]:
    path = folder / "plugin"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "./plugin"}}


def opened(clock: RealClock, folder: Path, server: str, user: Mapping[str, Any] | None = None) -> Connection:
    return connect(
        clock, Access(kubeconfig=kubeconfig(folder, server, user)), environ={"PATH": os.environ["PATH"]}
    )


def get(transport: Transport, path: str = "/api", *, timeout: float = FAR) -> HttpResponse:
    return transport.request(
        "GET", path, query={}, body=None, content_type="application/json", timeout=timeout
    )


def test_a_request_carries_method_path_query_body_and_token(clock: RealClock, tmp_path: Path) -> None:
    with serve(lambda exchange: exchange.answer(201, {"kind": "Pod"}, {"X-Seen": "yes"})) as server:
        transport = KubeTransport(Wire(opened(clock, tmp_path, server.url + "/prefix/")), clock)
        answer = transport.request(
            "PATCH",
            "/api/v1/pods/web",
            query={"labelSelector": "app=web,tier!=db"},
            body=[{"op": "test"}],
            content_type="application/json-patch+json",
            timeout=FAR,
        )
        seen = server.seen[0]
    assert (answer.status, answer.body, answer.headers["X-Seen"]) == (201, b'{"kind": "Pod"}', "yes")
    assert (seen.method, seen.path) == (
        "PATCH",
        "/prefix/api/v1/pods/web?labelSelector=app%3Dweb%2Ctier%21%3Ddb",
    )
    assert json.loads(seen.body) == [{"op": "test"}]
    assert seen.headers["content-type"] == "application/json-patch+json"
    assert seen.headers["authorization"] == "Bearer t0ken"


def test_requests_share_one_connection(clock: RealClock, tmp_path: Path) -> None:
    with serve(lambda exchange: exchange.answer(200, {})) as server:
        transport = KubeTransport(Wire(opened(clock, tmp_path, server.url)), clock)
        for _ in range(5):
            get(transport)
        assert len(server.connections) == 1


def test_a_redirect_is_an_answer_and_not_followed(clock: RealClock, tmp_path: Path) -> None:
    with serve(lambda exchange: exchange.answer(302, b"", {"Location": "/login"})) as server:
        assert get(KubeTransport(Wire(opened(clock, tmp_path, server.url)), clock)).status == 302
        assert len(server.seen) == 1


def test_a_server_behind_the_api_server_does_not_say_what_time_it_is(
    clock: RealClock, tmp_path: Path
) -> None:
    with serve(
        lambda exchange: exchange.answer(200, {}, {"Date": "Sat, 01 Jan 2000 00:00:00 GMT"})
    ) as server:
        connection = opened(clock, tmp_path, server.url)
        transport = KubeTransport(Wire(connection), clock)
        get(transport, "/api/v1/namespaces/monitoring/services/prometheus:9090/proxy/api/v1/query")
        assert connection.time.now().year > 2000
        get(transport, "/api/v1/namespaces/shop/services/web")
        assert connection.time.now().year == 2000


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"


@pytest.mark.parametrize(
    "misbehave",
    [
        Exchange.hang,
        lambda exchange: exchange.drip(HEAD),
        lambda exchange: exchange.drip(b"HTTP/1.1 200 OK\r\nA: "),
    ],
    ids=["silence", "a dripping body", "a dripping header"],
)
class TestAnEndlessAnswer:
    def test_ends_at_the_deadline(self, clock: RealClock, tmp_path: Path, misbehave: Script) -> None:
        with serve(misbehave) as server:
            transport = KubeTransport(Wire(opened(clock, tmp_path, server.url)), clock)
            with pytest.raises(NoAnswer):
                get(transport, timeout=0.1)

    def test_ends_on_a_signal(self, clock: RealClock, tmp_path: Path, misbehave: Script) -> None:
        arrived = threading.Event()

        def script(exchange: Exchange) -> None:
            arrived.set()
            misbehave(exchange)

        def interrupt() -> None:
            arrived.wait(FAR)
            os.kill(os.getpid(), signal.SIGTERM)

        clock.install()
        with serve(script) as server:
            transport = KubeTransport(Wire(opened(clock, tmp_path, server.url)), clock)
            threading.Thread(target=interrupt, daemon=True).start()
            with pytest.raises(Interrupted, match="SIGTERM"):
                get(transport)


def test_a_connection_that_nobody_accepts_proves_that_nothing_was_sent(
    clock: RealClock, tmp_path: Path
) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(NoAnswer) as caught:
        get(KubeTransport(Wire(opened(clock, tmp_path, url)), clock))
    assert caught.value.reason == NOT_SENT
    assert f"the API server {url} can't be reached" in str(caught.value)
    assert "Connection refused" in str(caught.value)


def test_a_loopback_address_in_a_container_comes_with_its_own_remedy(
    clock: RealClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = tmp_path / ".dockerenv"
    mark.touch()
    monkeypatch.setattr(wire, "_CONTAINER_MARKS", (mark,))
    with pytest.raises(NoAnswer) as caught:
        get(KubeTransport(Wire(opened(clock, tmp_path, f"http://127.0.0.1:{free_port()}")), clock))
    assert caught.value.advice.startswith(
        "inside a container that address is the container itself: run the job"
    )


def test_a_request_whose_credential_comes_too_late_is_not_sent(clock: RealClock, tmp_path: Path) -> None:
    with serve(Exchange.fine) as server:
        user = plugin(tmp_path, issue(tmp_path / "count", ends="2001-01-01T00:00:00Z") + "; sleep 0.2")
        late = Wire(opened(clock, tmp_path, server.url, user))
        with pytest.raises(NoAnswer, match="no credential in time") as caught:
            get(late, timeout=0.1)
        assert not server.seen
    assert caught.value.reason == NOT_SENT


@pytest.mark.parametrize(
    "misbehave", [Exchange.reset, lambda exchange: exchange.handler.wfile.write(b"nonsense\r\n\r\n")],
    ids=["a reset", "no HTTP"],
)  # fmt: skip
def test_a_broken_exchange_says_nothing_about_the_request(
    clock: RealClock, tmp_path: Path, misbehave: Script
) -> None:
    with serve(misbehave) as server, pytest.raises(NoAnswer) as caught:
        get(KubeTransport(Wire(opened(clock, tmp_path, server.url)), clock), timeout=5)
    assert caught.value.reason == ""


ANSWER = '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {%s}}'


def issue(count: Path, *, ends: str = "2099-01-01T00:00:00Z") -> str:
    """A plugin's script that counts its runs and puts the number into the token."""
    status = f'"token": "run-%s", "expirationTimestamp": "{ends}"'
    return f"echo x >> {count}; printf '{ANSWER % status}' $(wc -l < {count})"


def test_a_plugin_is_asked_once_for_many_requests(clock: RealClock, tmp_path: Path) -> None:
    count = tmp_path / "count"
    with serve(lambda exchange: exchange.answer(200, {})) as server:
        user = plugin(tmp_path, issue(count))
        transport = KubeTransport(Wire(opened(clock, tmp_path, server.url, user)), clock)
        for _ in range(3):
            get(transport)
        assert {seen.headers["authorization"] for seen in server.seen} == {"Bearer run-1"}


def test_a_credential_at_its_end_is_renewed(clock: RealClock, tmp_path: Path) -> None:
    user = plugin(tmp_path, issue(tmp_path / "count", ends="2001-01-01T00:00:00Z"))
    with serve(lambda exchange: exchange.answer(200, {})) as server:
        transport = KubeTransport(Wire(opened(clock, tmp_path, server.url, user)), clock)
        get(transport)
        get(transport)
        first, second = (seen.headers["authorization"] for seen in server.seen)
    assert first != second


def test_a_401_is_answered_once_with_a_fresh_credential(clock: RealClock, tmp_path: Path) -> None:
    codes = itertools.chain([401], itertools.repeat(200))
    with serve(lambda exchange: exchange.answer(next(codes), {})) as server:
        user = plugin(tmp_path, issue(tmp_path / "count"))
        transport = KubeTransport(Wire(opened(clock, tmp_path, server.url, user)), clock)
        assert get(transport).status == 200
        assert [seen.headers["authorization"] for seen in server.seen] == ["Bearer run-1", "Bearer run-2"]


def test_a_401_with_a_fixed_token_is_the_answer(clock: RealClock, tmp_path: Path) -> None:
    with serve(lambda exchange: exchange.answer(401, {})) as server:
        assert get(KubeTransport(Wire(opened(clock, tmp_path, server.url)), clock)).status == 401
        assert len(server.seen) == 1


def test_a_token_file_is_read_for_every_request(clock: RealClock, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("old\n")
    with serve(lambda exchange: exchange.answer(200, {})) as server:
        user = {"tokenFile": "token"}
        transport = KubeTransport(Wire(opened(clock, tmp_path, server.url, user)), clock)
        get(transport)
        token.write_text("new\n")
        get(transport)
        assert [seen.headers["authorization"] for seen in server.seen] == ["Bearer old", "Bearer new"]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo 'no profile' >&2; exit 3", "failed with exit code 3; it said: no profile; run it by hand"),
        ("echo '<html>'", "printed no credential"),
        (f"printf '{ANSWER}'" % "", "printed no credential"),
    ],
    ids=["fails", "prints something else", "has no token"],
)  # fmt: skip
def test_a_plugin_that_gives_nothing_is_an_error_and_no_anonymous_request(
    clock: RealClock, tmp_path: Path, script: str, said: str
) -> None:
    with serve(lambda exchange: exchange.answer(200, {})) as server:
        with pytest.raises(Refused) as caught:
            opened(clock, tmp_path, server.url, plugin(tmp_path, script))
        assert not server.seen
    assert f"kubeconfig {tmp_path}/config: the credential plugin `./plugin` {said}" in str(caught.value)


def test_a_plugin_that_is_not_installed_is_an_error_with_its_own_hint(
    clock: RealClock, tmp_path: Path
) -> None:
    user = {"exec": {"command": "kubelogin-of-ours", "installHint": "Run\n  krew install it"}}
    with pytest.raises(Refused) as caught:
        opened(clock, tmp_path, "http://127.0.0.1:1", user)
    assert str(caught.value) == (
        f"kubeconfig {tmp_path}/config: the credential plugin `kubelogin-of-ours` can't be run: "
        "No such file or directory; Run krew install it"
    )


def test_a_plugin_that_hangs_ends_on_a_signal(clock: RealClock, tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    os.mkfifo(begun)

    def interrupt() -> None:
        begun.read_text()
        os.kill(os.getpid(), signal.SIGINT)

    clock.install()
    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(Interrupted):
        opened(clock, tmp_path, "http://127.0.0.1:1", plugin(tmp_path, f"echo x > {begun}; exec sleep 5"))
