"""The objects of the simulated cluster, their revisions, and who wants to hear of changes."""

import random
import uuid
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import Kind, Ref
from progressive_ci.sandbox.clock import Timers
from progressive_ci.sandbox.resources import BY_KIND

HISTORY = 4096
"""Changes that a watch can still be given; older ones are answered with 410."""

_SUFFIX = "bcdfghjklmnpqrstvwxz2456789"

Address = tuple[Kind, str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """One step of the history.

    Attributes:
        type: `ADDED`, `MODIFIED` or `DELETED`.
        kind: of the object.
        object: as it is now; for a deletion as it was last.
        before: as it was; None for a new one.
        revision: the store's, and the object's resourceVersion.
    """

    type: str
    kind: Kind
    object: JsonObject
    before: JsonObject | None
    revision: int


Listener = Callable[[Change], None]


class Store:
    """Objects by kind, namespace and name. What it returns is the stored object: never change it."""

    def __init__(self, timers: Timers, *, seed: int = 0) -> None:
        self.timers = timers
        self.revision = 100
        self.oldest = self.revision
        self._objects: dict[Kind, dict[tuple[str, str], JsonObject]] = {}
        self._owned: dict[str, dict[str, Address]] = {}
        self._addresses: dict[str, Address] = {}
        self._history: deque[Change] = deque()
        self._listeners: dict[Kind | None, list[Listener]] = {}
        self._addresses_given = 0
        self._random = random.Random(seed)  # noqa: S311 - names and uids of a simulation

    def timestamp(self) -> str:
        """Now, as objects write it."""
        return self.timers.wall().strftime("%Y-%m-%dT%H:%M:%SZ")

    def suffix(self) -> str:
        """Five letters that make a generated name unique."""
        return "".join(self._random.choices(_SUFFIX, k=5))

    def new_uid(self) -> str:
        """A uid."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def next_address(self, network: str) -> str:
        """The next free address of a pod or Service in a network of 16 bits."""
        self._addresses_given += 1
        high, low = divmod(self._addresses_given, 250)
        return f"{network}.{high % 256}.{low + 1}"

    def get(self, kind: Kind, namespace: str, name: str) -> JsonObject | None:
        """The object, or None."""
        return self._objects.get(kind, {}).get((namespace, name))

    def find(self, ref: Ref) -> JsonObject | None:
        """The object at an address, or None."""
        return self.get(ref.kind, ref.namespace, ref.name)

    def all(self, kind: Kind, namespace: str = "") -> list[JsonObject]:
        """Every object of a kind in one namespace, or in all of them, by name."""
        found = self._objects.get(kind, {})
        return [found[key] for key in sorted(found) if not namespace or key[0] == namespace]

    def by_uid(self, uid: str) -> tuple[Kind, JsonObject] | None:
        """The object with this uid, or None."""
        address = self._addresses.get(uid)
        found = self.get(*address) if address else None
        return (address[0], found) if address and found else None

    def owned_by(self, uid: str) -> list[tuple[Kind, JsonObject]]:
        """Every object that names this owner."""
        found = [(address[0], self.get(*address)) for address in self._owned.get(uid, {}).values()]
        return [(kind, obj) for kind, obj in found if obj is not None]

    def subscribe(self, listener: Listener, *to: Kind) -> None:
        """Hear of every change of these kinds, or of all kinds when none is named."""
        for kind in to or (None,):
            self._listeners.setdefault(kind, []).append(listener)

    def since(self, revision: int) -> Iterable[Change]:
        """Every change after a revision, oldest first; the caller has looked at `oldest`."""
        return [change for change in self._history if change.revision > revision]

    def compact(self) -> None:
        """Forget the history, as etcd does every five minutes."""
        self._history.clear()
        self.oldest = self.revision

    def insert(self, kind: Kind, obj: JsonObject) -> JsonObject:
        """Store a new object; it gets uid, creation time and revision unless it has them."""
        metadata = obj["metadata"]
        metadata.setdefault("uid", self.new_uid())
        metadata.setdefault("creationTimestamp", self.timestamp())
        count_generation(kind, obj, None)
        return self._commit("ADDED", kind, obj, None)

    def write(self, kind: Kind, obj: JsonObject, *, counts: bool = True) -> JsonObject:
        """Store a changed object; its generation counts changes of what people wish for.

        An object that is being deleted and holds no finalizer any more ends with this.

        Args:
            kind: of the object.
            obj: as it should be; it belongs to the store from now on.
            counts: False for a change that came by the status and so is nobody's wish.
        """
        metadata = obj["metadata"]
        before = self._objects[kind][metadata.get("namespace", ""), metadata["name"]]
        count_generation(kind, obj, before, wished=counts)
        if metadata.get("deletionTimestamp") and not metadata.get("finalizers") and not _graceful(obj):
            self._commit("MODIFIED", kind, obj, before)
            return self.drop(kind, obj)
        return self._commit("MODIFIED", kind, obj, before)

    def drop(self, kind: Kind, obj: JsonObject) -> JsonObject:
        """Remove an object for good."""
        gone = {**obj, "metadata": dict(obj["metadata"])}
        return self._commit("DELETED", kind, gone, obj)

    def twin(self) -> "Store":
        """A store with the same objects, which hears of nothing that happens from now on."""
        other = Store(self.timers)
        other.revision = other.oldest = self.revision
        other._objects = {kind: dict(found) for kind, found in self._objects.items()}
        return other

    def follow(self, change: Change) -> None:
        """Take a change of the store whose twin this is, as it was made there."""
        metadata = change.object["metadata"]
        key = (metadata.get("namespace", ""), metadata["name"])
        found = self._objects.setdefault(change.kind, {})
        if change.type == "DELETED":
            found.pop(key, None)
        else:
            found[key] = change.object
        self.revision = change.revision

    def _commit(self, type_: str, kind: Kind, obj: JsonObject, before: JsonObject | None) -> JsonObject:
        self.revision += 1
        metadata = obj["metadata"]
        metadata["resourceVersion"] = str(self.revision)
        key = (metadata.get("namespace", ""), metadata["name"])
        self._index(kind, obj, before, gone=type_ == "DELETED")
        if type_ == "DELETED":
            del self._objects[kind][key]
        else:
            self._objects.setdefault(kind, {})[key] = obj
        change = Change(type_, kind, obj, before, self.revision)
        self._history.append(change)
        if len(self._history) > HISTORY:
            self.oldest = self._history.popleft().revision
        for listener in (*self._listeners.get(kind, ()), *self._listeners.get(None, ())):
            listener(change)
        return obj

    def _index(self, kind: Kind, obj: JsonObject, before: JsonObject | None, *, gone: bool) -> None:
        metadata = obj["metadata"]
        uid = metadata["uid"]
        for owner in (before or {}).get("metadata", {}).get("ownerReferences") or ():
            self._owned.get(owner["uid"], {}).pop(uid, None)
        if gone:
            self._addresses.pop(uid, None)
            return
        address = (kind, metadata.get("namespace", ""), metadata["name"])
        self._addresses[uid] = address
        for owner in metadata.get("ownerReferences") or ():
            self._owned.setdefault(owner["uid"], {})[uid] = address


def count_generation(kind: Kind, obj: JsonObject, before: JsonObject | None, *, wished: bool = True) -> None:
    """Count one more generation where somebody's wishes changed, in place."""
    if not BY_KIND[kind.group, kind.name].counted:
        return
    if before is None:
        obj["metadata"]["generation"] = 1
        return
    changed = wished and wishes(kind, obj) != wishes(kind, before)
    obj["metadata"]["generation"] = before["metadata"].get("generation", 1) + changed


def _graceful(obj: JsonObject) -> bool:
    """Whether its kubelet still has to end it."""
    return bool(obj["metadata"].get("deletionGracePeriodSeconds"))


def wishes(kind: Kind, obj: JsonObject) -> JsonObject:
    """What people wish for; a Deployment's annotations are part of it."""
    found = {key: value for key, value in obj.items() if key not in {"metadata", "status"}}
    if kind.name == "Deployment":
        found["annotations"] = obj["metadata"].get("annotations") or {}
    return found
