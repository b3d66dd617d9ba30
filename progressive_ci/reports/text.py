"""Words for people: lines that cannot be mistaken for commands, durations, places."""

import re

from progressive_ci.model.document import Source

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
LINE_END = re.compile(r"\r\n|\r|\n")
PLACE = re.compile(r"(?P<file>[^\s:][^:\n]*):(?P<line>\d+)(?:: .*)?")
MINUTE = 60
HOUR = 3600


def lines_of(text: str) -> tuple[str, ...]:
    """A text's lines with control characters shown, not obeyed."""
    return tuple(CONTROL.sub(_shown, line).rstrip() for line in LINE_END.split(text))


def one_line(text: str) -> str:
    """A text as one line: nothing in it can move the cursor or begin a line of its own."""
    return " ".join(line.strip() for line in lines_of(text) if line.strip())


def shorten(text: str, length: int) -> str:
    """At most `length` characters; what was cut is said."""
    return text if len(text) <= length else f"{text[: length - 4]} ..."


def duration(seconds: float) -> str:
    """`8 s`, `10 min`, `1 h 5 min`: two units at most."""
    whole = round(seconds)
    if 0 < seconds < 1:
        return f"{seconds:.1f} s"
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        minutes, rest = divmod(whole, MINUTE)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, rest = divmod(whole, HOUR)
    minutes = rest // MINUTE
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def at(source: Source) -> str:
    """`file:line`, empty where there is none."""
    return f"{source.file}:{source.line}" if source.file else ""


def place(where: str) -> tuple[str, int] | None:
    """File and line of an error's `where`, None where it speaks of an object in the cluster."""
    match = PLACE.fullmatch(where)
    return (match["file"], int(match["line"])) if match else None


def _shown(match: re.Match[str]) -> str:
    """A control character as its escape sequence."""
    return match[0].encode("unicode_escape").decode("ascii")
