"""Owns how many pods each version gets at a step when a router carries the split, by upstream's rules."""

from dataclasses import dataclass
from itertools import islice

from progressive_ci.routers.replica_arithmetic import Counts


@dataclass(frozen=True, slots=True)
class Scale:
    """A step that sizes the canary apart from its traffic.

    Attributes:
        replicas: that many pods; wins over the weight.
        weight: that share of the size.
        follows: back to following the traffic.
    """

    replicas: int | None = None
    weight: int | None = None
    follows: bool = False


@dataclass(frozen=True, slots=True)
class SizedStep:
    """What of a step matters for sizes; both None for any other step."""

    weight: int | None = None
    scale: Scale | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """Where a release stands.

    Attributes:
        steps: all of them.
        index: of the current one; the number of steps when the last is done.
        promoted: whether everything is the new version's: there is no old one, or no step counts any more.
        aborted: whether it is on its way back.
        canary_stays: whether an aborted canary keeps its size (`abortScaleDownDelaySeconds: 0`).
        routed: whether a router carries the split.
        whole: what 100 % is called.
    """

    steps: tuple[SizedStep, ...]
    index: int = 0
    promoted: bool = False
    aborted: bool = False
    canary_stays: bool = False
    routed: bool = True
    whole: int = 100


def weight_at(moment: Moment) -> int:
    """The weight in force: of the last setWeight so far, 0 before the first, all after the last step."""
    if moment.aborted:
        return 0
    if moment.index >= len(moment.steps):
        return moment.whole
    weights = (step.weight for step in _so_far(moment))
    return next((weight for weight in weights if weight is not None), 0)


def scale_at(moment: Moment) -> Scale | None:
    """The canary's own size in force, None where it follows the traffic."""
    over = moment.aborted and not moment.canary_stays
    if not moment.routed or over or moment.index >= len(moment.steps):
        return None
    found = next((step.scale for step in _so_far(moment) if step.scale is not None), None)
    return None if found is None or found.follows else found


def canary_at(moment: Moment, weight: int) -> tuple[int | None, int]:
    """Pods or weight that size the canary.

    Args:
        moment: where the release stands.
        weight: what its traffic asks for, from `weight_at` or `weight_on_abort`.
    """
    if moment.promoted:
        return None, moment.whole
    scale = scale_at(moment)
    if scale is not None and scale.replicas is not None:
        return scale.replicas, 0
    if scale is not None and scale.weight is not None:
        return None, scale.weight
    return None, weight


def weight_on_abort(moment: Moment, size: int, *, canary: int | None, stable: int) -> int:
    """Where stable shrinks as the canary grows: the next lower weight for which stable has grown back enough.

    Args:
        moment: where the release stands.
        size: of the workload.
        canary: available pods of the canary; None where its size must not hold the weight up.
        stable: available pods of stable.
    """
    held = max(size - stable, canary or 0)
    lower = (step.weight for step in reversed(moment.steps) if step.weight is not None)
    return next((weight for weight in lower if pods_for(weight, size, moment.whole) < held), 0)


def pods_for(weight: int, size: int, whole: int = 100) -> int:
    """Pods that carry a weight, rounded up."""
    return -(-weight * size // whole)


def routed_counts(size: int, canary: tuple[int | None, int], *, least: int = 0, whole: int = 100) -> Counts:
    """Canary by its weight or as given, stable in full.

    Args:
        size: of the workload.
        canary: pods or weight, from `canary_at`.
        least: pods of a version that has any (`minPodsPerReplicaSet`).
        whole: what 100 % is called.
    """
    replicas, weight = canary
    pods = _at_least(pods_for(weight, size, whole), least, size) if replicas is None else replicas
    return Counts(pods, size)


def shrinking_counts(
    size: int,
    canary: tuple[int | None, int],
    carried: tuple[int, int] | None,
    *,
    moment: Moment,
    least: int = 0,
) -> Counts:
    """Stable shrinks as its traffic does (`dynamicStableScale`), and neither below what it carries now.

    Args:
        size: of the workload.
        canary: pods or weight, from `canary_at`.
        carried: weights of canary and stable in the route now, None where unknown.
        moment: where the release stands.
        least: pods of a version that has any.
    """
    whole = moment.whole
    pods = routed_counts(size, canary, least=least, whole=whole).canary
    stable = pods_for(whole - canary[1], size, whole)
    if carried is not None:
        stable = max(stable, pods_for(carried[1], size, whole))
        if moment.aborted:
            pods = max(pods, pods_for(carried[0], size, whole))
    return Counts(_at_least(pods, least, size), _at_least(stable, least, size))


def _so_far(moment: Moment) -> list[SizedStep]:
    """The steps begun, latest first."""
    return list(reversed(list(islice(moment.steps, moment.index + 1))))


def _at_least(count: int, least: int, size: int) -> int:
    """None stays none; the floor is never above the size."""
    return max(count, min(least, size)) if count else 0
