"""Computes the value of a checked tree."""

from collections.abc import Callable
from typing import assert_never

from progressive_ci.errors import ConditionError
from progressive_ci.judging.condition import loops, regex
from progressive_ci.judging.condition.arithmetic import arithmetic, compare
from progressive_ci.judging.condition.builtins import FUNCTIONS, METHODS
from progressive_ci.judging.condition.names import ENVIRONMENT, LOOPS
from progressive_ci.judging.condition.nodes import (
    Array,
    Binary,
    Builtin,
    Call,
    Chain,
    Conditional,
    Let,
    Literal,
    MapLiteral,
    Member,
    Name,
    Nil,
    Node,
    Pointer,
    Predicate,
    Sequence,
    Slice,
    Unary,
)
from progressive_ci.judging.condition.run import Frame, Run
from progressive_ci.judging.condition.values import (
    Value,
    contains,
    cut,
    equal,
    fault,
    fetch,
    is_number,
    to_int,
    type_name,
    wrapped,
)

_TEXT_TESTS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda text, part: part in text,
    "startsWith": str.startswith,
    "endsWith": str.endswith,
}
_FLOAT_FUNCTIONS = ("isNaN", "isInf")
_STOP = object()
"""What a chain's inside gives when `?.` met nil."""


def evaluate(node: Node, run: Run, frame: Frame) -> Value:
    """The value of a node.

    Raises:
        ConditionError: it has none: an index out of range, nil where a number is wanted, a bound exceeded.
    """
    run.spend(1)
    try:
        return _value(node, run, frame)
    except ConditionError as error:
        if error.column:
            raise
        raise ConditionError(error.what, text=run.text, column=node.column, stage="run") from None


def _value(node: Node, run: Run, frame: Frame) -> Value:  # noqa: C901, PLR0911, PLR0912 - one row for each kind
    match node:
        case Nil():
            return None
        case Literal(value=value):
            return value
        case Name(name=name):
            return _name(name, run, frame)
        case Unary():
            return _unary(node, evaluate(node.operand, run, frame))
        case Binary():
            return _binary(node, run, frame)
        case Chain(body=body):
            value = evaluate(body, run, frame)
            return None if value is _STOP else value
        case Member():
            return _member(node, run, frame)
        case Slice():
            return _slice(node, run, frame)
        case Call():
            return _call(node, run, frame)
        case Builtin():
            return _builtin(node, run, frame)
        case Predicate(body=body):
            return evaluate(body, run, frame)
        case Pointer(name=name):
            return {"index": frame.index, "acc": frame.accumulated}.get(name, frame.element)
        case Let():
            return evaluate(node.body, run, frame.let(node.name, evaluate(node.value, run, frame)))
        case Sequence(items=items):
            return [evaluate(item, run, frame) for item in items][-1]
        case Conditional():
            chosen = node.then if _truth(evaluate(node.condition, run, frame)) else node.otherwise
            return evaluate(chosen, run, frame)
        case Array(items=items):
            run.make(len(items))
            return [evaluate(item, run, frame) for item in items]
        case MapLiteral():
            return _map(node, run, frame)
        case _:
            assert_never(node)


def _truth(value: Value) -> bool:
    if not isinstance(value, bool):
        raise fault(f"expected bool, but got {type_name(value)}")
    return value


def _name(name: str, run: Run, frame: Frame) -> Value:
    for variable, value in reversed(frame.variables):
        if variable == name:
            return value
    if name == "$env":
        return run.names
    if name in run.names:
        return run.names[name]
    return FUNCTIONS[name] if name in ENVIRONMENT else None  # upstream's builtins are no values


def _unary(node: Unary, value: Value) -> Value:
    if node.operator in ("!", "not"):
        return not _truth(value)
    if node.operator == "+":
        return value
    if not is_number(value):
        raise fault(f"invalid operation: - {type_name(value)}")
    return wrapped(-value) if isinstance(value, int) else -value


def _binary(node: Binary, run: Run, frame: Frame) -> Value:
    match node.operator:
        case "or" | "||" | "and" | "&&":
            return _logic(node, run, frame)
        case "??":
            left = evaluate(node.left, run, frame)
            return evaluate(node.right, run, frame) if left is None else left
        case _:
            left = evaluate(node.left, run, frame)
            return _operated(node, left, evaluate(node.right, run, frame), run)


def _logic(node: Binary, run: Run, frame: Frame) -> Value:
    """Short circuit; as upstream, a literal on either side that decides alone spares the other."""
    deciding = node.operator in ("or", "||")
    if deciding in (_constant(node.left), _constant(node.right)):
        return deciding
    if _truth(evaluate(node.left, run, frame)) is deciding:
        return deciding
    return evaluate(node.right, run, frame)


def _constant(node: Node) -> bool | None:
    return node.value if isinstance(node, Literal) and isinstance(node.value, bool) else None


def _operated(node: Binary, left: Value, right: Value, run: Run) -> Value:
    operator = node.operator
    match operator:
        case "==" | "!=":
            run.weigh(left)
            if id(node) in run.exact and (left is None or type(left) is not type(right)):
                raise fault(f"invalid operation: {type_name(left)} {operator} {type_name(right)}")
            return equal(left, right) == (operator == "==")
        case "<" | ">" | "<=" | ">=":
            return compare(operator, left, right)
        case "in":
            run.weigh(right)
            run.weigh(left)
            return _contained(node, left, right)
        case ".." if right is not None:
            return _range(to_int(left), to_int(right), run)
        case "matches" | "contains" | "startsWith" | "endsWith":
            return _text_test(operator, left, right, run)
        case _:
            if isinstance(left, str) and isinstance(right, str):
                run.write(len(left) + len(right))
            return arithmetic(operator, left, right)


def _contained(node: Binary, needle: Value, heap: Value) -> bool:
    texts = isinstance(node.right, Array) and all(
        isinstance(item, Literal) and isinstance(item.value, str) for item in node.right.items
    )
    if texts and heap:  # upstream looks the needle up among the texts: another kind of value is an error
        return contains(needle, dict.fromkeys(heap))
    return contains(needle, heap)


def _range(first: int, last: int, run: Run) -> range:
    run.make(last - first + 1)
    return range(first, max(last + 1, first))


def _text_test(operator: str, text: Value, part: Value, run: Run) -> bool:
    if text is None or part is None:
        return False
    if isinstance(text, bytes) and operator == "matches":
        text = text.decode(errors="replace")
    if not isinstance(text, str) or not isinstance(part, str):
        raise fault(f"invalid operation: {type_name(text)} {operator} {type_name(part)}")
    if operator == "matches":
        return regex.search(part, text, run.spend)
    run.weigh(text)
    return _TEXT_TESTS[operator](text, part)


def _member(node: Member, run: Run, frame: Frame) -> Value:
    base = evaluate(node.base, run, frame)
    if base is _STOP or (node.optional and base is None):
        return _STOP
    key = evaluate(node.key, run, frame)
    if isinstance(key, str) and (type_name(base), key) in METHODS:
        return METHODS[type_name(base), key], base
    return fetch(base, key)


def _slice(node: Slice, run: Run, frame: Frame) -> Value:
    base = evaluate(node.base, run, frame)
    if base is _STOP:
        return _STOP
    bounds = (evaluate(bound, run, frame) if bound else None for bound in (node.start, node.stop))
    return cut(base, *bounds)


def _call(node: Call, run: Run, frame: Frame) -> Value:
    if isinstance(node.callee, Name) and node.callee.name in _FLOAT_FUNCTIONS:
        arguments = [evaluate(_as_floats(argument), run, frame) for argument in node.arguments]
    else:
        arguments = [evaluate(argument, run, frame) for argument in node.arguments]
    callee = evaluate(node.callee, run, frame)
    if callee is _STOP:
        return _STOP
    if isinstance(callee, tuple) and len(callee) == len(("method", "base")) and callable(callee[0]):
        return callee[0](callee[1], *arguments)
    if not callable(callee):
        raise fault(f"cannot call {type_name(callee)} as a function")
    return callee(run, arguments)


def _as_floats(node: Node) -> Node:
    """An argument for a float parameter: whole numbers written in it count as floats."""
    match node:
        case Literal(value=bool()):
            return node
        case Literal(column=column, value=int() as value):
            return Literal(column, float(value))
        case Unary(column=column, operator=operator, operand=operand):
            return Unary(column, operator, _as_floats(operand))
        case Binary(column=column, operator="+" | "-" | "*" as operator, left=left, right=right):
            return Binary(column, operator, _as_floats(left), _as_floats(right))
        case _:
            return node


def _builtin(node: Builtin, run: Run, frame: Frame) -> Value:
    if node.name in LOOPS:
        return loops.loop(node, run, frame, evaluate)
    return FUNCTIONS[node.name](run, [evaluate(argument, run, frame) for argument in node.arguments])


def _map(node: MapLiteral, run: Run, frame: Frame) -> dict[str, Value]:
    run.make(len(node.pairs))
    made: dict[str, Value] = {}
    for key_node, value_node in node.pairs:
        key = evaluate(key_node, run, frame)
        if not isinstance(key, str):
            raise fault(f"a map key must be a string, not {type_name(key)}")
        made[key] = evaluate(value_node, run, frame)
    return made
