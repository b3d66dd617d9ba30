"""What operators do to values: Go's arithmetic and comparisons, by expr-lang's rules for mixed types.

A `[]float64` is a tuple, a `[]interface {}` a list, a range of ints a `range`, a map a dict or Grouped.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from progressive_ci.errors import ConditionError

Value = Any
_WORD = 64
_LINE = 80
MOST_NANOSECONDS = 1_000


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """A span of time."""

    nanoseconds: int

    @property
    def delta(self) -> timedelta:
        """The same for Python, in whole microseconds."""
        return timedelta(microseconds=self.nanoseconds // MOST_NANOSECONDS)


class Grouped:
    """A map whose keys may have any type: 1 and 1.0 are two of them."""

    def __init__(self, pairs: Iterable[tuple[Value, Value]]) -> None:
        self._entries = {_identity(key): (key, value) for key, value in pairs}

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: Value) -> bool:
        return _identity(key) in self._entries

    def get(self, key: Value) -> Value:
        """The value at a key, or None."""
        return self._entries.get(_identity(key), (None, None))[1]

    def setdefault(self, key: Value, value: Value) -> Value:
        """The value at a key, which becomes `value` where there is none."""
        return self._entries.setdefault(_identity(key), (key, value))[1]

    def items(self) -> list[tuple[Value, Value]]:
        """Keys and values."""
        return list(self._entries.values())


def _identity(key: Value) -> tuple[str, Value]:
    if isinstance(key, list | tuple | dict | range | Grouped):
        raise fault(f"hash of unhashable type {type_name(key)}")
    return type_name(key), key


def fault(what: str) -> ConditionError:
    """An error of evaluation; who evaluates adds the place."""
    return ConditionError(what, stage="run")


def is_number(value: Value) -> bool:
    """Whether a value is an int or a float; bools are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_array(value: Value) -> bool:
    """Whether a value is a list of any kind."""
    return isinstance(value, list | tuple | range)


def type_name(value: Value) -> str:
    """The type of a value in Go's words, as messages show it."""
    names: tuple[tuple[Any, str], ...] = (
        (bool, "bool"),
        (int, "int"),
        (float, "float64"),
        (str, "string"),
        (bytes, "[]uint8"),
        (tuple, "[]float64"),
        (range, "[]int"),
        (list, "[]interface {}"),
        (dict, "map[string]interface {}"),
        (Grouped, "map[interface {}]interface {}"),
        (datetime, "time.Time"),
        (Duration, "time.Duration"),
        (tzinfo, "*time.Location"),
    )
    if value is None:
        return "<nil>"
    return next((name for kind, name in names if isinstance(value, kind)), "func")


def wrapped(number: int) -> int:
    """An int64 as Go computes it: the value modulo 2^64."""
    half = 1 << (_WORD - 1)
    return (number + half) % (1 << _WORD) - half


def to_int(value: Value) -> int:
    """An index or a count: floats are cut."""
    if not is_number(value):
        raise fault(f"invalid operation: int({type_name(value)})")
    return truncated(value)


def truncated(number: float) -> int:
    """A float as int; what has no int64 becomes the smallest one, as on amd64."""
    if isinstance(number, int):
        return number
    smallest = -(1 << (_WORD - 1))
    return int(number) if math.isfinite(number) and abs(number) < -smallest else smallest


def to_float(value: Value) -> float:
    """A number as float."""
    if not is_number(value):
        raise fault(f"invalid operation: float({type_name(value)})")
    return float(value)


def inside(value: Value) -> Iterable[Value]:
    """What a value holds that may hold more itself; a vector and a range hold only numbers."""
    match value:
        case list():
            return value
        case dict():
            return value.values()
        case Grouped():
            return [part for pair in value.items() for part in pair]
        case _:
            return ()


def size(value: Value) -> float:
    """What it costs to walk through a value, in steps; what it holds is counted by itself."""
    if isinstance(value, str | bytes):
        return 1 + len(value) / _LINE
    return 1 + len(value) if isinstance(value, tuple | range) else 1


def equal(left: Value, right: Value) -> bool:
    """`==`: numbers by value, lists element by element, everything else by type and value."""
    if is_number(left) and is_number(right):
        both_int = isinstance(left, int) and isinstance(right, int)
        return bool(left == right) if both_int else float(left) == float(right)
    if is_array(left) and is_array(right):
        comparable = isinstance(left, list) or isinstance(right, list) or type(left) is type(right)
        return comparable and len(left) == len(right) and all(map(equal, left, right))
    return _identical(left, right)


def _identical(left: Value, right: Value) -> bool:
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(_identical(left[key], right[key]) for key in left)
    if isinstance(left, Grouped):
        return len(left) == len(right) and all(
            _identical(value, right.get(key)) for key, value in left.items()
        )
    if is_array(left):
        return len(left) == len(right) and all(map(_identical, left, right))
    return bool(left == right)


def contains(needle: Value, heap: Value) -> bool:
    """`needle in heap`."""
    if heap is None:
        return False
    if is_array(heap):
        return any(equal(item, needle) for item in heap)
    if isinstance(heap, Grouped):
        return needle in heap
    if isinstance(heap, dict):
        return _key(needle, heap) in heap
    raise fault(f'operator "in" not defined on {type_name(heap)}')


def _key(key: Value, holder: Value) -> str:
    if key is None:
        return ""
    if not isinstance(key, str):
        raise fault(f"cannot use {type_name(key)} as a key of {type_name(holder)}")
    return key


def fetch(base: Value, key: Value) -> Value:
    """`base[key]`: negative indices count from the end, a missing key gives nil."""
    if isinstance(base, dict):
        return base.get(_key(key, base))
    if isinstance(base, Grouped):
        return base.get(key)
    row: Sequence[Value] = base.encode() if isinstance(base, str) else base
    if not is_array(row) and not isinstance(row, bytes):
        raise fault(f"cannot fetch {key} from {type_name(base)}")
    index = to_int(key)
    at = index + len(row) if index < 0 else index
    if not 0 <= at < len(row):
        raise fault(f"index out of range: {index} (array length is {len(row)})")
    return row[at]


def cut(base: Value, start: Value, stop: Value) -> Value:
    """`base[start:stop]`, clamped to what is there; texts are cut between bytes."""
    row = base.encode() if isinstance(base, str) else base
    if not is_array(row) and not isinstance(row, bytes):
        raise fault(f"cannot slice {type_name(base)}")
    first = to_int(start) if start is not None else 0
    last = to_int(stop) if stop is not None else len(row)
    first, last = (max(bound + len(row), 0) if bound < 0 else bound for bound in (first, last))
    part = row[first : max(min(last, len(row)), first)]
    return part.decode(errors="replace") if isinstance(base, str) else part
