"""A cursor over the tokens of a condition, with the bounds that keep the tree small."""

from progressive_ci.errors import ConditionError
from progressive_ci.judging.condition.lexer import tokens
from progressive_ci.judging.condition.tokens import Token, TokenKind

DEEPEST = 60
"""Levels of brackets, calls and operators inside each other; keeps Python's own stack far from its end."""


class Reader:
    """Gives one token after the other; counts how deep the parser is."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens = tokens(text)
        self._at = 0
        self._depth = 0
        self.predicates = 0

    @property
    def current(self) -> Token:
        """The token to be read next."""
        return self._tokens[self._at]

    @property
    def following(self) -> Token:
        """The token behind the current one."""
        return self._tokens[min(self._at + 1, len(self._tokens) - 1)]

    def take(self) -> Token:
        """Read the current token."""
        token = self.current
        if token.kind is not TokenKind.END:
            self._at += 1
        return token

    def take_operator(self, value: str) -> bool:
        """Read the current token if it is this operator."""
        found = self.current.is_operator(value)
        if found:
            self.take()
        return found

    def take_bracket(self, value: str) -> bool:
        """Read the current token if it is this bracket."""
        found = self.current.is_bracket(value)
        if found:
            self.take()
        return found

    def expect_operator(self, value: str) -> None:
        """Read this operator, or complain."""
        if not self.take_operator(value):
            raise self.unexpected()

    def expect_bracket(self, value: str) -> None:
        """Read this bracket, or complain."""
        if not self.take_bracket(value):
            raise self.unexpected()

    def expect_identifier(self) -> Token:
        """Read a name, or complain."""
        if self.current.kind is not TokenKind.IDENTIFIER:
            raise self.unexpected()
        return self.take()

    def descend(self) -> None:
        """Go one level down."""
        self._depth += 1
        if self._depth > DEEPEST:
            raise self.error(f"nested deeper than {DEEPEST} levels", self.current)

    def ascend(self) -> None:
        """Come one level up."""
        self._depth -= 1

    def error(self, what: str, token: Token) -> ConditionError:
        """A complaint about a token."""
        return ConditionError(what, text=self.text, column=token.column)

    def unexpected(self) -> ConditionError:
        """A complaint about the current token."""
        return self.error(f"unexpected token {self.current}", self.current)
