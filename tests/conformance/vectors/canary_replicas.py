"""How many pods each version gets."""

from collections.abc import Callable, Iterator, Mapping

from progressive_ci.errors import ProgressiveError
from progressive_ci.model.pod_metadata import synced
from progressive_ci.routers import canary_size
from progressive_ci.routers.canary_size import Moment, Scale, SizedStep
from progressive_ci.routers.replica_arithmetic import (
    Counts,
    Limits,
    Pods,
    approximate,
    limits,
    next_counts,
)
from progressive_ci.routers.replica_progress import Threshold, all_available, in_place, is_enough
from tests.conformance.result import Deviation, Json, Result, by_section, judge

Vector = Mapping[str, Json]

ONE_ANSWER = "One input has one answer"


def run(data: Vector) -> Iterator[Result]:
    """Every list of the file that holds a vector."""
    sections = {name: vectors for name, vectors in data["sections"].items() if vectors != []}

    def section(name: str, ours: Callable[[Vector], Json]) -> Callable[[Vector], Result]:
        return lambda vector: _judged(vector, ours(vector["input"]), sections[name])

    yield from by_section(sections, {name: section(name, ours) for name, ours in _TABLE.items()})


def _judged(vector: Vector, ours: Json, section: list[Vector]) -> Result:
    """One input has one answer: where the file gives two, ours must be the other one."""
    others = [other["expect"] for other in section if other["input"] == vector["input"]]
    twice = ours != vector["expect"] and ours in others
    deviation = Deviation(ONE_ANSWER, {"value": ours}) if twice else None
    return judge("", {"value": vector["expect"]}, {"value": ours}, deviation=deviation)


# What stands in a vector


def _pods(replica_set: Json) -> Pods | None:
    if replica_set is None:
        return None
    wished = replica_set.get("replicas")
    return Pods(1 if wished is None else wished, replica_set.get("available") or 0)


def _canary_of(rollout: Vector) -> Vector:
    strategy: Vector = rollout.get("spec", {}).get("strategy", {})
    return strategy.get("canary") or {}


def _step(written: Vector) -> SizedStep:
    scale = written.get("setCanaryScale")
    if scale is None:
        return SizedStep(written.get("setWeight"))
    follows = bool(scale.get("matchTrafficWeight"))
    return SizedStep(written.get("setWeight"), Scale(scale.get("replicas"), scale.get("weight"), follows))


def _moment(canary: Vector, status: Vector, index: Json) -> Moment:
    routing = canary.get("trafficRouting")
    stable, current = status.get("stableRS") or "", status.get("currentPodHash") or ""
    return Moment(
        tuple(_step(step) for step in canary.get("steps") or []),
        index=index or 0,
        promoted=bool(status.get("promoteFull")) or stable in {"", current},
        aborted=bool(status.get("abort")),
        canary_stays=canary.get("abortScaleDownDelaySeconds") == 0,
        routed=routing is not None,
        whole=(routing or {}).get("maxTrafficWeight") or 100,
    )


def _moment_of(rollout: Vector) -> Moment:
    status = rollout.get("status", {})
    return _moment(_canary_of(rollout), status, status.get("currentStepIndex"))


def _limits(size: int, canary: Vector) -> Limits:
    surge, unavailable = canary.get("maxSurge"), canary.get("maxUnavailable")
    return limits(size, "25%" if surge is None else surge, "25%" if unavailable is None else unavailable)


def _size(rollout: Vector) -> int:
    size = rollout.get("spec", {}).get("replicas")
    return 1 if size is None else int(size)


# One function for each section


def _replica_counts(given: Vector) -> Json:
    counts = _counts(given)
    return {"canary": counts.canary, "stable": counts.stable}


def _counts(given: Vector) -> Counts:
    moment = _moment(given, given["status"], given["currentStepIndex"])
    canary = canary_size.canary_at(moment, _traffic(given, moment))
    if moment.routed:
        return _routed(given, moment, canary)
    return _basic(given, canary[1], moment.whole)


def _traffic(given: Vector, moment: Moment) -> int:
    canary, stable = _pods(given["canaryRS"]), _pods(given["stableRS"])
    if not (moment.aborted and given["dynamicStableScale"] and canary and stable):
        return canary_size.weight_at(moment)
    delay = given["abortScaleDownDelaySeconds"]
    holds = None if delay else canary.available
    size = given["rolloutSpecReplicas"]
    return canary_size.weight_on_abort(moment, size, canary=holds, stable=stable.available)


def _routed(given: Vector, moment: Moment, canary: tuple[int | None, int]) -> Counts:
    size, least = given["rolloutSpecReplicas"], given["minPodsPerReplicaSet"] or 0
    if not given["dynamicStableScale"]:
        return canary_size.routed_counts(size, canary, least=least, whole=moment.whole)
    weights = given.get("currentWeights")
    carried = None if weights is None else (weights["canary"], weights["stable"])
    return canary_size.shrinking_counts(size, canary, carried, moment=moment, least=least)


def _basic(given: Vector, weight: int, whole: int) -> Counts:
    size = given["rolloutSpecReplicas"]
    bounds = _limits(size, given)
    canary, stable = given["canaryRS"], given["stableRS"]
    older = sum(one["replicas"] for one in given.get("olderRSs") or [])
    if stable is None or (canary is not None and canary["name"] == stable["name"]):
        # Without another old version the new one gets everything at once.
        target, old = Counts(size, 0), Pods(0, 0)
    else:
        target = approximate(size, weight, bounds.surge, whole=whole)
        old = _pods(stable) or Pods(0, 0)
    if canary is None:
        target = Counts(0, target.stable)
    return next_counts(target, bounds, _pods(canary) or Pods(0, 0), old, older=older)


def _approximate(given: Vector) -> Json:
    counts = approximate(given["replicas"], given["weight"], given["maxSurge"], whole=given["maxWeight"])
    return {"canary": counts.canary, "stable": counts.stable}


def _pods_for(given: Vector) -> Json:
    return canary_size.pods_for(given["weight"], given["replicas"], given["maxWeight"])


def _for_scale_down(given: Vector) -> Json:
    pods = _pods(given["rs"]) or Pods(0, 0)
    return pods.desired if given["ignoreAvailability"] else pods.lasting


def _replicas_or_weight(given: Vector) -> Json:
    moment = _moment_of(given["rollout"])
    replicas, weight = canary_size.canary_at(moment, canary_size.weight_at(moment))
    return {"replicas": replicas, "weight": weight}


def _threshold(written: Json) -> Threshold | None:
    return None if written is None else Threshold(written["type"] == "Percent", written["value"])


def _threshold_met(given: Vector) -> Json:
    written = given.get("threshold", given.get("replicaProgressThreshold"))
    return is_enough(_threshold(written), _pods(given["rs"]), given["desired"])


def _all_available(given: Vector) -> Json:
    return all_available(_pods(given["rs"]), given["desired"])


def _at_desired(given: Vector) -> Json:
    counts, routed = _counts(given), given["trafficRouting"] is not None
    canary, stable = _pods(given["canaryRS"]), _pods(given["stableRS"])
    threshold = _threshold(given["replicaProgressThreshold"])
    if routed and given["dynamicStableScale"]:
        return is_enough(threshold, canary, counts.canary)
    created = (given["stableRS"] or {}).get("statusReplicas", 0)
    older = sum(one["available"] for one in given.get("olderRSs") or [])
    return in_place(counts, canary, stable, created=created, threshold=threshold) and (routed or older == 0)


def _on_abort(given: Vector) -> Json:
    return _traffic(given, _moment(given, given["status"], given["currentStepIndex"]))


def _set_weight(given: Vector) -> Json:
    return canary_size.weight_at(_moment_of(given["rollout"]))


def _before_starting_step(given: Vector) -> Json:
    moment = _moment_of(given["rollout"])
    starting = (_canary_of(given["rollout"]).get("analysis") or {}).get("startingStep")
    return bool(starting is not None and moment.steps and moment.index < starting)


def _synced(given: Vector) -> Json:
    metadata, modified = synced(given["metadata"] or {}, given["existing"] or {}, given["desired"] or {})
    return {"metadata": metadata, "modified": modified}


def _fenceposts(given: Vector) -> Json:
    surge, unavailable = given["maxSurge"], given["maxUnavailable"]
    try:
        bounds = limits(given["desired"], surge or 0, unavailable or 0)
    except ProgressiveError:
        return {"error": True}
    return {"maxSurge": bounds.surge, "maxUnavailable": bounds.unavailable}


def _max_surge(given: Vector) -> Json:
    rollout = given["rollout"]
    if "canary" not in rollout["spec"]["strategy"]:
        return 0
    return _limits(_size(rollout), _canary_of(rollout)).surge


def _max_unavailable(given: Vector) -> Json:
    rollout = given["rollout"]
    bounds = _limits(_size(rollout), _canary_of(rollout))
    return bounds.size - bounds.least


_TABLE: dict[str, Callable[[Vector], Json]] = {
    "replica_counts": _replica_counts,
    "approximate_weighted_counts": _approximate,
    "traffic_weight_to_replicas": _pods_for,
    "replicas_for_scale_down": _for_scale_down,
    "canary_replicas_or_weight": _replicas_or_weight,
    "replica_progress_threshold_met": _threshold_met,
    "all_desired_available": _all_available,
    "at_desired_replica_counts": _at_desired,
    "desired_weight_on_abort": _on_abort,
    "current_set_weight": _set_weight,
    "before_starting_step": _before_starting_step,
    "sync_ephemeral_pod_metadata": _synced,
    "resolve_fenceposts": _fenceposts,
    "max_surge": _max_surge,
    "max_unavailable": _max_unavailable,
}
