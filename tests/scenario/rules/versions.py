"""Rule 4 and adoption: the last known good stays whole, and no Service leads to two versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from progressive_ci.model import kinds
from progressive_ci.model.journal import Record, Stage
from progressive_ci.model.kinds import Ref
from progressive_ci.model.plan import Mode
from progressive_ci.release.workload import (
    HASH_LABEL,
    controller_uid,
    labels_of,
    replicas_of,
    selects,
    uid_of,
    without_hash,
)
from tests.scenario.rules import NAME, NAMESPACE

if TYPE_CHECKING:
    from tests.scenario.oracle import Oracle


def after(oracle: Oracle, record: Record) -> None:
    """What holds when a write has been answered."""
    _demand_last_known_good(oracle, record)
    if record.mode is Mode.ADOPT:
        _demand_one_version_each(oracle, record)
        _demand_one_active_set(oracle)


def _demand_last_known_good(oracle: Oracle, record: Record) -> None:
    if record.stage not in (Stage.PREPARING, Stage.STEPPING) or not record.stable.hash:
        return
    if record.mode is not Mode.ADOPT:
        return
    found = oracle.sandbox.get(kinds.REPLICA_SET, NAMESPACE, record.stable.name)
    if found is None:
        oracle.say("4", f"ReplicaSet {record.stable.name} is gone before the commit point")
        return
    owner = oracle.at_first[Ref(kinds.DEPLOYMENT, NAMESPACE, NAME)]
    if not oracle.superseded and without_hash(found["spec"]["template"]) != without_hash(
        owner["spec"]["template"]
    ):
        oracle.say("4", f"the template of {record.stable.name} has changed")


def _demand_one_version_each(oracle: Oracle, record: Record) -> None:
    """No Service of the release ever selects pods of both versions."""
    if not record.pinned or oracle.superseded:
        return
    pods = [
        pod
        for pod in oracle.sandbox.all(kinds.POD, NAMESPACE)
        if not pod["metadata"].get("deletionTimestamp")
    ]
    for name in record.pinned:
        service = oracle.sandbox.get(kinds.SERVICE, NAMESPACE, name)
        if service is None:
            continue
        versions = {labels_of(pod).get(HASH_LABEL) for pod in pods if selects(service, labels_of(pod))}
        if len(versions) > 1:
            oracle.say("pin", f"Service {name} selects both versions")


def _demand_one_active_set(oracle: Oracle) -> None:
    """NAME is never unpaused while two of its ReplicaSets have pods."""
    found = oracle.sandbox.get(kinds.DEPLOYMENT, NAMESPACE, NAME)
    if found is None or not oracle.paused or found["spec"].get("paused") or oracle.superseded:
        return
    sets = [item for item in oracle.sandbox.all(kinds.REPLICA_SET, NAMESPACE) if replicas_of(item)]
    mine = [item for item in sets if controller_uid(item) == uid_of(found)]
    if len(mine) != 1:
        oracle.say("unpause", f"unpaused with {len(mine)} active ReplicaSets")
