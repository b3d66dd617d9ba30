"""Which operators take which types, and what they give."""

from typing import TYPE_CHECKING

from progressive_ci.errors import ConditionError
from progressive_ci.judging.condition import regex
from progressive_ci.judging.condition.nodes import Binary, Literal, Node
from progressive_ci.judging.condition.types import (
    BOOL,
    BYTES,
    DURATION,
    FLOAT,
    INT,
    NIL,
    TEXT,
    TIME,
    UNKNOWN,
    Shape,
    Type,
    are_compatible,
    array_of,
    is_assignable,
    is_comparable,
)

if TYPE_CHECKING:
    from progressive_ci.judging.condition.check import Scope

_ORDERED = (TEXT, TIME, DURATION)
_DIFFERENCES = {(TIME, TIME): DURATION, (TIME, DURATION): TIME, (DURATION, DURATION): DURATION}
_KINDS = {"*": (FLOAT, DURATION), "-": (FLOAT, TIME, DURATION), "+": (FLOAT, *_ORDERED)}
_SUMS = {
    (TEXT, TEXT): TEXT,
    (TIME, DURATION): TIME,
    (DURATION, TIME): TIME,
    (DURATION, DURATION): DURATION,
}


def unary(operator: str, operand: Type, node: Node, scope: "Scope") -> Type:
    """Type of `operator operand`."""
    if operator in ("!", "not") and (operand is BOOL or operand.is_unknown):
        return BOOL
    if operator in ("+", "-"):
        if operand.is_number:
            return operand
        if operand.is_unknown:
            return UNKNOWN
    raise scope.error(f"invalid operation: {operator} (mismatched type {operand.name})", node)


def binary(node: Binary, left: Type, right: Type, scope: "Scope") -> Type:
    """Type of `left operator right`."""
    found = _result(node, left, right, scope)
    if found is None:
        what = f"invalid operation: {node.operator} (mismatched types {left.name} and {right.name})"
        raise scope.error(what, node)
    return found


def _result(node: Binary, left: Type, right: Type, scope: "Scope") -> Type | None:  # noqa: PLR0911 - a table
    match node.operator:
        case "==" | "!=":
            if left is right and left in (INT, TEXT):
                scope.exact.add(id(node))
            return BOOL if is_comparable(left, right) else None
        case "or" | "||" | "and" | "&&":
            return BOOL if left is right is BOOL or are_compatible(left, right, BOOL) else None
        case "<" | ">" | ">=" | "<=":
            return _comparison(left, right)
        case "+" | "-" | "*" | "/" | "**" | "^" | "%":
            return _arithmetic(node, left, right, scope)
        case "in":
            return _membership(node, left, right, scope)
        case "matches" | "contains" | "startsWith" | "endsWith":
            return _text(node, left, right, scope)
        case "..":
            both = left.is_integer and right.is_integer
            return array_of(INT) if both or are_compatible(left, right, INT) else None
        case _:
            return _coalesced(left, right)


def _comparison(left: Type, right: Type) -> Type | None:
    if left.is_number and right.is_number:
        return BOOL
    same = left is right and left in _ORDERED
    return BOOL if same or are_compatible(left, right, FLOAT, *_ORDERED) else None


def _arithmetic(node: Binary, left: Type, right: Type, scope: "Scope") -> Type | None:
    numbers = left.is_number and right.is_number
    match node.operator:
        case "/" | "**" | "^":
            return FLOAT if numbers or are_compatible(left, right, FLOAT) else None
        case "%":
            _refuse_modulo_zero(node, scope)
            integers = left.is_integer and right.is_integer
            return INT if integers or are_compatible(left, right, INT) else None
        case "*":
            special = _product(left, right)
        case "-":
            special = _DIFFERENCES.get((left, right))
        case _:
            special = _SUMS.get((left, right))
    if numbers:
        return FLOAT if FLOAT in (left, right) else INT
    compatible = are_compatible(left, right, *_KINDS[node.operator])
    return special or (UNKNOWN if compatible else None)


def _refuse_modulo_zero(node: Binary, scope: "Scope") -> None:
    values = [side.value if isinstance(side, Literal) else None for side in (node.left, node.right)]
    if all(isinstance(value, int) for value in values) and values[1] == 0:
        raise scope.error("integer divide by zero", node)


def _product(left: Type, right: Type) -> Type | None:
    sides = {left, right} - {DURATION}
    return DURATION if DURATION in (left, right) and all(side.is_number for side in sides) else None


def _membership(node: Binary, left: Type, right: Type, scope: "Scope") -> Type | None:
    if right.shape is Shape.STRUCT and (left is TEXT or left.is_unknown):
        return BOOL
    if right.shape is Shape.MAP and right.key is not None:
        if not left.is_unknown and not is_assignable(left, right.key):
            raise scope.error(f"cannot use {left.name} as type {right.key.name} in map key", node)
        return BOOL
    if right.shape is Shape.ARRAY:
        if not is_comparable(left, right.elements):
            raise scope.error(f"cannot use {left.name} as type {right.elements.name} in array", node)
        return BOOL
    return BOOL if right.is_unknown or (left.is_unknown and right is TEXT) else None


def _text(node: Binary, left: Type, right: Type, scope: "Scope") -> Type | None:
    if node.operator == "matches" and isinstance(node.right, Literal) and isinstance(node.right.value, str):
        try:
            regex.compile_pattern(node.right.value)
        except ConditionError as error:
            raise scope.error(error.what, node.right) from None
        if left is BYTES:
            return BOOL
    return BOOL if left is right is TEXT or are_compatible(left, right, TEXT) else None


def _coalesced(left: Type, right: Type) -> Type:
    if left is NIL:
        return right
    if right is NIL:
        return left
    return left if is_assignable(right, left) else UNKNOWN
