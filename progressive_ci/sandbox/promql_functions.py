"""PromQL's functions, by name."""

import math
from collections.abc import Callable, Mapping, Sequence

from progressive_ci.sandbox.promql_values import NotComputed, Range, Sample, Value, Vector


def _increase(window: Range) -> float:
    """Prometheus's own extrapolation to the ends of the window."""
    first, last = window.at(window.first), window.at(window.last)
    grown, span = last - first, window.last - window.first
    threshold = window.interval * 1.1
    to_start, to_end = window.first - window.start, window.end - window.last
    if to_start >= threshold:
        to_start = window.interval / 2
    if grown > 0 and first >= 0:
        to_start = min(to_start, span * first / grown)
    if to_end >= threshold:
        to_end = window.interval / 2
    return grown * (span + to_start + to_end) / span


def _rate(window: Range) -> float:
    return _increase(window) / (window.end - window.start)


def _instant_rate(window: Range) -> float:
    before = window.last - window.interval
    return (window.at(window.last) - window.at(before)) / window.interval


def _mean(window: Range) -> float:
    values = window.values()
    return sum(values) / len(values)


OVER_RANGES: Mapping[str, Callable[[Range], float | None]] = {
    "rate": _rate,
    "increase": _increase,
    "irate": _instant_rate,
    "delta": lambda window: window.at(window.last) - window.at(window.first),
    "avg_over_time": _mean,
    "min_over_time": lambda window: min(window.values()),
    "max_over_time": lambda window: max(window.values()),
    "sum_over_time": lambda window: sum(window.values()),
    "count_over_time": lambda window: float(len(window.values())),
    "last_over_time": lambda window: window.at(window.last),
}


def _vector(value: Value) -> Vector:
    if isinstance(value, list):
        return value
    raise NotComputed("a scalar where a vector is meant")


def _scalar(value: Value) -> float:
    if isinstance(value, float):
        return value
    raise NotComputed("a vector where a scalar is meant")


def _each(function: Callable[[float], float]) -> Callable[[Sequence[Value]], Value]:
    def apply(arguments: Sequence[Value]) -> Value:
        return [
            Sample(_without(sample, "__name__"), function(sample.value)) for sample in _vector(arguments[0])
        ]

    return apply


def _without(sample: Sample, *names: str) -> dict[str, str]:
    return {key: value for key, value in sample.labels.items() if key not in names}


def _to_scalar(arguments: Sequence[Value]) -> Value:
    vector = _vector(arguments[0])
    return vector[0].value if len(vector) == 1 else math.nan


def _absent(arguments: Sequence[Value]) -> Value:
    return [] if _vector(arguments[0]) else [Sample({}, 1.0)]


def _clamp(arguments: Sequence[Value], *, low: float, high: float) -> Value:
    return _each(lambda value: max(low, min(high, value)))(arguments)


def _quantile(arguments: Sequence[Value]) -> Value:
    """Histogram buckets, one group for each set of labels but `le`."""
    wanted, groups = _scalar(arguments[0]), dict[tuple[tuple[str, str], ...], list[tuple[float, float]]]()
    for sample in _vector(arguments[1]):
        bound = sample.labels.get("le", "")
        if bound:
            key = tuple(sorted(_without(sample, "le", "__name__").items()))
            groups.setdefault(key, []).append((float(bound), sample.value))
    return [Sample(dict(key), _in_buckets(wanted, sorted(found))) for key, found in groups.items()]


def _in_buckets(wanted: float, buckets: list[tuple[float, float]]) -> float:
    whole = buckets[-1][1]
    if not math.isinf(buckets[-1][0]) or len(buckets) < 2 or not whole:  # noqa: PLR2004 - one bound and infinity
        return math.nan
    rank = wanted * whole
    index = next(at for at, (_, count) in enumerate(buckets) if count >= rank)
    if math.isinf(buckets[index][0]):
        return buckets[-2][0]
    low, below = buckets[index - 1] if index else (0.0, 0.0)
    high, count = buckets[index]
    return low + (high - low) * (rank - below) / (count - below) if count > below else high


OVER_VALUES: Mapping[str, Callable[[Sequence[Value]], Value]] = {
    "histogram_quantile": _quantile,
    "scalar": _to_scalar,
    "absent": _absent,
    "abs": _each(abs),
    "ceil": _each(math.ceil),
    "floor": _each(math.floor),
    "round": _each(round),
    "clamp_min": lambda given: _clamp(given, low=_scalar(given[1]), high=math.inf),
    "clamp_max": lambda given: _clamp(given, low=-math.inf, high=_scalar(given[1])),
    "clamp": lambda given: _clamp(given, low=_scalar(given[1]), high=_scalar(given[2])),
}
