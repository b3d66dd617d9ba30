"""PromQL's operators between values, and its aggregations."""

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from progressive_ci.sandbox.promql_values import NotComputed, Sample, Value, Vector

Key = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Matching:
    """How two vectors find together.

    Attributes:
        as_bool: comparisons answer 0 or 1 instead of filtering.
        labels: to look at, or to leave out.
        on: whether only those labels count.
    """

    as_bool: bool
    labels: tuple[str, ...]
    on: bool


PLAIN = Matching(as_bool=False, labels=(), on=False)


def _divide(one: float, other: float) -> float:
    if other:
        return one / other
    return math.nan if not one or math.isnan(one) else math.copysign(math.inf, one)


_ARITHMETIC: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
    "%": lambda one, other: math.fmod(one, other) if other else math.nan,
    "^": operator.pow,
}
_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}


def binary(sign: str, lhs: Value, rhs: Value, rule: Matching) -> Value:
    """Two values joined by an operator."""
    if isinstance(lhs, str) or isinstance(rhs, str):
        raise NotComputed("operators on texts")
    if isinstance(lhs, list) and isinstance(rhs, list):
        return _sets(sign, lhs, rhs, rule) if sign in _SETS else _vectors(sign, lhs, rhs, rule)
    if isinstance(lhs, list) and isinstance(rhs, float):
        return _with_scalar(sign, lhs, lambda value: (value, rhs), rule)
    if isinstance(lhs, float) and isinstance(rhs, list):
        return _with_scalar(sign, rhs, lambda value: (lhs, value), rule)
    assert isinstance(lhs, float)  # noqa: S101 - what is left of the union
    assert isinstance(rhs, float)  # noqa: S101 - same
    return _ARITHMETIC[sign](lhs, rhs) if sign in _ARITHMETIC else float(_COMPARISONS[sign](lhs, rhs))


def _with_scalar(
    sign: str, vector: Vector, pair: Callable[[float], tuple[float, float]], rule: Matching
) -> Vector:
    result = []
    for sample in vector:
        value = _result(sign, *pair(sample.value), rule, kept=sample.value)
        if value is not None:
            result.append(Sample(_labels_of(sign, sample, rule), value))
    return result


def _result(sign: str, one: float, other: float, rule: Matching, *, kept: float) -> float | None:
    if sign in _ARITHMETIC:
        return _ARITHMETIC[sign](one, other)
    true = _COMPARISONS[sign](one, other)
    if rule.as_bool:
        return float(true)
    return kept if true else None


def _labels_of(sign: str, sample: Sample, rule: Matching) -> Mapping[str, str]:
    if sign in _COMPARISONS and not rule.as_bool:
        return sample.labels
    return {key: value for key, value in sample.labels.items() if key != "__name__"}


def _key(sample: Sample, rule: Matching) -> Key:
    found = sample.labels.items()
    if rule.on:
        return tuple(sorted((key, value) for key, value in found if key in rule.labels))
    ignored = {*rule.labels, "__name__"}
    return tuple(sorted((key, value) for key, value in found if key not in ignored))


def _vectors(sign: str, lhs: Vector, rhs: Vector, rule: Matching) -> Vector:
    partners = {_key(sample, rule): sample for sample in rhs}
    if len(partners) < len(rhs) or len({_key(sample, rule) for sample in lhs}) < len(lhs):
        raise NotComputed("many-to-many matching; matching labels must be unique on one side")
    result = []
    for sample in lhs:
        partner = partners.get(_key(sample, rule))
        if partner is None:
            continue
        value = _result(sign, sample.value, partner.value, rule, kept=sample.value)
        if value is not None:
            labels = sample.labels if sign in _COMPARISONS else dict(_key(sample, rule))
            result.append(Sample(labels, value))
    return result


def _sets(sign: str, lhs: Vector, rhs: Vector, rule: Matching) -> Vector:
    left, right = ({_key(sample, rule) for sample in side} for side in (lhs, rhs))
    match sign:
        case "and":
            return [sample for sample in lhs if _key(sample, rule) in right]
        case "unless":
            return [sample for sample in lhs if _key(sample, rule) not in right]
        case _:
            return lhs + [sample for sample in rhs if _key(sample, rule) not in left]


_SETS = frozenset({"and", "or", "unless"})


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


_AGGREGATIONS: Mapping[str, Callable[[list[float]], float]] = {
    "sum": sum,
    "avg": _mean,
    "min": min,
    "max": max,
    "count": lambda values: float(len(values)),
    "group": lambda _: 1.0,
}


def aggregate(
    name: str, vector: Vector, labels: tuple[str, ...], *, without: bool, parameter: Value | None
) -> Vector:
    """One element for each group of labels."""
    groups: dict[Key, list[Sample]] = {}
    for sample in vector:
        kept = (
            {key: value for key, value in sample.labels.items() if key not in (*labels, "__name__")}
            if without
            else {key: value for key, value in sample.labels.items() if key in labels}
        )
        groups.setdefault(tuple(sorted(kept.items())), []).append(sample)
    if name in {"topk", "bottomk"} and isinstance(parameter, float):
        return [sample for found in groups.values() for sample in _extremes(name, found, int(parameter))]
    function = _AGGREGATIONS.get(name)
    if function is None:
        raise NotComputed(f"the aggregation {name}")
    return [Sample(dict(key), function([each.value for each in found])) for key, found in groups.items()]


def _extremes(name: str, found: list[Sample], count: int) -> list[Sample]:
    return sorted(found, key=lambda sample: sample.value, reverse=name == "topk")[:count]
