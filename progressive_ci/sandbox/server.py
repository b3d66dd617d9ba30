"""The simulated cluster over real HTTP and in real time, on this machine only.

Two ports: the API server, for real clients with bearer tokens, and Prometheus.
"""

import json
import socketserver
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import yaml

from progressive_ci.ports import HttpResponse
from progressive_ci.sandbox.call import Answer, Call, rendered
from progressive_ci.sandbox.reads import Watch
from progressive_ci.sandbox.realtime import RealTimeClock
from progressive_ci.sandbox.world import World

LONGEST_WATCH = 1800.0

Answerer = Callable[["_Request"], HttpResponse | Watch | None]
"""Answers a request; None closes the connection without a word."""


class SandboxServer:
    """A cluster that real clients can talk to.

    Args:
        speed: seconds of the simulated cluster that pass in one real second.

    Attributes:
        clock: drives the controllers.
        ahead: what the time that its answers tell is ahead of that clock.
        world: the cluster; hold `clock.changed` while you touch it.
    """

    def __init__(self, *, speed: float = 1.0) -> None:
        self.clock = RealTimeClock(speed=speed)
        with self.clock.changed:
            self.world = World(self.clock)
        self.ahead = timedelta()
        self._api = _Server(self._answer_api, self.clock, self._date)
        self._prometheus = _Server(self._answer_prometheus, self.clock, self._date)

    @property
    def url(self) -> str:
        """Of the API server."""
        return self._api.url

    @property
    def prometheus_url(self) -> str:
        """Of Prometheus."""
        return self._prometheus.url

    def start(self) -> None:
        """Serve, in threads."""
        self.clock.start()
        for server in (self._api, self._prometheus):
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        """Serve no more."""
        for server in (self._api, self._prometheus):
            server.shutdown()
            server.server_close()
        self.clock.stop()

    def write_kubeconfig(self, path: Path, token: str, namespace: str = "default") -> None:
        """Write a kubeconfig file with one cluster, one user and one context named `sandbox`."""
        context = {"cluster": "sandbox", "user": "sandbox", "namespace": namespace}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "sandbox",
            "clusters": [{"name": "sandbox", "cluster": {"server": self.url}}],
            "users": [{"name": "sandbox", "user": {"token": token}}],
            "contexts": [{"name": "sandbox", "context": context}],
        }
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
        path.chmod(0o600)

    def _date(self) -> datetime:
        return self.clock.wall() + self.ahead

    def _answer_api(self, request: "_Request") -> HttpResponse | Watch:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        content_type = request.headers.get("Content-Type", "").partition(";")[0].strip()
        agent = request.headers.get("User-Agent", "unknown").partition("/")[0]
        path, query = request.parts()
        with self.clock.changed:
            user = self.world.api.tokens.owner(token)
            body = _decoded(request.content, content_type)
            answer = self.world.api.handle(
                Call(request.command, path, query, body, content_type, user, agent=agent)
            )
            self.clock.changed.notify_all()
            return rendered(answer) if isinstance(answer, Answer) else answer

    def _answer_prometheus(self, request: "_Request") -> HttpResponse | None:
        path, query = request.parts()
        prometheus = self.world.prometheus
        with self.clock.changed:
            latency = prometheus.latency()
        time.sleep(latency)
        with self.clock.changed:
            try:
                return prometheus.answer(request.command, path, query, request.content)
            except ConnectionError:
                return None


def _decoded(content: bytes, content_type: str) -> object | None:
    if not content:
        return None
    if "json" in content_type:
        return _parsed(content)
    if "yaml" in content_type:
        loaded: object = yaml.safe_load(content)
        return loaded
    return content


def _parsed(content: bytes) -> object:
    try:
        found: object = json.loads(content)
    except ValueError:
        return content
    return found


class _Server(socketserver.ThreadingMixIn, HTTPServer):
    """One port of the loopback address."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, answer: Answerer, clock: RealTimeClock, date: Callable[[], datetime]) -> None:
        self.answer = answer
        self.date = date
        self.clock = clock
        super().__init__(("127.0.0.1", 0), _Request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a client that has gone, as one does whose watch is not needed any more."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # a socket and its address

    def server_bind(self) -> None:
        """Bind without asking a name server who we are."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "localhost", int(self.server_address[1])

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"


class _Request(BaseHTTPRequestHandler):
    """One connection, kept alive over its requests."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Server
    content: bytes = b""

    def parts(self) -> tuple[str, dict[str, str]]:
        """Path and parameters."""
        split = urlsplit(self.path)
        return split.path, dict(parse_qsl(split.query, keep_blank_values=True))

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The `Date` header of an answer."""
        return (
            format_datetime(self.server.date(), usegmt=True)
            if timestamp is None
            else super().date_time_string(timestamp)
        )

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name
        """Say nothing: the caller's own output stands on the terminal."""

    def _serve(self) -> None:
        self.content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        answer = self.server.answer(self)
        match answer:
            case None:
                self.close_connection = True
            case HttpResponse():
                self._send(answer)
            case watch:
                self._stream(watch)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - the parent looks for these

    def _send(self, response: HttpResponse) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        self.wfile.write(response.body)
        self.wfile.flush()

    def _stream(self, watch: Watch) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.flush()
        for text in self._changes(watch):
            self.wfile.write(f"{len(text):x}\r\n".encode() + text + b"\r\n")
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()

    def _changes(self, watch: Watch) -> Iterator[bytes]:
        clock = self.server.clock
        until = clock.now() + (watch.timeout or LONGEST_WATCH)
        over = False
        while not over and clock.now() < until:
            with clock.changed:
                events = watch.take()
                if not events:
                    clock.changed.wait(min(1.0, max(0.0, until - clock.now()) / clock.speed))
            over = bool(events) and events[-1]["type"] == "ERROR"
            if events:
                yield "".join(json.dumps(event) + "\n" for event in events).encode()
