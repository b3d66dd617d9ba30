"""Functions of conditions over lists and maps."""

from collections.abc import Sequence

from progressive_ci.judging.condition.library import Arguments, Function, weighed
from progressive_ci.judging.condition.loops import ordered
from progressive_ci.judging.condition.run import Run
from progressive_ci.judging.condition.values import (
    Grouped,
    Value,
    equal,
    fault,
    fetch,
    is_array,
    to_int,
    type_name,
)


def _length(_run: Run, arguments: Arguments) -> int:
    (value,) = arguments
    if not is_array(value) and not isinstance(value, str | bytes | dict | Grouped):
        raise fault(f"invalid argument for len (type {type_name(value)})")
    return len(value)


_TYPES = {
    "<nil>": "nil", "float64": "float", "[]uint8": "array", "[]float64": "array", "[]int": "array",
    "[]interface {}": "array", "map[string]interface {}": "map", "map[interface {}]interface {}": "map",
    "*time.Location": "unknown",
}  # fmt: skip


def _type(_run: Run, arguments: Arguments) -> str:
    name = type_name(arguments[0])
    return _TYPES.get(name, name)


def _edge(index: int) -> Function:
    def end(_run: Run, arguments: Arguments) -> Value:
        """The first or last element; nil where there is none."""
        row = arguments[0].encode() if isinstance(arguments[0], str) else arguments[0]
        return row[index] if (is_array(row) or isinstance(row, bytes)) and row else None

    return end


def _get(_run: Run, arguments: Arguments) -> Value:
    base, key = arguments
    if isinstance(base, dict | Grouped):
        return fetch(base, key)
    if is_array(base) or isinstance(base, str):
        index = to_int(key)
        return fetch(base, index) if -len(base) <= index < len(base) else None
    return None


def _array(name: str, value: Value) -> Sequence[Value]:
    if not is_array(value):
        raise fault(f"cannot {name} {type_name(value)}")
    return value  # type: ignore[no-any-return] # is_array knows


def _pairs(name: str, value: Value) -> list[tuple[Value, Value]]:
    if not isinstance(value, dict | Grouped):
        raise fault(f"cannot get {name} of {type_name(value)}")
    return list(value.items())


def _take(_run: Run, arguments: Arguments) -> Value:
    row, count = _array("take from", arguments[0]), arguments[1]
    if not isinstance(count, int) or count < 0:
        raise fault(f"cannot take {count} elements")
    return row[:count]


def _from_pairs(_run: Run, arguments: Arguments) -> Grouped:
    pairs = [_array("make a pair of", pair) for pair in _array("transform from pairs", arguments[0])]
    if any(len(pair) != 2 for pair in pairs):  # noqa: PLR2004 - key and value
        raise fault("a pair has two elements")
    return Grouped((pair[0], pair[1]) for pair in pairs)


def _reverse(run: Run, arguments: Arguments) -> list[Value]:
    row = _array("reverse", arguments[0])
    run.make(len(row))
    return list(reversed(row))


def _unique(run: Run, arguments: Arguments) -> list[Value]:
    kept: list[Value] = []
    for item in _array("uniq", arguments[0]):
        run.spend(len(kept) + 1)
        if not any(equal(item, other) for other in kept):
            kept.append(item)
    return kept


def _concat(run: Run, arguments: Arguments) -> list[Value]:
    rows = [_array("concat", argument) for argument in arguments]
    run.make(sum(map(len, rows)))
    return [item for row in rows for item in row]


def _flatten(run: Run, arguments: Arguments) -> list[Value]:
    flat: list[Value] = []
    for item in _array("flatten", arguments[0]):
        flat.extend(_flatten(run, (item,)) if is_array(item) else (item,))
    run.make(len(flat))
    return flat


def _sort(run: Run, arguments: Arguments) -> list[Value]:
    row = arguments[0] if is_array(arguments[0]) else ()  # upstream sorts whatever is no list to an empty one
    run.make(len(row))
    run.spend(len(row) * len(row).bit_length())
    return ordered(row, arguments[1] if len(arguments) > 1 else "asc")


FUNCTIONS: dict[str, Function] = {
    "len": _length,
    "type": _type,
    "first": _edge(0),
    "last": _edge(-1),
    "get": _get,
    "take": _take,
    "keys": lambda _run, arguments: [key for key, _ in _pairs("keys", arguments[0])],
    "values": lambda _run, arguments: [value for _, value in _pairs("values", arguments[0])],
    "toPairs": lambda _run, arguments: [list(pair) for pair in _pairs("pairs", arguments[0])],
    "fromPairs": _from_pairs,
    "reverse": _reverse,
    "uniq": weighed(_unique),
    "concat": _concat,
    "flatten": weighed(_flatten),
    "sort": _sort,
}
