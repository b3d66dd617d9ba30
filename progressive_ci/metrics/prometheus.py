"""Asks Prometheus and what speaks its API (Thanos, Mimir, VictoriaMetrics): `/api/v1/query`, `/api/v1/query_range`.

An instant question carries no time: the server's own clock is the right one, the runner's may be wrong.
"""

import base64
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import unquote, urlencode, urlsplit, urlunsplit

from progressive_ci.errors import ProgressiveError
from progressive_ci.metrics import arguments, promql
from progressive_ci.metrics.prometheus_answer import sample_of
from progressive_ci.metrics.provider import Moment
from progressive_ci.model.check import BasicAuth, OAuth2, PrometheusQuery, Query, RangeWindow
from progressive_ci.model.sample import Sample
from progressive_ci.ports import HttpRequest, HttpResponse, TokenRequest

NAME = "prometheus"
SERVER = "Prometheus HTTP API (/api/v1/query, /api/v1/query_range)"
QUERY: type[Query] = PrometheusQuery

_FORM = ("Content-Type", "application/x-www-form-urlencoded")
_JSON = ("Accept", "application/json")
_STEP_DECIMALS = 3


def request(query: Query, late: Mapping[str, str], now: datetime, *, moment: Moment) -> HttpRequest:
    """POST the question as a form; servers that refuse POST get it as GET."""
    base, login = _address(arguments.plain(query.address, late))
    form = {"query": promql.fill(query.query.raw, arguments.needed(query.query, late))}
    path = "/api/v1/query"
    if query.window is not None:
        path = "/api/v1/query_range"
        form |= _window(query.window, now, moment)
    return HttpRequest(
        method="POST",
        url=base + path,
        headers=_headers(query, late, login),
        body=urlencode(form).encode(),
        timeout=query.timeout,
        insecure=query.insecure,
        ca=query.ca,
        token=_token(query, late),
        get_on_405=True,
    )


def sample(query: Query, response: HttpResponse) -> Sample:  # noqa: ARG001 - the answer says it all
    """A scalar is a float; a vector or matrix all samples of all series in one tuple, as upstream has it."""
    return sample_of(response)


def _address(text: str) -> tuple[str, str]:
    """The base URL without credentials, and those credentials as `user:password`."""
    try:
        parts = urlsplit(text.strip())
        known = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        known = None
    if not known or any(char.isspace() for char in text.strip()):
        raise ProgressiveError(
            f"{text!r} is no address",
            advice="write it with its scheme, as in http://prometheus.monitoring:9090",
        )
    user, _, place = parts.netloc.rpartition("@")
    return urlunsplit((parts.scheme, place, parts.path.rstrip("/"), "", "")), unquote(user)


def _window(window: RangeWindow, now: datetime, moment: Moment) -> dict[str, str]:
    times: dict[str, str] = {}
    for name, text in (("start", window.start), ("end", window.end)):
        try:
            times[name] = f"{moment(text, now).timestamp():.3f}"
        except ProgressiveError as error:
            what = f"failed to parse rangeQuery.{name} as time: {error.what}"
            raise ProgressiveError(
                what, where=error.where, advice='write it as in now() - duration("5m")'
            ) from None
    return {**times, "step": f"{round(window.step, _STEP_DECIMALS):g}"}


def _headers(query: PrometheusQuery, late: Mapping[str, str], login: str) -> tuple[tuple[str, str], ...]:
    found = [_FORM, _JSON]
    match query.auth:
        case BasicAuth(username=username, password=password):
            login = f"{arguments.plain(username, late)}:{arguments.plain(password, late)}"
        case OAuth2() | None:
            pass
    if login:
        found.append(("Authorization", "Basic " + base64.b64encode(login.encode()).decode()))
    for name, text in query.headers:
        value = arguments.plain(text, late)
        if "\n" in value or "\r" in value:
            raise ProgressiveError(
                f"the value of the header {name} has a line break",
                advice="remove it from the argument or Secret",
            )
        found = [(known, kept) for known, kept in found if known.lower() != name.lower()]
        found.append((name, value))
    return tuple(found)


def _token(query: PrometheusQuery, late: Mapping[str, str]) -> TokenRequest | None:
    if not isinstance(query.auth, OAuth2):
        return None
    identity = arguments.plain(query.auth.client_id, late)
    secret = arguments.plain(query.auth.client_secret, late)
    return TokenRequest(query.auth.token_url, identity, secret, query.auth.scopes)
