"""Conditions ready for use: parse once, check and evaluate for each result."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from progressive_ci.errors import ConditionError
from progressive_ci.judging.condition import check as checker
from progressive_ci.judging.condition import evaluate as evaluator
from progressive_ci.judging.condition.names import ENVIRONMENT, TIME_ENVIRONMENT
from progressive_ci.judging.condition.nodes import Node, children
from progressive_ci.judging.condition.parser import parse
from progressive_ci.judging.condition.run import Frame, Run
from progressive_ci.judging.condition.types import BOOL, FUNCTION, UNKNOWN, Type, type_of
from progressive_ci.judging.condition.values import Value, type_name

DEEPEST_TREE = 120


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that parses.

    Attributes:
        text: as the user wrote it.
        tree: its syntax tree.
    """

    text: str
    tree: Node = field(repr=False)


def compile_condition(text: str) -> Condition:
    """Read a condition, and check it as far as that goes while the result is not known.

    Raises:
        ConditionError: no condition, an unknown name, an operator or function that can't take what it gets,
            or an outcome that can never be a bool.
    """
    condition = _parsed(text)
    outcome = checker.check(condition.tree, _scope(text, UNKNOWN))
    if outcome is not BOOL and not outcome.is_unknown:
        raise ConditionError(f"expected bool, but got {outcome.name}", text=text, stage="outcome")
    return condition


def evaluate(condition: Condition, result: Value, *, now: datetime | None = None) -> bool:
    """Whether the condition holds for a result.

    Args:
        condition: what to ask.
        result: a float, a tuple of floats (a vector or matrix), or what JSON decodes to.
        now: what `now()` gives.

    Raises:
        ConditionError: it can't be evaluated for this result.
    """
    outcome = value_of(condition, result, now=now)
    if not isinstance(outcome, bool):
        what = f"expected bool, but got {type_name(outcome)}"
        raise ConditionError(what, text=condition.text, stage="outcome")
    return outcome


def value_of(condition: Condition, result: Value, *, now: datetime | None = None) -> Value:
    """The value of a text for a result, whatever its type.

    Raises:
        ConditionError: it has none.
    """
    Run(condition.text, {}).weigh(result)
    known = _floated(result)
    scope = _scope(condition.text, type_of(known))
    checker.check(condition.tree, scope)
    run = Run(condition.text, {"result": known}, now, scope.exact)
    return evaluator.evaluate(condition.tree, run, Frame())


def evaluate_time(text: str, now: datetime) -> datetime:
    """The time that a text of rangeQuery.start or end gives, such as `now() - duration("1h")`.

    Raises:
        ConditionError: it gives none.
    """
    condition = _parsed(text)
    scope = checker.Scope(text, dict.fromkeys(TIME_ENVIRONMENT, FUNCTION))
    checker.check(condition.tree, scope)
    moment = evaluator.evaluate(condition.tree, Run(text, {}, now, scope.exact), Frame())
    if not isinstance(moment, datetime):
        raise ConditionError(f"expected time.Time, but got {type_name(moment)}", text=text, stage="outcome")
    return moment


def _parsed(text: str) -> Condition:
    tree = parse(text)
    level: tuple[Node, ...] = (tree,)
    depth = 0
    while level:
        level, depth = tuple(child for node in level for child in children(node)), depth + 1
    if depth > DEEPEST_TREE:
        raise ConditionError(f"the condition is nested deeper than {DEEPEST_TREE} levels", text=text)
    return Condition(text, tree)


def _scope(text: str, result: Type) -> checker.Scope:
    names: Mapping[str, Type] = {**dict.fromkeys(ENVIRONMENT, FUNCTION), "result": result}
    return checker.Scope(text, names)


def _floated(value: Value) -> Value:
    """The value with every number as float, as upstream's JSON decoding has it."""
    match value:
        case bool() | str() | None | float():
            return value
        case int():
            return float(value)
        case tuple():
            return tuple(map(float, value))
        case list():
            return [_floated(item) for item in value]
        case dict():
            return {str(key): _floated(item) for key, item in value.items()}
        case _:
            return value


def complaint(text: str) -> str | None:
    """What is wrong with a condition, as a sentence with the column; None when it compiles."""
    try:
        compile_condition(text)
    except ConditionError as error:
        return f"{error.what} (column {error.column})" if error.column else error.what
    return None
