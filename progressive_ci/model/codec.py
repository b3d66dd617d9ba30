"""Frozen dataclasses <-> JSON: a value that can't be understood is refused, never guessed.

A field of a newer version is passed over: versions that only add fields keep the format's number, and one whose
new field an older version must not pass over raises it (`journal.FORMAT`).
"""

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from progressive_ci.model import kinds

T = TypeVar("T")

_TAG = "is"
_KINDS = {f"{kind.api_version}/{kind.name}": kind for kind in kinds.ALL}
_SCALARS = (str, int, float, bool, type(None))


def encode(value: Any) -> Any:  # noqa: ANN401 - any of our frozen values
    """A value as JSON can hold it. Members of a union carry their class name."""
    if isinstance(value, kinds.Kind):
        return f"{value.api_version}/{value.name}"
    if is_dataclass(value) and not isinstance(value, type):
        body = {item.name: encode(getattr(value, item.name)) for item in fields(value)}
        return {_TAG: type(value).__name__, **body}
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, tuple | list):
        return [encode(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): encode(item) for key, item in value.items()}
    if isinstance(value, _SCALARS):
        return value
    raise TypeError(f"{type(value).__name__} has no JSON form")


def decode(kind: type[T], body: Any) -> T:  # noqa: ANN401 - JSON of any shape
    """The value of a class from its JSON.

    Raises:
        ValueError: a key is missing, or a value has another type. Says which, by path.
    """
    value: T = _decode(kind, body, kind.__name__)
    return value


def _decode(kind: Any, body: Any, path: str) -> Any:  # noqa: ANN401, PLR0911 - one return for each shape
    origin = get_origin(kind)
    if kind is Any:
        return body
    if origin in (Union, types.UnionType):
        return _decode_union(get_args(kind), body, path)
    if origin is tuple:
        return _decode_tuple(get_args(kind), body, path)
    if origin is dict:
        return _expect(dict, body, path)
    if kind is kinds.Kind:
        return _decode_kind(body, path)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _decode_enum(kind, body, path)
    if is_dataclass(kind):
        return _decode_fields(kind, body, path)
    if kind is float and isinstance(body, int) and not isinstance(body, bool):
        return float(body)
    return _expect(kind, body, path)


def _expect(kind: Any, body: Any, path: str) -> Any:  # noqa: ANN401 - types are data here
    wrong_bool = isinstance(body, bool) and kind is not bool
    if wrong_bool or not isinstance(body, kind):
        raise ValueError(f"{path}: expected {kind.__name__}, found {type(body).__name__}")
    return body


def _decode_kind(body: Any, path: str) -> kinds.Kind:  # noqa: ANN401 - JSON of any shape
    if not isinstance(body, str) or body not in _KINDS:
        raise ValueError(f"{path}: {body!r} is no kind this tool knows")
    return _KINDS[body]


def _decode_enum(kind: type[Enum], body: Any, path: str) -> Enum:  # noqa: ANN401 - JSON of any shape
    if not isinstance(body, str) or body not in kind.__members__:
        raise ValueError(f"{path}: {body!r} is none of {', '.join(kind.__members__)}")
    return kind[body]


def _decode_union(kinds_of: tuple[Any, ...], body: Any, path: str) -> Any:  # noqa: ANN401 - types are data here
    if isinstance(body, dict) and _TAG in body:
        for kind in kinds_of:
            if is_dataclass(kind) and getattr(kind, "__name__", "") == body[_TAG]:
                return _decode(kind, body, path)
        raise ValueError(f"{path}: {body[_TAG]!r} is not known here")
    for kind in kinds_of:
        try:
            return _decode(kind, body, path)
        except ValueError:
            continue
    raise ValueError(f"{path}: {type(body).__name__} is not understood here")


def _decode_tuple(items: tuple[Any, ...], body: Any, path: str) -> tuple[Any, ...]:  # noqa: ANN401 - JSON
    values = _expect(list, body, path)
    if len(items) == 2 and items[1] is Ellipsis:  # noqa: PLR2004 - tuple[X, ...]
        return tuple(_decode(items[0], value, f"{path}[{index}]") for index, value in enumerate(values))
    if len(items) != len(values):
        raise ValueError(f"{path}: expected {len(items)} values, found {len(values)}")
    pairs = zip(items, values, strict=True)
    return tuple(_decode(kind, value, f"{path}[{index}]") for index, (kind, value) in enumerate(pairs))


def _decode_fields(kind: Any, body: Any, path: str) -> Any:  # noqa: ANN401 - types are data here
    given = dict(_expect(dict, body, path))
    tag = given.pop(_TAG, kind.__name__)
    if tag != kind.__name__:
        raise ValueError(f"{path}: expected {kind.__name__}, found {tag}")
    hints = _hints(kind)
    known = {item.name: item for item in fields(kind)}
    required = {n for n, f in known.items() if f.default is MISSING and f.default_factory is MISSING}
    if missing := sorted(required - set(given)):
        raise ValueError(f"{path}: missing field {', '.join(missing)}")
    understood = {name: value for name, value in given.items() if name in known}
    return kind(**{name: _decode(hints[name], value, f"{path}.{name}") for name, value in understood.items()})


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)
