"""What stands in a Lease object (coordination.k8s.io/v1), and the writes that change it. No time, no network."""

import math
from datetime import datetime

from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import LEASE, Ref
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
    now = _stamp(at)
    wanted = {
        "holderIdentity": by,
        "leaseDurationSeconds": max(1, math.ceil(seconds)),
        "acquireTime": now,
        "renewTime": now,
        "leaseTransitions": epoch(record) + 1,
    }
    metadata: JsonObject = {
        "labels": {"app.kubernetes.io/managed-by": "progressive-ci"},
        "annotations": {RUN: run},
    }
    if record is not None:
        return Merge(ref, {"metadata": {**metadata, "resourceVersion": version(record)}, "spec": wanted})
    metadata |= {"name": ref.name, "namespace": ref.namespace}
    return Create(
        ref, {"apiVersion": LEASE.api_version, "kind": LEASE.name, "metadata": metadata, "spec": wanted}
    )


def renew(ref: Ref, known: str, at: datetime) -> Write:
    """The same holder, still there."""
    return Merge(ref, {"metadata": {"resourceVersion": known}, "spec": {"renewTime": _stamp(at)}})


def clear(ref: Ref, known: str) -> Write:
    """No holder; the epoch stays."""
    return Merge(ref, {"metadata": {"resourceVersion": known}, "spec": {"holderIdentity": None}})


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
