"""Fields of ours on objects of others: what they were, and how they get back. Pure."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from progressive_ci.model.document import JsonObject
from progressive_ci.model.fence import unfenced_operations
from progressive_ci.model.journal import Original, Owned
from progressive_ci.model.kinds import Ref
from progressive_ci.model.write import Patch, add, pointer, remove, replace, test
from progressive_ci.release.workload import uid_of

_CONTENT = ("spec", "data", "stringData", "rules")

MANAGER = "progressive-ci"
"""Under which name the API server notes what this tool writes."""


def look_up(item: JsonObject, path: str) -> Original:
    """The value that stands at a JSON pointer now."""
    here: Any = item
    for part in (part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]):
        if isinstance(here, dict) and part in here:
            here = here[part]
        elif isinstance(here, list) and part.isdigit() and int(part) < len(here):
            here = here[int(part)]
        else:
            return Original(path, present=False)
    return Original(path, present=True, value=here)


def absent(path: str) -> Original:
    """The wish that a field does not exist."""
    return Original(path, present=False)


def valued(path: str, value: Any) -> Original:  # noqa: ANN401 - any JSON value
    """The wish that a field has a value."""
    return Original(path, present=True, value=value)


def owned(ref: Ref, item: JsonObject, paths: Iterable[str]) -> Owned:
    """The journal's entry of an object that exists, before the first write to it."""
    return Owned(ref, uid_of(item), originals=tuple(look_up(item, path) for path in paths))


def changes(item: JsonObject, wishes: Iterable[Original]) -> tuple[JsonObject, ...]:
    """Operations that make the wishes true; each tests what it overwrites, so that nothing foreign is lost unseen."""
    tests: list[JsonObject] = []
    edits: list[JsonObject] = []
    made: set[str] = set()
    for wish in wishes:
        now = look_up(item, wish.path)
        if (now.present, now.value) == (wish.present, wish.value):
            continue
        if now.present:
            tests.append(test(wish.path, now.value))
            edits.append(replace(wish.path, wish.value) if wish.present else remove(wish.path))
        else:
            edits.extend(_missing_parent(item, wish.path, made))
            edits.append(add(wish.path, wish.value))
    return (*tests, *edits)


def _missing_parent(item: JsonObject, path: str, made: set[str]) -> Iterable[JsonObject]:
    parent = path.rpartition("/")[0]
    if parent not in made and not look_up(item, parent).present:
        made.add(parent)
        yield add(parent, {})


def wish(ref: Ref, item: JsonObject, wishes: Iterable[Original]) -> Patch | None:
    """The patch that makes the wishes true, None where they are."""
    operations = changes(item, wishes)
    return Patch(ref, operations) if operations else None


def freed(ref: Ref, item: JsonObject, wishes: Iterable[Original], *, workload: str) -> Patch | None:
    """The next patch of an object that stays: the wishes; with the last of them our marks and our name go off.

    What a patch writes becomes ours, so a value is written first, and the name goes off with the next patch.
    """
    edits = changes(item, wishes)
    if any(step["op"] in ("add", "replace") for step in edits):
        return Patch(ref, edits)
    operations = (*disowned(item), *edits, *unfenced_operations(item, workload))
    return Patch(ref, operations) if operations else None


def disowned(item: JsonObject) -> tuple[JsonObject, ...]:
    """Takes our name off every field that we have written, so that whoever applies the object next meets no conflict.

    Where nobody else has written it, one entry of ours stays, for the map of all fields alone: with no entry at all
    the API server would give every field to `before-first-apply`, which conflicts just the same.
    """
    entries = item["metadata"].get("managedFields") or []
    ours = [index for index, entry in enumerate(entries) if entry.get("manager") == MANAGER]
    path = partial(pointer, "metadata", "managedFields")
    kept = ours[0] if ours and len(ours) == len(entries) else None
    hollow: JsonObject = {f"f:{next((key for key in _CONTENT if key in item), _CONTENT[0])}": {}}
    goes = [index for index in reversed(ours) if index != kept]
    narrows = kept is not None and entries[kept].get("fieldsV1") != hollow
    if not goes and not narrows:
        return ()
    tests = (test(path(index, "manager"), MANAGER) for index in ours)
    removed = (remove(path(index)) for index in goes)
    return (*tests, *removed, *((replace(path(kept or 0, "fieldsV1"), hollow),) if narrows else ()))
