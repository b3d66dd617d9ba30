"""Parses what operators stand between: literals, names, calls, members, slices, collections."""

import sys

from progressive_ci.judging.condition import parser
from progressive_ci.judging.condition.names import BUILTINS, ENVIRONMENT, LOOPS
from progressive_ci.judging.condition.nodes import (
    Array,
    Builtin,
    Call,
    Chain,
    Literal,
    MapLiteral,
    Member,
    Name,
    Nil,
    Node,
    Pointer,
    Predicate,
    Slice,
)
from progressive_ci.judging.condition.reader import Reader
from progressive_ci.judging.condition.tokens import WORD_OPERATORS, Token, TokenKind

_WORDS = {"true": True, "false": False}
_LARGEST_INT = 2**63 - 1
_BASES = {"0x": 16, "0b": 2, "0o": 8}


def primary(reader: Reader) -> Node:  # noqa: PLR0911 - one row for each kind of operand
    """One operand with everything that follows it without an operator."""
    token = reader.current
    if reader.take_bracket("("):
        inner = parser.sequence(reader)
        reader.expect_bracket(")")
        return postfix(reader, inner)
    if reader.predicates and (token.is_operator("#") or token.is_operator(".")):
        return postfix(reader, _pointer(reader))
    if reader.take_operator("::"):
        return postfix(reader, call(reader, reader.expect_identifier(), (), overridable=False))
    match token.kind:
        case TokenKind.IDENTIFIER:
            return _named(reader)
        case TokenKind.NUMBER:
            return _number(reader)
        case TokenKind.STRING:
            return postfix(reader, Literal(reader.take().column, token.value))
        case TokenKind.BYTES:
            return postfix(reader, Literal(reader.take().column, token.value.encode()))
        case _:
            return postfix(reader, _collection(reader))


def _pointer(reader: Reader) -> Node:
    token = reader.current
    name = ""
    if reader.take_operator("#") and reader.current.kind is TokenKind.IDENTIFIER:
        name = reader.take().value
    return Pointer(token.column, name)


def _named(reader: Reader) -> Node:
    token = reader.take()
    if token.value in _WORDS:
        return Literal(token.column, _WORDS[token.value])
    if token.value == "nil":
        return Nil(token.column)
    if reader.current.is_bracket("("):
        return postfix(reader, call(reader, token, ()))
    return postfix(reader, Name(token.column, token.value))


def _number(reader: Reader) -> Node:
    token = reader.take()
    text = token.value.replace("_", "").lower()
    base = _BASES.get(text[:2])
    try:
        if base is None and ("." in text or "e" in text):
            number: float | int = float(text)
        else:
            number = int(text[2:] if base else text, base or 10)
    except ValueError:
        raise reader.error(f"invalid number {token.value}", token) from None
    if number > (_LARGEST_INT if isinstance(number, int) else sys.float_info.max):
        raise reader.error(f"the number {token.value} is too large", token)
    return Literal(token.column, number)


def _collection(reader: Reader) -> Node:
    token = reader.current
    if reader.take_bracket("["):
        return Array(token.column, _items(reader, "]"))
    if reader.take_bracket("{"):
        return MapLiteral(token.column, _pairs(reader))
    raise reader.unexpected()


def _items(reader: Reader, end: str) -> tuple[Node, ...]:
    items: list[Node] = []
    while not reader.take_bracket(end):
        if items:
            reader.expect_operator(",")
            if reader.take_bracket(end):
                break
        items.append(parser.expression(reader))
    return tuple(items)


def _pairs(reader: Reader) -> tuple[tuple[Node, Node], ...]:
    pairs: list[tuple[Node, Node]] = []
    while not reader.take_bracket("}"):
        if pairs:
            reader.expect_operator(",")
            if reader.take_bracket("}"):
                break
        key = _key(reader)
        reader.expect_operator(":")
        pairs.append((key, parser.expression(reader)))
    return tuple(pairs)


def _key(reader: Reader) -> Node:
    token = reader.current
    if token.kind in (TokenKind.NUMBER, TokenKind.STRING, TokenKind.IDENTIFIER):
        return Literal(reader.take().column, token.value)
    if token.is_bracket("("):
        return parser.expression(reader)
    raise reader.error(f"a map key is a text, a number, a name or stands in parentheses, not {token}", token)


def call(reader: Reader, name: Token, first: tuple[Node, ...], *, overridable: bool = True) -> Node:
    """The call of a function; a pipe gives the first argument."""
    overridden = overridable and name.value in ENVIRONMENT
    if name.value in LOOPS and not overridden:
        return Builtin(name.column, name.value, _loop_arguments(reader, name, first))
    reader.expect_bracket("(")
    arguments = (*first, *_items(reader, ")"))
    if name.value in BUILTINS and not overridden:
        return Builtin(name.column, name.value, arguments)
    return Call(name.column, Name(name.column, name.value), arguments)


def _loop_arguments(reader: Reader, name: Token, first: tuple[Node, ...]) -> tuple[Node, ...]:
    reader.expect_bracket("(")
    arguments = list(first)
    required, most = LOOPS[name.value]
    for position in range(len(first), most):
        if reader.current.is_bracket(")"):
            if position < required:
                raise reader.error(f"{name.value} needs at least {required} arguments", reader.current)
            break
        if position > len(first):
            reader.expect_operator(",")
        arguments.append(_predicate(reader) if position == 1 else parser.expression(reader))
    reader.take_operator(",")
    reader.expect_bracket(")")
    return tuple(arguments)


def _predicate(reader: Reader) -> Node:
    token = reader.current
    bracketed = reader.take_bracket("{")
    reader.predicates += 1
    body = parser.sequence(reader) if bracketed else parser.expression(reader)
    if not bracketed and reader.current.is_operator(";"):
        raise reader.error("wrap the predicate in { and }", reader.current)
    reader.predicates -= 1
    if bracketed:
        reader.expect_bracket("}")
    return Predicate(token.column, body)


def postfix(reader: Reader, node: Node) -> Node:
    """`.field`, `?.field`, `[index]`, `[a:b]` and calls of methods, as many as follow."""
    while True:
        token = reader.current
        if token.is_operator(".") or token.is_operator("?."):
            reader.take()
            optional = token.value == "?."
            if optional and reader.take_bracket("["):
                node = _index(reader, node, token, optional=True)
            else:
                node = _field(reader, node, optional=optional)
        elif reader.take_bracket("["):
            node = _index(reader, node, token, optional=False)
        else:
            return node


def _field(reader: Reader, node: Node, *, optional: bool) -> Node:
    token = reader.take()
    if token.kind is not TokenKind.IDENTIFIER and token.value not in WORD_OPERATORS:
        raise reader.error("expected name", token)
    chained = isinstance(node, Chain)
    base = node.body if isinstance(node, Chain) else node
    called = reader.current.is_bracket("(")
    member: Node = Member(token.column, base, Literal(token.column, token.value), optional, called)
    if reader.take_bracket("("):
        member = Call(token.column, member, _items(reader, ")"))
    return Chain(token.column, member) if chained or optional else member


def _index(reader: Reader, node: Node, token: Token, *, optional: bool) -> Node:
    if reader.take_operator(":"):
        return _slice(reader, node, token, None)
    start = parser.expression(reader)
    if reader.take_operator(":"):
        return _slice(reader, node, token, start)
    reader.expect_bracket("]")
    member = Member(token.column, node, start, optional)
    return Chain(token.column, member) if optional else member


def _slice(reader: Reader, node: Node, token: Token, start: Node | None) -> Node:
    stop = None if reader.current.is_bracket("]") else parser.expression(reader)
    reader.expect_bracket("]")
    return Slice(token.column, node, start, stop)
