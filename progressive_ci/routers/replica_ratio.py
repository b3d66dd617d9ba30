"""No router: the share of pods is the share of traffic. Writes `replicas` of Deployment and ReplicaSet.

Both versions stand behind the same Services, so a weight is only as fine as the number of pods allows, and a
shift takes several rounds, each waiting for the pods of the one before.
"""

from dataclasses import dataclass

from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import DEPLOYMENT, REPLICA_SET, Kind, Ref
from progressive_ci.model.route import RatioSettings, Route
from progressive_ci.model.weight import NONE, Weight
from progressive_ci.model.write import Patch, Write, add, replace, test
from progressive_ci.routers.replica_arithmetic import Counts, Limits, Pods, approximate, limits, next_counts
from progressive_ci.routers.router import Objects

NAME = "ratio"
OBJECT = "Deployment and ReplicaSet (replicas)"
ACKNOWLEDGES = True
SETTLE = 2.0
SURVEYS: tuple[Kind, ...] = ()

REPLICAS = "/spec/replicas"


@dataclass(frozen=True, slots=True)
class Achievable:
    """What a weight comes to in pods.

    Attributes:
        asked: as the spec has it.
        canary: pods of the new version.
        stable: pods of the old version.
        percent: the share that these give.
    """

    asked: Weight
    canary: int
    stable: int
    percent: float


def achievable(
    weights: tuple[Weight, ...], size: int, surge: int | str, unavailable: int | str
) -> tuple[Achievable, ...]:
    """What each weight comes to with this many pods."""
    bounds = limits(size, surge, unavailable)
    return tuple(_achievable(weight, bounds) for weight in weights)


def objects(route: Route) -> tuple[Ref, ...]:
    """The Deployment and, once the release has named it, the canary's ReplicaSet."""
    canary = _canary_ref(route)
    return (_stable_ref(route), *((canary,) if canary.name else ()))


def complaints(route: Route, objects: Objects) -> tuple[str, ...]:
    """Only what makes counting impossible; autoscalers are preflight's."""
    ref = _stable_ref(route)
    return () if ref in objects else (f"{ref} does not exist; there is nothing to split traffic with",)


def weight(route: Route, objects: Objects) -> Weight:
    """The canary's share of all ready pods; never 0 while it has one."""
    canary = _ready(objects.get(_canary_ref(route)))
    every = canary + _ready(objects.get(_stable_ref(route)))
    return Weight(max(1, round(100 * canary / every))) if canary else NONE


def shift(route: Route, objects: Objects, weight: Weight) -> tuple[Write, ...]:
    """The next round's sizes; empty also while pods of the last round are not available yet.

    Nothing shrinks as long as a status may still count pods that an earlier size has sent away.
    """
    bounds = _limits(route)
    canary, stable = (objects.get(ref) for ref in (_canary_ref(route), _stable_ref(route)))
    told = _observed(canary) and _observed(stable)
    step = next_counts(_target(weight, bounds), bounds, _pods(canary), _pods(stable))
    sized = ((_stable_ref(route), stable, step.stable), (_canary_ref(route), canary, step.canary))
    return tuple(
        Patch(ref, (test(REPLICAS, _desired(body)), replace(REPLICAS, count)))
        for ref, body, count in sized
        if body is not None and (count > _desired(body) or (told and count < _desired(body)))
    )


def withdraw(route: Route, objects: Objects) -> tuple[Write, ...]:
    """Stable to its full size at once, whatever the surge, and of the canary only what stable still lacks."""
    bounds = _limits(route)
    stable, canary = objects.get(_stable_ref(route)), objects.get(_canary_ref(route))
    needed = max(0, bounds.least - _pods(stable).lasting)
    sized = (
        (_stable_ref(route), stable, max(bounds.size, _desired(stable))),
        (_canary_ref(route), canary, min(needed, _desired(canary))),
    )
    return tuple(Patch(ref, (add(REPLICAS, count),)) for ref, body, count in sized if body is not None)


def reached(route: Route, objects: Objects, weight: Weight) -> bool:
    """Whether both versions have the pods that this weight comes to, available and no others."""
    target = _target(weight, _limits(route))
    canary, stable = objects.get(_canary_ref(route)), objects.get(_stable_ref(route))
    return _has(canary, target.canary) and _has(stable, target.stable)


def canary_pods(route: Route, weight: Weight) -> int:
    """How many pods of the new version a weight comes to."""
    return _target(weight, _limits(route)).canary


def _settings(route: Route) -> RatioSettings:
    if not isinstance(route.settings, RatioSettings):
        raise TypeError(f"the router {NAME} was given {type(route.settings).__name__}")
    return route.settings


def _stable_ref(route: Route) -> Ref:
    return Ref(DEPLOYMENT, route.namespace, route.workload)


def _canary_ref(route: Route) -> Ref:
    return Ref(REPLICA_SET, route.namespace, _settings(route).canary_set)


def _limits(route: Route) -> Limits:
    settings = _settings(route)
    return limits(settings.size, settings.max_surge, settings.max_unavailable)


def _target(weight: Weight, bounds: Limits) -> Counts:
    return approximate(bounds.size, weight.percent, bounds.surge)


def _achievable(weight: Weight, bounds: Limits) -> Achievable:
    counts = _target(weight, bounds)
    every = counts.canary + counts.stable
    return Achievable(weight, counts.canary, counts.stable, 100 * counts.canary / every if every else 0.0)


def _desired(body: JsonObject | None) -> int:
    """The API server fills in 1 where the field is absent."""
    return 0 if body is None else int(body["spec"].get("replicas", 1))


def _pods(body: JsonObject | None) -> Pods:
    status = {} if body is None else body.get("status", {})
    return Pods(_desired(body), int(status.get("availableReplicas", 0)))


def _ready(body: JsonObject | None) -> int:
    return 0 if body is None else int(body.get("status", {}).get("readyReplicas", 0))


def _has(body: JsonObject | None, count: int) -> bool:
    """Whether exactly this many pods are wished for, exist and are available, as its controller says."""
    if body is None:
        return count == 0
    status = body.get("status", {})
    exist, available = int(status.get("replicas", 0)), int(status.get("availableReplicas", 0))
    return _observed(body) and _desired(body) == count == exist == available


def _observed(body: JsonObject | None) -> bool:
    """Whether the status speaks of the spec as it is."""
    if body is None:
        return True
    seen = body.get("status", {}).get("observedGeneration", 0)
    return bool(seen >= body["metadata"].get("generation", 0))
