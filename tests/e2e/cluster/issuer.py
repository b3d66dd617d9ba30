"""Owns an issuer of OIDC tokens, which the API server trusts as long as it is open."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from tests.e2e.cluster.controlplane import authentication
from tests.e2e.cluster.waiting import wait_until

if TYPE_CHECKING:
    import socket

    from tests.e2e.cluster.cluster import Cluster

Asked = Callable[[str, str], object]
"""Gives a document for a path and an Authorization header, None where there is none."""

_ALGORITHM, _KEY = "ES256", "one"


@dataclass(frozen=True, slots=True)
class Issuer:
    """Signs what it is asked to, as `url`."""

    url: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def token(self, *, seconds: float, **claims: str) -> str:
        """Return a token with these claims, good from now on for so long."""
        now = int(time.time())
        whole = claims | {"iss": self.url, "iat": now, "exp": int(now + seconds)}
        return jwt.encode(whole, self.key, algorithm=_ALGORITHM, headers={"kid": _KEY})

    def published(self, path: str, _: str = "") -> object:
        """Return what the API server reads of it."""
        public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key()))
        documents = {
            "/.well-known/openid-configuration": {
                "issuer": self.url,
                "jwks_uri": f"{self.url}/keys",
                "response_types_supported": ["id_token"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": [_ALGORITHM],
            },
            "/keys": {"keys": [public | {"kid": _KEY, "use": "sig", "alg": _ALGORITHM}]},
        }
        return documents.get(path)


@contextmanager
def trusted(cluster: Cluster, trust: dict[str, Any], accepted: Callable[[Issuer], str]) -> Iterator[Issuer]:
    """Open an issuer and let the API server trust it.

    Args:
        cluster: whose API server.
        trust: an entry of its configuration, but for the issuer's address and authority.
        accepted: makes a token that is good once the API server trusts the issuer.
    """
    listening = cluster.cluster_socket()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(str(cluster.certificate), cluster.state["key"])
    issuer = Issuer(f"https://127.0.0.1:{listening.getsockname()[1]}")
    own = {"url": issuer.url, "certificateAuthority": cluster.certificate.read_text()}
    file = Path(cluster.state["authentication"])
    with served(tls.wrap_socket(listening, server_side=True), issuer.published):
        file.write_text(json.dumps(authentication({**trust, "issuer": trust["issuer"] | own})))
        try:
            wait_until("the API server trusts the issuer", lambda: owner(cluster, accepted(issuer)))
            yield issuer
        finally:
            file.write_text(json.dumps(authentication()))


def owner(cluster: Cluster, token: str) -> str:
    """Return whom the API server takes the owner of a token for; nobody where it refuses it."""
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    answer = cluster.as_user(token).send("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", review)
    return str(answer.json()["status"]["userInfo"]["username"]) if answer.ok else ""


@contextmanager
def served(listening: socket.socket, asked: Asked) -> Iterator[str]:
    """Answer GETs with documents; gives `host:port`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = asked(self.path, self.headers.get("Authorization", ""))
            body = json.dumps(found).encode()
            self.send_response(404 if found is None else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    address = listening.getsockname()
    server = ThreadingHTTPServer(address, Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = listening
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield f"{address[0]}:{address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
