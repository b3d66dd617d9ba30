"""The syntax tree of a condition. `column` is where a complaint about the node points."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Nil:
    """`nil`."""

    column: int


@dataclass(frozen=True, slots=True)
class Literal:
    """A bool, an int, a float, a string or bytes."""

    column: int
    value: bool | int | float | str | bytes


@dataclass(frozen=True, slots=True)
class Name:
    """A variable or a function of the environment."""

    column: int
    name: str


@dataclass(frozen=True, slots=True)
class Unary:
    """`not`, `!`, `-`, `+`."""

    column: int
    operator: str
    operand: "Node"


@dataclass(frozen=True, slots=True)
class Binary:
    """An operator between two operands."""

    column: int
    operator: str
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Chain:
    """The extent of `?.`: nil inside ends the whole of it with nil."""

    column: int
    body: "Node"


@dataclass(frozen=True, slots=True)
class Member:
    """`base.key`, `base[key]`, and with `?.` when optional."""

    column: int
    base: "Node"
    key: "Node"
    optional: bool = False
    called: bool = False


@dataclass(frozen=True, slots=True)
class Slice:
    """`base[start:stop]`."""

    column: int
    base: "Node"
    start: "Node | None"
    stop: "Node | None"


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a function of the environment or of a method."""

    column: int
    callee: "Node"
    arguments: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Builtin:
    """A call of one of the language's own functions."""

    column: int
    name: str
    arguments: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Predicate:
    """What a loop evaluates for each element: `{# > 1}`."""

    column: int
    body: "Node"


@dataclass(frozen=True, slots=True)
class Pointer:
    """`#`, `#index`, `#acc`; `.field` is a member of the first."""

    column: int
    name: str


@dataclass(frozen=True, slots=True)
class Let:
    """`let name = value; body`."""

    column: int
    name: str
    value: "Node"
    body: "Node"


@dataclass(frozen=True, slots=True)
class Sequence:
    """`a; b`: the last one counts."""

    column: int
    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Conditional:
    """`a ? b : c`, `if a { b } else { c }`."""

    column: int
    condition: "Node"
    then: "Node"
    otherwise: "Node"


@dataclass(frozen=True, slots=True)
class Array:
    """`[a, b]`."""

    column: int
    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class MapLiteral:
    """`{a: 1, (expression): 2}`."""

    column: int
    pairs: tuple[tuple["Node", "Node"], ...]


Node = (
    Nil
    | Literal
    | Name
    | Unary
    | Binary
    | Chain
    | Member
    | Slice
    | Call
    | Builtin
    | Predicate
    | Pointer
    | Let
    | Sequence
    | Conditional
    | Array
    | MapLiteral
)


def children(node: Node) -> tuple[Node, ...]:  # noqa: C901, PLR0911 - one row for each kind of node
    """The nodes directly below a node, in order."""
    match node:
        case Nil() | Literal() | Name() | Pointer():
            return ()
        case Unary(operand=only) | Chain(body=only) | Predicate(body=only):
            return (only,)
        case Binary(left=left, right=right):
            return (left, right)
        case Member(base=base, key=key):
            return (base, key)
        case Slice(base=base, start=start, stop=stop):
            return tuple(item for item in (base, start, stop) if item is not None)
        case Call(callee=callee, arguments=arguments):
            return (callee, *arguments)
        case Builtin(arguments=items) | Sequence(items=items) | Array(items=items):
            return items
        case Let(value=value, body=body):
            return (value, body)
        case Conditional(condition=condition, then=then, otherwise=otherwise):
            return (condition, then, otherwise)
        case MapLiteral(pairs=pairs):
            return tuple(item for pair in pairs for item in pair)
