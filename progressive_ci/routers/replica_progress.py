"""Owns when the pods that a step asks for are there, by the rules of Argo Rollouts."""

from dataclasses import dataclass
from fractions import Fraction

from progressive_ci.routers.replica_arithmetic import Counts, Pods


@dataclass(frozen=True, slots=True)
class Threshold:
    """Which part of the canary is enough to go on.

    Attributes:
        percent: whether `value` is percent of the pods asked for, and not a number of pods.
        value: below 0 means not given: then all of them.
    """

    percent: bool
    value: int


def all_available(pods: Pods | None, count: int) -> bool:
    """Whether exactly this many pods are wished for and available."""
    return pods is not None and pods.desired == count == pods.available


def is_enough(threshold: Threshold | None, pods: Pods | None, count: int) -> bool:
    """Whether a version has enough of the pods asked for to go on."""
    if threshold is None or pods is None or threshold.value < 0:
        return all_available(pods, count)
    if threshold.percent:
        return count == 0 or Fraction(100 * pods.available, count) >= threshold.value
    return pods.available >= threshold.value


def in_place(
    counts: Counts,
    canary: Pods | None,
    stable: Pods | None,
    *,
    created: int,
    threshold: Threshold | None = None,
) -> bool:
    """Whether canary and stable have what a step asks for; stable need only exist, ready or not.

    Args:
        counts: what the step asks for.
        canary: the new version as it is.
        stable: the old version as it is.
        created: pods of stable that exist.
        threshold: which part of the canary is enough.
    """
    stands = stable is not None and stable.desired == counts.stable == created
    return stands and is_enough(threshold, canary, counts.canary)
