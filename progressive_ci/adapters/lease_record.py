"""What stands in a Lease object (coordination.k8s.io/v1), and the writes that change it. No time, no network."""

import math
from datetime import datetime

from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import LEASE, Ref
from progressive_ci.model.seal import AT_REST
from progressive_ci.model.write import Create, Merge, Write

RUN = "progressive-ci/run"
"""Annotation: page of the CI run that took the lease last."""


def spec(record: JsonObject | None) -> JsonObject:
    """Its spec, empty where there is none."""
    return (record or {}).get("spec") or {}


def holder(record: JsonObject | None) -> str:
    """Release id and process of whoever holds it; empty when nobody does."""
    return str(spec(record).get("holderIdentity") or "")


def release(record: JsonObject | None) -> str:
    """Id of the release that holds it."""
    return holder(record).split(" ", maxsplit=1)[0]


def epoch(record: JsonObject | None) -> int:
    """How often it has been taken."""
    return int(spec(record).get("leaseTransitions") or 0)


def duration(record: JsonObject, otherwise: float) -> float:
    """Seconds for which its holder wants it to be respected."""
    return float(spec(record).get("leaseDurationSeconds") or otherwise)


def version(record: JsonObject) -> str:
    """Its resourceVersion."""
    return str(record["metadata"]["resourceVersion"])


def describe(record: JsonObject) -> str:
    """Who holds it, since when."""
    page = (record["metadata"].get("annotations") or {}).get(RUN)
    since = spec(record).get("acquireTime") or "an unknown time"
    return f"release {release(record)} since {since}" + (f" ({page})" if page else "")


def take(ref: Ref, record: JsonObject | None, *, by: str, at: datetime, seconds: float, run: str) -> Write:
    """A new holder, one epoch later."""
    if record is None:
        return again(ref, by=by, at=at, seconds=seconds, run=run, epoch=1)
    metadata = {**_ours(run), "resourceVersion": version(record)}
    wanted = _held(by, at, seconds, epoch(record) + 1)
    return Merge(ref, {"metadata": metadata, "spec": wanted})


def again(ref: Ref, *, by: str, at: datetime, seconds: float, run: str, epoch: int) -> Write:
    """A new object with this holder and this epoch."""
    metadata = {**_ours(run), "name": ref.name, "namespace": ref.namespace}
    spec = _held(by, at, seconds, epoch)
    body = {"apiVersion": LEASE.api_version, "kind": LEASE.name, "metadata": metadata, "spec": spec}
    return Create(ref, body)


def _ours(run: str) -> JsonObject:
    return {"labels": {"app.kubernetes.io/managed-by": "progressive-ci"}, "annotations": {RUN: run}}


def _held(by: str, at: datetime, seconds: float, epoch: int) -> JsonObject:
    now = _stamp(at)
    return {
        "holderIdentity": by,
        "leaseDurationSeconds": max(1, math.ceil(seconds)),
        "acquireTime": now,
        "renewTime": now,
        "leaseTransitions": epoch,
    }


def renew(ref: Ref, known: str, at: datetime) -> Write:
    """The same holder, still there."""
    return Merge(ref, {"metadata": {"resourceVersion": known}, "spec": {"renewTime": _stamp(at)}})


def clear(ref: Ref, known: str, seal: str) -> Write:
    """No holder; the epoch stays, and so does what it vouches for unless there is a new seal."""
    metadata: JsonObject = {"resourceVersion": known}
    if seal:
        metadata["annotations"] = {AT_REST: seal}
    return Merge(ref, {"metadata": metadata, "spec": {"holderIdentity": None}})


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
