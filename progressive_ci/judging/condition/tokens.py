"""What the condition language is made of: kinds of tokens, operators and how tightly they bind."""

from dataclasses import dataclass
from enum import StrEnum


class TokenKind(StrEnum):
    """Kinds, in the words of expr-lang's messages."""

    IDENTIFIER = "Identifier"
    NUMBER = "Number"
    STRING = "String"
    BYTES = "Bytes"
    OPERATOR = "Operator"
    BRACKET = "Bracket"
    END = "EOF"


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a condition; `column` counts from 1."""

    kind: TokenKind
    value: str
    column: int

    def __str__(self) -> str:
        return f'{self.kind}("{self.value}")' if self.value else str(self.kind)

    def is_operator(self, *values: str) -> bool:
        """Whether this is one of the operators."""
        return self.kind is TokenKind.OPERATOR and self.value in values

    def is_bracket(self, value: str) -> bool:
        """Whether this is the bracket."""
        return self.kind is TokenKind.BRACKET and self.value == value


WORD_OPERATORS = frozenset(
    ("not", "in", "or", "and", "matches", "contains", "startsWith", "endsWith", "let", "if", "else")
)
NEGATABLE = frozenset(("in", "matches", "contains", "startsWith", "endsWith"))
COMPARISONS = frozenset(("<", ">", ">=", "<="))
RIGHT_ASSOCIATIVE = frozenset(("**", "^"))

UNARY = {"not": 50, "!": 50, "-": 90, "+": 90}

BINARY = {
    "|": 0,
    "or": 10,
    "||": 10,
    "and": 15,
    "&&": 15,
    "==": 20,
    "!=": 20,
    "<": 20,
    ">": 20,
    ">=": 20,
    "<=": 20,
    "in": 20,
    "matches": 20,
    "contains": 20,
    "startsWith": 20,
    "endsWith": 20,
    "..": 25,
    "+": 30,
    "-": 30,
    "*": 60,
    "/": 60,
    "%": 60,
    "**": 100,
    "^": 100,
    "??": 500,
}
"""Upstream's precedences (expr-lang 1.17.8): `??` binds tightest, `|` loosest."""
