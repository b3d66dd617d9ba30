"""What the functions of conditions do."""

import base64
import binascii
import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from progressive_ci.judging.condition import gotext, times
from progressive_ci.judging.condition.loops import ordered
from progressive_ci.judging.condition.run import Run
from progressive_ci.judging.condition.values import (
    Duration,
    Grouped,
    Value,
    compare,
    equal,
    fault,
    fetch,
    is_array,
    is_number,
    to_int,
    truncated,
    type_name,
    wrapped,
)

Arguments = Sequence[Value]
Function = Callable[[Run, Arguments], Value]

_WHOLE = re.compile(r"[+-]?[0-9]+", re.ASCII)
_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", re.ASCII)
_HEXADECIMAL = re.compile(r"[+-]?0[xX]([0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP][+-]?[0-9]+", re.ASCII)
_UNDERSCORE = re.compile(r"(?<=[0-9])_(?=[0-9])", re.ASCII)
_SPECIAL = re.compile(r"[+-]?(inf|infinity)|nan", re.IGNORECASE)
_LONGEST_NUMBER = 400
_BYTE_WORD = 64
_LETTERS = 10


def _parse_int(text: str) -> int:
    if not _WHOLE.fullmatch(text) or len(text) > _LONGEST_NUMBER or wrapped(int(text)) != int(text):
        raise fault(f'parsing "{text}": invalid syntax')
    return int(text)


def _parse_float(text: str) -> float:
    if len(text) > _LONGEST_NUMBER:
        raise fault("parsing a number of too many digits")
    if _SPECIAL.fullmatch(text):
        return float(text)
    plain = _UNDERSCORE.sub("", text)
    number = None
    try:
        if _DECIMAL.fullmatch(plain):
            number = float(plain)
        elif _HEXADECIMAL.fullmatch(plain):
            number = float.fromhex(plain)
    except OverflowError:
        number = math.inf
    if number is None or math.isinf(number):
        raise fault(f'parsing "{text}": invalid syntax')
    return number


def _as_number(name: str, parse: Callable[[str], float], cast: Callable[[float], float]) -> Function:
    def convert(_run: Run, arguments: Arguments) -> Value:
        (value,) = arguments
        if isinstance(value, str):
            return parse(value)
        if name == "int" and isinstance(value, Duration):
            return value.nanoseconds
        if not is_number(value):
            raise fault(f"{name}() does not take {type_name(value)}")
        return cast(value)

    return convert


def _is(test: Callable[[float], bool]) -> Function:
    def asked(_run: Run, arguments: Arguments) -> bool:
        (value,) = arguments
        if not isinstance(value, float):
            raise fault(f"cannot use {type_name(value)} as float64")
        return test(value)

    return asked


def _default(run: Run, arguments: Arguments) -> Value:
    """Looks at the whole result, not at its argument, as upstream's does."""
    result = run.names.get("result")
    return arguments[1] if result is None else result


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


def _absolute(_run: Run, arguments: Arguments) -> Value:
    (value,) = arguments
    if not is_number(value):
        raise fault(f"invalid argument for abs (type {type_name(value)})")
    return wrapped(abs(value)) if isinstance(value, int) else abs(value)


def _rounded(name: str, rule: Callable[[float], int]) -> Function:
    def apply(_run: Run, arguments: Arguments) -> float:
        (value,) = arguments
        if not is_number(value):
            raise fault(f"invalid argument for {name} (type {type_name(value)})")
        number = float(value)
        return float(rule(number)) if math.isfinite(number) else number

    return apply


def _half_away(number: float) -> int:
    whole = math.floor(abs(number))
    away = whole + (abs(number) - whole >= 0.5)  # noqa: PLR2004 - halves go away from zero
    return -away if number < 0 else away


def _weighed(function: Function) -> Function:
    """The function, once its arguments are known to be of a size that it can walk through."""

    def apply(run: Run, arguments: Arguments) -> Value:
        for value in arguments:
            run.weigh(value)
        return function(run, arguments)

    return apply


def _numbers(name: str, arguments: Sequence[Value]) -> Iterator[float]:
    """Every number in the arguments and in the lists inside them."""
    for value in arguments:
        if is_array(value):
            yield from _numbers(name, value)
        elif is_number(value):
            yield value
        else:
            raise fault(f"invalid argument for {name} (type {type_name(value)})")


def _extreme(name: str, replaces: str) -> Function:
    def choose(_run: Run, arguments: Arguments) -> Value:
        if len(arguments) == 1 and not is_array(arguments[0]):
            return arguments[0]
        best: float | None = None
        for number in _numbers(name, arguments):
            if best is None or compare(replaces, best, number):
                best = number
        return best

    return choose


def _mean(_run: Run, arguments: Arguments) -> float:
    numbers = list(_numbers("mean", arguments))
    total = 0.0
    for number in numbers:
        total += number
    return total / len(numbers) if numbers else 0.0


def _median(_run: Run, arguments: Arguments) -> float:
    numbers = sorted(
        map(float, _numbers("median", arguments)), key=lambda number: (not math.isnan(number), number)
    )
    if not numbers:
        return 0.0
    middle = len(numbers) // 2
    return numbers[middle] if len(numbers) % 2 else (numbers[middle - 1] + numbers[middle]) / 2


def _texts(name: str, arguments: Arguments) -> list[Any]:
    for value in arguments:
        if not isinstance(value, str) and not is_number(value):
            raise fault(f"cannot use {type_name(value)} as argument to call {name}")
    return list(arguments)


def _text(name: str, function: Callable[..., Value]) -> Function:
    def apply(run: Run, arguments: Arguments) -> Value:
        for value in arguments:
            run.spend(len(value) / _LETTERS if isinstance(value, str) else 1)
        values = _texts(name, arguments)
        if not isinstance(values[0], str):
            raise fault(f"cannot use {type_name(values[0])} as argument to call {name}")
        return function(*values)

    return apply


def _split(text: str, separator: str, count: float = -1) -> list[str]:
    most = to_int(count)
    if most == 0:
        return []
    if not separator:
        parts = list(text)
        return parts if most < 0 or len(parts) <= most else [*parts[: most - 1], "".join(parts[most - 1 :])]
    return text.split(separator, most - 1 if most > 0 else -1)


def _split_after(text: str, separator: str, count: float = -1) -> list[str]:
    parts = _split(text, separator, count)
    return [part + separator for part in parts[:-1]] + parts[-1:]


def _replace(run: Run, arguments: Arguments) -> str:
    text, old, new, *rest = _texts("replace", arguments)
    run.weigh(text)
    count = to_int(rest[0]) if rest else -1
    found = text.count(old) if count < 0 else min(text.count(old), count)
    run.write(len(text) + found * (len(new) - len(old)))
    return str(text.replace(old, new, count))


def _repeat(run: Run, arguments: Arguments) -> str:
    text, count = arguments[0], to_int(arguments[1])
    if count < 0:
        raise fault(f"invalid argument for repeat (expected positive integer, got {count})")
    run.make(len(text) * count)
    return str(text * count)


def _join(run: Run, arguments: Arguments) -> str:
    parts = arguments[0]
    glue = arguments[1] if len(arguments) > 1 else ""
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        raise fault(f"invalid argument for join (type {type_name(parts)})")
    run.write(sum(len(part) + len(glue) for part in parts))
    return str(glue.join(parts))


def _simple(change: Callable[[str], str]) -> Callable[[str], str]:
    """Case mapping of one character to one character, as Go's: the sharp s has no upper case."""
    return lambda char: change(char) if len(change(char)) == 1 else char


def _trimmed(text: str, characters: str | None = None) -> str:
    return text.strip(characters) if characters != "" else text


def _from_json(run: Run, arguments: Arguments) -> Value:
    run.spend(len(arguments[0]) / _LETTERS if isinstance(arguments[0], str) else 1)

    def refuse(constant: str) -> Value:
        raise fault(f"invalid JSON: {constant}")

    try:
        return json.loads(arguments[0], parse_int=float, parse_constant=refuse)
    except (ValueError, TypeError, RecursionError) as error:
        raise fault(f"invalid JSON: {error}") from None


def _from_base64(text: str) -> str:
    try:
        return base64.b64decode(text.replace("\n", "").replace("\r", ""), validate=True).decode(
            errors="replace"
        )
    except binascii.Error as error:
        raise fault(f"invalid base64: {error}") from None


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


def _bits(name: str, operation: Callable[[int, int], int]) -> Function:
    def apply(_run: Run, arguments: Arguments) -> int:
        if not all(isinstance(value, int) and not isinstance(value, bool) for value in arguments):
            raise fault(f"cannot use {type_name(arguments[0])} as argument (type int) to call {name}")
        if "sh" in name and arguments[1] < 0:
            raise fault(f"invalid operation: negative shift count {arguments[1]} (type int)")
        return wrapped(operation(arguments[0], arguments[-1]))

    return apply


def _shifted(value: int, count: int) -> int:
    return value << count if count < _BYTE_WORD else 0


def _now(run: Run, arguments: Arguments) -> datetime:
    if run.now is None:
        raise fault("now() is not known here")
    return run.now.astimezone(arguments[0]) if arguments else run.now


def _date(_run: Run, arguments: Arguments) -> datetime:
    home = arguments[0] if isinstance(arguments[0], tzinfo) else UTC
    texts = arguments[1:] if isinstance(arguments[0], tzinfo) else arguments
    if not texts or not all(isinstance(text, str) for text in texts):
        raise fault("date() takes texts")
    zone = times.zone(texts[2]) if len(texts) > 2 else home  # noqa: PLR2004 - text, layout, zone
    return times.date(texts[0], texts[1] if len(texts) > 1 else "", zone)


FUNCTIONS: dict[str, Function] = {
    "asInt": _as_number("asInt", _parse_int, truncated),
    "asFloat": _as_number("asFloat", _parse_float, float),
    "isNaN": _is(math.isnan),
    "isInf": _is(math.isinf),
    "isNil": lambda run, _arguments: run.names.get("result") is None,
    "default": _default,
    "len": _length,
    "type": _type,
    "string": _weighed(lambda _run, arguments: gotext.shown(arguments[0])),
    "int": _as_number("int", _parse_int, truncated),
    "float": _as_number("float", _parse_float, float),
    "abs": _absolute,
    "ceil": _rounded("ceil", math.ceil),
    "floor": _rounded("floor", math.floor),
    "round": _rounded("round", _half_away),
    "max": _weighed(_extreme("max", "<")),
    "min": _weighed(_extreme("min", ">")),
    "mean": _weighed(_mean),
    "median": _weighed(_median),
    "trim": _text("trim", _trimmed),
    "trimPrefix": _text("trimPrefix", lambda text, part=" ": text.removeprefix(part)),
    "trimSuffix": _text("trimSuffix", lambda text, part=" ": text.removesuffix(part)),
    "upper": _text("upper", lambda text: "".join(map(_simple(str.upper), text))),
    "lower": _text("lower", lambda text: "".join(map(_simple(str.lower), text))),
    "split": _text("split", _split),
    "splitAfter": _text("splitAfter", _split_after),
    "replace": _replace,
    "repeat": _repeat,
    "join": _join,
    "indexOf": _text("indexOf", lambda text, part: text.encode().find(part.encode())),
    "lastIndexOf": _text("lastIndexOf", lambda text, part: text.encode().rfind(part.encode())),
    "hasPrefix": _text("hasPrefix", str.startswith),
    "hasSuffix": _text("hasSuffix", str.endswith),
    "toJSON": _weighed(lambda _run, arguments: gotext.to_json(arguments[0])),
    "fromJSON": _weighed(_from_json),
    "toBase64": _text("toBase64", lambda text: base64.b64encode(text.encode()).decode()),
    "fromBase64": _text("fromBase64", _from_base64),
    "first": _edge(0),
    "last": _edge(-1),
    "get": _get,
    "take": _take,
    "keys": lambda _run, arguments: [key for key, _ in _pairs("keys", arguments[0])],
    "values": lambda _run, arguments: [value for _, value in _pairs("values", arguments[0])],
    "toPairs": lambda _run, arguments: [list(pair) for pair in _pairs("pairs", arguments[0])],
    "fromPairs": _from_pairs,
    "reverse": _reverse,
    "uniq": _weighed(_unique),
    "concat": _concat,
    "flatten": _weighed(_flatten),
    "sort": _sort,
    "bitand": _bits("bitand", lambda a, b: a & b),
    "bitor": _bits("bitor", lambda a, b: a | b),
    "bitxor": _bits("bitxor", lambda a, b: a ^ b),
    "bitnand": _bits("bitnand", lambda a, b: a & ~b),
    "bitshl": _bits("bitshl", _shifted),
    "bitshr": _bits("bitshr", lambda a, b: a >> min(b, _BYTE_WORD)),
    "bitushr": _bits("bitushr", lambda a, b: (a % (1 << _BYTE_WORD)) >> min(b, _BYTE_WORD)),
    "bitnot": _bits("bitnot", lambda a, _: ~a),
    "now": _now,
    "date": _date,
    "duration": lambda _run, arguments: times.duration(_texts("duration", arguments)[0]),
    "timezone": lambda _run, arguments: times.zone(_texts("timezone", arguments)[0]),
}
"""Every function that is no loop, by name."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _truncated_time(moment: datetime, span: Duration) -> datetime:
    zero = datetime(1, 1, 1, tzinfo=UTC)
    return moment - ((moment - zero) % span.delta if span.delta else timedelta())


METHODS: dict[tuple[str, str], Callable[..., Value]] = {
    ("time.Time", "Add"): lambda moment, span: moment + span.delta,
    ("time.Time", "Sub"): lambda moment, other: Duration(
        ((moment - other) // timedelta(microseconds=1)) * 1000
    ),
    ("time.Time", "Truncate"): _truncated_time,
    ("time.Time", "Before"): lambda moment, other: moment < other,
    ("time.Time", "After"): lambda moment, other: moment > other,
    ("time.Time", "Equal"): lambda moment, other: moment == other,
    ("time.Time", "UTC"): lambda moment: moment.astimezone(UTC),
    ("time.Time", "Unix"): lambda moment: _milliseconds(moment) // 1000,
    ("time.Time", "UnixMilli"): _milliseconds,
    ("time.Time", "Year"): lambda moment: moment.year,
    ("time.Time", "Day"): lambda moment: moment.day,
    ("time.Time", "Hour"): lambda moment: moment.hour,
    ("time.Time", "Minute"): lambda moment: moment.minute,
    ("time.Time", "Second"): lambda moment: moment.second,
    ("time.Time", "YearDay"): lambda moment: moment.timetuple().tm_yday,
    ("time.Duration", "Hours"): lambda span: span.nanoseconds / 3.6e12,
    ("time.Duration", "Minutes"): lambda span: span.nanoseconds / 6e10,
    ("time.Duration", "Seconds"): lambda span: span.nanoseconds / 1e9,
    ("time.Duration", "Milliseconds"): lambda span: int(span.nanoseconds / 1e6),
    ("time.Duration", "Abs"): lambda span: Duration(abs(span.nanoseconds)),
}
"""Methods of times and durations, by type and name."""
