"""The log as a story: for terminals, GitLab, Jenkins and everything else that shows lines."""

from datetime import datetime

from progressive_ci.model.document import Source
from progressive_ci.model.event import (
    Began,
    Ended,
    Event,
    Noted,
    Opened,
    Sampled,
    SecretSeen,
    Shifted,
    Stopped,
    Untrusted,
    Waiting,
    Warned,
)
from progressive_ci.reports import ending
from progressive_ci.reports.story import Story, heartbeat_due
from progressive_ci.reports.text import duration, lines_of, one_line, shorten

NAME = "plain"

MARK = {"Successful": "ok", "Failed": "BAD", "Error": "error", "Inconclusive": "unclear"}
"""Upstream's words for one measurement in ours."""


def lines(story: Story, event: Event, at: datetime, *, word: str) -> tuple[str, ...]:  # noqa: ARG001 - others need it
    """The lines of one event (see `reports.format`)."""
    match event:
        case Began(phase):
            return ("", f"{clock(at)}  == {one_line(phase)}")
        case Ended(outcome):
            return ("", *ending.details(outcome), *ending.ending(outcome), ending.last_line(outcome))
        case Waiting():
            return (stamped(at, waiting(event)),) if heartbeat_due(story, at) else ()
        case Untrusted(title, quoted):
            return (stamped(at, f"{title}:"), *(f"          | {line}" for line in quote(quoted)))
        case _:
            text = sentence(event)
            return (stamped(at, text),) if text else ()


def sentence(event: Event) -> str:  # noqa: PLR0911 - one line for each event
    """An event that takes one line; empty for one that is not shown."""
    match event:
        case Noted(text):
            return text
        case Warned(text, source):
            return f"warning: {text}{placed(source)}"
        case Shifted(before, after):
            return f"traffic on the new version: {before} -> {after}"
        case Sampled():
            return sampled(event)
        case Stopped(reason, source):
            return f"STOP: {reason}{placed(source)}"
        case Opened(release, namespace, name):
            return f"release {release} of {namespace}/{name}"
        case Began() | Ended() | Waiting() | Untrusted() | SecretSeen():
            return ""


def sampled(event: Sampled) -> str:
    """`success-rate = 0.998  ok  (result[0] >= 0.95, 3 of 10)`."""
    mark = MARK.get(event.phase, event.phase)
    value = f" = {shorten(event.value, 80)}" if event.value else ""
    return f"{event.check}{value}  {mark}" + (f"  ({event.detail})" if event.detail else "")


def waiting(event: Waiting) -> str:
    """`pause: 30 s of 10 min, 5 % on the new version`."""
    total = "" if event.total is None else f" of {duration(event.total)}"
    return f"{event.text}: {duration(event.elapsed)}{total}, {event.weight} on the new version"


def quote(quoted: tuple[str, ...]) -> tuple[str, ...]:
    """Foreign lines, harmless and not too long."""
    return tuple(shorten(line, 1000) for text in quoted for line in lines_of(text))


def stamped(at: datetime, text: str) -> str:
    """One line of the log."""
    return f"{clock(at)}  {one_line(text)}"


def clock(at: datetime) -> str:
    """Time of day in UTC."""
    return f"{at:%H:%M:%S}"


def placed(source: Source) -> str:
    """` (file:line: field)` where there is one."""
    return f" ({source})" if source.file else ""
