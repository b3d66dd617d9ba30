"""Looks at PromQL as text: what stands between quotes, in comments, and which bracket is not closed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_NOTHING = re.compile(r"(?!)")
_RAW = {"\\": "\\\\", '"': '\\"', "\n": "\\n"}
_CLOSING = {")": "(", "]": "[", "}": "{"}


@dataclass(frozen=True, slots=True)
class Spot:
    """Where an argument stands.

    Attributes:
        name: of the argument.
        start: of its tag.
        end: behind its tag.
        quote: the quotes around it; empty outside of quotes.
    """

    name: str
    start: int
    end: int
    quote: str


def spots(query: str, tag: re.Pattern[str]) -> Iterator[Spot]:
    """Every tag of a query, with the quotes around it."""
    quotes = _quotes(query, tag)
    for found in tag.finditer(query):
        yield Spot(found[1], found.start(), found.end(), quotes[found.start()])


def _quotes(query: str, tag: re.Pattern[str]) -> list[str]:
    """For each character the quotes that it stands between."""
    around: list[str] = []
    quote, at = "", 0
    while at < len(query):
        found = tag.match(query, at)
        width = found.end() - at if found else 2 if quote in ("'", '"') and query[at] == "\\" else 1
        around += [quote] * width
        char = query[at] if width == 1 else ""
        if quote and char == quote:
            quote = ""
        elif not quote and char and char in "\"'`":
            quote = char
        elif not quote and char == "#":
            end = query.find("\n", at)
            width = (len(query) if end < 0 else end) - at
            around += [quote] * (width - 1)
        at += width
    return around


def unclosed(query: str) -> tuple[int, str] | None:
    """The first quote or bracket that has no partner: its index and itself."""
    quotes = _quotes(query, _NOTHING)
    open_at: list[int] = []
    for at, char in enumerate(query):
        if quotes[at] or char not in "()[]{}":
            continue
        if char not in _CLOSING:
            open_at.append(at)
        elif open_at and query[open_at[-1]] == _CLOSING[char]:
            open_at.pop()
        else:
            return at, char
    if quotes and quotes[-1] and query[-1] != quotes[-1]:
        start = max(at for at in range(len(query)) if not quotes[at])
        return start, query[start]
    return (open_at[0], query[open_at[0]]) if open_at else None


def without_backquotes(query: str) -> str:
    """The same query with raw texts in double quotes: the parser looks for escapes in raw ones too."""
    quotes = _quotes(query, _NOTHING)
    parts: list[str] = []
    for at, char in enumerate(query):
        inside = quotes[at] == "`"
        if char == "`" and (inside or not quotes[at]):
            parts.append('"')
        else:
            parts.append(_RAW.get(char, char) if inside else char)
    return "".join(parts)


def deepest(query: str) -> int:
    """How deep brackets are nested."""
    depth = most = 0
    for char in query:
        depth += (char in "([{") - (char in ")]}")
        most = max(most, depth)
    return most


def place(query: str, at: int) -> str:
    """An index as people count: `line 2, column 5`; without the line where there is one only."""
    line, column = query.count("\n", 0, at) + 1, at - query.rfind("\n", 0, at)
    return f"line {line}, column {column}" if "\n" in query else f"column {column}"
