"""Hostile metrics servers over real sockets: what they send is bounded, and what they were sent stays with them."""

import gzip
import ssl
from pathlib import Path

import pytest

from progressive_ci.adapters.http import Sender
from progressive_ci.errors import NoAnswer, ProgressiveError
from progressive_ci.ports import HttpRequest
from tests.unit.socket_server import Exchange, serve
from tests.unit.tls import CERTIFICATE, KEY

BOMB = gzip.compress(b"\0" * 200_000_000, compresslevel=1)


@pytest.mark.acceptance("F13")
def test_a_packed_bomb_is_cut_off() -> None:
    def script(exchange: Exchange) -> None:
        exchange.answer(200, BOMB, {"Content-Encoding": "gzip"})

    with serve(script) as server, pytest.raises(ProgressiveError, match="answered with more than 10 MB"):
        Sender().send(HttpRequest("GET", server.url))


@pytest.mark.acceptance("F13")
def test_one_byte_now_and_then_ends_with_the_time() -> None:
    def script(exchange: Exchange) -> None:
        exchange.drip(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")

    with serve(script) as server, pytest.raises(NoAnswer, match="no answer within 1 s"):
        Sender().send(HttpRequest("GET", server.url, timeout=1))


@pytest.mark.acceptance("F13")
def test_a_redirect_to_an_unencrypted_address_is_refused(tmp_path: Path) -> None:
    (tmp_path / "both.pem").write_text(CERTIFICATE + KEY)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "both.pem")
    with serve(Exchange.fine) as plain:
        moved = {"Location": plain.url}
        with serve(lambda exchange: exchange.answer(302, b"", moved), tls=context) as server:
            request = HttpRequest("GET", server.url, (("X-Key", "k"),), ca=CERTIFICATE)
            with pytest.raises(ProgressiveError, match="which is not encrypted"):
                Sender().send(request)
        assert not plain.seen


def test_a_redirect_to_the_metadata_service_is_refused() -> None:
    moved = {"Location": "http://169.254.169.254/latest/meta-data"}
    with (
        serve(lambda exchange: exchange.answer(302, b"", moved)) as server,
        pytest.raises(ProgressiveError, match="link-local"),
    ):
        Sender().send(HttpRequest("GET", server.url))
