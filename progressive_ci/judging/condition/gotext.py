"""Values as text: Go's `%v` for `string()` and messages, and Go's JSON for `toJSON()`."""

import json
import math
from datetime import datetime
from decimal import Decimal

from progressive_ci.judging.condition.values import Duration, Grouped, Value, fault, is_array

_LEAST_EXPONENT = -4
_MOST_EXPONENT = 6
_MOST_JSON = 1e21


def shown(value: Value) -> str:  # noqa: PLR0911 - one row for each kind of value
    """A value as Go's `%v` prints it: `[1 2.5]`, `map[a:1]`, `<nil>`."""
    match value:
        case None:
            return "<nil>"
        case bool():
            return "true" if value else "false"
        case float():
            return _shortest(value)
        case dict():
            return "map[" + " ".join(f"{key}:{shown(value[key])}" for key in sorted(value)) + "]"
        case Grouped():
            return "map[" + " ".join(f"{shown(key)}:{shown(item)}" for key, item in value.items()) + "]"
        case bytes():
            return "[" + " ".join(str(byte) for byte in value) + "]"
        case Duration():
            return duration(value)
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S %z} {value.tzname()}"
        case _:
            return "[" + " ".join(shown(item) for item in value) + "]" if is_array(value) else str(value)


def number(value: float) -> str:
    """A float without exponent: `0.95`, `0.00001`, `1000000`, `NaN`, `+Inf`."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    plain = format(Decimal(repr(value)), "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _shortest(value: float) -> str:
    """A float as `%v` has it: `0.95`, `1e-05`, `1e+06`."""
    if value == 0 or not math.isfinite(value):
        return number(value)
    mantissa, exponent = _scientific(value)
    if _LEAST_EXPONENT <= exponent < _MOST_EXPONENT:
        return number(value)
    return f"{mantissa}e{exponent:+03d}"


def _scientific(value: float) -> tuple[str, int]:
    """Shortest digits that read back as the same float, as `d.ddd` and exponent."""
    text = repr(value)
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    head, _, power = digits.partition("e")
    whole, _, below = head.partition(".")
    figures = (whole + below).lstrip("0")
    leading = len(whole.lstrip("0")) or -(len(below) - len(below.lstrip("0")))
    exponent = int(power or 0) + leading - 1
    figures = figures.rstrip("0") or "0"
    mantissa = figures[0] + ("." + figures[1:] if figures[1:] else "")
    return sign + mantissa, exponent


def duration(value: Duration) -> str:
    """A duration as Go prints it: `1h0m0s`, `1.5s`, `100ns`."""
    left = abs(value.nanoseconds)
    sign = "-" if value.nanoseconds < 0 else ""
    if left == 0:
        return "0s"
    for unit, size in (("ns", 1), ("\u00b5s", 1_000), ("ms", 1_000_000)):
        if left < size * 1_000:
            return f"{sign}{number(left / size)}{unit}"
    seconds, below = divmod(left, 1_000_000_000)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    rest = f"{second}" + (f".{below:09d}".rstrip("0") if below else "") + "s"
    if hours:
        return f"{sign}{hours}h{minute}m{rest}"
    return f"{sign}{minute}m{rest}" if minute else f"{sign}{rest}"


def to_json(value: Value) -> str:
    """JSON indented by two blanks, keys sorted, `<`, `>` and `&` escaped."""
    text = json.dumps(_plain(value), indent=2, sort_keys=True, ensure_ascii=False)
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


def _plain(value: Value) -> Value:
    match value:
        case float() if not math.isfinite(value):
            raise fault(f"json: unsupported value: {number(value)}")
        case float():
            return int(value) if value.is_integer() and abs(value) < _MOST_JSON else value
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case Duration():
            return value.nanoseconds
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case Grouped():
            raise fault("json: unsupported type: map[interface {}]interface {}")
        case _:
            return [_plain(item) for item in value] if is_array(value) else value
