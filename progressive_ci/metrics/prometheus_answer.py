"""Reads what a Prometheus server answered. Every unusable answer becomes a sentence that quotes the server."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from progressive_ci.metrics.provider import MOST_BYTES
from progressive_ci.model.sample import Errored, Measured, Sample
from progressive_ci.ports import HttpResponse

_MOST_VALUES = 50_000
_LONGEST_QUOTE = 300
_TITLE = re.compile(r"<title[^>]*>([^<]*)", re.IGNORECASE)
_OK = range(200, 300)


class _Unusable(Exception):
    """Why an answer can't be used; never leaves this module."""


def sample_of(response: HttpResponse) -> Sample:
    """The sample in an answer."""
    try:
        return _measured(_decoded(response))
    except _Unusable as error:
        return Errored(str(error))


def quoted(text: str) -> str:
    """A server's words on one line, shortened."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_QUOTE else line[: _LONGEST_QUOTE - 3] + "..."


def _decoded(response: HttpResponse) -> Mapping[str, Any]:
    """The `data` of a successful answer."""
    if len(response.body) >= MOST_BYTES:
        raise _Unusable(f"the answer is longer than {MOST_BYTES // 1_000_000} MB; aggregate in the query")
    try:
        answer = json.loads(response.body)
    except (ValueError, RecursionError):
        raise _Unusable(_no_json(response)) from None
    if not isinstance(answer, dict):
        raise _Unusable(f"{_status(response)}the answer is no Prometheus answer: {quoted(str(answer))}")
    if answer.get("status") != "success" or response.status not in _OK:
        raise _Unusable(_status(response) + _error(answer))
    if answer.get("warnings"):
        raise _Unusable(
            f"the answer may be incomplete, the server warns: {quoted(_joined(answer['warnings']))}"
        )
    data = answer.get("data")
    if not isinstance(data, dict):
        raise _Unusable("the answer has no data")
    return data


def _no_json(response: HttpResponse) -> str:
    text = response.body[: 10 * _LONGEST_QUOTE].decode(errors="replace")
    head = _status(response)
    if text.lstrip().startswith("<"):
        title = _TITLE.search(text)
        told = f" titled {quoted(title[1])!r}" if title else ""
        return f"{head}the server answered HTML{told} instead of JSON: a login page, or not Prometheus"
    if not text.strip():
        return f"{head}the answer is empty"
    cut = text.lstrip().startswith(("{", "["))
    return f"{head}the answer is {'broken JSON' if cut else 'no JSON'}: {quoted(text)}"


def _status(response: HttpResponse) -> str:
    return "" if response.status in _OK else f"HTTP {response.status}: "


def _error(answer: Mapping[str, Any]) -> str:
    kind, told = answer.get("errorType"), answer.get("error") or answer.get("message")
    if told:
        return quoted(f"{kind}: {told}" if kind else str(told))
    status = answer.get("status")
    return (
        "the answer calls itself a success" if status == "success" else f"status is {status!r}, not 'success'"
    )


def _joined(warnings: object) -> str:
    return "; ".join(map(str, warnings)) if isinstance(warnings, list) else str(warnings)


def _measured(data: Mapping[str, Any]) -> Measured:
    kind, result = data.get("resultType"), data.get("result")
    try:
        match kind:
            case "scalar":
                return Measured(float(_pair(result)))
            case "vector":
                return _rows([(row, [row["value"]] if "value" in row else []) for row in _list(result)])
            case "matrix":
                return _rows([(row, row.get("values", [])) for row in _list(result)])
            case _:
                raise _Unusable(f"a result of type {kind} can't be judged; a number or series of numbers can")
    except (KeyError, TypeError, ValueError, AttributeError):
        raise _Unusable(f"the answer's {kind} is malformed: {quoted(str(result))}") from None


def _rows(rows: list[tuple[Mapping[str, Any], list[Any]]]) -> Measured:
    if any("histogram" in row or "histograms" in row for row, _ in rows):
        raise _Unusable(
            "native histograms can't be judged; use histogram_quantile or histogram_avg in the query"
        )
    if sum(len(points) for _, points in rows) > _MOST_VALUES:
        raise _Unusable(f"the answer has more than {_MOST_VALUES} values; aggregate in the query")
    values = tuple(float(_pair(point)) for _, points in rows for point in points)
    return Measured(values, series=tuple(_labels(row.get("metric", {})) for row, _ in rows))


def _list(result: Any) -> Iterator[Any]:  # noqa: ANN401 - any JSON value
    if not isinstance(result, list):
        raise TypeError
    return iter(result)


def _pair(point: Any) -> str:  # noqa: ANN401 - any JSON value
    """The value of a `[time, "value"]`."""
    _, value = point
    if not isinstance(value, str):
        raise TypeError
    return value


def _labels(metric: Mapping[str, Any]) -> str:
    labels = ", ".join(f'{name}="{value}"' for name, value in sorted(metric.items()) if name != "__name__")
    return quoted(f"{metric.get('__name__', '')}{{{labels}}}")
