"""Owns the pair of backends that one rule of a route object splits its traffic between."""

from collections.abc import Iterable
from dataclasses import dataclass

from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import Ref
from progressive_ci.model.weight import ALL, NONE, Weight
from progressive_ci.model.write import Patch, add, pointer, test

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Backend:
    """One entry of a rule's list of backends.

    Attributes:
        path: of the entry, from the object's root.
        identity: path of what names it, below the entry.
        name: what stands there.
        written: its weight as written; None where the key is absent.
        effective: its weight as the data plane understands it.
    """

    path: Path
    identity: Path
    name: str
    written: int | None
    effective: int


@dataclass(frozen=True, slots=True)
class Split:
    """Both backends of one rule.

    Attributes:
        stable: the entry of the stable Service.
        canary: the entry of the canary Service.
        others: sum of the weights of every other backend.
    """

    stable: Backend
    canary: Backend
    others: int = 0


def carried(split: Split) -> Weight:
    """The canary's share, rounded up: a canary that carries anything never reads as nothing."""
    total = split.stable.effective + split.canary.effective + split.others
    if split.canary.effective == 0 or total == 0:
        return NONE
    return Weight(min(ALL.percent, -(-split.canary.effective * 100 // total)))


def says(split: Split, weight: Weight) -> bool:
    """Whether both weights stand as they would be written."""
    return (split.canary.written, split.stable.written) == (weight.percent, weight.rest.percent)


def move(split: Split, weight: Weight) -> tuple[JsonObject, ...]:
    """Both weights, unless somebody has changed them since they were seen; empty where they stand already.

    So a shift that is late never undoes the safe write that overtook it.
    """
    if says(split, weight):
        return ()
    return (*_unchanged(split.canary), *_unchanged(split.stable), *place(split, weight))


def place(split: Split, weight: Weight) -> tuple[JsonObject, ...]:
    """Both weights, whatever they are by then, if each backend still stands where it was seen."""
    return (*_set(split.canary, weight), *_set(split.stable, weight.rest))


def _set(backend: Backend, weight: Weight) -> tuple[JsonObject, JsonObject]:
    """`add` overwrites a weight that is there and creates one that is not."""
    name = test(pointer(*backend.path, *backend.identity), backend.name)
    return name, add(pointer(*backend.path, "weight"), weight.percent)


def _unchanged(backend: Backend) -> tuple[JsonObject, ...]:
    """A weight that is absent cannot be tested for its absence."""
    if backend.written is None:
        return ()
    return (test(pointer(*backend.path, "weight"), backend.written),)


def patches(changes: Iterable[tuple[Ref, tuple[JsonObject, ...]]]) -> tuple[Patch, ...]:
    """One patch for each object that changes, every precondition before every change."""
    return tuple(
        Patch(ref, tuple(sorted(operations, key=lambda operation: operation["op"] != "test")))
        for ref, operations in changes
        if operations
    )
