"""Owns the recording proxy between a tool and a server: sees every request, and can break any of them.

Before the API server it ends TLS with the cluster's own certificate, so a kubeconfig only has to name its address.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import socket
import ssl
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl, urlsplit

from tests.e2e.cluster.exchange import Answer, Call, DropError, Hooks, NoHooks, Twice, line

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from tests.e2e.cluster.cluster import Cluster

_PER_CONNECTION = {"connection", "keep-alive", "transfer-encoding", "content-length", "upgrade", "te", "host"}
_NO_BODY = {204, 304}


class RecordingProxy:
    """A running proxy; also a context manager that stops it. `hooks` may be exchanged at any time."""

    def __init__(
        self,
        cluster: Cluster,
        hooks: Hooks | None = None,
        *,
        record: Path | None = None,
        upstream: str = "",
    ) -> None:
        """Listen on 127.0.0.1 of the runner's namespace; append a JSON line per request to `record`.

        `upstream` is the API server, if it is not the URL of a server that speaks plain HTTP.
        """
        self.hooks: Hooks = hooks or NoHooks()
        self.calls: list[tuple[Call, Answer]] = []
        self._record = record
        self._mutex = threading.Lock()
        self._numbers = itertools.count(1)
        self._connections: set[socket.socket] = set()
        self._upstream = urlsplit(upstream or cluster.server)
        self._trust = ssl.create_default_context(cafile=str(cluster.certificate))
        self._server = _Server(cluster.runner_socket(), _handler(self), self._connections)
        if not upstream:
            self._server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._server.tls.load_cert_chain(str(cluster.certificate), cluster.state["key"])
        self.url = f"{self._upstream.scheme}://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="proxy", kwargs={"poll_interval": 0.1}
        )
        self._thread.start()

    def __enter__(self) -> Self:
        """Keep running."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    def stop(self) -> None:
        """Close the port and every connection."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def number(self) -> int:
        """Return the number of the next request."""
        return next(self._numbers)

    def connect(self) -> http.client.HTTPConnection:
        """Open a connection to the server."""
        host, port = self._upstream.hostname or "", self._upstream.port
        if self._upstream.scheme == "http":
            return http.client.HTTPConnection(host, port)
        return http.client.HTTPSConnection(host, port, context=self._trust)

    def note(self, call: Call, answer: Answer) -> None:
        """Remember an exchange. Never the Authorization header."""
        with self._mutex:
            self.calls.append((call, answer))
            if self._record:
                with self._record.open("a") as file:
                    file.write(line(call, answer))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    tls: ssl.SSLContext | None = None

    def __init__(
        self, listening: socket.socket, handler: type[BaseHTTPRequestHandler], connections: set[socket.socket]
    ) -> None:
        address = listening.getsockname()
        super().__init__(address, handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        self.server_name, self.server_port = address
        self._connections = connections

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401  (the base class's types)
        # Here and not in `accept`: a slow handshake must not hold up other connections.
        try:
            wrapped = self.tls.wrap_socket(request, server_side=True) if self.tls else request
        except OSError:
            request.close()
            return
        wrapped.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connections.add(wrapped)
        try:
            super().process_request_thread(wrapped, client_address)
        finally:
            self._connections.discard(wrapped)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """Say nothing: a client that was killed has closed its connection."""


def _handler(proxy: RecordingProxy) -> type[BaseHTTPRequestHandler]:
    class Handler(_Connection):
        owner = proxy

    return Handler


class _Connection(BaseHTTPRequestHandler):
    """One connection of the tool, with one connection of its own to the server."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body in one write: two cost a delayed acknowledgement
    owner: RecordingProxy

    def setup(self) -> None:
        super().setup()
        self._upstream = self.owner.connect()

    def finish(self) -> None:
        self._upstream.close()
        super().finish()

    def log_message(self, *_: object) -> None:
        pass

    def _serve(self) -> None:
        url = urlsplit(self.path)
        call = Call(
            number=self.owner.number(),
            at=time.time(),
            method=self.command,
            path=url.path,
            query=dict(parse_qsl(url.query, keep_blank_values=True)),
            content_type=self.headers.get("Content-Type", ""),
            body=self.rfile.read(int(self.headers.get("Content-Length", 0))),
        )
        try:
            answer = self.owner.hooks.before(call)
            if isinstance(answer, Answer):
                self._give(call, answer)
            else:
                self._forward(call, answer)
        except DropError:
            self.close_connection = True
            self.owner.note(call, Answer(0))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815  (the base class's names)

    def _forward(self, call: Call, twice: Twice | None) -> None:
        response = self._ask(call)
        answer = _head(response)
        if call.query.get("watch") in {"true", "1"} or call.query.get("follow") == "true":
            self._stream(call, answer, response)
            return
        answer = replace(answer, body=response.read())
        if twice:
            response = self._ask(call)
            second = replace(_head(response), body=response.read())
            answer = answer if twice.gives_first else second
        self._give(call, self.owner.hooks.after(call, answer) or answer)

    def _ask(self, call: Call) -> http.client.HTTPResponse:
        headers = {
            k: v for k, v in self.headers.items() if k.lower() not in _PER_CONNECTION | {"accept-encoding"}
        }
        reused = self._upstream.sock is not None
        try:
            self._upstream.request(call.method, self.path, call.body or None, headers)
            return self._upstream.getresponse()
        except (ConnectionError, http.client.RemoteDisconnected):
            self._upstream.close()
            if not reused:
                raise DropError from None
            # The server has closed an idle connection: that is no fault of this request.
            self._upstream.request(call.method, self.path, call.body or None, headers)
            return self._upstream.getresponse()

    def _give(self, call: Call, answer: Answer) -> None:
        self.owner.note(call, answer)
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", answer.content_type)
        if answer.status not in _NO_BODY:
            self.send_header("Content-Length", str(len(answer.body) + answer.missing))
        self.end_headers()
        for part in _parts(answer):
            self.wfile.write(part)
            self.wfile.flush()
            time.sleep(answer.pause)
        if answer.missing:
            self.close_connection = True

    def _stream(self, call: Call, answer: Answer, response: http.client.HTTPResponse) -> None:
        """Pass a watch on event by event; it is recorded when it ends."""
        self.send_response_only(answer.status)
        for name, value in (
            {"Content-Type": answer.content_type, "Transfer-Encoding": "chunked"} | answer.headers
        ).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.flush()
        received = bytearray()
        try:
            while part := response.read1(65536):
                received += part
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
                self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")
        finally:
            response.close()
            self.owner.note(call, replace(answer, body=bytes(received)))


def _head(response: http.client.HTTPResponse) -> Answer:
    """An answer without its body."""
    besides = _PER_CONNECTION | {"content-type"}
    headers = {key: value for key, value in response.getheaders() if key.lower() not in besides}
    return Answer(response.status, b"", response.getheader("Content-Type", ""), headers)


def _parts(answer: Answer) -> list[bytes]:
    """The body as it goes over the wire: at once, or byte by byte."""
    return [bytes([byte]) for byte in answer.body] if answer.pause else [answer.body]
