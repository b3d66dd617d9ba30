"""Parses RE2's regular expressions. What only captures or greediness would show is read and dropped."""

import re
from dataclasses import dataclass, replace

from progressive_ci.errors import ConditionError
from progressive_ci.judging.condition.regex_tree import (
    PERL,
    POSIX,
    Assertion,
    Chars,
    Choice,
    Pattern,
    Range,
    Repeat,
    Series,
)

MOST_REPEATS = 1000
LONGEST_PATTERN = 1_000
_DEEPEST = 30
_LAST = 0x10FFFF


_CONTROLS = {"a": 7, "f": 12, "t": 9, "n": 10, "r": 13, "v": 11}
_REPEAT = re.compile(r"\{(\d+)(,(\d*))?\}", re.ASCII)
_GROUP = re.compile(r"\?(?:P?<\w+>|(?P<flags>[imsU]*(?:-[imsU]+)?)(?P<end>[:)]))", re.ASCII)
_CODE = re.compile(r"x([0-9a-fA-F]{2})|x\{([0-9a-fA-F]+)\}|([0-7]{1,3})")
_CATEGORY = re.compile(r"(?:\{(\^?)(\w+)\}|(\w))", re.ASCII)
_POSIX_NAME = re.compile(r"\[:(\^?)(\w+):\]", re.ASCII)


@dataclass(frozen=True, slots=True)
class Flags:
    """`(?ims)`."""

    i: bool = False
    m: bool = False
    s: bool = False


class PatternReader:
    """Reads one pattern from left to right."""

    def __init__(self, text: str) -> None:
        if len(text) > LONGEST_PATTERN:
            raise ConditionError(f"the regular expression has more than {LONGEST_PATTERN} characters")
        self._text = text
        self._at = 0
        self._flags = Flags()
        self._depth = 0

    def read(self) -> Pattern:
        """The whole pattern."""
        pattern = self._choice()
        if self._at < len(self._text):
            raise self._error("unexpected )")
        return pattern

    def _error(self, what: str) -> ConditionError:
        return ConditionError(f"error parsing regexp: {what} in `{self._text}`")

    def _next(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self) -> str:
        char = self._next()
        self._at += 1
        return char

    def _choice(self) -> Pattern:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._error(f"nested deeper than {_DEEPEST} groups")
        options = [self._series()]
        while self._next() == "|":
            self._take()
            options.append(self._series())
        self._depth -= 1
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def _series(self) -> Pattern:
        items: list[Pattern] = []
        while self._next() not in ("", "|", ")"):
            if self._text.startswith("\\Q", self._at):
                items.extend(self._verbatim())
                continue
            item = self._atom()
            if item is not None:
                items.append(self._repeated(item))
        return items[0] if len(items) == 1 else Series(tuple(items))

    def _verbatim(self) -> list[Pattern]:
        end = self._text.find("\\E", self._at)
        stop = len(self._text) if end < 0 else end
        literal = self._text[self._at + 2 : stop]
        self._at = stop + 2
        return [self._one(ord(char)) for char in literal]

    def _repeated(self, item: Pattern) -> Pattern:
        bounds = self._bounds()
        if bounds is None:
            return item
        if self._next() == "?":
            self._take()
        if self._bounds() is not None:
            raise self._error("invalid nested repetition operator")
        least, most = bounds
        if max(least, most or 0) > MOST_REPEATS or (most is not None and most < least):
            raise self._error("invalid repeat count")
        return Repeat(item, least, most)

    def _bounds(self) -> tuple[int, int | None] | None:
        simple: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
        if self._next() in simple:
            return simple[self._take()]
        match = _REPEAT.match(self._text, self._at)
        if match is None:
            return None
        self._at = match.end()
        least = int(match[1])
        if match[2] is None:
            return least, least
        return least, int(match[3]) if match[3] else None

    def _atom(self) -> Pattern | None:  # noqa: PLR0911 - one row for each kind of atom
        char = self._take()
        match char:
            case "(":
                return self._group()
            case "[":
                return self._set()
            case ".":
                return Chars(((0, _LAST),)) if self._flags.s else Chars(((10, 10),), negated=True)
            case "^":
                return Assertion("line start" if self._flags.m else "start")
            case "$":
                return Assertion("line end" if self._flags.m else "end")
            case "\\":
                return self._escape()
            case "*" | "+" | "?":
                raise self._error(f"missing argument to repetition operator: `{char}`")
            case _:
                return self._one(ord(char))

    def _one(self, code: int) -> Chars:
        return Chars(((code, code),), folded=self._flags.i)

    def _group(self) -> Pattern | None:
        outer = self._flags
        if self._next() == "?":
            match = _GROUP.match(self._text, self._at)
            if match is None:
                raise self._error("invalid or unsupported Perl syntax")
            self._at = match.end()
            self._set_flags(match["flags"] or "")
            if match["end"] == ")":
                return None
        inner = self._choice()
        if self._take() != ")":
            raise self._error("missing closing )")
        self._flags = outer
        return inner

    def _set_flags(self, text: str) -> None:
        on, _, off = text.partition("-")
        changes = {**dict.fromkeys(on, True), **dict.fromkeys(off, False)}
        changes.pop("U", None)
        self._flags = replace(self._flags, **changes)

    def _escape(self) -> Pattern:
        places = {"A": "start", "z": "end", "b": "word edge", "B": "no word edge"}
        if self._next() in places:
            return Assertion(places[self._take()])
        group = self._class_escape()
        return self._one(self._code()) if group is None else group

    def _class_escape(self) -> Chars | None:
        name = self._next()
        if name.lower() in PERL and name:
            self._take()
            return Chars(PERL[name.lower()], negated=name.isupper())
        if name not in ("p", "P") or not name:
            return None
        match = _CATEGORY.match(self._text, self._at + 1)
        category = (match[2] or match[3]) if match else ""
        if match is None or category[:1] not in tuple("LMNPSZC") or len(category) > len("Lu"):
            raise self._error("invalid character class range")
        self._at = match.end()
        return Chars((), negated=(name == "P") != (match[1] == "^"), category=category)

    def _code(self) -> int:
        """The character behind a backslash."""
        char = self._next()
        if not char:
            raise self._error("trailing backslash at end of expression")
        if char in _CONTROLS:
            self._take()
            return _CONTROLS[char]
        match = _CODE.match(self._text, self._at)
        if match and (match[3] is None or match[3][0] == "0" or len(match[3]) == len("123")):
            self._at = match.end()
            code = int(match[3], 8) if match[3] else int(match[1] or match[2], 16)
            if code > _LAST:
                raise self._error("invalid escape sequence")
            return code
        if char.isalnum():
            raise self._error(f"invalid escape sequence: `\\{char}`")
        self._take()
        return ord(char)

    def _set(self) -> Chars:
        negated = self._next() == "^"
        if negated:
            self._take()
        ranges: list[Range] = []
        parts: list[Chars] = []
        first = True
        while first or self._next() != "]":
            first = False
            if not self._next():
                raise self._error("missing closing ]")
            part = self._part()
            if part is not None:
                parts.append(part)
            else:
                ranges.append(self._range())
        self._take()
        return Chars(tuple(ranges), negated, self._flags.i, tuple(parts))

    def _part(self) -> Chars | None:
        posix = _POSIX_NAME.match(self._text, self._at)
        if posix:
            if posix[2] not in POSIX:
                raise self._error("invalid character class range")
            self._at = posix.end()
            return Chars(POSIX[posix[2]], negated=posix[1] == "^")
        if self._next() != "\\":
            return None
        self._take()
        part = self._class_escape()
        if part is None:
            self._at -= 1
        return part

    def _range(self) -> Range:
        low = high = self._member()
        if self._next() == "-" and self._text[self._at + 1 : self._at + 2] not in ("]", ""):
            self._take()
            high = self._member()
        if high < low:
            raise self._error("invalid character class range")
        return low, high

    def _member(self) -> int:
        char = self._take()
        return self._code() if char == "\\" else ord(char)
