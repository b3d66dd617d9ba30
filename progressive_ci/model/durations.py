"""Owns durations as users write them: Go's (`1h30m`), and those of pauses (a bare number is seconds)."""

import re

from progressive_ci.errors import ProgressiveError

_UNITS = {
    "ns": 1,
    "us": 1_000,
    "\u00b5s": 1_000,  # micro sign
    "\u03bcs": 1_000,  # Greek mu
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_SECOND = _UNITS["s"]
_LARGEST = 2**63
_LARGEST_PAUSE = 2**31
_LONGEST = 200
"""Characters; Python refuses to read numbers of thousands of digits, and nobody writes such a duration."""

_PART = re.compile(r"([0-9]*)(\.[0-9]*)?([^.0-9]*)")
_WHOLE = re.compile(r"[+-]?[0-9]+", re.ASCII)
_ADVICE = "write numbers with units, as in 30s, 5m or 1h30m"


def nanoseconds(text: str) -> int:
    """A Go duration (`time.ParseDuration`): signed, units ns us ms s m h, at most 292 years.

    Raises:
        ProgressiveError: the text is none; `what` uses Go's words, which upstream's messages quote.
    """
    sign = -1 if text.startswith("-") else 1
    rest = text[1:] if text.startswith(("-", "+")) else text
    if rest == "0":
        return 0
    if not rest or len(rest) > _LONGEST:
        raise _invalid(text)
    total = 0
    while rest:
        part = _PART.match(rest)
        if part is None or not (part[1] or (part[2] or "").strip(".")):
            raise _invalid(text)
        total += _amount(part[1], (part[2] or "").strip("."), part[3], text)
        rest = rest[part.end() :]
    if total > _LARGEST - (sign > 0):
        raise _invalid(text)
    return sign * total


def _amount(whole: str, fraction: str, unit: str, text: str) -> int:
    if not unit:
        raise ProgressiveError(f'time: missing unit in duration "{text}"', advice=_ADVICE)
    if unit not in _UNITS:
        raise ProgressiveError(f'time: unknown unit "{unit}" in duration "{text}"', advice=_ADVICE)
    size = _UNITS[unit]
    digits = fraction[:18]  # more don't reach a nanosecond
    below = int(int(digits) * (size / 10 ** len(digits))) if digits else 0
    return int(whole or "0") * size + below


def _invalid(text: str) -> ProgressiveError:
    return ProgressiveError(f'time: invalid duration "{text}"', advice=_ADVICE)


def go_duration(text: str) -> float:
    """A Go duration in seconds: of intervals, delays, windows.

    Raises:
        ProgressiveError: the text is none.
    """
    return nanoseconds(text) / _SECOND


def waits_for_person(value: int | str | None) -> bool:
    """Whether a pause with this duration has no end of its own: it has none written."""
    return value is None


def pause_seconds(value: int | str | None) -> int:
    """The duration of a pause in whole seconds: a number, its digits, or a Go duration cut to seconds.

    -1 where it can't be read, as upstream; anything below 0 is to be refused, 0 passes at once.
    """
    if value is None:
        return 0
    if isinstance(value, int):
        return value
    if len(value) <= _LONGEST and _WHOLE.fullmatch(value) and -_LARGEST_PAUSE <= int(value) < _LARGEST_PAUSE:
        return int(value)
    try:
        pause = int(go_duration(value))
    except ProgressiveError:
        return -1
    return pause if abs(pause) < _LARGEST_PAUSE else -1


def shown(amount: float) -> str:
    """Seconds as people write them: `1h30m`, `45s`, `0.5s`."""
    whole = int(amount)
    if amount != whole or whole == 0:
        return f"{amount:g}s"
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    parts = ((hours, "h"), (minutes, "m"), (left, "s"))
    return "".join(f"{number}{unit}" for number, unit in parts if number)
