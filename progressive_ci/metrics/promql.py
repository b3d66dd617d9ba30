"""PromQL with arguments: put in safely, and checked as far as that goes without a server.

Inside quotes a value is escaped. Outside it must be one number, one name or one duration. What an argument
would add to the structure of a query is refused: the parsed query must have the same shape as with a harmless
value. A query that consists of one argument alone is that argument.
"""

import re
from collections.abc import Callable, Mapping

from progressive_ci.errors import ProgressiveError
from progressive_ci.metrics.arguments import TAG
from progressive_ci.metrics.promql_shape import complaint, shape
from progressive_ci.metrics.promql_text import Spot, spots

_NUMBER = re.compile(
    r"[+-]?(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[+-]?[0-9]+)?|inf|nan)", re.ASCII | re.IGNORECASE
)
_DURATION = re.compile(r"(?:[0-9]+(?:ms|[smhdwy]))+", re.ASCII)
_NAME = re.compile(r"[a-zA-Z0-9_:]+", re.ASCII)
_KEYWORDS = frozenset(
    (
        *("and", "or", "unless", "atan2", "by", "without", "on", "ignoring", "group_left", "group_right"),
        *("bool", "offset", "start", "end"),
    )
)
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\x00"}

__all__ = ["check", "fill"]


def fill(query: str, values: Mapping[str, str]) -> str:
    """A query with these arguments in place; tags of others stay as they are.

    Raises:
        ProgressiveError: a value does not fit where it stands.
    """
    alone = TAG.fullmatch(query.strip())
    if alone:
        return values.get(alone[1], query)
    filled = _put(query, values, _fitting)
    before = shape(_put(query, values, _harmless, rest="x"))
    after = shape(_put(filled, {}, _fitting, rest="x"))
    if None not in (before, after) and before != after:
        names = ", ".join(sorted({tag[1] for tag in TAG.finditer(query)} & values.keys()))
        raise ProgressiveError(
            f"the arguments {names} would change the structure of the query `{query}`",
            advice="write the structure into the query, and give only names and values as arguments",
        )
    return filled


def check(query: str) -> str | None:
    """What is wrong with a query, as a sentence with its place where that is known; None when it parses."""
    return complaint(query)


Put = Callable[[str, str, Spot], str]


def _put(query: str, values: Mapping[str, str], put: Put, rest: str | None = None) -> str:
    """The query with every tag replaced: by `put` where there is a value, else by `rest` if given."""
    parts: list[str] = []
    end = 0
    for spot in spots(query, TAG):
        parts.append(query[end : spot.start])
        if spot.name in values:
            parts.append(put(spot.name, values[spot.name], spot))
        else:
            parts.append(query[spot.start : spot.end] if rest is None else rest)
        end = spot.end
    return "".join(parts) + query[end:]


def _harmless(_name: str, value: str, spot: Spot) -> str:
    if spot.quote:
        return "x"
    return "1" if _NUMBER.fullmatch(value) else "1m" if _DURATION.fullmatch(value) else "x"


def _fitting(name: str, value: str, spot: Spot) -> str:
    if spot.quote == "`":
        if "`" in value:
            raise _misfit(name, value, "it stands between backquotes, where none can be written")
        return value
    if spot.quote:
        escapes = {**_ESCAPES, spot.quote: f"\\{spot.quote}"}
        return "".join(escapes.get(char, char) for char in value)
    if value.lower() in _KEYWORDS:
        raise _misfit(name, value, "it is a word of PromQL's own")
    if any(kind.fullmatch(value) for kind in (_NUMBER, _DURATION, _NAME)):
        return value
    raise _misfit(name, value, "outside of quotes it must be one number, one name or one duration")


def _misfit(name: str, value: str, why: str) -> ProgressiveError:
    shown = value if len(value) <= len("0123456789" * 4) else value[:37] + "..."
    return ProgressiveError(
        f"the argument {name} with the value {shown!r} does not fit into the query: {why}",
        advice="put the tag between quotes, or write that part into the query itself",
    )
