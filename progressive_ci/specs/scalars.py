"""Owns what an unquoted word of YAML means. The rules are kubectl's, so that one file means one thing."""

import re
from typing import Any

_CONSTANTS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"), False),
}
_WHOLE = re.compile(r"[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|[1-9][0-9]*|0)", re.ASCII)
_FLOAT = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_NO_JSON = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_OCTAL = re.compile(r"[-+]?0[0-7]+", re.ASCII)
_LONGEST = 60
_SMALLEST, _LARGEST = -(2**63), 2**64


def resolve(text: str) -> Any:  # noqa: ANN401 - any YAML scalar
    """The value of an unquoted scalar. `12:30` and dates stay text, `yes` and `on` are true.

    Raises:
        ValueError: infinity or not a number, which JSON can't hold.
    """
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _NO_JSON.fullmatch(text):
        raise ValueError(f"{text} is no value that an API object can hold")
    plain = text.replace("_", "") if text[:1] not in ("_", "") else text
    if len(plain) > _LONGEST:
        return text
    if _WHOLE.fullmatch(plain):
        return _whole(plain)
    if _FLOAT.fullmatch(plain) and any(digit in plain for digit in "0123456789"):
        return _float(plain)
    return text


def _whole(text: str) -> int | float:
    value = int(text, 8) if _OCTAL.fullmatch(text) else int(text, 0)
    return value if _SMALLEST <= value < _LARGEST else float(value)


def _float(text: str) -> float | str:
    value = float(text)
    return value if abs(value) != float("inf") else text


def resolve_tagged(tag: str, text: str) -> Any:  # noqa: ANN401 - any YAML scalar
    """The value of a scalar with an explicit standard tag.

    Raises:
        ValueError: the tag is none of the scalars' or does not fit the text.
    """
    name = tag.removeprefix("tag:yaml.org,2002:")
    if name == "str":
        return text
    value = resolve(text)
    match name, value:
        case "null", None:
            return value
        case "bool", bool():
            return value
        case "int", int() if not isinstance(value, bool):
            return value
        case "float", int() | float() if not isinstance(value, bool):
            return float(value)
    raise ValueError(f"the tag {_short(tag)} does not fit {text[:_LONGEST]!r} or is not known")


def _short(tag: str) -> str:
    return tag.replace("tag:yaml.org,2002:", "!!")[:_LONGEST]
