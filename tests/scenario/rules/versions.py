"""Rule 4 and adoption: the last known good stays whole, and no Service leads to two versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
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
from progressive_ci.sandbox.call import Call
from tests.scenario.rules import NAME, NAMESPACE
from tests.scenario.rules.shares import shared

if TYPE_CHECKING:
    from tests.scenario.oracle import Oracle

_WHOLE = (Stage.PREPARING, Stage.STEPPING)
"""Stages in which the old version is as it was."""


def before(oracle: Oracle, call: Call, record: Record | None) -> None:
    """Until the promotion nothing is sent that changes the version or the size of NAME."""
    if record is None or record.mode is Mode.IN_PLACE or record.stage not in _WHOLE:
        return
    changes_pods = bool(record.stable.hash) and record.stable.hash != record.canary.hash
    if not changes_pods or not call.path.endswith(f"/deployments/{NAME}"):
        return
    body: Any = call.body
    if call.method != "PATCH":
        oracle.say("4", f"{call.method} {call.path} while {record.stage.value}")
        return
    for step in body:
        if step["op"] != "test" and step["path"].startswith(("/spec/template", "/spec/selector")):
            oracle.say("4", f"{step['path']} of {NAME} is written while {record.stage.value}")
        if step["path"] == "/spec/replicas" and step["op"] != "test" and not shared(record):
            oracle.say("4", f"{step['path']} of {NAME} is written while {record.stage.value}")


def after(oracle: Oracle, record: Record) -> None:
    """What holds when a write has been answered."""
    if record.stage in _WHOLE and record.stable.hash:
        if record.mode is Mode.ADOPT:
            _demand_last_known_good(oracle, record)
        else:
            _demand_name_whole(oracle, record)
    if record.mode is Mode.ADOPT:
        _demand_one_version_each(oracle, record)
        _demand_one_active_set(oracle)


def _demand_last_known_good(oracle: Oracle, record: Record) -> None:
    """The ReplicaSet of stable is there, with its template."""
    found = oracle.sandbox.get(kinds.REPLICA_SET, NAMESPACE, record.stable.name)
    if found is None:
        oracle.say("4", f"ReplicaSet {record.stable.name} is gone before the commit point")
    elif not oracle.superseded and without_hash(found["spec"]["template"]) != without_hash(
        _at_first(oracle)["template"]
    ):
        oracle.say("4", f"the template of {record.stable.name} has changed")


def _demand_name_whole(oracle: Oracle, record: Record) -> None:
    """Beside a canary that is a Deployment of its own, NAME keeps its template."""
    found = oracle.sandbox.get(kinds.DEPLOYMENT, NAMESPACE, NAME)
    if found is None:
        oracle.say("4", f"Deployment {NAME} is gone while {record.stage.value}")
    elif oracle.superseded or record.stable.hash == record.canary.hash:
        return
    elif found["spec"]["template"] != _at_first(oracle)["template"]:
        oracle.say("4", f"the template of {NAME} has changed while {record.stage.value}")


def _at_first(oracle: Oracle) -> JsonObject:
    spec: JsonObject = oracle.at_first[Ref(kinds.DEPLOYMENT, NAMESPACE, NAME)]["spec"]
    return spec


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
