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
    """Whether both weights stand as `place` writes them."""
    return (split.canary.written, split.stable.written) == (weight.percent, weight.rest.percent)


def place(split: Split, weight: Weight) -> tuple[JsonObject, ...]:
    """Both weights, under the condition that each backend still stands where it was seen.

    `add` overwrites what is there and creates what is not, so these hold whatever the weights are by then.
    """
    return tuple(
        operation
        for backend, share in ((split.canary, weight), (split.stable, weight.rest))
        for operation in (
            test(pointer(*backend.path, *backend.identity), backend.name),
            add(pointer(*backend.path, "weight"), share.percent),
        )
    )


def patches(changes: Iterable[tuple[Ref, tuple[JsonObject, ...]]]) -> tuple[Patch, ...]:
    """One patch for each object that changes, every precondition before every change."""
    return tuple(
        Patch(ref, tuple(sorted(operations, key=lambda operation: operation["op"] != "test")))
        for ref, operations in changes
        if operations
    )
