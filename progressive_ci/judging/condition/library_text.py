"""Functions of conditions over texts."""

import base64
import binascii
import json
from collections.abc import Callable

from progressive_ci.judging.condition import gotext
from progressive_ci.judging.condition.library import LETTERS, Arguments, Function, texts, weighed
from progressive_ci.judging.condition.run import Run
from progressive_ci.judging.condition.values import (
    Value,
    fault,
    to_int,
    type_name,
)


def _text(name: str, function: Callable[..., Value]) -> Function:
    def apply(run: Run, arguments: Arguments) -> Value:
        for value in arguments:
            run.spend(len(value) / LETTERS if isinstance(value, str) else 1)
        values = texts(name, arguments)
        if not isinstance(values[0], str):
            raise fault(f"cannot use {type_name(values[0])} as argument to call {name}")
        return function(*values)

    return apply


def _split(text: str, separator: str, count: float = -1) -> list[str]:
    most = to_int(count)
    if most == 0:
        return []
    if not separator:
        parts = list(text)
        return parts if most < 0 or len(parts) <= most else [*parts[: most - 1], "".join(parts[most - 1 :])]
    return text.split(separator, most - 1 if most > 0 else -1)


def _split_after(text: str, separator: str, count: float = -1) -> list[str]:
    parts = _split(text, separator, count)
    return [part + separator for part in parts[:-1]] + parts[-1:]


def _replace(run: Run, arguments: Arguments) -> str:
    text, old, new, *rest = texts("replace", arguments)
    run.weigh(text)
    count = to_int(rest[0]) if rest else -1
    found = text.count(old) if count < 0 else min(text.count(old), count)
    run.write(len(text) + found * (len(new) - len(old)))
    return str(text.replace(old, new, count))


def _repeat(run: Run, arguments: Arguments) -> str:
    text, count = arguments[0], to_int(arguments[1])
    if count < 0:
        raise fault(f"invalid argument for repeat (expected positive integer, got {count})")
    run.make(len(text) * count)
    return str(text * count)


def _join(run: Run, arguments: Arguments) -> str:
    parts = arguments[0]
    glue = arguments[1] if len(arguments) > 1 else ""
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        raise fault(f"invalid argument for join (type {type_name(parts)})")
    run.write(sum(len(part) + len(glue) for part in parts))
    return str(glue.join(parts))


def _simple(change: Callable[[str], str]) -> Callable[[str], str]:
    """Case mapping of one character to one character, as Go's: the sharp s has no upper case."""
    return lambda char: change(char) if len(change(char)) == 1 else char


def _trimmed(text: str, characters: str | None = None) -> str:
    return text.strip(characters) if characters != "" else text


def _from_json(run: Run, arguments: Arguments) -> Value:
    run.spend(len(arguments[0]) / LETTERS if isinstance(arguments[0], str) else 1)

    def refuse(constant: str) -> Value:
        raise fault(f"invalid JSON: {constant}")

    try:
        return json.loads(arguments[0], parse_int=float, parse_constant=refuse)
    except (ValueError, TypeError, RecursionError) as error:
        raise fault(f"invalid JSON: {error}") from None


def _from_base64(text: str) -> str:
    try:
        return base64.b64decode(text.replace("\n", "").replace("\r", ""), validate=True).decode(
            errors="replace"
        )
    except binascii.Error as error:
        raise fault(f"invalid base64: {error}") from None


FUNCTIONS: dict[str, Function] = {
    "trim": _text("trim", _trimmed),
    "trimPrefix": _text("trimPrefix", lambda text, part=" ": text.removeprefix(part)),
    "trimSuffix": _text("trimSuffix", lambda text, part=" ": text.removesuffix(part)),
    "upper": _text("upper", lambda text: "".join(map(_simple(str.upper), text))),
    "lower": _text("lower", lambda text: "".join(map(_simple(str.lower), text))),
    "split": _text("split", _split),
    "splitAfter": _text("splitAfter", _split_after),
    "replace": _replace,
    "repeat": _repeat,
    "join": _join,
    "indexOf": _text("indexOf", lambda text, part: text.encode().find(part.encode())),
    "lastIndexOf": _text("lastIndexOf", lambda text, part: text.encode().rfind(part.encode())),
    "hasPrefix": _text("hasPrefix", str.startswith),
    "hasSuffix": _text("hasSuffix", str.endswith),
    "string": weighed(lambda _run, arguments: gotext.shown(arguments[0])),
    "toJSON": weighed(lambda _run, arguments: gotext.to_json(arguments[0])),
    "fromJSON": weighed(_from_json),
    "toBase64": _text("toBase64", lambda text: base64.b64encode(text.encode()).decode()),
    "fromBase64": _text("fromBase64", _from_base64),
}
