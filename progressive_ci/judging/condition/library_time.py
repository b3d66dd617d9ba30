"""Functions and methods of conditions over times and durations."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo

from progressive_ci.judging.condition import times
from progressive_ci.judging.condition.library import Arguments, Function, texts
from progressive_ci.judging.condition.run import Run
from progressive_ci.judging.condition.values import (
    Duration,
    Value,
    fault,
)


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


FUNCTIONS: dict[str, Function] = {
    "now": _now,
    "date": _date,
    "duration": lambda _run, arguments: times.duration(texts("duration", arguments)[0]),
    "timezone": lambda _run, arguments: times.zone(texts("timezone", arguments)[0]),
}
