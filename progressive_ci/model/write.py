"""The only four ways in which the tool writes to a cluster."""

from dataclasses import dataclass
from typing import Any

from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import Ref


@dataclass(frozen=True, slots=True)
class Create:
    """POST; the object must not exist."""

    ref: Ref
    body: JsonObject


@dataclass(frozen=True, slots=True)
class Delete:
    """DELETE of exactly the object that was seen, in exactly the version that was seen.

    An empty resource_version leaves that precondition out; the uid is always sent.
    """

    ref: Ref
    uid: str
    resource_version: str


@dataclass(frozen=True, slots=True)
class Patch:
    """JSON Patch (RFC 6902); its `test` operations are the precondition, in order before the changes."""

    ref: Ref
    operations: tuple[JsonObject, ...]


@dataclass(frozen=True, slots=True)
class Merge:
    """Merge patch (RFC 7396), on objects of our own only; carries its resourceVersion in the body."""

    ref: Ref
    body: JsonObject


Write = Create | Delete | Patch | Merge


def test(path: str, value: Any) -> JsonObject:  # noqa: ANN401 - any JSON value
    """A precondition: the value at `path` is still `value`."""
    return {"op": "test", "path": path, "value": value}


def replace(path: str, value: Any) -> JsonObject:  # noqa: ANN401 - any JSON value
    """A change of a field that exists."""
    return {"op": "replace", "path": path, "value": value}


def add(path: str, value: Any) -> JsonObject:  # noqa: ANN401 - any JSON value
    """A new field, or the overwriting of one."""
    return {"op": "add", "path": path, "value": value}


def remove(path: str) -> JsonObject:
    """The end of a field that exists."""
    return {"op": "remove", "path": path}


def pointer(*parts: str | int) -> str:
    """A JSON pointer (RFC 6901) from its parts, escaped."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)
