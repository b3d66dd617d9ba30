"""Owns how many pods each version gets where the share of pods is the share of traffic.

The rules are those of Argo Rollouts' basic canary, because the same YAML must give the same pods.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from progressive_ci.errors import ProgressiveError

HALF = Fraction(1, 2)


@dataclass(frozen=True, slots=True)
class Pods:
    """One version's pods.

    Attributes:
        desired: `spec.replicas`.
        available: `status.availableReplicas`.
    """

    desired: int
    available: int

    @property
    def lasting(self) -> int:
        """Those available that will stay: what exceeds `desired` is about to go."""
        return min(self.desired, self.available)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many pods each version shall have."""

    canary: int
    stable: int


@dataclass(frozen=True, slots=True)
class Limits:
    """How far the number of pods may leave the size of the workload.

    Attributes:
        size: desired pods of both versions together.
        surge: pods beyond it.
        unavailable: pods of it that may be missing.
    """

    size: int
    surge: int
    unavailable: int

    @property
    def most(self) -> int:
        """Most pods at any time."""
        return self.size + self.surge

    @property
    def least(self) -> int:
        """Fewest available pods at any time."""
        return self.size - min(self.unavailable, self.size)


def limits(size: int, surge: int | str, unavailable: int | str) -> Limits:
    """Resolve both as written; a surge is rounded up, what may be missing down, and one must be above 0."""
    above = ceil(_part(surge, size, "maxSurge"))
    below = floor(_part(unavailable, size, "maxUnavailable"))
    return Limits(size, above, 1 if above == below == 0 else below)


def _part(written: int | str, size: int, field: str) -> Fraction:
    """A number as it stands, a text as percent of the size."""
    if isinstance(written, int):
        return Fraction(written)
    digits = written.replace("%", "")
    if not digits.removeprefix("-").isdecimal():
        raise ProgressiveError(
            f"{written!r} is neither a number nor a percentage", where=field, advice="write 2 or 25%"
        )
    return Fraction(int(digits) * size, 100)


def approximate(size: int, weight: int, surge: int, *, whole: int = 100) -> Counts:
    """The counts whose share comes nearest to a weight.

    The candidates: the exact number of canary pods rounded up and down, in a total of `size` and, where pods
    may exceed it, of `size` + 1. Ties go to the larger canary and to the smaller total. With two pods or more
    neither version gets none unless the weight is 0 or all.

    Args:
        size: desired pods of both versions together.
        weight: share of the canary, out of `whole`.
        surge: pods allowed beyond the size.
        whole: what 100 % is called.
    """
    if size == 0:
        return Counts(0, 0)
    exact = Fraction(size * weight, whole)
    may_be_none = weight in {0, whole} or (size == 1 and surge == 0)
    candidates: list[tuple[int, int]] = []
    for total in (size, size + 1) if surge > 0 else (size,):
        if total > size or ceil(exact) < size or may_be_none:
            candidates.append((ceil(exact), total))
        tied = Fraction(total * weight, whole) % 1 == HALF
        if not tied and (floor(exact) != 0 or may_be_none):
            candidates.append((floor(exact), total))
    if not candidates:
        return Counts(0, size)
    canary, total = min(candidates, key=lambda one: abs(Fraction(one[0] * whole, one[1]) - weight))
    return Counts(canary, total - canary)


def next_counts(target: Counts, bounds: Limits, canary: Pods, stable: Pods, *, older: int = 0) -> Counts:
    """The next round on the way to a target: as far up as `most` and as far down as `least` allow.

    Growing comes first and stable goes first. Of the version that shrinks, pods that are not available count
    as if they were: else a version that never gets ready could not make room for the other.

    Args:
        target: where to go.
        bounds: what must hold on the way.
        canary: as it is.
        stable: as it is.
        older: pods of any further version; while there are any, nothing else shrinks.
    """
    grown = _grown(target, bounds.most - older, canary, stable)
    if older > 0:
        return grown
    growing = target.canary >= canary.desired
    counted = canary.lasting + stable.desired if growing else canary.desired + stable.lasting
    spare = counted - bounds.least
    if spare <= 0:
        return grown
    if growing:
        shrunk = _shrunk(stable, target.stable, spare, otherwise=grown.stable)
        less, more = _balanced(bounds, stable, shrunk, canary, grown.canary)
        return Counts(more, less)
    shrunk = _shrunk(canary, target.canary, spare, otherwise=grown.canary)
    return Counts(*_balanced(bounds, canary, shrunk, stable, grown.stable))


def _grown(target: Counts, most: int, canary: Pods, stable: Pods) -> Counts:
    """Both raised towards the target as long as there is room, stable first."""
    room = max(0, most - canary.desired - stable.desired)
    up = min(room, max(0, target.stable - stable.desired))
    rest = min(room - up, max(0, target.canary - canary.desired))
    return Counts(canary.desired + rest, stable.desired + up)


def _shrunk(pods: Pods, target: int, spare: int, *, otherwise: int) -> int:
    """Lowered towards the target by what can be spared."""
    return max(target, pods.desired - spare) if pods.desired > target else otherwise


def _balanced(bounds: Limits, drained: Pods, drain: int, kept: Pods, keep: int) -> tuple[int, int]:
    """Takes what exceeds `most` from the kept version first, gives back what `least` needs of it.

    What is given back is taken from the drained version instead.
    """
    fitting = keep - max(0, keep + drain - bounds.most)
    available = min(drained.available, drain) + min(kept.available, fitting)
    lost = max(0, kept.available - fitting)
    fitting += min(lost, max(0, bounds.least - available))
    return drain - max(0, fitting + drain - bounds.most), fitting
