"""Fields of ours on objects of others: what they were, and how they get back. Pure."""

from collections.abc import Iterable
from typing import Any

from progressive_ci.model.document import JsonObject
from progressive_ci.model.fence import unfenced_operations
from progressive_ci.model.journal import Original, Owned
from progressive_ci.model.kinds import Ref
from progressive_ci.model.write import Patch, add, remove, replace, test
from progressive_ci.release.workload import uid_of


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
    """The last patch of an object that stays: the wishes, and our marks off."""
    operations = (*changes(item, wishes), *unfenced_operations(item, workload))
    return Patch(ref, operations) if operations else None
