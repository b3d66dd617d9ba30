"""Asks the PromQL parser: whether a query parses, and which shape it has."""

import re
from collections.abc import Callable
from typing import Any

from progressive_ci.metrics.promql_text import deepest, place, unclosed, without_backquotes

_LONGEST = 20_000
_DEEPEST = 100
"""The parser recurses in native code: deeper nesting could end the process."""

_QUOTED_NAME = re.compile(r"'([^']+)'")

Shape = tuple[object, ...]


def complaint(query: str) -> str | None:
    """What is wrong with a query; None when it parses."""
    if not query.strip():
        return "the query is empty"
    if len(query) > _LONGEST or deepest(query) > _DEEPEST:
        return f"the query is longer than {_LONGEST} characters or nested deeper than {_DEEPEST} brackets"
    try:
        _parse(query)
    except ValueError as error:
        return _with_place(query, str(error))
    return None


def shape(query: str) -> Shape | None:
    """Kinds of a query's parts in order: everything but names, values and times; None when it doesn't parse."""
    if complaint(query) is not None:
        return None
    parts: list[object] = []
    _walk(_parse(query), lambda part: parts.append(_kind(part)))
    return tuple(parts)


def _parse(query: str) -> Any:  # noqa: ANN401 - the parser ships no types
    import promql_parser  # noqa: PLC0415 - only where there is a query: not at the start of every command

    return promql_parser.parse(without_backquotes(query))


def _walk(tree: Any, visit: Callable[[Any], None]) -> None:  # noqa: ANN401 - the parser ships no types
    import promql_parser  # noqa: PLC0415 - see above

    promql_parser.walk(tree, visit)


def _kind(part: Any) -> object:  # noqa: ANN401 - the parser ships no types
    name = type(part).__name__
    match name:
        case "BinaryExpr":
            return name, str(part.op), part.modifier is not None and part.modifier.return_bool
        case "AggregateExpr":
            return name, str(part.op)
        case "Call":
            return name, part.func.name, len(part.args)
        case "VectorSelector":
            return name, _matchers(part), part.offset is None, part.at is None
        case "MatrixSelector":
            return name, _matchers(part.vector_selector)
        case _:
            return name


def _matchers(selector: Any) -> object:  # noqa: ANN401 - the parser ships no types
    kinds = tuple(str(matcher.op) for matcher in selector.matchers.matchers)
    return kinds, len(selector.matchers.or_matchers), bool(selector.name)


def _with_place(query: str, error: str) -> str:
    """The parser's sentence, with the place where it can be found: it names none itself."""
    lone = unclosed(query)
    if lone is not None:
        return f"{error} ({lone[1]} without a partner in {place(query, lone[0])})"
    named = _QUOTED_NAME.search(error)
    at = query.find(named[1]) if named else -1
    return f"{error} ({place(query, at)})" if at >= 0 else error
