"""The mark that keeps a zombie's late writes without effect: uid, epoch and owner on every write.

An object is claimed by its first fenced write, which rests on the resourceVersion that was seen. From then
on every patch tests the epoch alone, so that foreign writes to other fields don't stand in its way, and a
take-over that raises the epoch refuses what the former holder still sends (docs/adr/0011-a-fence-for-each-workload.md).
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import assert_never

from progressive_ci.errors import LeaseLost
from progressive_ci.model.document import JsonObject
from progressive_ci.model.write import (
    Create,
    Delete,
    Merge,
    Patch,
    Write,
    add,
    pointer,
    remove,
    test,
)

_EPOCH = "progressive-ci/epoch."
_SEAL = "progressive-ci/seal."
_LONGEST = 63 - len("epoch.")
_DIGEST = 8

RELEASE = "progressive-ci/release"
"""Label on every object that a release created: whose it is."""

ANNOTATIONS_PATH = pointer("metadata", "annotations")


def epoch_key(workload: str) -> str:
    """Annotation on every object that a release writes: the epoch of its holder as text.

    One for each workload, because a route object may carry the traffic of several, and each has its own lease.
    """
    return _EPOCH + _cut(workload)


def seal_key(workload: str) -> str:
    """Annotation beside the epoch: the digest of what the journal said when the release began (`model.seal`)."""
    return _SEAL + _cut(workload)


def _cut(workload: str) -> str:
    if len(workload) <= _LONGEST:
        return workload
    digest = sha256(workload.encode()).hexdigest()[:_DIGEST]
    return f"{workload[: _LONGEST - _DIGEST - 1]}-{digest}"


@dataclass(frozen=True, slots=True)
class Fence:
    """Who writes.

    Attributes:
        workload: whose lease is held.
        epoch: of that lease.
        release: value of the label `progressive-ci/release` on what is created.
        seal: of the journal; empty leaves it out.
    """

    workload: str
    epoch: int
    release: str
    seal: str = ""

    @property
    def key(self) -> str:
        """The annotation."""
        return epoch_key(self.workload)

    @property
    def path(self) -> str:
        """Where the annotation stands."""
        return pointer("metadata", "annotations", self.key)

    @property
    def marks(self) -> dict[str, str]:
        """The annotations that an object carries while the release writes it."""
        seal = {seal_key(self.workload): self.seal} if self.seal else {}
        return {self.key: str(self.epoch), **seal}


def epoch_of(seen: JsonObject, workload: str) -> int | None:
    """The epoch of a workload's release on an object; None where there is none, or none that could be ours."""
    text = annotations_of(seen).get(epoch_key(workload), "")
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() else None


def seal_on(seen: JsonObject, workload: str) -> str:
    """The seal of a workload's release on an object; empty where there is none."""
    return str(annotations_of(seen).get(seal_key(workload), ""))


def made_by(seen: JsonObject, workload: str, release: str) -> bool:
    """Whether a release has created an object: it carries our mark, or our label where somebody took the mark off."""
    return epoch_of(seen, workload) is not None or labels_of(seen).get(RELEASE) == release


def is_marked(seen: JsonObject) -> bool:
    """Whether any release holds an object."""
    return any(key.startswith(_EPOCH) for key in annotations_of(seen))


def annotations_of(seen: JsonObject) -> JsonObject:
    """The annotations of an object, empty where it has none."""
    return seen.get("metadata", {}).get("annotations") or {}


def labels_of(seen: JsonObject) -> JsonObject:
    """The labels of an object, empty where it has none."""
    return seen.get("metadata", {}).get("labels") or {}


def fenced(write: Write, seen: JsonObject | None, fence: Fence) -> Write:
    """The same write with the precondition that nobody has taken the release over since.

    A patch without operations becomes a claim: it only puts the epoch on the object.

    Args:
        write: as a router or the release rendered it.
        seen: the object it was rendered from; None where it did not exist.
        fence: who writes.

    Raises:
        LeaseLost: the object carries a higher epoch.
        ValueError: a change of an object that was never seen.
    """
    _refuse_later_holder(write, seen, fence)
    match write:
        case Create():
            return Create(write.ref, _marked(write.body, fence))
        case Delete():
            return write
        case Patch():
            return Patch(write.ref, _guarded(write, _existing(write, seen), fence))
        case Merge():
            return Merge(write.ref, _merged(write.body, _existing(write, seen), fence))
        case _:
            assert_never(write)


def unfenced_operations(seen: JsonObject, workload: str) -> tuple[JsonObject, ...]:
    """What takes our marks off again; belongs into the last write to an object that stays.

    A map that holds nothing else goes with its mark: the API server stores no empty one, so it was ours.
    """
    return (
        *_without(annotations_of(seen), "annotations", epoch_key(workload), seal_key(workload)),
        *_without(labels_of(seen), "labels", RELEASE),
    )


def _refuse_later_holder(write: Write, seen: JsonObject | None, fence: Fence) -> None:
    """The epoch on the object tells of a take-over before the lease does."""
    found = epoch_of(seen, fence.workload) if seen is not None else None
    if found is not None and found > fence.epoch:
        raise LeaseLost(
            f"it carries epoch {found}, this run holds epoch {fence.epoch}: another run has taken the release over",
            where=f"{write.ref} metadata.annotations[{fence.key}]",
            advice="follow the run that holds the lease now; this one writes nothing more",
        )


def _existing(write: Write, seen: JsonObject | None) -> JsonObject:
    """The object a change rests on."""
    if seen is None:
        raise ValueError(f"a change of {write.ref} needs the object that it was rendered from")
    return seen


def _marked(body: JsonObject, fence: Fence) -> JsonObject:
    """A new object with epoch and owner."""
    metadata = body.get("metadata", {})
    marks = {
        "annotations": {**annotations_of(body), **fence.marks},
        "labels": {**labels_of(body), RELEASE: fence.release},
    }
    return {**body, "metadata": {**metadata, **marks}}


def _guarded(write: Patch, seen: JsonObject, fence: Fence) -> tuple[JsonObject, ...]:
    """Uid and epoch in front, the claim behind: the write's own tests stay before all changes."""
    metadata = seen["metadata"]
    uid = test(pointer("metadata", "uid"), metadata["uid"])
    if epoch_of(seen, fence.workload) == fence.epoch:
        return uid, test(fence.path, str(fence.epoch)), *write.operations
    version = test(pointer("metadata", "resourceVersion"), metadata["resourceVersion"])
    return uid, version, *write.operations, *_claim(write.operations, seen, fence)


def _claim(operations: tuple[JsonObject, ...], seen: JsonObject, fence: Fence) -> tuple[JsonObject, ...]:
    """Puts the epoch on the object, unless the write takes it off."""
    map_exists = seen["metadata"].get("annotations") is not None
    for operation in operations:
        if operation["path"] == ANNOTATIONS_PATH and operation["op"] in {"add", "replace"}:
            map_exists = True
        elif operation["op"] == "remove" and operation["path"] in {ANNOTATIONS_PATH, fence.path}:
            return ()
    if map_exists:
        return tuple(
            add(pointer("metadata", "annotations", key), value) for key, value in fence.marks.items()
        )
    return (add(ANNOTATIONS_PATH, fence.marks),)


def _merged(body: JsonObject, seen: JsonObject, fence: Fence) -> JsonObject:
    """A merge patch states uid and resourceVersion as the server compares them: in the body."""
    metadata = body.get("metadata", {})
    precondition = {
        "uid": seen["metadata"]["uid"],
        "resourceVersion": metadata.get("resourceVersion", seen["metadata"]["resourceVersion"]),
        "annotations": {**annotations_of(body), **fence.marks},
    }
    return {**body, "metadata": {**metadata, **precondition}}


def _without(marks: JsonObject, field: str, *keys: str) -> tuple[JsonObject, ...]:
    """Removes keys, or the whole map where it holds no others; what somebody adds meanwhile refuses that."""
    ours = [key for key in keys if key in marks]
    if ours and len(ours) == len(marks):
        return test(pointer("metadata", field), dict(marks)), remove(pointer("metadata", field))
    return tuple(remove(pointer("metadata", field, key)) for key in ours)
