"""A small HTTP server on a real socket that misbehaves as a test wants it to."""

import json
import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Exchange:
    """One request, and the hand that answers it."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    handler: BaseHTTPRequestHandler
    released: threading.Event

    def answer(self, status: int, body: object = b"", headers: Mapping[str, str] | None = None) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.handler.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **(headers or {})}.items():
            self.handler.send_header(name, value)
        self.handler.end_headers()
        self.handler.wfile.write(content)

    def fine(self) -> None:
        """200 and nothing else."""
        self.answer(200)

    def hang(self) -> None:
        """Say nothing until the test is over."""
        self.released.wait(60)
        self.handler.close_connection = True

    def drip(self, content: bytes, pause: float = 0.01) -> None:
        """One byte now and then, endlessly."""
        for byte in content:
            self.handler.wfile.write(bytes([byte]))
        while not self.released.wait(pause):
            self.handler.wfile.write(b"x")
        self.handler.close_connection = True

    def reset(self) -> None:
        """Break the connection as a crashed host does."""
        option = struct.pack("ii", 1, 0)
        self.handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, option)
        self.handler.close_connection = True
        self.handler.connection.close()


@dataclass
class Server:
    """Where it listens, and what it has seen."""

    url: str
    port: int
    seen: list[Exchange] = field(default_factory=list)
    connections: set[Any] = field(default_factory=set)


Script = Callable[[Exchange], None]


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)  # the library's own looks up a name: 5 s without DNS
        self.server_name, self.server_port = "127.0.0.1", int(self.server_address[1])

    def handle_error(self, request: object, client_address: object) -> None:
        """A test's client goes away whenever it likes."""


@contextmanager
def serve(script: Script, *, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Answer every request as the script says, until the block ends."""
    released = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 0

        def do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            exchange = Exchange(self.command, self.path, headers, body, self, released)
            server.seen.append(exchange)
            server.connections.add(self.client_address)
            script(exchange)

        do_GET = do_POST = do_PATCH = do_DELETE = do  # noqa: N815 - the library's names

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with _Quiet(("127.0.0.1", 0), Handler) as listening:
        if tls is not None:
            listening.socket = tls.wrap_socket(listening.socket, server_side=True)
        scheme = "http" if tls is None else "https"
        server = Server(f"{scheme}://127.0.0.1:{listening.server_port}", listening.server_port)
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            released.set()
            listening.shutdown()
            thread.join()


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
