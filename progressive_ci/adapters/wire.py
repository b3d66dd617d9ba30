"""One exchange with the API server over urllib3, blocking: no repeats, no redirects, a bounded answer."""

import json
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlencode, urlsplit

from progressive_ci import __version__
from progressive_ci.adapters.connection import Connection
from progressive_ci.adapters.credential import Issued, authenticated
from progressive_ci.errors import NOT_SENT, ApiError, NoAnswer
from progressive_ci.ports import HttpResponse

_CHUNK = 65536
_LARGEST = 64 * 1024 * 1024
_LONGEST_LINE = 4 * 1024 * 1024
_REFUSED = 400
"""From this status on an answer may quote what was sent."""
_STARS = b"***"
_KEEPALIVE = {"TCP_KEEPIDLE": 2, "TCP_KEEPINTVL": 1, "TCP_KEEPCNT": 2}
"""Seconds and probes after which the kernel gives a silent connection up; no request is spent on that."""
_CONTAINER_MARKS = (Path("/.dockerenv"), Path("/run/.containerenv"))
"""Files that Docker and Podman put into every container."""


class Wire:
    """`ports.Transport` for threads that may block.

    The deadline holds between two chunks and for each silence; `KubeTransport` makes it total.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str],
        body: object | None,
        content_type: str,
        timeout: float,
    ) -> HttpResponse:
        """Send one request; once more with a fresh credential when the server refuses the present one."""
        until = time.monotonic() + timeout
        target = f"{self._connection.server}{path}" + (f"?{urlencode(query)}" if query else "")
        payload = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        headers = {"accept": "application/json, */*", "user-agent": f"progressive-ci/{__version__}"}
        if payload is not None:
            headers["content-type"] = content_type

        def send(issued: Issued) -> HttpResponse:
            response = self._open(method, target, payload, headers, until, issued)
            return _without(self._whole(response, until), issued.token)

        return authenticated(self._connection.credential, send)

    def lines(self, path: str, *, query: Mapping[str, str], seconds: float) -> HttpResponse | Iterator[bytes]:
        """The lines of an answer as they come, until the server ends it; what is no success comes whole.

        Args:
            path: see `request`.
            query: see `request`.
            seconds: the longest silence, and about the whole time.
        """
        target = f"{self._connection.server}{path}?{urlencode(query)}"
        headers = {"accept": "application/json", "user-agent": f"progressive-ci/{__version__}"}
        until = time.monotonic() + seconds

        def send(issued: Issued) -> _Opened:
            response = self._open("GET", target, None, headers, until, issued)
            if response.status == HTTPStatus.OK:
                return _Opened(response.status, response)
            return _Opened(response.status, _without(self._whole(response, until), issued.token))

        opened = authenticated(self._connection.credential, send)
        if isinstance(opened.answer, HttpResponse):
            return opened.answer
        _keep_alive(opened.answer)
        return self._parts(opened.answer, until)

    def _parts(self, response: Any, until: float) -> Iterator[bytes]:  # noqa: ANN401 - a urllib3 response
        """Whole lines; one connection carries no other answer after this."""
        from urllib3.exceptions import HTTPError  # noqa: PLC0415 - comes with the kubernetes package

        rest = b""
        try:
            for part in response.stream(None):
                *whole, rest = (rest + part).split(b"\n")
                yield from whole
                if len(rest) > _LONGEST_LINE or time.monotonic() > until:
                    return
        except HTTPError as error:
            _explain(error, self._connection.server)
        finally:
            response.close()

    def _whole(self, response: Any, until: float) -> HttpResponse:  # noqa: ANN401 - a urllib3 response
        from urllib3.exceptions import HTTPError  # noqa: PLC0415 - comes with the kubernetes package

        try:
            return HttpResponse(response.status, dict(response.headers), _read(response, until))
        except HTTPError as error:
            _explain(error, self._connection.server)

    def _open(
        self,
        method: str,
        target: str,
        payload: bytes | None,
        headers: Mapping[str, str],
        until: float,
        issued: Issued,
    ) -> Any:  # noqa: ANN401 - a urllib3 response, untyped in version 1
        from urllib3 import Timeout  # noqa: PLC0415 - comes with the kubernetes package, and is loaded by now
        from urllib3.exceptions import HTTPError  # noqa: PLC0415 - same

        pool = self._connection.pool(issued)
        seconds = until - time.monotonic()
        if seconds <= 0:
            # A slow plugin must not let a write go out that nobody waits for any more.
            raise NoAnswer("no credential in time", reason=NOT_SENT)
        try:
            response = pool.request(
                method,
                target,
                body=payload,
                headers={**headers, **self._connection.headers(issued)},
                preload_content=False,
                retries=False,
                redirect=False,
                timeout=Timeout(connect=seconds, read=seconds),
            )
        except HTTPError as error:
            _explain(error, self._connection.server)
        if "/proxy/" not in target:  # there another server answers, whose clock is its own
            self._connection.time.heed(response.headers)
        return response


@dataclass(frozen=True, slots=True)
class _Opened:
    """An answer whose lines are still to come, or a refusal that came whole."""

    status: int
    answer: Any


def _without(answer: HttpResponse, token: str) -> HttpResponse:
    """A refusal without the token: something on the way may quote the request."""
    if answer.status < _REFUSED or not token:
        return answer
    return HttpResponse(answer.status, answer.headers, answer.body.replace(token.encode(), _STARS))


def _read(response: Any, until: float) -> bytes:  # noqa: ANN401 - a urllib3 response, untyped in version 1
    parts: list[bytes] = []
    size = 0
    while part := response.read(_CHUNK):
        parts.append(part)
        size += len(part)
        if size > _LARGEST or time.monotonic() > until:
            response.close()
            if size > _LARGEST:
                raise ApiError(f"an answer of more than {_LARGEST >> 20} MB was cut off")
            raise NoAnswer("the answer did not end in time")
    response.release_conn()
    return b"".join(parts)


def _keep_alive(response: Any) -> None:  # noqa: ANN401 - a urllib3 response
    """Let the kernel ask whether the other side is still there, where it can."""
    link = getattr(getattr(response, "connection", None), "sock", None)
    options = {getattr(socket, name, None): value for name, value in _KEEPALIVE.items()}
    if link is None or None in options:
        return
    link.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in options.items():
        link.setsockopt(socket.IPPROTO_TCP, option, value)


def _explain(error: Exception, server: str) -> NoReturn:
    """Say what a broken exchange means: whether the request was sent, and what to look at."""
    from urllib3 import exceptions  # noqa: PLC0415 - comes with the kubernetes package, and is loaded by now

    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            raise ApiError(
                f"the certificate of {server} can't be trusted: {cause.verify_message}",
                advice="check server, certificate-authority-data and tls-server-name in the kubeconfig; where the "
                "cluster's authority was replaced, write the kubeconfig again",
                reason="Certificate",
            ) from error
        cause = cause.__cause__ or cause.__context__ or _argument(cause)
    unsent = isinstance(
        error, exceptions.NewConnectionError | exceptions.ConnectTimeoutError | exceptions.ProxyError
    )
    did = "can't be reached" if unsent else "did not answer"
    raise NoAnswer(
        f"the API server {server} {did}: {_plain(error)}",
        advice=_advice(server),
        reason=NOT_SENT if unsent else "",
    ) from error


def _argument(error: BaseException) -> BaseException | None:
    """urllib3 keeps the cause as the first argument."""
    first = error.args[0] if error.args else None
    return first if isinstance(first, BaseException) else None


def _plain(error: BaseException) -> str:
    """The message without the object's address that urllib3 puts before it."""
    said = str(error)
    return said.split(">: ", 1)[-1] if said.startswith("<") else said


def _advice(server: str) -> str:
    local = urlsplit(server).hostname in {"127.0.0.1", "localhost", "::1"}
    if local and any(mark.exists() for mark in _CONTAINER_MARKS):
        return (
            "inside a container that address is the container itself: run the job in the cluster's network "
            "(docker run --network), or give the API server an address that this container can reach"
        )
    return "check that this job may reach that address: a private endpoint, a firewall, a VPN or a proxy"
