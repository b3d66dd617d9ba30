"""Functions of conditions over numbers."""

import math
import re
from collections.abc import Callable, Iterator, Sequence

from progressive_ci.judging.condition.arithmetic import compare
from progressive_ci.judging.condition.library import Arguments, Function, weighed
from progressive_ci.judging.condition.run import Run
from progressive_ci.judging.condition.values import (
    Duration,
    Value,
    fault,
    is_array,
    is_number,
    truncated,
    type_name,
    wrapped,
)

_WHOLE = re.compile(r"[+-]?[0-9]+", re.ASCII)
_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", re.ASCII)
_HEXADECIMAL = re.compile(r"[+-]?0[xX]([0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP][+-]?[0-9]+", re.ASCII)
_UNDERSCORE = re.compile(r"(?<=[0-9])_(?=[0-9])", re.ASCII)
_SPECIAL = re.compile(r"[+-]?(inf|infinity)|nan", re.IGNORECASE)
_LONGEST_NUMBER = 400
_BYTE_WORD = 64


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


FUNCTIONS: dict[str, Function] = {
    "asInt": _as_number("asInt", _parse_int, truncated),
    "asFloat": _as_number("asFloat", _parse_float, float),
    "isNaN": _is(math.isnan),
    "isInf": _is(math.isinf),
    "int": _as_number("int", _parse_int, truncated),
    "float": _as_number("float", _parse_float, float),
    "abs": _absolute,
    "ceil": _rounded("ceil", math.ceil),
    "floor": _rounded("floor", math.floor),
    "round": _rounded("round", _half_away),
    "max": weighed(_extreme("max", "<")),
    "min": weighed(_extreme("min", ">")),
    "mean": weighed(_mean),
    "median": weighed(_median),
    "bitand": _bits("bitand", lambda a, b: a & b),
    "bitor": _bits("bitor", lambda a, b: a | b),
    "bitxor": _bits("bitxor", lambda a, b: a ^ b),
    "bitnand": _bits("bitnand", lambda a, b: a & ~b),
    "bitshl": _bits("bitshl", _shifted),
    "bitshr": _bits("bitshr", lambda a, b: a >> min(b, _BYTE_WORD)),
    "bitushr": _bits("bitushr", lambda a, b: (a % (1 << _BYTE_WORD)) >> min(b, _BYTE_WORD)),
    "bitnot": _bits("bitnot", lambda a, _: ~a),
}
