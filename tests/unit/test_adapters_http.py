import base64
import itertools
import json
import ssl
from collections.abc import Mapping
from pathlib import Path

import pytest

from progressive_ci.adapters.http import Sender
from progressive_ci.errors import NoAnswer, ProgressiveError
from progressive_ci.ports import HttpRequest, TokenRequest
from tests.unit.socket_server import Exchange, Script, Server, free_port, serve
from tests.unit.tls import CERTIFICATE, KEY

FORM = (("Content-Type", "application/x-www-form-urlencoded"), ("Authorization", "Bearer t0ken"))


def get(url: str, headers: Mapping[str, str] | None = None) -> HttpRequest:
    return HttpRequest("GET", url, tuple((headers or {}).items()), timeout=30)


def test_a_request_is_sent_as_rendered() -> None:
    with serve(lambda exchange: exchange.answer(200, {"status": "success"}, {"X-A": "b"})) as server:
        request = HttpRequest("POST", server.url + "/api/v1/query", FORM, b"query=up%7Ba%3D%22b%22%7D")
        answer = Sender().send(request)
        seen = server.seen[0]
    assert (answer.status, answer.headers["X-A"], json.loads(answer.body)) == (
        200,
        "b",
        {"status": "success"},
    )
    assert (seen.method, seen.path, seen.body) == ("POST", "/api/v1/query", b"query=up%7Ba%3D%22b%22%7D")
    assert seen.headers["authorization"] == "Bearer t0ken"
    assert seen.headers["user-agent"].startswith("progressive-ci/")


def test_user_and_password_of_the_url_are_sent() -> None:
    with serve(Exchange.fine) as server:
        Sender().send(get(server.url.replace("//", "//me:pass%40word@")))
        login = server.seen[0].headers["authorization"]
    assert base64.b64decode(login.removeprefix("Basic ")) == b"me:pass@word"


def test_a_netrc_file_is_left_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with serve(Exchange.fine) as server:
        Sender().send(get(server.url))
        assert "authorization" not in server.seen[0].headers


def test_a_redirect_to_another_server_carries_no_credential() -> None:
    with serve(lambda exchange: exchange.answer(200, b"there")) as other:
        moved = {"Location": other.url + "/new"}
        with serve(lambda exchange: exchange.answer(302, b"", moved)) as server:
            answer = Sender().send(get(server.url, {"Authorization": "Bearer t0ken", "X-Api-Key": "k"}))
        assert answer.body == b"there"
        assert not {"authorization", "x-api-key"} & set(other.seen[0].headers)


def test_a_redirect_on_the_same_server_keeps_the_credential() -> None:
    def script(exchange: Exchange) -> None:
        if exchange.path == "/old":
            exchange.answer(301, b"", {"Location": "/new"})
        else:
            exchange.answer(200)

    with serve(script) as server:
        Sender().send(get(server.url + "/old", {"Authorization": "Bearer t0ken"}))
        assert [seen.headers["authorization"] for seen in server.seen] == ["Bearer t0ken"] * 2


def test_a_post_is_not_sent_elsewhere() -> None:
    with serve(lambda exchange: exchange.answer(307, b"", {"Location": "/new"})) as server:
        assert Sender().send(HttpRequest("POST", server.url, body=b"query=up")).status == 307
        assert len(server.seen) == 1


def test_redirects_in_a_circle_end() -> None:
    with serve(lambda exchange: exchange.answer(302, b"", {"Location": "/again"})) as server:
        with pytest.raises(ProgressiveError, match=f"{server.url} redirects again and again"):
            Sender().send(get(server.url))
        assert len(server.seen) == 5


@pytest.mark.parametrize("code", [405, 501])
def test_a_form_that_may_not_be_posted_is_asked_for(code: int) -> None:
    def script(exchange: Exchange) -> None:
        exchange.answer(code if exchange.method == "POST" else 200)

    with serve(script) as server:
        form = b"query=up&time=1"
        request = HttpRequest("POST", server.url + "/api?a=b", FORM, form, get_on_405=True)
        assert Sender().send(request).status == 200
        assert server.seen[1].path == "/api?a=b&query=up&time=1"
        assert server.seen[1].body == b""
        assert server.seen[1].headers["authorization"] == "Bearer t0ken"


def endless(exchange: Exchange) -> None:
    exchange.handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n")
    try:
        for _ in range(1600):
            exchange.handler.wfile.write(b"x" * 65536)
    except OSError:
        exchange.handler.close_connection = True


def test_an_answer_of_a_hundred_megabytes_is_cut_off() -> None:
    with serve(endless) as server, pytest.raises(ProgressiveError) as caught:
        Sender().send(get(server.url))
    assert str(caught.value) == f"{server.url} answered with more than 10 MB"


@pytest.mark.parametrize(
    ("misbehave", "message"),
    [
        (Exchange.hang, "no answer within 0.2 s from "),
        (Exchange.reset, "can't be reached: Connection reset by peer"),
        (lambda exchange: exchange.handler.wfile.write(b"nonsense\r\n\r\n"), "can't be reached: "),
    ],
    ids=["silence", "a reset", "no HTTP"],
)
def test_no_answer_says_why_and_shows_no_query(misbehave: Script, message: str) -> None:
    with serve(misbehave) as server, pytest.raises(NoAnswer) as caught:
        Sender().send(HttpRequest("GET", server.url + "/?query=secret", timeout=0.2))
    assert message in str(caught.value)
    assert server.url in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_server_that_does_not_listen_comes_with_a_remedy() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(NoAnswer) as caught:
        Sender().send(get(url + "/?query=secret"))
    assert str(caught.value) == (
        f"{url} can't be reached: Connection refused; map it with --address FROM=TO if this job can't see it"
    )


@pytest.fixture
def secure(tmp_path: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    (tmp_path / "both.pem").write_text(CERTIFICATE + KEY)
    context.load_cert_chain(tmp_path / "both.pem")
    return context


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_what_the_user_says_about_trust_beats_the_environment(
    secure: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str
) -> None:
    (tmp_path / "corporate.pem").write_text("")
    monkeypatch.setenv(variable, str(tmp_path / "corporate.pem"))
    with serve(Exchange.fine, tls=secure) as server:
        assert Sender().send(HttpRequest("GET", server.url, ca=CERTIFICATE)).status == 200
        assert Sender().send(HttpRequest("GET", server.url, insecure=True)).status == 200


def test_an_unknown_certificate_is_named(secure: ssl.SSLContext) -> None:
    with serve(Exchange.fine, tls=secure) as server, pytest.raises(NoAnswer, match="self-signed certificate"):
        Sender().send(get(server.url))


TOKEN = TokenRequest("", "me", "s:cret", ("read", "write"))


def wanting(url: str) -> HttpRequest:
    token = TokenRequest(url + "/token", TOKEN.client_id, TOKEN.client_secret, TOKEN.scopes)
    return HttpRequest("GET", url + "/api", timeout=30, token=token)


def issuing(*, in_form: bool = False, lasts: int = 3600) -> tuple[Script, list[int]]:
    """A token server beside the API, and the codes with which the API answers first."""
    numbers = itertools.count(1)
    codes: list[int] = []

    def script(exchange: Exchange) -> None:
        if exchange.path == "/api":
            exchange.answer(codes.pop(0) if codes else 200)
        elif in_form and b"client_secret" not in exchange.body:
            exchange.answer(401)
        else:
            exchange.answer(200, {"access_token": f"t{next(numbers)}", "expires_in": lasts})

    return script, codes


def logins(server: Server) -> list[str]:
    return [seen.headers["authorization"] for seen in server.seen if seen.path == "/api"]


def test_a_token_is_asked_for_once_and_used_until_it_ends() -> None:
    with serve(issuing()[0]) as server:
        sender = Sender()
        for _ in range(3):
            sender.send(wanting(server.url))
        assert logins(server) == ["Bearer t1"] * 3
        asked = server.seen[0]
    assert asked.body == b"grant_type=client_credentials&scope=read+write"
    assert base64.b64decode(asked.headers["authorization"].removeprefix("Basic ")) == b"me:s%3Acret"


def test_a_token_at_its_end_is_not_used() -> None:
    with serve(issuing(lasts=5)[0]) as server:
        sender = Sender()
        sender.send(wanting(server.url))
        sender.send(wanting(server.url))
        assert logins(server) == ["Bearer t1", "Bearer t2"]


def test_a_refused_token_is_renewed_once() -> None:
    script, codes = issuing()
    codes += [401, 200, 401, 401]
    with serve(script) as server:
        sender = Sender()
        assert sender.send(wanting(server.url)).status == 200
        assert sender.send(wanting(server.url)).status == 401
        assert logins(server) == ["Bearer t1", "Bearer t2", "Bearer t2", "Bearer t3"]


def test_a_token_server_that_wants_the_secret_in_the_form_gets_it_there() -> None:
    with serve(issuing(in_form=True)[0]) as server:
        Sender().send(wanting(server.url))
        assert logins(server) == ["Bearer t1"]


@pytest.mark.parametrize("answer", [(500, b"oops"), (200, b"<html>"), (200, b"[]")])
def test_no_token_is_an_error_with_a_remedy(answer: tuple[int, bytes]) -> None:
    with (
        serve(lambda exchange: exchange.answer(*answer)) as server,
        pytest.raises(ProgressiveError) as caught,
    ):
        Sender().send(wanting(server.url))
    assert str(caught.value) == (
        f"{server.url} gave no token, its answer was {answer[0]}; "
        "check tokenUrl, clientId, clientSecret and scopes"
    )
