"""The condition language: texts and results against values, errors, phases and times."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime

from progressive_ci.errors import ConditionError
from progressive_ci.judging import condition as conditions
from progressive_ci.judging import outcome
from progressive_ci.judging.condition.parser import parse
from tests.conformance.result import Json, Result, by_section, judge

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

_CLASSES = (
    "unknown name|hello|invalidVar",
    "mismatched types?|invalid operation",
    "expected bool",
    "cannot be mixed",
    "unexpected token|unexpected end|expected name|number|literal|unrecognized|bad number|unclosed|escape",
    "out of range",
    "is undefined|has no field|has no method|cannot fetch|cannot get",
    "array elements|integer",
    "takes only array|builtin",
    "cannot use|argument|arguments|asInt|asFloat|parsing|parse|interface conversion|reflect",
)
"""Kinds of upstream's messages; a message of the library must meet one of ours that is of the same kind."""


def run(data: Mapping[str, Json]) -> Iterator[Result]:
    """Every list of the file, those inside `expr_oracle` and `corpus` included."""
    nested = ("expr_oracle", "corpus")
    yield from by_section({key: value for key, value in data.items() if key not in nested}, _TABLE)
    for key in nested:
        yield from by_section(data.get(key, {}), _TABLE)


def decoded(value: Json) -> Json:
    """A result: `$floats` is a vector, `$float` a number, `$nilptr` nil."""
    match value:
        case {"$floats": floats}:
            return tuple(float(decoded(item)) for item in floats)
        case {"$float": number}:
            return float(number)
        case {"$nilptr": _}:
            return None
        case dict():
            return {key: decoded(item) for key, item in value.items()}
        case list():
            return [decoded(item) for item in value]
        case _:
            return value


def _without(vector: Mapping[str, Json], *inputs: str) -> dict[str, Json]:
    return {key: value for key, value in vector.items() if key not in ("name", *inputs)}


def _evaluated(text: str, result: Json) -> bool:
    """As lint and release do it: what fails for every result fails at once."""
    return conditions.evaluate(conditions.compile_condition(text), result, now=NOW)


def _error(error: ConditionError) -> dict[str, Json]:
    return {
        "error": True,
        "stage": error.stage,
        "when": error.stage,
        "message": _of_same_kind(error.what),
        "errorMessage": lambda wanted: wanted in str(error),
        "errorContains": lambda wanted: all(part in str(error) for part in wanted),
        "errorRegex": lambda wanted: re.search(wanted, str(error)) is not None,
    }


def _of_same_kind(ours: str) -> Callable[[Json], bool]:
    def holds(theirs: Json) -> bool:
        kinds = [pattern for pattern in _CLASSES if re.search(pattern, theirs)]
        return not kinds or any(re.search(pattern, ours) for pattern in kinds)

    return holds


def _condition(vector: Mapping[str, Json]) -> Result:
    try:
        actual: dict[str, Json] = {"value": _evaluated(vector["condition"], decoded(vector["result"]))}
    except ConditionError as error:
        actual = _error(error)
    return judge("", _without(vector, "result", "condition"), {"expect": actual})


def _result(vector: Mapping[str, Json]) -> Result:
    try:
        phase = outcome.phase_of(
            vector.get("successCondition", ""), vector.get("failureCondition", ""), decoded(vector["result"])
        )
        actual: dict[str, Json] = {"phase": phase.value, "error": False}
    except ConditionError as error:
        actual = {**_error(error), "phase": "Error"}
    return judge("", _without(vector, "result", "successCondition", "failureCondition"), {"expect": actual})


def _helper(vector: Mapping[str, Json]) -> Result:
    condition = conditions.compile_condition(f"{vector['fn']}(result) == nil")
    call = conditions.Condition(vector["fn"], condition.tree.left)  # type: ignore[union-attr] # a comparison
    try:
        actual: Json = conditions.value_of(call, decoded(vector["arg"]))
    except ConditionError:
        actual = {"$error": True}
    return judge("", _without(vector, "fn", "arg"), {"expect": actual})


def _time(vector: Mapping[str, Json]) -> Result:
    try:
        moment = conditions.evaluate_time(vector["expr"], NOW)
        actual: Json = moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except ConditionError:
        actual = {"$error": True}
    return judge("", _without(vector, "expr"), {"expect": actual})


def _corpus(vector: Mapping[str, Json]) -> Result:
    try:
        parse(vector["condition"])
        parses = True
    except ConditionError:
        parses = False
    return judge("", _without(vector, "condition", "source"), {"parses": parses})


_TABLE = {
    "eval_condition": _condition,
    "evaluate_result": _result,
    "helpers": _helper,
    "eval_time": _time,
    "cases": _condition,
    "conditions": _corpus,
}
