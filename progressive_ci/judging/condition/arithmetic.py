"""Go's arithmetic and ordering, by expr-lang's rules for mixed types."""

import math
from datetime import datetime, timedelta

from progressive_ci.errors import ConditionError
from progressive_ci.judging.condition.values import (
    MOST_NANOSECONDS,
    Duration,
    Value,
    fault,
    is_number,
    truncated,
    type_name,
    wrapped,
)


def compare(operator: str, left: Value, right: Value) -> bool:
    """`<`, `<=`, `>`, `>=` of two numbers, texts, times or durations."""
    if is_number(left) and is_number(right):
        if not (isinstance(left, int) and isinstance(right, int)):
            left, right = float(left), float(right)
    elif not any(isinstance(left, kind) and isinstance(right, kind) for kind in (str, datetime, Duration)):
        raise _mismatch(operator, left, right)
    match operator:
        case "<":
            return bool(left < right)
        case "<=":
            return bool(left <= right)
        case ">":
            return bool(left > right)
        case _:
            return bool(left >= right)


def arithmetic(  # noqa: PLR0911 - one row for each pair of kinds
    operator: str, left: Value, right: Value
) -> Value:
    """`+ - * / % ** ^`."""
    if is_number(left) and is_number(right):
        return _numbers(operator, left, right)
    match operator, left, right:
        case "+", str(), str():
            return left + right
        case "+", datetime(), Duration():
            return left + right.delta
        case "+", Duration(), datetime():
            return right + left.delta
        case "-", datetime(), Duration():
            return left - right.delta
        case "-", datetime(), datetime():
            return Duration(int((left - right) / timedelta(microseconds=1)) * MOST_NANOSECONDS)
        case "+", Duration(), Duration():
            return Duration(wrapped(left.nanoseconds + right.nanoseconds))
        case "-", Duration(), Duration():
            return Duration(wrapped(left.nanoseconds - right.nanoseconds))
        case "*", _, _ if isinstance(left, Duration) or isinstance(right, Duration):
            return _times(left, right)
        case _:
            raise _mismatch(operator, left, right)


def _times(left: Value, right: Value) -> Duration:
    sides = [side.nanoseconds if isinstance(side, Duration) else side for side in (left, right)]
    if not all(is_number(side) for side in sides):
        raise _mismatch("*", left, right)
    return Duration(wrapped(truncated(sides[0]) * truncated(sides[1])))


def _numbers(operator: str, left: float, right: float) -> float:
    match operator:
        case "/":
            return _divided(float(left), float(right))
        case "**" | "^":
            return _power(float(left), float(right))
        case "%":
            return _modulo(left, right)
        case _:
            pass
    whole = isinstance(left, int) and isinstance(right, int)
    a, b = (left, right) if whole else (float(left), float(right))
    result = a + b if operator == "+" else a - b if operator == "-" else a * b
    return wrapped(int(result)) if whole else result


def _divided(left: float, right: float) -> float:
    if right != 0:
        return left / right
    if left == 0 or math.isnan(left):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1, right)


def _power(base: float, exponent: float) -> float:
    try:
        return math.pow(base, exponent)
    except OverflowError:
        odd = exponent % 2 == 1
        return -math.inf if base < 0 and odd else math.inf
    except ValueError:
        return math.inf if base == 0 else math.nan


def _modulo(left: float, right: float) -> int:
    if not (isinstance(left, int) and isinstance(right, int)):
        raise _mismatch("%", left, right)
    if right == 0:
        raise fault("integer divide by zero")
    return int(math.copysign(1, left)) * (abs(left) % abs(right))


def _mismatch(operator: str, left: Value, right: Value) -> ConditionError:
    return fault(f"invalid operation: {type_name(left)} {operator} {type_name(right)}")
