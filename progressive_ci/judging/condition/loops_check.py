"""Types of the builtins that walk over an array with a predicate."""

from typing import TYPE_CHECKING

from progressive_ci.judging.condition import check as checker
from progressive_ci.judging.condition.names import LOOPS
from progressive_ci.judging.condition.nodes import Builtin
from progressive_ci.judging.condition.types import (
    ARRAY,
    BOOL,
    INT,
    NIL,
    TEXT,
    UNKNOWN,
    Shape,
    Type,
    array_of,
    grouped,
)

if TYPE_CHECKING:
    from progressive_ci.judging.condition.check import Scope

__all__ = ["LOOPS", "loop_type"]

_WANT_BOOL = frozenset(
    ("all", "none", "any", "one", "filter", "count", "find", "findIndex", "findLast", "findLastIndex")
)
_POINTERS = {"map": {"index": INT}, "reduce": {"index": INT, "acc": UNKNOWN}}
_FIXED = {
    "all": BOOL,
    "none": BOOL,
    "any": BOOL,
    "one": BOOL,
    "count": INT,
    "findIndex": INT,
    "findLastIndex": INT,
}


def loop_type(node: Builtin, scope: "Scope") -> Type:
    """The type of a loop, its predicate checked with the type of the elements."""
    collection = checker.check(node.arguments[0], scope)
    if collection.shape is not Shape.ARRAY and not collection.is_unknown:
        raise scope.error(f"builtin {node.name} takes only array (got {collection.name})", node.arguments[0])
    predicate = None
    if len(node.arguments) > 1:
        inner = scope.within(collection, **_POINTERS.get(node.name, {}))
        predicate = checker.check(node.arguments[1], inner)
        _check_predicate(node, predicate, scope)
    if len(node.arguments) == len(("collection", "predicate", "last")):
        _check_last(node, scope)
    return _type(node.name, collection, predicate)


def _check_predicate(node: Builtin, predicate: Type, scope: "Scope") -> None:
    if predicate is NIL:
        raise scope.error("predicate should give a value (got nil)", node.arguments[1])
    if node.name in _WANT_BOOL and predicate is not BOOL and not predicate.is_unknown:
        raise scope.error(f"predicate should return boolean (got {predicate.name})", node.arguments[1])


def _check_last(node: Builtin, scope: "Scope") -> None:
    last = checker.check(node.arguments[2], scope)
    if node.name == "sortBy" and last is not TEXT and not last.is_unknown:
        raise scope.error(f"sortBy order argument must be a string (got {last.name})", node.arguments[2])


def _type(  # noqa: PLR0911 - one row for each loop
    name: str, collection: Type, predicate: Type | None
) -> Type:
    if name in _FIXED:
        return _FIXED[name]
    element = UNKNOWN if collection.is_unknown else collection.elements
    match name:
        case "filter":
            return ARRAY if collection.is_unknown else array_of(element)
        case "map":
            return array_of(predicate or UNKNOWN)
        case "groupBy":
            return grouped(array_of(element))
        case "sortBy":
            return collection
        case "sum" | "reduce" if predicate is not None:
            return predicate
        case _:
            return element
