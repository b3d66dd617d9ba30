"""Who wrote which field last, in a light form of `metadata.managedFields`: lists count as one field."""

from collections.abc import Iterator

from progressive_ci.model.document import JsonObject
from progressive_ci.sandbox.call import Call

Path = tuple[str, ...]


def of(obj: JsonObject) -> list[JsonObject]:
    """Who is noted to have written what."""
    return list(obj["metadata"].get("managedFields") or ())


def given(obj: JsonObject) -> list[JsonObject] | None:
    """What a request itself says about who has written what; nothing where it says nothing, or nothing valid."""
    entries = obj["metadata"].get("managedFields")
    if not isinstance(entries, list):
        return None
    if entries == [{}]:
        return []
    return [dict(entry) for entry in entries] if all(_valid(entry) for entry in entries) else None


def _valid(entry: object) -> bool:
    return isinstance(entry, dict) and entry.get("operation") in {"Apply", "Update"} and "fieldsV1" in entry


def note(obj: JsonObject, before: JsonObject | None, call: Call, time: str) -> None:
    """Give the changed fields of an object to the request's manager, in place."""
    changed = {path for path, value in _leaves(obj) if _at(before, path) != value}
    entries = [_without(entry, changed, obj) for entry in (of(obj) if before is not None else ())]
    operation = "Apply" if "apply" in call.content_type else "Update"
    subresource = "status" if call.path.endswith("/status") else ""
    own = next((entry for entry in entries if _is(entry, call.manager, operation, subresource)), None)
    if own is None and changed:
        own = {"manager": call.manager, "operation": operation, "fieldsType": "FieldsV1", "fieldsV1": {}}
        if subresource:
            own["subresource"] = subresource
        entries.append(own)
    if own is not None:
        own.update(apiVersion=obj.get("apiVersion", ""), time=time)
        for path in changed:
            _put(own["fieldsV1"], path)
    obj["metadata"]["managedFields"] = [entry for entry in entries if entry["fieldsV1"]]


def _is(entry: JsonObject, manager: str, operation: str, subresource: str) -> bool:
    return bool(
        entry["manager"] == manager
        and entry["operation"] == operation
        and entry.get("subresource", "") == subresource
    )


_SERVERS = frozenset(
    {"uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "name", "namespace"}
)


def _leaves(obj: JsonObject) -> Iterator[tuple[Path, object]]:
    for key, value in obj.items():
        if key == "metadata":
            shown = {name: each for name, each in value.items() if name not in _SERVERS}
            yield from _below((key,), shown)
        elif key not in {"apiVersion", "kind"}:
            yield from _below((key,), value)


def _below(path: Path, value: object) -> Iterator[tuple[Path, object]]:
    if isinstance(value, dict) and (value or len(path) == 1):
        for key, each in value.items():
            yield from _below((*path, key), each)
    else:
        yield path, value


def _at(obj: object, path: Path) -> object:
    for part in path:
        if not isinstance(obj, dict) or part not in obj:
            return _at
        obj = obj[part]
    return obj


def _without(entry: JsonObject, taken: set[Path], obj: JsonObject) -> JsonObject:
    """An entry without the fields that somebody else has taken or that are gone."""
    fields: JsonObject = {}
    for path in _paths(entry["fieldsV1"], ()):
        if path not in taken and _at(obj, path) is not _at:
            _put(fields, path)
    return {**entry, "fieldsV1": fields}


def _paths(fields: JsonObject, path: Path) -> Iterator[Path]:
    for key, below in fields.items():
        here = (*path, key.removeprefix("f:"))
        if below:
            yield from _paths(below, here)
        else:
            yield here


def _put(fields: JsonObject, path: Path) -> None:
    for part in path:
        fields = fields.setdefault(f"f:{part}", {})
