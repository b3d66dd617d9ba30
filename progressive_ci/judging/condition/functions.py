"""Types of functions: which arguments they take and what they give."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from progressive_ci.judging.condition.nodes import Node
from progressive_ci.judging.condition.types import (
    ANY,
    ANY_MAP,
    ARRAY,
    BOOL,
    DURATION,
    FLOAT,
    FLOATS,
    INT,
    INT64,
    NIL,
    TEXT,
    TEXTS,
    TIME,
    ZONE,
    Shape,
    Type,
    is_assignable,
)

if TYPE_CHECKING:
    from progressive_ci.judging.condition.check import Scope

Signature = tuple[tuple[Type, ...], Type]
Checker = Callable[[str, Sequence[Type]], Type | str]
"""Gives the result's type, or the complaint."""

_PAIR = (TEXT, TEXT)
_BIT: tuple[Signature, ...] = (((INT, INT), INT),)
_TRIM: tuple[Signature, ...] = (((TEXT,), TEXT), (_PAIR, TEXT))
_SPLIT: tuple[Signature, ...] = ((_PAIR, TEXTS), ((*_PAIR, INT), TEXTS))
_JOIN = tuple((parameters, TEXT) for parameters in ((TEXTS, TEXT), (ARRAY, TEXT), (ARRAY,), (TEXTS,)))
_SORT = tuple(
    (parameters, ARRAY) for kind in (ARRAY, FLOATS, TEXTS) for parameters in ((kind, TEXT), (kind,))
)

SIGNATURES: dict[str, tuple[Signature, ...]] = {
    "asInt": (((ANY,), INT64),),
    "asFloat": (((ANY,), FLOAT),),
    "isNaN": (((FLOAT,), BOOL),),
    "isInf": (((FLOAT,), BOOL),),
    "isNil": (((ANY,), BOOL),),
    "default": (((ANY, ANY), ANY),),
    "type": (((ANY,), TEXT),),
    "string": (((ANY,), TEXT),),
    "trim": _TRIM,
    "trimPrefix": _TRIM,
    "trimSuffix": _TRIM,
    "upper": (((TEXT,), TEXT),),
    "lower": (((TEXT,), TEXT),),
    "split": _SPLIT,
    "splitAfter": _SPLIT,
    "replace": (((TEXT, TEXT, TEXT, INT), TEXT), ((TEXT, TEXT, TEXT), TEXT)),
    "repeat": (((TEXT, INT), TEXT),),
    "join": _JOIN,
    "indexOf": ((_PAIR, INT),),
    "lastIndexOf": ((_PAIR, INT),),
    "hasPrefix": ((_PAIR, BOOL),),
    "hasSuffix": ((_PAIR, BOOL),),
    "toJSON": (((ANY,), TEXT),),
    "fromJSON": (((TEXT,), ANY),),
    "toBase64": (((TEXT,), TEXT),),
    "fromBase64": (((TEXT,), TEXT),),
    "duration": (((TEXT,), DURATION),),
    "timezone": (((TEXT,), ZONE),),
    "sort": _SORT,
    "bitnot": (((INT,), INT),),
    **dict.fromkeys(("bitand", "bitor", "bitxor", "bitnand", "bitshl", "bitshr", "bitushr"), _BIT),
}
"""Functions whose parameters have fixed types; several signatures are tried in order."""

METHODS: dict[tuple[Type, str], Signature] = {
    (TIME, "Add"): ((DURATION,), TIME),
    (TIME, "Sub"): ((TIME,), DURATION),
    (TIME, "Truncate"): ((DURATION,), TIME),
    (TIME, "Before"): ((TIME,), BOOL),
    (TIME, "After"): ((TIME,), BOOL),
    (TIME, "Equal"): ((TIME,), BOOL),
    (TIME, "UTC"): ((), TIME),
    **{(TIME, name): ((), INT64) for name in ("Unix", "UnixMilli")},
    **{(TIME, name): ((), INT) for name in ("Year", "Day", "Hour", "Minute", "Second", "YearDay")},
    **{(DURATION, name): ((), FLOAT) for name in ("Hours", "Minutes", "Seconds")},
    (DURATION, "Milliseconds"): ((), INT64),
    (DURATION, "Abs"): ((), DURATION),
}
"""Methods of times and durations that conditions may call: a selection of Go's."""

_NUMERIC = (Shape.INT, Shape.INT64, Shape.FLOAT)


def method(base: Type, name: str) -> Signature | None:
    """The signature of a method; None where there is no such one."""
    return METHODS.get((base, name))


def method_type(base: Type, name: str, given: Sequence[Type], node: Node, scope: "Scope") -> Type:
    """The type of a method call, or a complaint."""
    signature = METHODS[base, name]
    return _accepted(name, (signature,), given, node, scope)


def function_type(name: str, given: Sequence[Type], node: Node, scope: "Scope") -> Type:
    """The type of a function call, or a complaint."""
    if name in SIGNATURES:
        return _accepted(name, SIGNATURES[name], given, node, scope)
    found = CHECKERS[name](name, given)
    if isinstance(found, str):
        raise scope.error(found, node)
    return found


def _accepted(
    name: str, signatures: Sequence[Signature], given: Sequence[Type], node: Node, scope: "Scope"
) -> Type:
    complaint = ""
    for parameters, result in signatures:
        complaint = _complaint(name, parameters, given)
        if not complaint:
            return result
    raise scope.error(complaint, node)


def _complaint(name: str, parameters: Sequence[Type], given: Sequence[Type]) -> str:
    if len(given) != len(parameters):
        amount = "too many" if len(given) > len(parameters) else "not enough"
        return f"{amount} arguments to call {name}"
    for wanted, found in zip(parameters, given, strict=True):
        if wanted.is_number and found.is_integer:
            continue
        if found is NIL and wanted.shape not in (Shape.POINTER, Shape.INTERFACE):
            return f"cannot use nil as argument (type {wanted.name}) to call {name}"
        if found is not NIL and not found.is_unknown and not is_assignable(found, wanted):
            return f"cannot use {found.name} as argument (type {wanted.name}) to call {name}"
    return ""


def _exactly(count: int, given: Sequence[Type]) -> str:
    return "" if len(given) == count else f"invalid number of arguments (expected {count}, got {len(given)})"


def _numeric(name: str, given: Sequence[Type]) -> Type | str:
    """`abs` keeps its argument's type; rounding gives floats; int and float also read texts."""
    wrong = _exactly(1, given)
    if wrong:
        return wrong
    reads_text = name in ("int", "float") and given[0] is TEXT
    if given[0].shape not in _NUMERIC and not given[0].is_unknown and not reads_text:
        return f"invalid argument for {name} (type {given[0].name})"
    if name == "abs":
        return ANY if given[0].is_unknown else given[0]
    return INT if name == "int" else FLOAT


def _aggregate(name: str, given: Sequence[Type]) -> Type | str:
    if not given:
        return f"not enough arguments to call {name}"
    for found in given:
        if found.is_unknown or found.shape is Shape.ARRAY:
            return ANY
        if found.shape not in _NUMERIC:
            return f"invalid argument for {name} (type {found.name})"
    return given[0]


def _length(name: str, given: Sequence[Type]) -> Type | str:
    wrong = _exactly(1, given)
    if wrong:
        return wrong
    if given[0].shape in (Shape.ARRAY, Shape.MAP, Shape.TEXT) or given[0].is_unknown:
        return INT
    return f"invalid argument for {name} (type {given[0].name})"


def _end(name: str, given: Sequence[Type]) -> Type | str:
    wrong = _exactly(1, given)
    if wrong:
        return wrong
    if given[0].is_unknown:
        return ANY
    if given[0].shape is not Shape.ARRAY:
        return f"cannot get {name} element from {given[0].name}"
    return given[0].elements if given[0] in (FLOATS, TEXTS) else ANY


def _get(_name: str, given: Sequence[Type]) -> Type | str:
    wrong = _exactly(2, given)
    if wrong:
        return wrong
    base, key = given
    if base.is_unknown:
        return base
    if base.shape is Shape.ARRAY:
        usable = key.is_integer or key.is_unknown
        return base.elements if usable else f"non-integer slice index {key.name}"
    if base.shape is Shape.MAP and base.key is not None:
        usable = is_assignable(key, base.key) or key.is_unknown
        return base.elements if usable else f"cannot use {key.name} to get an element from {base.name}"
    return f"type {base.name} does not support indexing"


def _take(_name: str, given: Sequence[Type]) -> Type | str:
    wrong = _exactly(2, given)
    if wrong:
        return wrong
    if given[0].shape is not Shape.ARRAY and not given[0].is_unknown:
        return f"cannot take from {given[0].name}"
    if given[1].shape not in (Shape.INT, Shape.INT64) and not given[1].is_unknown:
        return f"cannot take {given[1].name} elements"
    return given[0] if given[0] in (FLOATS, TEXTS) or given[0].is_unknown else ARRAY


def _of_map(name: str, given: Sequence[Type]) -> Type | str:
    wrong = _exactly(1, given)
    usable = bool(wrong) or given[0].shape is Shape.MAP or given[0].is_unknown
    return wrong or (ARRAY if usable else f"cannot get {name} of {given[0].name}")


def _of_array(name: str, given: Sequence[Type]) -> Type | str:
    wrong = _exactly(1, given)
    usable = bool(wrong) or given[0].shape is Shape.ARRAY or given[0].is_unknown
    result = ANY_MAP if name == "fromPairs" else ARRAY
    return wrong or (result if usable else f"cannot {name} {given[0].name}")


def _concat(name: str, given: Sequence[Type]) -> Type | str:
    if not given:
        return "invalid number of arguments (expected at least 1, got 0)"
    strange = [found for found in given if found.shape is not Shape.ARRAY and not found.is_unknown]
    return f"cannot {name} {strange[0].name}" if strange else ARRAY


def _now(_name: str, given: Sequence[Type]) -> Type | str:
    fits = not given or (len(given) == 1 and given[0] is ZONE)
    return TIME if fits else f"invalid number of arguments (expected 0, got {len(given)})"


def _date(_name: str, given: Sequence[Type]) -> Type | str:
    texts = given[1:] if given and given[0] is ZONE else given
    if not given:
        return "invalid number of arguments (expected at least 1, got 0)"
    most = len(("text", "layout", "zone"))
    return (
        TIME if len(texts) <= most else f"invalid number of arguments (expected at most 3, got {len(texts)})"
    )


CHECKERS: dict[str, Checker] = {
    "len": _length,
    **dict.fromkeys(("abs", "ceil", "floor", "round", "int", "float"), _numeric),
    **dict.fromkeys(("max", "min", "mean", "median"), _aggregate),
    **dict.fromkeys(("first", "last"), _end),
    "get": _get,
    "take": _take,
    **dict.fromkeys(("keys", "values", "toPairs"), _of_map),
    **dict.fromkeys(("fromPairs", "reverse", "uniq", "flatten"), _of_array),
    "concat": _concat,
    "now": _now,
    "date": _date,
}
"""Functions that accept several kinds of arguments."""
