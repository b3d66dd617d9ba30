"""JSON Patch (RFC 6902) and merge patch (RFC 7396), as a Kubernetes API server understands them."""

import marshal
from typing import Any

from progressive_ci.model.document import JsonObject


class PatchRefused(Exception):
    """An operation does not apply: a failed `test`, a missing path."""


class PatchMalformed(Exception):
    """The patch itself is not one."""


def clone(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """A deep copy of what JSON can hold; `marshal` makes it in a quarter of the time that `json` needs."""
    return marshal.loads(marshal.dumps(value))  # noqa: S302 - our own bytes, made a moment ago


def apply(document: JsonObject, patch: object) -> JsonObject:
    """The document after all operations; the one given stays as it is.

    Raises:
        PatchMalformed: not a list of operations.
        PatchRefused: one does not apply; none has then been done.
    """
    if not isinstance(patch, list):
        raise PatchMalformed("a JSON patch is an array of operations")
    # One more level, so that the whole document can be replaced like any other value.
    box: dict[str, Any] = {"": clone(document)}
    for operation in patch:
        _operate(box, operation)
    result = box[""]
    if not isinstance(result, dict):
        raise PatchMalformed("the patched document is not an object")
    return result


def merge(document: Any, patch: Any) -> Any:  # noqa: ANN401 - any JSON value
    """The document after a merge patch: null removes a field, lists are replaced whole."""
    if not isinstance(patch, dict):
        return clone(patch)
    result = dict(document) if isinstance(document, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), value)
    return result


def _operate(box: dict[str, Any], operation: object) -> None:
    if not isinstance(operation, dict):
        raise PatchMalformed("an operation is an object")
    path = operation.get("path")
    if not isinstance(path, str):
        raise PatchRefused("an operation without a path")
    match operation.get("op"):
        case "test":
            _test(box, path, operation.get("value"))
        case "add":
            _add(box, path, clone(operation.get("value")))
        case "replace":
            _put(box, path, clone(operation.get("value")))
        case "remove":
            _remove(box, path)
        case "move":
            _add(box, path, _remove(box, _origin(operation)))
        case "copy":
            _add(box, path, clone(_look(box, _origin(operation))))
        case unknown:
            raise PatchRefused(f"unexpected operation kind: {unknown}")


def _origin(operation: dict[str, Any]) -> str:
    origin = operation.get("from")
    if not isinstance(origin, str):
        raise PatchRefused(f"{operation['op']} operation without from")
    return origin


def _look(box: dict[str, Any], path: str) -> Any:  # noqa: ANN401 - any JSON value
    """The value at a path; nothing where an object lacks the field, as the API server has it."""
    place, last = _parent(box, path)
    return place.get(last) if isinstance(place, dict) else _child(place, last, path)


def _test(box: dict[str, Any], path: str, wanted: object) -> None:
    if not _equal(_look(box, path), wanted):
        raise PatchRefused(f"testing value {path} failed")


def _equal(one: object, other: object) -> bool:
    """Equality of JSON values: true is not 1."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(_equal(a, b) for a, b in zip(one, other, strict=True))
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def _split(path: str) -> list[str]:
    if path and not path.startswith("/"):
        raise PatchRefused(f"path {path} does not start with a slash")
    return [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")]


def _parent(box: dict[str, Any], path: str) -> tuple[Any, str]:
    *parents, last = _split(path)
    place: Any = box
    for part in parents:
        place = _child(place, part, path)
    return place, last


def _child(place: object, part: str, path: str) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(place, dict) and part in place:
        return place[part]
    if isinstance(place, list):
        return place[_index(place, part, path, end=len(place))]
    raise PatchRefused(f"doc is missing path: {path}")


def _index(place: list[Any], part: str, path: str, *, end: int) -> int:
    canonical = part.isdecimal() and (part == "0" or not part.startswith("0"))
    if not canonical or int(part) >= end:
        raise PatchRefused(f"doc is missing path: {path}: index {part} of {len(place)}")
    return int(part)


def _take(box: dict[str, Any], path: str) -> Any:  # noqa: ANN401 - any JSON value
    place, last = _parent(box, path)
    return _child(place, last, path)


def _put(box: dict[str, Any], path: str, value: object) -> None:
    place, last = _parent(box, path)
    if isinstance(place, list):
        place[_index(place, last, path, end=len(place))] = value
    elif isinstance(place, dict):
        # The API server takes a replacement of an absent field for an addition.
        place[last] = value
    else:
        raise PatchRefused(f"doc is missing path: {path}")


def _add(box: dict[str, Any], path: str, value: object) -> None:
    place, last = _parent(box, path)
    if isinstance(place, list):
        at = len(place) if last == "-" else _index(place, last, path, end=len(place) + 1)
        place.insert(at, value)
    elif isinstance(place, dict):
        place[last] = value
    else:
        raise PatchRefused(f"doc is missing path: {path}")


def _remove(box: dict[str, Any], path: str) -> Any:  # noqa: ANN401 - any JSON value
    value = _take(box, path)
    place, last = _parent(box, path)
    del place[int(last) if isinstance(place, list) else last]
    return value
