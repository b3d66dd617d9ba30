"""Checks a tree against the types of its names, as upstream compiles a condition for each result."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import assert_never

from progressive_ci.errors import ConditionError
from progressive_ci.judging.condition import functions, loops_check, operators
from progressive_ci.judging.condition.names import BUILTINS
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
from progressive_ci.judging.condition.types import (
    ANY,
    ARRAY,
    BOOL,
    BYTES,
    FLOAT,
    FUNCTION,
    INT,
    MAP,
    NIL,
    TEXT,
    UNKNOWN,
    Shape,
    Type,
    array_of,
    is_assignable,
)


@dataclass(frozen=True, slots=True)
class Scope:
    """What names mean at one place of the tree.

    Attributes:
        text: the condition, for complaints.
        names: variables and functions of the environment.
        variables: made by `let`.
        element: type of `#` in the innermost loop; None outside of loops.
        pointers: types of `#index` and `#acc` there.
        exact: collects the ids of comparisons between two ints or two texts by type. Upstream compares those
            without looking, and stumbles where the type was wrong: `findIndex(...) == 1` on nil.
    """

    text: str
    names: Mapping[str, Type]
    variables: tuple[tuple[str, Type], ...] = ()
    element: Type | None = None
    pointers: tuple[tuple[str, Type], ...] = ()
    exact: set[int] = field(default_factory=set)

    def error(self, what: str, node: Node) -> ConditionError:
        """A complaint about a node."""
        return ConditionError(what, text=self.text, column=node.column)

    def within(self, collection: Type, **pointers: Type) -> "Scope":
        """The scope inside a loop over a collection."""
        element = UNKNOWN if collection.is_unknown else collection.elements
        return replace(self, element=element, pointers=tuple(pointers.items()))


def check(node: Node, scope: Scope) -> Type:  # noqa: C901, PLR0911, PLR0912 - one row for each kind of node
    """The type of a node.

    Raises:
        ConditionError: an operator or a function can't take the types it gets.
    """
    match node:
        case Nil():
            return NIL
        case Literal(value=value):
            return _literal(value)
        case Name():
            return _name(node, scope)
        case Unary():
            return operators.unary(node.operator, check(node.operand, scope), node, scope)
        case Binary():
            return operators.binary(node, check(node.left, scope), check(node.right, scope), scope)
        case Chain(body=body):
            return check(body, scope)
        case Member():
            return _member(node, scope)
        case Slice():
            return _slice(node, scope)
        case Call():
            return _call(node, scope)
        case Builtin():
            return _builtin(node, scope)
        case Predicate(body=body):
            return check(body, scope)
        case Pointer():
            return _pointer(node, scope)
        case Let():
            return _let(node, scope)
        case Sequence(items=items):
            return [check(item, scope) for item in items][-1]
        case Conditional():
            return _conditional(node, scope)
        case Array(items=items):
            return _array([check(item, scope) for item in items])
        case MapLiteral(pairs=pairs):
            for pair in pairs:
                check(pair[0], scope)
                check(pair[1], scope)
            return MAP
        case _:
            assert_never(node)


def _literal(value: object) -> Type:
    for kind, found in ((bool, BOOL), (int, INT), (float, FLOAT), (str, TEXT)):
        if isinstance(value, kind):
            return found
    return BYTES


def _name(node: Name, scope: Scope) -> Type:
    for name, found in reversed(scope.variables):
        if name == node.name:
            return found
    if node.name == "$env":
        return UNKNOWN
    if node.name in scope.names:
        return scope.names[node.name]
    if node.name in BUILTINS:
        return FUNCTION
    raise scope.error(f"unknown name {node.name}", node)


def _member(node: Member, scope: Scope) -> Type:  # noqa: C901 - upstream's order of questions
    name = node.key.value if isinstance(node.key, Literal) and isinstance(node.key.value, str) else None
    if isinstance(node.base, Name) and node.base.name == "$env" and name is not None:
        found = scope.names.get(name, UNKNOWN if node.optional else None)
        if found is None:
            raise scope.error(f"unknown name {name}", node)
        return found
    base, key = check(node.base, scope), check(node.key, scope)
    if base.is_unknown:
        return UNKNOWN
    if name is not None and base is NIL:
        raise scope.error(f"type nil has no field {name}", node)
    if name is not None and functions.method(base, name) is not None:
        return FUNCTION
    if base.shape is Shape.MAP and base.key is not None:
        if not is_assignable(key, base.key) and not key.is_unknown:
            raise scope.error(f"cannot use {key.name} to get an element from {base.name}", node.key)
        return base.elements
    if base.shape is Shape.ARRAY:
        if not key.is_integer and not key.is_unknown:
            raise scope.error(
                f"array elements can only be selected using an integer (got {key.name})", node.key
            )
        return base.elements
    if name is None:
        raise scope.error(f"type {base.name}[{key.name}] is undefined", node)
    raise scope.error(f"type {base.name} has no {'method' if node.called else 'field'} {name}", node)


def _slice(node: Slice, scope: Scope) -> Type:
    base = check(node.base, scope)
    bounds = [
        (bound or node, INT if bound is None else check(bound, scope)) for bound in (node.start, node.stop)
    ]
    if base.is_unknown:
        return UNKNOWN
    if base.shape not in (Shape.TEXT, Shape.ARRAY):
        raise scope.error(f"cannot slice {base.name}", node)
    for bound, found in bounds:
        if not found.is_integer and not found.is_unknown:
            raise scope.error(f"non-integer slice index {found.name}", bound)
    return base


def _call(node: Call, scope: Scope) -> Type:
    callee = check(node.callee, scope)
    if not callee.is_unknown and callee is not FUNCTION:
        what = f"{callee.name} is not callable" if callee is not NIL else "nil is not callable"
        raise scope.error(what, node)
    given = [check(argument, scope) for argument in node.arguments]
    if callee.is_unknown:
        return UNKNOWN
    if isinstance(node.callee, Member) and isinstance(node.callee.key, Literal):
        base = check(node.callee.base, scope)
        return functions.method_type(base, str(node.callee.key.value), given, node, scope)
    if isinstance(node.callee, Name):
        return functions.function_type(node.callee.name, given, node, scope)
    return UNKNOWN


def _builtin(node: Builtin, scope: Scope) -> Type:
    if node.name in loops_check.LOOPS:
        return loops_check.loop_type(node, scope)
    return functions.function_type(
        node.name, [check(argument, scope) for argument in node.arguments], node, scope
    )


def _pointer(node: Pointer, scope: Scope) -> Type:
    if scope.element is None:
        raise scope.error("# stands for an element and is only known inside a predicate", node)
    if not node.name:
        return scope.element
    for name, found in scope.pointers:
        if name == node.name:
            return found
    raise scope.error(f"unknown pointer #{node.name}", node)


def _let(node: Let, scope: Scope) -> Type:
    taken = {name for name, _ in scope.variables}
    if node.name in scope.names or node.name in BUILTINS or node.name in taken:
        raise scope.error(f"cannot redeclare {node.name}", node)
    variables = (*scope.variables, (node.name, check(node.value, scope)))
    return check(node.body, replace(scope, variables=variables))


def _conditional(node: Conditional, scope: Scope) -> Type:
    condition = check(node.condition, scope)
    if condition is not BOOL and not condition.is_unknown:
        raise scope.error(f"non-bool expression (type {condition.name}) used as condition", node.condition)
    then, otherwise = check(node.then, scope), check(node.otherwise, scope)
    if NIL in (then, otherwise):
        return otherwise if then is NIL else then
    if not is_assignable(then, otherwise):
        return UNKNOWN
    if then.shape is otherwise.shape is Shape.ARRAY:
        both = is_assignable(then.elements, otherwise.elements) and is_assignable(
            otherwise.elements, then.elements
        )
        return then if both else ARRAY
    return then


def _array(items: list[Type]) -> Type:
    if not items:
        return array_of(UNKNOWN)
    same = all(item.shape is items[0].shape for item in items)
    return array_of(items[-1]) if same else array_of(ANY)
