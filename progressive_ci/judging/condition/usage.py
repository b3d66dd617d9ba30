"""What a condition itself takes care of: not-a-number, an empty answer, several series."""

from collections.abc import Iterator

from progressive_ci.judging.condition.compiled import Condition
from progressive_ci.judging.condition.nodes import (
    Binary,
    Builtin,
    Call,
    Literal,
    Member,
    Name,
    Nil,
    Node,
    Unary,
    children,
)

_EMPTY_NAMES = frozenset(("len", "isNil", "default"))
_ANY_SHAPE = frozenset(("isNil", "default"))
"""Functions that look at the result as a whole and say nothing about the number of its series."""


def handles_nan(condition: Condition) -> bool:
    """Whether it asks for not-a-number."""
    return "isNaN" in _calls(condition.tree)


def handles_infinity(condition: Condition) -> bool:
    """Whether it asks for infinities."""
    return "isInf" in _calls(condition.tree)


def handles_empty(condition: Condition) -> bool:
    """Whether it asks for an empty answer: by `len`, `isNil`, `default`, `nil` or `??`."""
    if not _EMPTY_NAMES.isdisjoint(_calls(condition.tree)):
        return True
    return any(
        isinstance(node, Nil) or (isinstance(node, Binary) and node.operator == "??")
        for node in _walk(condition.tree)
    )


def means_one_series(condition: Condition) -> bool:
    """Whether it looks at the result only as `result[0]` or `result[-1]`."""
    uses = list(_uses(condition.tree))
    return bool(uses) and all(uses)


def _uses(node: Node) -> Iterator[bool]:
    """For each use of the result: whether it is its first or last element."""
    if isinstance(node, Call) and isinstance(node.callee, Name) and node.callee.name in _ANY_SHAPE:
        for argument in node.arguments:
            if not isinstance(argument, Name):
                yield from _uses(argument)
        return
    if isinstance(node, Member) and _is_result(node.base):
        yield _is_end(node.key)
        return
    if _is_result(node):
        yield False
        return
    for child in children(node):
        yield from _uses(child)


def _is_result(node: Node) -> bool:
    return isinstance(node, Name) and node.name == "result"


def _is_end(node: Node) -> bool:
    minus = isinstance(node, Unary) and node.operator == "-"
    index = node.operand if isinstance(node, Unary) else node
    return (
        isinstance(index, Literal)
        and index.value == (1 if minus else 0)
        and not isinstance(index.value, bool)
    )


def _calls(tree: Node) -> frozenset[str]:
    names = {node.name for node in _walk(tree) if isinstance(node, Builtin)}
    for node in _walk(tree):
        if isinstance(node, Call) and isinstance(node.callee, Name):
            names.add(node.callee.name)
    return frozenset(names)


def _walk(tree: Node) -> Iterator[Node]:
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(children(node))
