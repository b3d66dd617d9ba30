"""The way to the API server over TLS: whom we trust, and by which certificate we are known."""

import base64
import json
import os
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from progressive_ci.adapters.clock import RealClock
from progressive_ci.adapters.connection import connect
from progressive_ci.adapters.login import Access
from progressive_ci.adapters.transport import KubeTransport
from progressive_ci.adapters.wire import Wire
from progressive_ci.errors import ApiError, NoAnswer
from tests.unit.socket_server import Exchange, serve
from tests.unit.test_adapters_wire import get, kubeconfig, opened, plugin
from tests.unit.tls import CERTIFICATE, KEY


@pytest.fixture
def clock() -> Iterator[RealClock]:
    real = RealClock()
    yield real
    real.close()


def secure(folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    (folder / "both.pem").write_text(CERTIFICATE + KEY)
    context.load_cert_chain(folder / "both.pem")
    return context


def test_a_certificate_that_can_not_be_trusted_is_named(clock: RealClock, tmp_path: Path) -> None:
    with serve(lambda exchange: exchange.answer(200, {}), tls=secure(tmp_path)) as server:
        with pytest.raises(ApiError) as caught:
            get(KubeTransport(Wire(opened(clock, tmp_path, server.url)), clock))
        assert not isinstance(caught.value, NoAnswer), "it would be tried again"
        assert f"the certificate of {server.url} can't be trusted: self-signed certificate" in str(
            caught.value
        )


@pytest.mark.parametrize(
    "trust",
    [
        {"certificate-authority-data": base64.b64encode(CERTIFICATE.encode()).decode()},
        {"certificate-authority": "both.pem"},
        {"insecure-skip-tls-verify": True},
    ],
    ids=["inline authority", "authority beside the kubeconfig", "insecure"],
)
def test_a_kubeconfig_says_whom_to_trust(clock: RealClock, tmp_path: Path, trust: dict[str, Any]) -> None:
    with serve(lambda exchange: exchange.answer(200, {}), tls=secure(tmp_path)) as server:
        path = Path(kubeconfig(tmp_path, server.url))
        body = yaml.safe_load(path.read_text())
        body["clusters"][0]["cluster"] |= trust
        path.write_text(yaml.safe_dump(body))
        connection = connect(clock, Access(kubeconfig=str(path)), environ={})
        assert get(KubeTransport(Wire(connection), clock)).status == 200


def demanding(folder: Path) -> ssl.SSLContext:
    """A server that lets nobody in without a client certificate of its own authority."""
    context = secure(folder)
    context.load_verify_locations(folder / "both.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def trusting(folder: Path, server: str, user: Mapping[str, Any] | None = None) -> str:
    """A kubeconfig that knows the server's authority."""
    path = Path(kubeconfig(folder, server, user))
    body = yaml.safe_load(path.read_text())
    body["clusters"][0]["cluster"]["certificate-authority"] = "both.pem"
    path.write_text(yaml.safe_dump(body))
    return str(path)


def inline(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "user",
    [
        {"client-certificate-data": inline(CERTIFICATE), "client-key-data": inline(KEY)},
        {"client-certificate": "client.pem", "client-key": "client.key"},
        {"client-certificate": "client.pem", "client-key-data": inline(KEY)},
    ],
    ids=["inline", "beside the kubeconfig", "one of each"],
)
def test_a_client_certificate_of_the_kubeconfig_proves_who_asks(
    clock: RealClock, tmp_path: Path, user: dict[str, Any]
) -> None:
    (tmp_path / "client.pem").write_text(CERTIFICATE)
    (tmp_path / "client.key").write_text(KEY)
    shown: list[bytes | None] = []

    def script(exchange: Exchange) -> None:
        connection = exchange.handler.connection
        assert isinstance(connection, ssl.SSLSocket)
        shown.append(connection.getpeercert(binary_form=True))
        exchange.answer(200, {})

    with serve(script, tls=demanding(tmp_path)) as server:
        access = Access(kubeconfig=trusting(tmp_path, server.url, user))
        connection = connect(clock, access, environ={})
        assert connection.look().kind == "the client certificate of the kubeconfig"
        assert get(KubeTransport(Wire(connection), clock)).status == 200
        assert "authorization" not in server.seen[0].headers
    assert shown == [ssl.PEM_cert_to_DER_cert(CERTIFICATE)]


def test_a_server_that_demands_a_certificate_gets_no_request_without_one(
    clock: RealClock, tmp_path: Path
) -> None:
    with serve(lambda exchange: exchange.answer(200, {}), tls=demanding(tmp_path)) as server:
        connection = connect(clock, Access(kubeconfig=trusting(tmp_path, server.url)), environ={})
        with pytest.raises(ApiError):
            get(KubeTransport(Wire(connection), clock), timeout=5)
        assert not server.seen


def test_a_plugin_may_issue_a_client_certificate(clock: RealClock, tmp_path: Path) -> None:
    status = {"status": {"clientCertificateData": CERTIFICATE, "clientKeyData": KEY}}
    (tmp_path / "credential").write_text(json.dumps(status))
    with serve(lambda exchange: exchange.answer(200, {}), tls=demanding(tmp_path)) as server:
        config = trusting(tmp_path, server.url, plugin(tmp_path, f"cat {tmp_path}/credential"))
        connection = connect(clock, Access(kubeconfig=config), environ={"PATH": os.environ["PATH"]})
        assert get(KubeTransport(Wire(connection), clock)).status == 200
