"""Owns the plain sentence for each way in which a text fails to be YAML."""

import re

import yaml

from progressive_ci.specs.building import Unreadable

_TEMPLATE = re.compile(r"\{\{(?!\s*args\.)")
"""An expression of Helm or its relatives; our own arguments stand in quoted texts and blocks."""

_INDENT = "line up this entry with its neighbours: the same number of spaces before each"
_FROM_THE_START = ("expected ',' or", "could not find expected ':'", "unexpected end of stream")
_SENTENCES = (
    (
        "mapping values are not allowed",
        "a key stands where none can",
        "quote a value that holds ': ', or " + _INDENT,
    ),
    ("did not find expected key", "an entry is not where its mapping wants it", _INDENT),
    ("did not find expected '-' indicator", "an entry of a list does not begin with '- '", _INDENT),
    ("block sequence entries are not allowed", "a list begins where none can", "put '- ' on its own line"),
    ("did not find expected ',' or ']'", "a '[' has no ']'", "close it, or quote the value"),
    ("did not find expected ',' or '}'", "a '{' has no '}'", "close it, or quote the value"),
    ("did not find expected node content", "a value is missing", "write one, or close the bracket"),
    ("could not find expected ':'", "a key has no ': '", "write key: value, with a space after the colon"),
    ("found unexpected end of stream", "the text ends within quotes", "close the quotes"),
    ("found unknown escape character", "a backslash in double quotes", "use single quotes or write \\\\"),
    ("found undefined tag handle", "an unknown tag", "quote the value"),
    (
        "did not find expected <document start>",
        "text stands after the end of a document",
        "put --- before it",
    ),
)


def fault(error: yaml.YAMLError, text: str) -> Unreadable:
    """What is wrong, where, and what to do."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return _unprintable(error, text)
    line = error.problem_mark.line
    problem = str(error.problem)
    lines = text.splitlines() or [""]
    here = lines[min(line, len(lines) - 1)]
    start = error.context_mark.line if error.context_mark is not None else line
    for at in (line, line - 1, start):
        if _TEMPLATE.search("".join(lines[max(at, 0) : at + 1])):
            return _template(at + 1)
    if "\t" in here[: len(here) - len(here.lstrip())]:
        return Unreadable(
            "a tab stands in the indentation", line + 1, advice="indent with spaces, YAML allows no tabs"
        )
    if problem == "found character that cannot start any token":
        character = here[error.problem_mark.column : error.problem_mark.column + 1]
        return Unreadable(f"no value can begin with {character!r}", line + 1, advice="quote the value")
    for words, sentence, advice in _SENTENCES:
        if words in problem:
            at = start if any(part in problem for part in _FROM_THE_START) else line
            return Unreadable(sentence, at + 1, advice=advice)
    return Unreadable(f"not valid YAML: {problem}", line + 1)


def _template(line: int) -> Unreadable:
    return Unreadable(
        "this is a template, not YAML",
        line,
        advice="render it first (helm template CHART | progressive-ci lint -f -), or quote the value",
    )


def explained(error: Unreadable, text: str) -> Unreadable:
    """A fault of valid YAML, which an unrendered template can be by chance."""
    line = error.lines[0]
    return _template(line) if _TEMPLATE.search("".join(text.splitlines()[line - 1 : line])) else error


def _unprintable(error: yaml.YAMLError, text: str) -> Unreadable:
    position = getattr(error, "position", 0)
    character = getattr(error, "character", None)
    seen = f"{character:#04x}" if isinstance(character, int) else "one"
    line = text.count("\n", 0, position if isinstance(position, int) else 0) + 1
    return Unreadable(
        f"an invisible control character ({seen})", line, advice="remove it, or write it as \\x.. in quotes"
    )
