"""Owns what scenarios claim: what the users saw, what became of the pods, what is left, what was asked of the API."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from tests.e2e.cluster.client import Document
from tests.e2e.cluster.load import Records
from tests.e2e.cluster.waiting import wait_until
from tests.e2e.given import NAME, Shop
from tests.e2e.when import Run

_JOURNAL = f"progressive-ci.{NAME}"
_LOOKED_AT = (
    "Deployment",
    "ReplicaSet",
    "Pod",
    "Service",
    "ConfigMap",
    "Lease",
    "Ingress",
    "HTTPRoute",
    "VirtualService",
    "Job",
)
_MARKS = ("progressive-ci/", "rollouts.argoproj.io/")


@dataclass(frozen=True, slots=True)
class Pods:
    """The pods of a version: restarts by UID."""

    restarts: dict[str, int]

    @property
    def untouched(self) -> bool:
        """Whether none of them has ever started anew."""
        return not any(self.restarts.values())


def pods(shop: Shop, image: str) -> Pods:
    """The pods that run an image, those that are going away not counted."""
    found = shop.cluster.admin.list("Pod", shop.namespace, labelSelector=f"app={NAME}")
    return Pods(
        {
            pod["metadata"]["uid"]: sum(
                status.get("restartCount", 0) for status in pod.get("status", {}).get("containerStatuses", ())
            )
            for pod in found
            if pod["spec"]["containers"][0]["image"] == image and not pod["metadata"].get("deletionTimestamp")
        }
    )


def image_of(shop: Shop) -> str:
    """What the workload is to run."""
    found = shop.cluster.admin.get("Deployment", NAME, shop.namespace)
    return str(found["spec"]["template"]["spec"]["containers"][0]["image"])


def ready(shop: Shop, image: str) -> int:
    """How many pods of an image are ready and not going away."""
    found = shop.cluster.admin.list("Pod", shop.namespace, labelSelector=f"app={NAME}")
    return sum(
        pod["spec"]["containers"][0]["image"] == image
        and not pod["metadata"].get("deletionTimestamp")
        and any(
            item["type"] == "Ready" and item["status"] == "True"
            for item in pod["status"].get("conditions", ())
        )
        for pod in found
    )


def only_serves(shop: Shop, image: str, *, replicas: int = 4) -> None:
    """The workload runs this image at this size, unpaused and by its own strategy."""

    def so() -> bool:
        found = shop.cluster.admin.get("Deployment", NAME, shop.namespace)
        spec, status = found["spec"], found["status"]
        if status.get("observedGeneration", 0) < found["metadata"]["generation"]:
            return False
        counts = {status.get(key) for key in ("replicas", "updatedReplicas", "readyReplicas")}
        running = spec["template"]["spec"]["containers"][0]["image"] == image
        return running and counts == {replicas} and not spec.get("paused")

    wait_until(f"{NAME} runs {image} with {replicas} pods", so)
    found = shop.cluster.admin.get("Deployment", NAME, shop.namespace)
    assert found["spec"]["strategy"]["type"] == "RollingUpdate"
    assert len(pods(shop, image).restarts) == replicas


def nothing_of_ours_is_left(shop: Shop, *, but_a_dead_holder: bool = False) -> None:
    """No object, label, annotation or pin of the tool exists but its journal and its Lease without a holder.

    A run that was killed between its terminal entry and the end of its lease leaves a holder that runs out.
    """
    admin, left = shop.cluster.admin, []
    for kind in _LOOKED_AT:
        for item in admin.list(kind, shop.namespace):
            left += [f"{kind} {item['metadata']['name']}: {mark}" for mark in _marks(kind, item)]
    assert not left, "\n".join(left)
    leases = [item for item in admin.list("Lease", shop.namespace) if item["metadata"]["name"] == _JOURNAL]
    held = [lease for lease in leases if lease["spec"].get("holderIdentity")]
    assert but_a_dead_holder or not held, held


def the_journal_is_closed(shop: Shop) -> None:
    """No release is unfinished by its journal, which is not there before the first one."""
    found = shop.cluster.admin.list("ConfigMap", shop.namespace)
    said = [
        json.loads(item["data"]["journal.json"]) for item in found if item["metadata"]["name"] == _JOURNAL
    ]
    assert all(record["state"] == "ENDED" for record in said), said


def _marks(kind: str, item: Document) -> list[str]:
    metadata = item["metadata"]
    if metadata["name"] == _JOURNAL and kind in {"ConfigMap", "Lease"}:
        return []
    found = [key for part in ("labels", "annotations") for key in metadata.get(part, {})]
    found = [key for key in found if key.startswith(_MARKS)]
    if kind == "Service" and "pod-template-hash" in item["spec"].get("selector", {}):
        found.append("pinned")
    if kind == "ReplicaSet" and not metadata.get("ownerReferences"):
        found.append("a canary set")
    if "canary" in metadata["name"] and kind in {"Ingress", "Deployment"}:
        found.append("a canary object")
    return found


def split(shop: Shop) -> dict[str, int]:
    """The weights in the route object."""
    admin = shop.cluster.admin
    if shop.router == "istio":
        route = admin.get("VirtualService", NAME, shop.namespace)["spec"]["http"][0]["route"]
        return {entry["destination"]["host"]: entry.get("weight", 0) for entry in route}
    rules = admin.get("HTTPRoute", NAME, shop.namespace)["spec"]["rules"]
    return {entry["name"]: entry["weight"] for entry in rules[0]["backendRefs"]}


def no_request_failed(records: Records) -> None:
    """Every user got a good answer."""
    assert records.requests
    assert not records.failed(), records.summary()


def only_the_canary_failed(records: Records, version: str) -> None:
    """Every bad answer was a 500 that the new version itself gave."""
    others = [r for r in records.failed() if r.version != version]
    assert not others, f"{records.summary()}; first: {others[0]}"


def ended(run: Run, code: int, result: str) -> None:
    """The run ended so; the whole log is shown where it didn't."""
    assert (run.exit, run.told.get("result")) == (code, result), run.log


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that the tool sent, as the API server's audit log has it."""

    verb: str
    resource: str
    name: str
    began: float
    ended: float
    status: int
    uri: str

    @property
    def mutating(self) -> bool:
        """Whether it may have changed what is stored."""
        return self.verb not in {"get", "list", "watch"} and "dryRun=All" not in self.uri


def asked(shop: Shop, since: float, *, by: str = "") -> list[Asked]:
    """Every request of the tool, or of another account, in the order in which the API server got them."""
    events, account = shop.cluster.audit_since(since), by or shop.account
    found = [_asked(event) for event in events if event["user"]["username"] == account]
    return sorted(found, key=lambda one: one.began)


@dataclass(frozen=True, slots=True)
class Verdict:
    """When the deciding measurement was complete, and when the safe write reached the API server."""

    measured: float
    safe_write: float


def verdict(requests: list[Asked]) -> Verdict:
    """Read both moments off the audit log: after the last question to Prometheus comes the safe write."""
    measured = max(one.ended for one in requests if one.resource == "services/proxy")
    route = ("httproutes", "virtualservices")
    writes = (one.began for one in requests if one.verb == "patch" and one.resource in route)
    return Verdict(measured, min(moment for moment in writes if moment > measured))


def _asked(event: Document) -> Asked:
    target = event.get("objectRef", {})
    resource = target.get("resource", "")
    if target.get("subresource"):
        resource += "/" + target["subresource"]
    return Asked(
        verb=event["verb"],
        resource=resource,
        name=target.get("name", ""),
        began=_seconds(event["requestReceivedTimestamp"]),
        ended=_seconds(event["stageTimestamp"]),
        status=event.get("responseStatus", {}).get("code", 0),
        uri=event["requestURI"],
    )


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def counted(requests: list[Asked]) -> str:
    """Requests by verb and resource, most first, for reports."""
    counts = Counter(f"{one.verb} {one.resource}" for one in requests)
    return ", ".join(f"{number} {what}" for what, number in counts.most_common())
