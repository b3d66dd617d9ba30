"""Owns the Prometheus provider of a metric."""

from urllib.parse import urlsplit

from progressive_ci.errors import ProgressiveError
from progressive_ci.model.check import BasicAuth, OAuth2, PrometheusQuery, RangeWindow, Text
from progressive_ci.model.durations import go_duration
from progressive_ci.specs.argo.args import Args
from progressive_ci.specs.argo.notes import Notes
from progressive_ci.specs.argo.setting import Setting
from progressive_ci.specs.part import Part

DEFAULT_TIMEOUT = 30.0
_PLACEHOLDER = "x"
NOTHING = Text("")


def query(setting: Setting, prometheus: Part, args: Args, notes: Notes) -> PrometheusQuery | None:
    """The question that a metric asks; None after a complaint."""
    if not prometheus.has("address") or not prometheus.has("query"):
        return None
    timeout = prometheus.whole("timeout")
    if timeout is not None and timeout < 0:
        setting.reading.fault(prometheus, "timeout", f"timeout {timeout} is below 0", advice="write seconds")
    return PrometheusQuery(
        address=_address(setting, prometheus, args),
        query=promql(setting, prometheus, "query", prometheus.text("query").strip(), args),
        window=_window(setting, prometheus.part("rangeQuery"), args)
        if prometheus.has("rangeQuery")
        else None,
        timeout=float(timeout) if timeout else DEFAULT_TIMEOUT,
        insecure=prometheus.flag("insecure"),
        headers=tuple(
            (header.text("key"), _text(setting, header, "value", args))
            for header in prometheus.parts("headers")
        ),
        auth=_auth(setting, prometheus.part("authentication"), args),
        ca=notes.ca,
    )


def promql(setting: Setting, part: Part, name: str, text: str, args: Args) -> Text:
    """A PromQL text with its arguments in place, parsed where a checker is given."""
    filled: Text | None = setting.reading.attempt(
        part, name, lambda: args.filled(text, setting.reading.checkers.fill)
    )
    if filled is None:
        return NOTHING
    raw = filled.raw
    for late, _ in filled.late:
        raw = raw.replace("{{args." + late + "}}", _PLACEHOLDER)
    wrong = setting.reading.checkers.query(raw)
    if wrong:
        setting.reading.fault(
            part, name, f"the query does not parse: {wrong}", advice="try it in Prometheus first"
        )
    return filled


def _text(setting: Setting, part: Part, name: str, args: Args) -> Text:
    filled: Text | None = setting.reading.attempt(part, name, lambda: args.filled(part.text(name)))
    return filled or NOTHING


def _address(setting: Setting, prometheus: Part, args: Args) -> Text:
    address = _text(setting, prometheus, "address", args)
    if not address.late and not _is_url(address.raw):
        advice = "write it with its scheme, as in http://prometheus.monitoring:9090"
        setting.reading.fault(prometheus, "address", f"{address.raw!r} is no address", advice=advice)
    return address


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _window(setting: Setting, window: Part, args: Args) -> RangeWindow | None:
    if not all(window.has(name) for name in ("start", "end", "step")):
        return None
    texts = {
        name: setting.reading.attempt(window, name, lambda name=name: args.plain(window.text(name)))  # type: ignore[misc]
        for name in ("start", "end")
    }
    for name, text in texts.items():
        wrong = setting.reading.checkers.window(text) if text else None
        if wrong:
            setting.reading.fault(
                window, name, f"{name} gives no time: {wrong}", advice='write now() or now() - duration("5m")'
            )
    step = setting.reading.attempt(window, "step", lambda: _step(args.plain(window.text("step"))))
    return RangeWindow(texts["start"] or "", texts["end"] or "", step or 0.0)


def _step(text: str) -> float:
    step = go_duration(text)
    if step <= 0:
        raise ProgressiveError(f"a step of {text} never gets anywhere", advice="write 30s or 1m")
    return step


def _auth(setting: Setting, authentication: Part, args: Args) -> BasicAuth | OAuth2 | None:
    basic, oauth2 = authentication.part("basicAuth"), authentication.part("oauth2")
    if authentication.has("basicAuth") and authentication.has("oauth2"):
        what = "basicAuth and oauth2 are both given"
        setting.reading.fault(authentication, "", what, advice="keep one")
    if authentication.has("oauth2"):
        url = setting.reading.attempt(oauth2, "tokenUrl", lambda: args.plain(oauth2.text("tokenUrl")))
        return OAuth2(
            url or "",
            _text(setting, oauth2, "clientId", args),
            _text(setting, oauth2, "clientSecret", args),
            tuple(
                setting.reading.attempt(oauth2, "scopes", lambda scope=scope: args.plain(scope)) or ""  # type: ignore[misc]
                for scope in oauth2.texts("scopes")
            ),
        )
    if authentication.has("basicAuth"):
        return BasicAuth(_text(setting, basic, "username", args), _text(setting, basic, "password", args))
    return None
