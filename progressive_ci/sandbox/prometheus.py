"""A simulated Prometheus: the HTTP API over the cluster's series, and the ways in which real ones fail."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl

from progressive_ci.ports import HttpResponse
from progressive_ci.sandbox import promql
from progressive_ci.sandbox.clock import Timers
from progressive_ci.sandbox.promql_values import NotComputed, Sample, Value
from progressive_ci.sandbox.series import Database

LATENCY = 0.02
"""Seconds that an answer takes."""

HUGE = 100 * 1024 * 1024
MANY = 50_001


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """What goes wrong, and when.

    Attributes:
        kind: `slow` or one of `FAILURES`.
        since: virtual time of the first bad answer.
        until: virtual time of the first good one.
        seconds: extra time that a `slow` answer takes.
    """

    kind: str
    since: float
    until: float
    seconds: float


class Prometheus:
    """Answers `/api/v1/query` and `/api/v1/query_range`.

    Attributes:
        asked: queries so far, in order.
    """

    def __init__(self, database: Database, timers: Timers) -> None:
        self._database = database
        self._timers = timers
        self._planned: list[Misbehaviour] = []
        self.asked: list[str] = []

    def misbehave(
        self, kind: str, *, since: float = 0.0, until: float = math.inf, seconds: float = 0.0
    ) -> None:
        """Go wrong during a span of virtual time; see `Misbehaviour`."""
        self._planned.append(Misbehaviour(kind, since, until, seconds))

    def behave(self) -> None:
        """Nothing goes wrong any more."""
        self._planned.clear()

    def latency(self) -> float:
        """Seconds that an answer takes now."""
        found = self._current()
        return LATENCY + (found.seconds if found and found.kind == "slow" else 0.0)

    def answer(self, method: str, path: str, query: Mapping[str, str], body: object | None) -> HttpResponse:
        """Answer one request; parameters come in the query or as a form.

        Raises:
            ConnectionError: nothing listens.
        """
        given = {**query, **_form(body)} if method == "POST" else dict(query)
        found = self._current()
        if path in {"/-/healthy", "/-/ready"} and found is None:
            return HttpResponse(200, {"Content-Type": "text/plain"}, b"Prometheus Server is Ready.\n")
        if not path.endswith(("/api/v1/query", "/api/v1/query_range")):
            return HttpResponse(404, {"Content-Type": "text/plain"}, b"404 page not found\n")
        self.asked.append(given.get("query", ""))
        normal = self._range if path.endswith("query_range") else self._instant
        return FAILURES[found.kind](normal(given)) if found else normal(given)

    def _current(self) -> Misbehaviour | None:
        now = self._timers.now()
        return next((each for each in self._planned if each.since <= now < each.until), None)

    def _instant(self, given: Mapping[str, str]) -> HttpResponse:
        time = self._time(given.get("time", ""))
        return self._computed(lambda: _shown(self._evaluate(given, time), self._stamp(time)))

    def _range(self, given: Mapping[str, str]) -> HttpResponse:
        start, end = self._time(given.get("start", "")), self._time(given.get("end", ""))
        step = _duration(given.get("step", "60"))
        count = int((end - start) / step + 1e-9) + 1
        times = [start + number * step for number in range(count)]
        return self._computed(lambda: self._matrix(given, times))

    def _matrix(self, given: Mapping[str, str], times: list[float]) -> Mapping[str, object]:
        rows: dict[tuple[tuple[str, str], ...], list[list[object]]] = {}
        for time in times:
            value = self._evaluate(given, time)
            samples = value if isinstance(value, list) else [Sample({}, float(value))]
            for sample in samples:
                row = rows.setdefault(tuple(sorted(sample.labels.items())), [])
                row.append([self._stamp(time), _number(sample.value)])
        result = [{"metric": dict(labels), "values": values} for labels, values in rows.items()]
        return {"resultType": "matrix", "result": result}

    def _evaluate(self, given: Mapping[str, str], time: float) -> Value:
        return promql.evaluate(given.get("query", ""), self._database, time)

    def _computed(self, compute: Callable[[], Mapping[str, object]]) -> HttpResponse:
        try:
            return _json(200, {"status": "success", "data": compute()})
        except promql.Malformed as error:
            text = f'invalid parameter "query": {error}'
            return _json(400, {"status": "error", "errorType": "bad_data", "error": text})
        except NotComputed as error:
            text = f"the sandbox does not compute {error}"
            return _json(422, {"status": "error", "errorType": "execution", "error": text})

    def _time(self, text: str) -> float:
        """Virtual seconds of a Unix time or RFC 3339 text; now when there is none."""
        if not text:
            return self._timers.now()
        try:
            stamp = float(text)
        except ValueError:
            stamp = datetime.fromisoformat(text).timestamp()
        return self._timers.now() + stamp - self._timers.wall().timestamp()

    def _stamp(self, time: float) -> float:
        return round(self._timers.wall().timestamp() + time - self._timers.now(), 3)


def _form(body: object | None) -> dict[str, str]:
    match body:
        case dict():
            return {str(key): str(value) for key, value in body.items()}
        case bytes():
            return dict(parse_qsl(body.decode()))
        case str():
            return dict(parse_qsl(body))
        case _:
            return {}


_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def _duration(text: str) -> float:
    unit = text.lstrip("0123456789.")
    return float(text.removesuffix(unit)) * _UNITS[unit] if unit else float(text)


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return f"{value:.15g}"


def _shown(value: Value, stamp: float) -> Mapping[str, object]:
    match value:
        case str():
            return {"resultType": "string", "result": [stamp, value]}
        case float():
            return {"resultType": "scalar", "result": [stamp, _number(value)]}
        case vector:
            result = [
                {"metric": dict(sample.labels), "value": [stamp, _number(sample.value)]} for sample in vector
            ]
            return {"resultType": "vector", "result": result}


def _json(status: int, body: Mapping[str, object]) -> HttpResponse:
    return HttpResponse(status, {"Content-Type": "application/json"}, json.dumps(body).encode())


Spoil = Callable[[HttpResponse], HttpResponse]


def _down(_: HttpResponse) -> HttpResponse:
    raise ConnectionRefusedError("dial tcp 10.96.0.10:9090: connect: connection refused")


def _html(_: HttpResponse) -> HttpResponse:
    page = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Sign in</body></html>"
    return HttpResponse(200, {"Content-Type": "text/html"}, page)


def _huge(_: HttpResponse) -> HttpResponse:
    start = b'{"status":"success","data":{"resultType":"vector","result":['
    return HttpResponse(200, {"Content-Type": "application/json"}, start.ljust(HUGE, b" "))


def _cut(response: HttpResponse) -> HttpResponse:
    return HttpResponse(200, response.headers, response.body[: len(response.body) // 2])


def _refused(_: HttpResponse) -> HttpResponse:
    text = {"status": "error", "errorType": "execution", "error": "too many samples"}
    return _json(200, text)


def _moved(_: HttpResponse) -> HttpResponse:
    return HttpResponse(
        302, {"Location": "https://login.example.com/", "Content-Type": "text/html"}, b"Found"
    )


def _vector_of(*values: str) -> Spoil:
    result = [{"metric": {"pod": f"p{at}"}, "value": [0, value]} for at, value in enumerate(values)]
    body = {"status": "success", "data": {"resultType": "vector", "result": result}}
    return lambda _: _json(200, body)


def _many(_: HttpResponse) -> HttpResponse:
    row = b'{"metric":{},"value":[0,"0.99"]}'
    head = b'{"status":"success","data":{"resultType":"vector","result":['
    return HttpResponse(200, {"Content-Type": "application/json"}, head + b",".join([row] * MANY) + b"]}}")


def _warned(response: HttpResponse) -> HttpResponse:
    body = json.loads(response.body)
    return _json(response.status, {**body, "warnings": ["remote read: some series may be missing"]})


def _status(code: int) -> Spoil:
    text = {"status": "error", "errorType": "internal", "error": "the server failed"}
    return lambda _: _json(code, text)


FAILURES: Mapping[str, Spoil] = {
    "down": _down,
    "slow": lambda response: response,
    "html": _html,
    "nan": _vector_of("NaN"),
    "infinite": _vector_of("+Inf"),
    "empty": _vector_of(),
    "minus infinite": _vector_of("-Inf"),
    "two": _vector_of("0.99", "0.5"),
    "two, the bad one first": _vector_of("0.5", "0.99"),
    "warnings": _warned,
    "huge": _huge,
    "many": _many,
    "cut": _cut,
    "refused": _refused,
    "moved": _moved,
    **{str(code): _status(code) for code in (401, 403, 429, 500, 502, 503, 504)},
}
