"""The garbage collector: what follows its owners, and in which order."""

from functools import partial

from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import NAMESPACE, Kind
from progressive_ci.sandbox import deletion
from progressive_ci.sandbox.clock import Callback
from progressive_ci.sandbox.json_patch import clone
from progressive_ci.sandbox.resources import TABLE
from progressive_ci.sandbox.store import Change, Store

REACTION = 0.05


class Garbage:
    """Reacts to every change of every kind."""

    def __init__(self, store: Store) -> None:
        self._store = store
        store.subscribe(self._changed)

    def _changed(self, change: Change) -> None:
        metadata = change.object["metadata"]
        uid = metadata["uid"]
        if change.type == "DELETED":
            self._soon(lambda: self._orphaned(uid))
            for owner in metadata.get("ownerReferences") or ():
                self._soon(partial(self._finalize, owner["uid"]))
        elif metadata.get("deletionTimestamp"):
            self._soon(lambda: self._finalize(uid))
        elif change.type == "ADDED" and metadata.get("ownerReferences"):
            self._soon(lambda: self._examine(uid))

    def _soon(self, then: Callback) -> None:
        self._store.timers.at(self._store.timers.now() + REACTION, then)

    def _orphaned(self, owner: str) -> None:
        for _, dependent in self._store.owned_by(owner):
            self._examine(dependent["metadata"]["uid"])

    def _examine(self, uid: str) -> None:
        """End an object all of whose owners are gone; free it from those that are."""
        found = self._store.by_uid(uid)
        if found is None:
            return
        kind, obj = found
        owners = obj["metadata"].get("ownerReferences") or []
        left = [owner for owner in owners if self._store.by_uid(owner["uid"])]
        if owners and not left and not obj["metadata"].get("deletionTimestamp"):
            deletion.begin(self._store, kind, obj, {})
        elif len(left) < len(owners) and left:
            self._own(kind, obj, left)

    def _own(self, kind: Kind, obj: JsonObject, owners: list[JsonObject]) -> None:
        changed = clone(obj)
        changed["metadata"]["ownerReferences"] = owners
        if not owners:
            del changed["metadata"]["ownerReferences"]
        self._store.write(kind, changed)

    def _finalize(self, uid: str) -> None:
        """Go on with the deletion of an owner: orphan or end its dependents, then let it go."""
        found = self._store.by_uid(uid)
        if found is None or not found[1]["metadata"].get("deletionTimestamp"):
            return
        kind, obj = found
        finalizers = obj["metadata"].get("finalizers") or []
        if deletion.ORPHAN in finalizers:
            for kept, dependent in self._store.owned_by(uid):
                owners = [each for each in dependent["metadata"]["ownerReferences"] if each["uid"] != uid]
                self._own(kept, dependent, owners)
            self._unblock(kind, uid, deletion.ORPHAN)
        elif deletion.FOREGROUND in finalizers:
            for leaving, dependent in self._store.owned_by(uid):
                if not dependent["metadata"].get("deletionTimestamp"):
                    deletion.begin(self._store, leaving, dependent, {"propagationPolicy": "Foreground"})
            if not any(_blocks(dependent, uid) for _, dependent in self._store.owned_by(uid)):
                self._unblock(kind, uid, deletion.FOREGROUND)
        elif kind is NAMESPACE:
            self._empty(obj)

    def _unblock(self, kind: Kind, uid: str, finalizer: str) -> None:
        found = self._store.by_uid(uid)
        if found is None:
            return
        changed = clone(found[1])
        changed["metadata"]["finalizers"].remove(finalizer)
        self._store.write(kind, changed)

    def _empty(self, namespace: JsonObject) -> None:
        name = namespace["metadata"]["name"]
        for resource in TABLE:
            if resource.kind.namespaced:
                for obj in self._store.all(resource.kind, name):
                    self._store.drop(resource.kind, clone(obj))


def _blocks(dependent: JsonObject, uid: str) -> bool:
    owners = dependent["metadata"].get("ownerReferences") or ()
    return any(owner["uid"] == uid and owner.get("blockOwnerDeletion") for owner in owners)
