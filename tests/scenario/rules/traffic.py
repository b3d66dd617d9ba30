"""Rules 1 to 3 behind a router: who carries traffic has the pods for it, weights add up, and old pods go late."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil, floor
from typing import TYPE_CHECKING

from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.journal import Record, Stage
from progressive_ci.model.plan import Mode
from progressive_ci.model.route import Route
from progressive_ci.release.workload import HASH_LABEL, labels_of, ready_pods, replicas_of
from progressive_ci.routers.table import router_of
from progressive_ci.sandbox.store import Change
from tests.scenario.rules import NAME, NAMESPACE
from tests.scenario.rules.shares import shared

if TYPE_CHECKING:
    from tests.scenario.oracle import Oracle


def after(oracle: Oracle, record: Record) -> None:
    """What holds when a write has been answered."""
    _demand_capacity(oracle, record)
    _demand_sum(oracle, record)


def _demand_capacity(oracle: Oracle, record: Record) -> None:
    now = oracle.weight(record)
    if record.route is None or now == oracle.carried:
        return
    if now > record.weight:
        oracle.say("6", f"the canary carries {now} %, the journal announces {record.weight} %")
    if now > oracle.carried:
        needed, ready = (
            max(1, ceil(now * _size(oracle, record) / 100)),
            _ready(oracle, record.route.canary_service),
        )
        if ready < needed:
            oracle.say("1", f"raised to {now} % with {ready} of {needed} ready pods")
        return
    if same_pods(oracle, record.route):
        return  # it moves nobody: the last write of an adoption
    full = max(1, record.size - record.unavailable)
    ready = _ready(oracle, record.route.stable_service)
    if not oracle.meddled and 100 - now > min(100, floor(100 * ready / full)):
        oracle.say("1", f"stable was given {100 - now} % with {ready} of {full} ready pods")


def _demand_sum(oracle: Oracle, record: Record) -> None:
    if record.route is None:
        return
    for ref in router_of(record.route).objects(record.route):
        item = oracle.sandbox.store.find(ref)
        for weights in _weights(item or {}):
            if sum(weights) != 100:
                oracle.say("2", f"the weights of {ref} are {weights}")


def pod_changed(oracle: Oracle, change: Change, record: Record) -> None:
    """A pod that begins to go had its last request long ago."""
    pod, before = change.object, change.before
    going = bool(pod["metadata"].get("deletionTimestamp"))
    was = bool(before and before["metadata"].get("deletionTimestamp"))
    drain = _drain(oracle, pod, record)
    if not going or was or drain is None:
        return
    now, name = oracle.sandbox.clock.now(), pod["metadata"]["name"]
    if _lost(oracle, pod, record):
        oracle.settling.demand(oracle, f"{name} goes", record, rule="3")
    for cell, line in oracle.sandbox.traffic.lines.items():
        if cell.pod == name and line.times and cell.service in _led(record):
            quiet = now - line.times[-1] if line.rates[-1] == 0 else 0.0
            if quiet < drain - 1.0:
                oracle.say("3", f"{name} goes {quiet:.1f} s after its last request, not {drain:.0f} s")
                return


def _lost(oracle: Oracle, pod: JsonObject, record: Record) -> bool:
    """Whether its side is the one that lost traffic by the last change.

    On the way back no weight matters any more once both Services lead to stable.
    """
    assert record.route is not None
    if record.stage is Stage.ROLLING_BACK and same_pods(oracle, record.route):
        return False
    return (labels_of(pod).get(HASH_LABEL) == record.stable.hash) == oracle.settling.rose


def _led(record: Record) -> tuple[str, ...]:
    """Services whose users the tool leads from pod to pod; where NAME rolls, the others roll with it."""
    route = record.route
    assert route is not None
    ours = (route.stable_service, route.canary_service)
    return ours if record.mode is Mode.ROLL else (*ours, *record.pinned)


def _drain(oracle: Oracle, pod: JsonObject, record: Record) -> float | None:
    """Seconds that a pod must have had no request for; None where the rule says nothing of it."""
    if record.route is None or shared(record):
        return None
    match record.mode:
        case Mode.ADOPT if labels_of(pod).get(HASH_LABEL) == record.stable.hash:
            return None if _asked_away(oracle, record) else record.drain_seconds
        case Mode.ADOPT:
            return record.abort_drain_seconds
        case Mode.ROLL if pod["metadata"]["name"].startswith(f"{record.canary.name}-"):
            return record.drain_seconds if record.stage is Stage.COMMITTED else record.abort_drain_seconds
        case Mode.ROLL if labels_of(pod).get(HASH_LABEL) == record.stable.hash:
            return None if _asked_away(oracle, record) else record.drain_seconds
        case _:
            return None


def _asked_away(oracle: Oracle, record: Record) -> bool:
    """Whether an autoscaler or a person asks NAME for fewer pods: its controller takes them, not the tool."""
    live = oracle.sandbox.get(kinds.DEPLOYMENT, NAMESPACE, NAME)
    own = oracle.sandbox.get(kinds.REPLICA_SET, NAMESPACE, record.stable.name)
    if live is None or own is None or record.stage in (Stage.PROMOTING, Stage.COMMITTED):
        return False
    return replicas_of(own) == replicas_of(live) < record.size


def _size(oracle: Oracle, record: Record) -> int:
    live = oracle.sandbox.get(kinds.DEPLOYMENT, NAMESPACE, NAME)
    return max(record.size, replicas_of(live) if live else 0)


def _ready(oracle: Oracle, service: str) -> int:
    return len(ready_pods(oracle.sandbox.all(kinds.ENDPOINT_SLICE, NAMESPACE), service))


def same_pods(oracle: Oracle, route: Route) -> bool:
    """Whether both Services lead to the same pods, so that no weight moves anybody."""
    slices = oracle.sandbox.all(kinds.ENDPOINT_SLICE, NAMESPACE)
    stable, canary = (ready_pods(slices, name) for name in (route.stable_service, route.canary_service))
    return bool(stable) and stable == canary


def _weights(item: JsonObject) -> Iterable[list[int]]:
    """The weights of every rule of a route object that has more than one destination."""
    rules = (item.get("spec") or {}).get("rules") or (item.get("spec") or {}).get("http") or ()
    for rule in rules:
        if not isinstance(rule, dict):
            continue
        found = rule.get("backendRefs") or rule.get("route") or []
        if len(found) > 1:
            yield [each.get("weight", 0) for each in found]
