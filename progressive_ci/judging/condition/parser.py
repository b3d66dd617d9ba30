"""Builds the tree of a condition: operators by precedence (Pratt), `let`, `if`, `?:` and pipes."""

from progressive_ci.judging.condition import primary
from progressive_ci.judging.condition.nodes import Binary, Conditional, Let, Node, Sequence, Unary
from progressive_ci.judging.condition.reader import Reader
from progressive_ci.judging.condition.tokens import (
    BINARY,
    COMPARISONS,
    NEGATABLE,
    RIGHT_ASSOCIATIVE,
    UNARY,
    Token,
    TokenKind,
)


def parse(text: str) -> Node:
    """Parse a whole condition.

    Raises:
        ConditionError: the text is none; names the column.
    """
    reader = Reader(text)
    node = sequence(reader)
    if reader.current.kind is not TokenKind.END:
        raise reader.unexpected()
    return node


def sequence(reader: Reader) -> Node:
    """`a; b; c`."""
    items = [expression(reader)]
    while reader.take_operator(";"):
        if reader.current.kind is TokenKind.END:
            break
        items.append(expression(reader))
    return items[0] if len(items) == 1 else Sequence(items[0].column, tuple(items))


def expression(reader: Reader, precedence: int = 0) -> Node:
    """Everything whose operators bind at least as tightly as `precedence`."""
    reader.descend()
    try:
        if precedence == 0 and reader.current.is_operator("let"):
            return _let(reader)
        if precedence == 0 and reader.current.is_operator("if"):
            return _if(reader)
        node = _operators(reader, _operand(reader), precedence)
        return _ternary(reader, node) if precedence == 0 else node
    finally:
        reader.ascend()


def _operand(reader: Reader) -> Node:
    token = reader.current
    if token.kind is TokenKind.OPERATOR and token.value in UNARY:
        reader.take()
        operand = expression(reader, UNARY[token.value])
        return primary.postfix(reader, Unary(token.column, token.value, operand))
    return primary.primary(reader)


def _operators(reader: Reader, left: Node, precedence: int) -> Node:
    previous = ""
    while reader.current.kind is TokenKind.OPERATOR:
        negation = reader.current if reader.current.is_operator("not") else None
        operator = reader.following if negation else reader.current
        if negation and operator.value not in NEGATABLE:
            raise reader.error(f"unexpected token {operator}", operator)
        if BINARY.get(operator.value, -1) < precedence:
            break
        if previous == "??" and operator.value not in ("??", "|"):
            raise reader.error(
                f"{operator.value} and ?? cannot be mixed, put one of them into parentheses", operator
            )
        if negation:
            reader.take()
        left = _binary(reader, left)
        if negation:
            left = Unary(operator.column, "not", left)
        previous = operator.value
    return left


def _binary(reader: Reader, left: Node) -> Node:
    operator = reader.take()
    if operator.value == "|":
        return primary.call(reader, reader.expect_identifier(), (left,))
    if operator.value in COMPARISONS:
        return _comparisons(reader, left, operator)
    tighter = operator.value not in RIGHT_ASSOCIATIVE
    right = expression(reader, BINARY[operator.value] + tighter)
    return Binary(operator.column, operator.value, left, right)


def _comparisons(reader: Reader, left: Node, operator: Token) -> Node:
    """`1 < x < 3` is `1 < x && x < 3`."""
    whole: Node | None = None
    while True:
        right = expression(reader, BINARY[operator.value] + 1)
        pair = Binary(operator.column, operator.value, left, right)
        whole = pair if whole is None else Binary(operator.column, "&&", whole, pair)
        if reader.current.kind is not TokenKind.OPERATOR or reader.current.value not in COMPARISONS:
            return whole
        left, operator = right, reader.take()


def _ternary(reader: Reader, node: Node) -> Node:
    while reader.take_operator("?"):
        if reader.take_operator(":"):
            then = node
        else:
            then = expression(reader)
            reader.expect_operator(":")
        otherwise = expression(reader)
        node = Conditional(node.column, node, then, otherwise)
    return node


def _let(reader: Reader) -> Node:
    reader.expect_operator("let")
    name = reader.expect_identifier()
    if not (reader.current.is_operator("=")):
        raise reader.unexpected()
    reader.take()
    value = expression(reader)
    reader.expect_operator(";")
    return Let(name.column, name.value, value, sequence(reader))


def _if(reader: Reader) -> Node:
    token = reader.take()
    condition = expression(reader)
    then = _block(reader)
    reader.expect_operator("else")
    if reader.current.is_operator("if"):
        reader.descend()
        otherwise = _if(reader)
        reader.ascend()
    else:
        otherwise = _block(reader)
    return Conditional(token.column, condition, then, otherwise)


def _block(reader: Reader) -> Node:
    reader.expect_bracket("{")
    body = sequence(reader)
    reader.expect_bracket("}")
    return body
