"""Rules 1 and 3 without a router, where the share of pods is the share of traffic: they are counted by pods."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.journal import Record, Stage, State
from progressive_ci.model.route import RatioSettings
from progressive_ci.release.workload import replicas_of
from progressive_ci.sandbox.store import Change
from tests.scenario.rules import NAMESPACE

if TYPE_CHECKING:
    from tests.scenario.oracle import Oracle


def shared(record: Record) -> bool:
    """Whether there is no router."""
    return record.route is not None and isinstance(record.route.settings, RatioSettings)


def set_changed(oracle: Oracle, change: Change, record: Record) -> None:
    """One version gets fewer pods: both together keep enough of them. Or more: no more than was announced."""
    asked, before = replicas_of(change.object), replicas_of(change.before or {"spec": {"replicas": 0}})
    sides = (record.stable.name, record.canary.name)
    name = change.object["metadata"]["name"]
    if not shared(record) or name not in sides or asked == before or record.state is State.ENDED:
        return
    if asked > before:
        if name == record.canary.name and record.stage in (Stage.PREPARING, Stage.STEPPING):
            _demand_announced(oracle, record, asked)
        return
    other = oracle.sandbox.get(kinds.REPLICA_SET, NAMESPACE, sides[name == sides[0]])
    rest = _lasting(other, replicas_of(other)) if other else 0
    least = record.size - record.unavailable
    lasted, now = (rest + _lasting(change.object, pods) for pods in (before, asked))
    if now < min(least, lasted):
        oracle.say(
            "1", f"{name} goes to {asked} pods: {now} ready ones are left of {lasted}, {least} are needed"
        )


def _demand_announced(oracle: Oracle, record: Record, pods: int) -> None:
    """Any weight is worth one pod, and none more than the next whole number."""
    most = max(1, ceil(record.weight * record.size / 100)) if record.weight else 0
    if pods > most:
        oracle.say("1", f"the canary gets {pods} pods, the announced {record.weight} % are {most}")


def _lasting(item: JsonObject, asked: int) -> int:
    """Its ready pods without those that are too many."""
    return min(asked, int((item.get("status") or {}).get("readyReplicas") or 0))
