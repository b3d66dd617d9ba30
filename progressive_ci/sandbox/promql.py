"""The part of PromQL that release checks use, over the simulated series; `promql-parser` reads the text."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import promql_parser

from progressive_ci.sandbox import promql_functions, promql_operators
from progressive_ci.sandbox.promql_values import NotComputed, Range, Sample, Value, Vector
from progressive_ci.sandbox.series import LOOKBACK, Database, Series


class Malformed(Exception):
    """The text is no PromQL."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What an expression is evaluated over.

    Attributes:
        database: the series.
        time: virtual seconds.
    """

    database: Database
    time: float


def evaluate(text: str, database: Database, time: float) -> Value:
    """The value of an expression at a time: a number, a text or a vector.

    Raises:
        Malformed: it can't be parsed.
        NotComputed: it is valid, but beyond this sandbox.
    """
    try:
        tree = promql_parser.parse(text)
    except ValueError as error:
        raise Malformed(str(error)) from None
    return _value(tree, Moment(database, time))


def _value(tree: Any, moment: Moment) -> Value:  # noqa: ANN401 - the parser's tree
    evaluator = _EVALUATORS.get(type(tree).__name__)
    if evaluator is None:
        raise NotComputed(type(tree).__name__)
    return evaluator(tree, moment)


def _vector(tree: Any, moment: Moment) -> Vector:  # noqa: ANN401 - the parser's tree
    value = _value(tree, moment)
    if isinstance(value, list):
        return value
    raise NotComputed("a scalar where a vector is meant")


def _number(tree: Any, moment: Moment) -> Value:  # noqa: ANN401 - the parser's tree
    del moment
    return float(tree.val)


def _text(tree: Any, moment: Moment) -> Value:  # noqa: ANN401 - the parser's tree
    del moment
    return str(tree.val)


def _paren(tree: Any, moment: Moment) -> Value:  # noqa: ANN401 - the parser's tree
    return _value(tree.expr, moment)


def _negated(tree: Any, moment: Moment) -> Value:  # noqa: ANN401 - the parser's tree
    return promql_operators.binary("*", _value(tree.expr, moment), -1.0, promql_operators.PLAIN)


def _binary(tree: Any, moment: Moment) -> Value:  # noqa: ANN401 - the parser's tree
    modifier = tree.modifier
    rule = promql_operators.PLAIN
    if modifier is not None:
        if modifier.group_labels is not None:
            raise NotComputed("group_left and group_right")
        matching = modifier.matching
        rule = promql_operators.Matching(
            bool(modifier.return_bool),
            tuple(matching.labels) if matching else (),
            on=matching is not None and str(matching.type).endswith("Include"),
        )
    lhs, rhs = _value(tree.lhs, moment), _value(tree.rhs, moment)
    return promql_operators.binary(str(tree.op).strip(), lhs, rhs, rule)


def _aggregate(tree: Any, moment: Moment) -> Value:  # noqa: ANN401 - the parser's tree
    modifier = tree.modifier
    labels = tuple(modifier.labels) if modifier else ()
    without = bool(modifier) and str(modifier.type).endswith("Without")
    parameter = _value(tree.param, moment) if tree.param is not None else None
    vector = _vector(tree.expr, moment)
    return promql_operators.aggregate(str(tree.op), vector, labels, without=without, parameter=parameter)


def _call(tree: Any, moment: Moment) -> Value:  # noqa: ANN401 - the parser's tree
    name = tree.func.name
    if name == "time":
        return moment.time
    if name == "vector":
        return [Sample({}, _scalar(tree.args[0], moment))]
    if name in promql_functions.OVER_RANGES:
        return [
            Sample(_nameless(window.labels), value)
            for window in _ranges(tree.args[0], moment)
            if (value := promql_functions.OVER_RANGES[name](window)) is not None
        ]
    arguments = [_value(each, moment) for each in tree.args]
    function = promql_functions.OVER_VALUES.get(name)
    if function is None:
        raise NotComputed(f"the function {name}")
    return function(arguments)


def _scalar(tree: Any, moment: Moment) -> float:  # noqa: ANN401 - the parser's tree
    value = _value(tree, moment)
    return value if isinstance(value, float) else math.nan


def _nameless(labels: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in labels.items() if key != "__name__"}


def _selector(tree: Any, moment: Moment) -> Value:  # noqa: ANN401 - the parser's tree
    time = moment.time - _seconds(tree.offset)
    interval = moment.database.interval
    last = math.floor(time / interval) * interval
    return [
        Sample(dict(series.labels), series.at(last))
        for series in _selected(tree, moment.database)
        if _first_scrape(series, interval) <= last and last - LOOKBACK <= last < series.end
    ]


def _ranges(tree: Any, moment: Moment) -> list[Range]:  # noqa: ANN401 - the parser's tree
    if type(tree).__name__ != "MatrixSelector":
        raise NotComputed("subqueries")
    selector = tree.vector_selector
    end = moment.time - _seconds(selector.offset)
    start, interval = end - tree.range.total_seconds(), moment.database.interval
    found = []
    for series in _selected(selector, moment.database):
        # A window is open at its start, and the last scrape is before the pod's end.
        first = max(_first_scrape(series, interval), (math.floor(start / interval) + 1) * interval)
        last = math.floor(min(end, series.end) / interval) * interval
        if last > first:
            found.append(Range(dict(series.labels), start, end, first, last, interval, series.at))
    return found


def _first_scrape(series: Series, interval: float) -> float:
    return math.ceil(series.start / interval) * interval


def _seconds(offset: object) -> float:
    return offset.total_seconds() if isinstance(offset, timedelta) else 0.0


def _selected(selector: Any, database: Database) -> list[Series]:  # noqa: ANN401 - the parser's tree
    tests = [_test(each) for each in selector.matchers.matchers]
    return [
        series
        for series in database.named(selector.name or "")
        if all(test(dict(series.labels)) for test in tests)
    ]


def _test(matcher: Any) -> Callable[[Mapping[str, str]], bool]:  # noqa: ANN401 - the parser's tree
    name, wanted = matcher.name, matcher.value
    match str(matcher.op).rpartition(".")[2]:
        case "Equal":
            return lambda labels: labels.get(name, "") == wanted
        case "NotEqual":
            return lambda labels: labels.get(name, "") != wanted
        case "Re":
            pattern = re.compile(wanted)
            return lambda labels: pattern.fullmatch(labels.get(name, "")) is not None
        case _:
            unwanted = re.compile(wanted)
            return lambda labels: unwanted.fullmatch(labels.get(name, "")) is None


_EVALUATORS: Mapping[str, Callable[[Any, Moment], Value]] = {
    "AggregateExpr": _aggregate,
    "BinaryExpr": _binary,
    "Call": _call,
    "NumberLiteral": _number,
    "ParenExpr": _paren,
    "StringLiteral": _text,
    "UnaryExpr": _negated,
    "VectorSelector": _selector,
}
