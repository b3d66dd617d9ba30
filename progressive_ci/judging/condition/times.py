"""Dates in Go's layouts (`2006-01-02 15:04:05`), time zones and durations."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from progressive_ci.errors import ProgressiveError
from progressive_ci.judging.condition.values import Duration, fault
from progressive_ci.model import durations

LAYOUTS = (
    "2006-01-02",
    "15:04:05",
    "2006-01-02 15:04:05",
    "2006-01-02T15:04:05Z07:00",
    "02 Jan 06 15:04 MST",
    "Monday, 02-Jan-06 15:04:05 MST",
    "Mon, 02 Jan 2006 15:04:05 MST",
)
"""Tried in this order where no layout is given."""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ELEMENTS = {
    "January": r"(?P<month_name>[A-Za-z]{3,9})",
    "Jan": r"(?P<month_name>[A-Za-z]{3})",
    "Monday": r"[A-Za-z]{6,9}",
    "Mon": r"[A-Za-z]{3}",
    "2006": r"(?P<year>\d{4})",
    "01": r"(?P<month>\d{2})",
    "02": r"(?P<day>\d{2})",
    "03": r"(?P<hour12>\d{2})",
    "04": r"(?P<minute>\d{2})",
    "05": r"(?P<second>\d{2})(?P<fraction>[.,]\d+)?",
    "06": r"(?P<short_year>\d{2})",
    "15": r"(?P<hour>\d{2})",
    "PM": r"(?P<half>AM|PM)",
    "pm": r"(?P<half>am|pm)",
    "MST": r"(?P<zone_name>[A-Z]{3,4})",
    "Z07:00": r"(?P<offset>Z|[+-]\d{2}:\d{2})",
    "Z0700": r"(?P<offset>Z|[+-]\d{4})",
    "-07:00": r"(?P<offset>[+-]\d{2}:\d{2})",
    "-0700": r"(?P<offset>[+-]\d{4})",
    "_2": r"(?P<day>[ \d]\d)",
    "1": r"(?P<month>\d{1,2})",
    "2": r"(?P<day>\d{1,2})",
    "3": r"(?P<hour12>\d{1,2})",
    "4": r"(?P<minute>\d{1,2})",
    "5": r"(?P<second>\d{1,2})",
}
_ELEMENT = re.compile("|".join(sorted(map(re.escape, _ELEMENTS), key=len, reverse=True)))
_LONGEST_TEXT = 200


def zone(name: str) -> tzinfo:
    """A time zone by its name.

    Raises:
        ConditionError: unknown here.
    """
    if name in ("", "UTC"):
        return UTC
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        raise fault(f"unknown time zone {name}") from None


def duration(text: str) -> Duration:
    """A Go duration.

    Raises:
        ConditionError: the text is none.
    """
    try:
        return Duration(durations.nanoseconds(text))
    except ProgressiveError as error:
        raise fault(error.what) from None


def date(text: str, layout: str = "", home: tzinfo = UTC) -> datetime:
    """A time by a layout, or by the first usual one that fits; `home` is its zone where it names none.

    Raises:
        ConditionError: the text doesn't fit.
    """
    for pattern in (layout,) if layout else LAYOUTS:
        found = _parsed(text, pattern, home)
        if found is not None:
            return found
    raise fault(f'cannot parse "{text}" as "{layout}"' if layout else f"invalid date {text}")


def _parsed(text: str, layout: str, home: tzinfo) -> datetime | None:
    if max(len(text), len(layout)) > _LONGEST_TEXT:
        return None
    try:
        match = re.fullmatch(_expression(layout), text)
        return _moment(match.groupdict(), home) if match else None
    except (ValueError, re.error):
        return None


def _expression(layout: str) -> str:
    """A layout as regular expression without nested repetition: it can't backtrack far."""
    parts: list[str] = []
    end = 0
    for element in _ELEMENT.finditer(layout):
        parts += [re.escape(layout[end : element.start()]), _ELEMENTS[element[0]]]
        end = element.end()
    return "".join(parts) + re.escape(layout[end:])


def _moment(found: dict[str, str | None], home: tzinfo) -> datetime:
    fraction = (found.get("fraction") or "0")[1:7].ljust(6, "0")
    return datetime(
        _year(found),
        _month(found),
        int(found.get("day") or 1),
        _hour(found),
        int(found.get("minute") or 0),
        int(found.get("second") or 0),
        int(fraction),
        _zone(found, home),
    )


def _year(found: dict[str, str | None]) -> int:
    if found.get("year"):
        return int(found["year"] or 1)
    short = found.get("short_year")
    if not short:
        return 1
    century_turn = 69
    return int(short) + (1900 if int(short) >= century_turn else 2000)


def _month(found: dict[str, str | None]) -> int:
    name = found.get("month_name")
    return _MONTHS.index(name[:3].lower()) + 1 if name else int(found.get("month") or 1)


def _hour(found: dict[str, str | None]) -> int:
    half = (found.get("half") or "").lower()
    if not found.get("hour12"):
        return int(found.get("hour") or 0)
    return int(found["hour12"] or 0) % 12 + (12 if half == "pm" else 0)


def _zone(found: dict[str, str | None], home: tzinfo) -> tzinfo:
    offset = found.get("offset")
    if offset == "Z" or found.get("zone_name") == "UTC":
        return UTC
    if not offset:
        return home
    digits = offset[1:].replace(":", "")
    span = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-span if offset[0] == "-" else span)
