"""Owns the words in which tables of fields are written: what each field holds and what becomes of it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from progressive_ci.model.names import is_name


class Support(Enum):
    """What the tool does with a field that its dialect knows."""

    BUILT = "supported"
    LATER = "not supported yet"
    IGNORED = "no effect"


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value.

    Attributes:
        wanted: what it holds, for people.
        accepts: whether a value is of that kind.
        advice: what to do about one that is not.
        secret: whether a wrong value must not be shown either.
    """

    wanted: str
    accepts: Callable[[Any], bool]
    advice: str = ""
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Struct:
    """An object with the fields of a table.

    Attributes:
        table: its fields by name.
        others: what becomes of every other field; None: it is unknown.
    """

    table: Mapping[str, "Field"]
    others: "Field | None" = None


@dataclass(frozen=True, slots=True)
class Many:
    """A list."""

    item: "Shape"


@dataclass(frozen=True, slots=True)
class Named:
    """An object whose keys the user chooses."""

    item: "Shape"


@dataclass(frozen=True, slots=True)
class Anything:
    """An object that is handed on as it is."""


Shape = Scalar | Struct | Many | Named | Anything


@dataclass(frozen=True, slots=True)
class Field:
    """One row of a table.

    Attributes:
        shape: what it holds; of fields that are not built only roughly.
        support: what becomes of it.
        required: whether its object is wrong without it.
        note: for the table in the documentation, and the reason or the advice in messages.
        unless: values that change nothing and so are welcome even where the field is not built.
    """

    shape: Shape = field(default_factory=Anything)
    support: Support = Support.BUILT
    required: bool = False
    note: str = ""
    unless: tuple[Any, ...] = ()


Table = Mapping[str, Field]


def built(shape: Shape, note: str = "", *, required: bool = False) -> Field:
    """A field that the tool understands."""
    return Field(shape, note=note, required=required)


def later(note: str = "", *, unless: tuple[Any, ...] = ()) -> Field:
    """A field that is valid upstream and not built yet."""
    return Field(support=Support.LATER, note=note, unless=unless)


def ignored(reason: str) -> Field:
    """A field that changes nothing in a release without a controller."""
    return Field(support=Support.IGNORED, note=reason)


def _is_text(value: Any) -> bool:  # noqa: ANN401 - any YAML value
    return isinstance(value, str)


def _is_whole(value: Any) -> bool:  # noqa: ANN401 - any YAML value
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**31


def _is_count(value: Any) -> bool:  # noqa: ANN401 - any YAML value
    return _is_whole(value) and value >= 0


_PERCENT = re.compile(r"[0-9]{1,9}%?", re.ASCII)

TEXT = Scalar("text", _is_text, "put the value in quotes")
REFERENCE = Scalar(
    "the name of an object",
    lambda value: isinstance(value, str) and is_name(value),
    "write the name alone: letters, digits, - and .",
)
NAME = Scalar("a name", lambda value: isinstance(value, str) and value != "", "write the object's name")
CREDENTIAL = Scalar(
    "text", lambda value: isinstance(value, str) and value != "", "put it in quotes", secret=True
)
FLAG = Scalar("true or false", lambda value: isinstance(value, bool), "write true or false, without quotes")
WHOLE = Scalar("a whole number", _is_whole, "write it without quotes")
COUNT = Scalar("a whole number of 0 or more", _is_count, "write it without quotes")
SHARE = Scalar(
    "a number or a percentage",
    lambda value: _is_count(value) or (_is_text(value) and _PERCENT.fullmatch(value) is not None),
    "write 1 or 25%",
)
COUNT_TEXT = Scalar(
    "a whole number or a text with arguments",
    lambda value: _is_whole(value) or _is_text(value),
    "write a number, or {{args.NAME}} in quotes",
)
DURATION = Scalar("a duration with its unit", _is_text, "write it with units, as in 30s, 5m or 1h30m")
PAUSE = Scalar(
    "a number of seconds or a duration",
    lambda value: _is_whole(value) or _is_text(value),
    "write 30, 30s, 10m or 1h30m",
)
LABELS = Named(TEXT)
NAMES = Many(NAME)
REFERENCES = Many(REFERENCE)
