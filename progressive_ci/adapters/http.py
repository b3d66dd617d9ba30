"""HTTP to the outside: metrics servers, token servers. Blocking, for worker threads; bounded in time and size.

The only module that imports `requests`, and only once something is asked: that import takes 0.1 s.
"""

import base64
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any
from urllib.parse import quote_plus, unquote, urlencode, urljoin, urlsplit

from progressive_ci import __version__
from progressive_ci.adapters.addresses import refuse_metadata
from progressive_ci.adapters.memory_file import path_of
from progressive_ci.errors import NoAnswer, ProgressiveError
from progressive_ci.metrics.provider import MOST_BYTES
from progressive_ci.model.json_text import parsed
from progressive_ci.ports import HttpRequest, HttpResponse, TokenRequest

_CHUNK = 16384
_REDIRECTS = 5
_EARLY = 10.0
"""Seconds before its end from which a token is not used any more."""


class Sender:
    """Sends `HttpRequest`s, and keeps the tokens that they need."""

    def __init__(self) -> None:
        self._tokens: dict[TokenRequest, tuple[str, float]] = {}

    @property
    def tokens(self) -> tuple[str, ...]:
        """Those that it holds."""
        return tuple(token for token, _ in list(self._tokens.values()))

    def send(self, request: HttpRequest) -> HttpResponse:
        """Send one request, its redirects and its token's request; any status is an answer.

        Raises:
            NoAnswer: none in time, or the connection could not be made or broke.
            ProgressiveError: the answer is too large, or there is no token to be had.
        """
        until = time.monotonic() + request.timeout
        login = self._login(request, until)
        answer = _followed(_with(request, login), until)
        if answer.status == HTTPStatus.UNAUTHORIZED and request.token is not None:
            self._tokens.pop(request.token, None)
            login = self._login(request, until)
            answer = _followed(_with(request, login), until)
        if request.get_on_405 and answer.status in (
            HTTPStatus.METHOD_NOT_ALLOWED,
            HTTPStatus.NOT_IMPLEMENTED,
        ):
            answer = _followed(_with(as_get(request), login), until)
        return answer

    def _login(self, request: HttpRequest, until: float) -> Mapping[str, str]:
        if request.token is None:
            return {}
        token, ends = self._tokens.get(request.token, ("", 0.0))
        if time.monotonic() >= ends:
            token, ends = _issued(request, request.token, until)
            self._tokens[request.token] = (token, ends)
        return {"Authorization": f"Bearer {token}"}


def as_get(request: HttpRequest) -> HttpRequest:
    """The same question with its form in the query."""
    form = request.body.decode()
    joined = f"{request.url}{'&' if urlsplit(request.url).query else '?'}{form}" if form else request.url
    kept = tuple(item for item in request.headers if item[0].lower() != "content-type")
    return replace(request, method="GET", url=joined, headers=kept, body=b"")


def origin(url: str) -> str:
    """Scheme, host and port: all of an address that a message may show."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}"


def _with(request: HttpRequest, login: Mapping[str, str]) -> HttpRequest:
    return replace(request, headers=(*login.items(), *request.headers))


def _followed(request: HttpRequest, until: float) -> HttpResponse:
    """The answer behind redirects. Only a GET is sent elsewhere, and what it carries only to the same origin."""
    for _ in range(_REDIRECTS):
        answer = _exchange(request, until)
        place = next((value for name, value in answer.headers.items() if name.lower() == "location"), "")
        moved = answer.status in (301, 302, 303, 307, 308)
        target = urljoin(request.url, place)
        if not (moved and place and request.method == "GET" and target.startswith(("http://", "https://"))):
            return answer
        if request.url.startswith("https://") and target.startswith("http://"):
            raise ProgressiveError(
                f"{origin(request.url)} redirects to {origin(target)}, which is not encrypted"
            )
        refuse_metadata(urlsplit(target))
        kept = request.headers if origin(target) == origin(request.url) else ()
        request = replace(request, url=target, headers=kept)
    raise ProgressiveError(f"{origin(request.url)} redirects again and again")


def _exchange(request: HttpRequest, until: float) -> HttpResponse:
    import requests  # noqa: PLC0415 - 0.1 s that only commands with metrics shall pay
    from urllib3.exceptions import HTTPError  # noqa: PLC0415 - comes with requests

    seconds = max(until - time.monotonic(), 0.001)
    with requests.Session() as session:
        try:
            response = session.request(
                request.method,
                request.url,
                data=request.body or None,
                headers={"User-Agent": f"progressive-ci/{__version__}", **dict(request.headers)},
                auth=_leave_alone,
                timeout=seconds,
                allow_redirects=False,
                stream=True,
                verify=_verification(request),
            )
            with response:
                body = _read(response, request, until)
            return HttpResponse(response.status_code, dict(response.headers), body)
        except (requests.Timeout, TimeoutError) as error:
            raise NoAnswer(f"no answer within {request.timeout:g} s from {origin(request.url)}") from error
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            what = f"{origin(request.url)} can't be reached: {_cause(error)}"
            raise NoAnswer(what, advice="map it with --address FROM=TO if this job can't see it") from error


def _leave_alone(prepared: Any) -> Any:  # noqa: ANN401 - requests' own class, imported late
    """Send the headers as rendered, with the user and password of the URL; never those of a .netrc file."""
    parts = urlsplit(prepared.url)
    if parts.username is not None and "Authorization" not in prepared.headers:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        prepared.headers["Authorization"] = f"Basic {base64.b64encode(login).decode()}"
    return prepared


def _verification(request: HttpRequest) -> bool | str:
    """Given with each request: a session would let REQUESTS_CA_BUNDLE win over what the user wrote."""
    if request.insecure:
        import urllib3  # noqa: PLC0415 - comes with requests

        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        return False
    return path_of(request.ca.encode()) if request.ca else True


def _read(response: Any, request: HttpRequest, until: float) -> bytes:  # noqa: ANN401 - imported late
    parts: list[bytes] = []
    size = 0
    for part in _parts(response):
        parts.append(part)
        size += len(part)
        if size > MOST_BYTES:
            raise ProgressiveError(
                f"{origin(request.url)} answered with more than {MOST_BYTES // 1_000_000} MB"
            )
        if time.monotonic() > until:
            raise NoAnswer(f"no answer within {request.timeout:g} s from {origin(request.url)}")
    return b"".join(parts)


def _parts(response: Any) -> Iterator[bytes]:  # noqa: ANN401 - imported late
    """What comes, as it comes: waiting for a whole chunk would outlast every deadline where bytes drip."""
    if not hasattr(response.raw, "read1"):  # urllib3 before 2.1
        yield from response.iter_content(1024)
        return
    while part := response.raw.read1(_CHUNK, decode_content=True):
        yield part


def _cause(error: BaseException) -> str:
    """The innermost reason in plain words, without the URL that the libraries quote: it may hold secrets."""
    inner: BaseException | None = error
    said = ""
    while inner is not None:
        said = getattr(inner, "verify_message", "") or getattr(inner, "strerror", "") or said
        first = inner.args[0] if inner.args else None
        first = getattr(first, "reason", None) or first
        inner = inner.__cause__ or inner.__context__ or (first if isinstance(first, BaseException) else None)
    return str(said or type(error).__name__)


def _issued(request: HttpRequest, token: TokenRequest, until: float) -> tuple[str, float]:
    """A token, and when not to use it any more (RFC 6749 section 4.4)."""
    form = {"grant_type": "client_credentials"}
    if token.scopes:
        form["scope"] = " ".join(token.scopes)
    secret = f"{quote_plus(token.client_id)}:{quote_plus(token.client_secret)}".encode()
    headers = (("Authorization", f"Basic {base64.b64encode(secret).decode()}"),)
    answer = _exchange(_form(request, token, form, headers), until)
    if HTTPStatus.BAD_REQUEST <= answer.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        # Some servers want to be told in the form.
        form |= {"client_id": token.client_id, "client_secret": token.client_secret}
        answer = _exchange(_form(request, token, form, ()), until)
    try:
        body = parsed(answer.body)
        lasts = float(body.get("expires_in") or "inf")
        return str(body["access_token"]), time.monotonic() + lasts - _EARLY
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ProgressiveError(
            f"{origin(token.token_url)} gave no token, its answer was {answer.status}",
            advice="check tokenUrl, clientId, clientSecret and scopes",
        ) from error


def _form(
    request: HttpRequest,
    token: TokenRequest,
    form: Mapping[str, str],
    headers: tuple[tuple[str, str], ...],
) -> HttpRequest:
    kind = ("Content-Type", "application/x-www-form-urlencoded")
    return replace(
        request,
        method="POST",
        url=token.token_url,
        headers=(kind, ("Accept", "application/json"), *headers),
        body=urlencode(form).encode(),
        token=None,
    )
