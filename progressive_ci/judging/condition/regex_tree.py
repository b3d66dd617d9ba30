"""What a regular expression consists of, once it is parsed."""

import unicodedata
from dataclasses import dataclass

Range = tuple[int, int]
_DIGIT: tuple[Range, ...] = ((48, 57),)
_SPACE: tuple[Range, ...] = ((9, 10), (12, 13), (32, 32))
_WORD: tuple[Range, ...] = ((48, 57), (65, 90), (95, 95), (97, 122))
PERL = {"d": _DIGIT, "s": _SPACE, "w": _WORD}
POSIX: dict[str, tuple[Range, ...]] = {
    "alnum": ((48, 57), (65, 90), (97, 122)),
    "alpha": ((65, 90), (97, 122)),
    "ascii": ((0, 127),),
    "blank": ((9, 9), (32, 32)),
    "cntrl": ((0, 31), (127, 127)),
    "digit": _DIGIT,
    "graph": ((33, 126),),
    "lower": ((97, 122),),
    "print": ((32, 126),),
    "punct": ((33, 47), (58, 64), (91, 96), (123, 126)),
    "space": ((9, 13), (32, 32)),
    "upper": ((65, 90),),
    "word": _WORD,
    "xdigit": ((48, 57), (65, 70), (97, 102)),
}


@dataclass(frozen=True, slots=True)
class Chars:
    """One character out of a set; `category` is a prefix of Unicode's general category."""

    ranges: tuple[Range, ...]
    negated: bool = False
    folded: bool = False
    parts: tuple["Chars", ...] = ()
    category: str = ""

    def holds(self, char: str) -> bool:
        """Whether the character is one of these."""
        found = self._has(char) or (self.folded and (self._has(char.lower()) or self._has(char.upper())))
        return found != self.negated

    def _has(self, char: str) -> bool:
        if len(char) != 1:
            return False
        code = ord(char)
        return (
            any(low <= code <= high for low, high in self.ranges)
            or any(part.holds(char) for part in self.parts)
            or (bool(self.category) and unicodedata.category(char).startswith(self.category))
        )


@dataclass(frozen=True, slots=True)
class Assertion:
    """A place: `start`, `end`, `line start`, `line end`, `word edge`, `no word edge`."""

    kind: str


@dataclass(frozen=True, slots=True)
class Series:
    """One after the other; empty matches nothing at all."""

    items: tuple["Pattern", ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several."""

    items: tuple["Pattern", ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """`least` to `most` times; None has no end."""

    item: "Pattern"
    least: int
    most: int | None


Pattern = Chars | Assertion | Series | Choice | Repeat
