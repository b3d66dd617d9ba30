"""Server-side apply for whole documents of one owner: fields are merged, named items by name."""

from typing import Any

from progressive_ci.model.document import JsonObject

CONTENT_TYPE = "application/apply-patch+yaml"


def merged(stored: JsonObject, applied: JsonObject) -> JsonObject:
    """The stored object with everything that the applied one says."""
    return {key: _both(stored.get(key), applied.get(key)) for key in {**stored, **applied}}


def _both(stored: Any, applied: Any) -> Any:  # noqa: ANN401 - any JSON value
    if applied is None:
        return stored
    if isinstance(stored, dict) and isinstance(applied, dict):
        return merged(stored, applied)
    if isinstance(stored, list) and isinstance(applied, list) and _named(stored) and _named(applied):
        known = {item["name"]: item for item in stored}
        fresh = {item["name"]: item for item in applied}
        return [_both(known.get(name), fresh.get(name)) for name in {**known, **fresh}]
    return applied


def _named(items: list[Any]) -> bool:
    return all(isinstance(item, dict) and "name" in item for item in items)
