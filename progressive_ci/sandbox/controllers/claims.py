"""Who controls what: owner references, adoption of matching orphans, release of what no longer matches."""

from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import Kind
from progressive_ci.sandbox.json_patch import clone
from progressive_ci.sandbox.selectors import labels_of, matches_selector
from progressive_ci.sandbox.store import Store


def controller_of(obj: JsonObject) -> JsonObject | None:
    """The owner reference of the controller, or None for an orphan."""
    for owner in obj["metadata"].get("ownerReferences") or ():
        if owner.get("controller"):
            found: JsonObject = owner
            return found
    return None


def reference(kind: Kind, owner: JsonObject) -> JsonObject:
    """A controller's owner reference."""
    return {
        "apiVersion": kind.api_version,
        "kind": kind.name,
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def claim(store: Store, owners: Kind, owner: JsonObject, kind: Kind) -> list[JsonObject]:
    """Everything of a kind that the owner controls, after adopting and releasing what it should."""
    selector = owner["spec"].get("selector") or {}
    kept = []
    for obj in store.all(kind, owner["metadata"]["namespace"]):
        claimed = _claim(store, (owners, owner, selector), kind, obj)
        if claimed is not None:
            kept.append(claimed)
    return kept


def _claim(
    store: Store, by: tuple[Kind, JsonObject, JsonObject], kind: Kind, obj: JsonObject
) -> JsonObject | None:
    owners, owner, selector = by
    controller = controller_of(obj)
    fits = matches_selector(selector, labels_of(obj))
    leaving = bool(owner["metadata"].get("deletionTimestamp"))
    if controller is not None:
        if controller["uid"] != owner["metadata"]["uid"]:
            return None
        if fits or leaving:
            return obj if fits else None
        _release(store, kind, obj, owner["metadata"]["uid"])
        return None
    if not fits or leaving or obj["metadata"].get("deletionTimestamp"):
        return None
    return _adopt(store, kind, obj, reference(owners, owner))


def _adopt(store: Store, kind: Kind, obj: JsonObject, owner: JsonObject) -> JsonObject:
    adopted: JsonObject = clone(obj)
    adopted["metadata"].setdefault("ownerReferences", []).insert(0, owner)
    return store.write(kind, adopted)


def _release(store: Store, kind: Kind, obj: JsonObject, uid: str) -> None:
    released = clone(obj)
    owners = [owner for owner in released["metadata"]["ownerReferences"] if owner["uid"] != uid]
    released["metadata"]["ownerReferences"] = owners
    if not owners:
        del released["metadata"]["ownerReferences"]
    store.write(kind, released)
