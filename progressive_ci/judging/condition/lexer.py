"""Cuts a condition into tokens, by the rules of expr-lang 1.17.8."""

import re
from collections.abc import Iterator

from progressive_ci.errors import ConditionError
from progressive_ci.judging.condition.tokens import NEGATABLE, WORD_OPERATORS, Token, TokenKind

LONGEST = 10_000
"""Characters; upstream's limit is 10,000 nodes."""

_SIMPLE_ESCAPES = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\",
}  # fmt: skip
_NUMBER = re.compile(
    r"""(?:0[xX][0-9a-fA-F_]*|0[oO][0-7_]*|0[bB][01_]*|[0-9_]*)
        (?:\.(?!\.)[0-9_]*)?
        (?:[eE][+-]?[0-9_]*)?""",
    re.VERBOSE,
)
_OPERATOR = re.compile(r"\?\.|\?\?|\?|\|\||\||::|:|[&!=*<>][&=*]?|\.\.|[.,;%+^/-]")
_HEX_ESCAPE = re.compile(r"x([0-9a-fA-F]{2})|u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})")
_OCTAL_ESCAPE = re.compile(r"[0-3][0-7]{2}")


def tokens(text: str) -> tuple[Token, ...]:
    """Every token of a condition, the end included.

    Raises:
        ConditionError: something in it is no token.
    """
    if len(text) > LONGEST:
        raise ConditionError(f"the condition has {len(text)} characters, {LONGEST} are allowed")
    return tuple(_scan(text))


def _scan(text: str) -> Iterator[Token]:
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
        elif text.startswith(("//", "/*"), at):
            at = _after_comment(text, at)
        else:
            token, at = _token(text, at)
            yield token
            if token.is_operator("#"):
                name = _word(text, at)
                if name:
                    yield Token(TokenKind.IDENTIFIER, name, at + 1)
                    at += len(name)
            elif token.is_operator("not"):
                following, at = _negated(text, at)
                yield from following
    yield Token(TokenKind.END, "", max(len(text), 1))


def _after_comment(text: str, at: int) -> int:
    if text.startswith("//", at):
        end = text.find("\n", at)
        return len(text) if end < 0 else end + 1
    end = text.find("*/", at + 2)
    if end < 0:
        raise ConditionError("a comment is not closed", text=text, column=at + 1)
    return end + 2


def _negated(text: str, at: int) -> tuple[tuple[Token, ...], int]:
    """`not in` is two operators even where `in` alone would be a name: the word behind `not` decides."""
    while at < len(text) and text[at] == " ":
        at += 1
    word = _word(text, at)
    if word in NEGATABLE:
        return (Token(TokenKind.OPERATOR, word, at + 1),), at + len(word)
    return (), at


def _token(text: str, at: int) -> tuple[Token, int]:
    char = text[at]
    column = at + 1
    if char in "'\"`" or (char in "bB" and text[at + 1 : at + 2] in ("'", '"')):
        return _quoted(text, at)
    if "0" <= char <= "9" or (char == "." and text[at + 1 : at + 2] in tuple("0123456789")):
        return _number(text, at)
    if char in "([{)]}":
        return Token(TokenKind.BRACKET, char, column), at + 1
    if char == "#":
        end = at + 2 if text.startswith("##", at) else at + 1
        return Token(TokenKind.OPERATOR, text[at:end], column), end
    operator = _OPERATOR.match(text, at)
    if operator:
        return Token(TokenKind.OPERATOR, operator[0], column), operator.end()
    word = _word(text, at)
    if not word:
        raise ConditionError(f"unrecognized character {char!r}", text=text, column=column)
    kind = TokenKind.OPERATOR if word in WORD_OPERATORS else TokenKind.IDENTIFIER
    return Token(kind, word, column), at + len(word)


def is_alphabetic(char: str) -> bool:
    """Whether a name may begin with this character."""
    return char in "_$" or char.isalpha()


def _word(text: str, at: int) -> str:
    end = at
    while end < len(text) and (is_alphabetic(text[end]) or text[end].isdecimal()):
        end += 1
    return text[at:end]


def _number(text: str, at: int) -> tuple[Token, int]:
    match = _NUMBER.match(text, at)
    end = match.end() if match else at
    if _word(text, end):
        raise ConditionError(f'bad number syntax: "{text[at : end + 1]}"', text=text, column=at + 1)
    return Token(TokenKind.NUMBER, text[at:end], at + 1), end


def _quoted(text: str, at: int) -> tuple[Token, int]:
    if text[at] == "`":
        return _raw(text, at)
    is_bytes = text[at] in "bB"
    start = at + 1 if is_bytes else at
    quote = text[start]
    value: list[str] = []
    end = start + 1
    while end < len(text) and text[end] not in (quote, "\n"):
        if text[end] == "\\":
            char, end = _escape(text, end + 1, quote)
            value.append(char)
        else:
            value.append(text[end])
            end += 1
    if end >= len(text) or text[end] != quote:
        raise ConditionError("a quoted text is not closed", text=text, column=at + 1)
    kind = TokenKind.BYTES if is_bytes else TokenKind.STRING
    return Token(kind, "".join(value), at + 1), end + 1


def _raw(text: str, at: int) -> tuple[Token, int]:
    end = at + 1
    while True:
        end = text.find("`", end)
        if end < 0:
            raise ConditionError("a quoted text is not closed", text=text, column=at + 1)
        if not text.startswith("``", end):
            return Token(TokenKind.STRING, text[at + 1 : end].replace("``", "`"), at + 1), end + 1
        end += 2


def _escape(text: str, at: int, quote: str) -> tuple[str, int]:
    char = text[at : at + 1]
    if char == quote:
        return quote, at + 1
    if char in _SIMPLE_ESCAPES:
        return _SIMPLE_ESCAPES[char], at + 1
    number = _HEX_ESCAPE.match(text, at)
    code = int(next(group for group in number.groups() if group), 16) if number else None
    if number is None:
        number = _OCTAL_ESCAPE.match(text, at)
        code = int(number[0], 8) if number else None
    if number is None or code is None or code > 0x10FFFF:  # noqa: PLR2004 - the last code point
        raise ConditionError("invalid char escape", text=text, column=at + 1)
    return chr(code), number.end()
