"""Everybody else in the cluster: other workloads, in the same namespace and in another, whom no release may touch."""

from typing import Any

from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.sandbox.app import documents
from progressive_ci.sandbox.json_patch import clone
from progressive_ci.sandbox.resources import TABLE
from tests.scenario.scene import NAME, NAMESPACE, Scene

ELSEWHERE = "bank"
EVIL = "evil.example/miner:1"

_PASSING = (kinds.EVENT, kinds.POD, kinds.ENDPOINT_SLICE, kinds.LEASE)
_OWN = (NAME, f"{NAME}-stable", f"{NAME}-canary", f"{NAME}-{NAME}-canary", f"progressive-ci.{NAME}")


def join(scene: Scene) -> None:
    """Workloads `other` and `vault` with everything that a workload has, and one that an attacker owns."""
    for name, namespace, image in (
        ("other", NAMESPACE, "other:1"),
        ("vault", ELSEWHERE, "vault:1"),
        ("mine", NAMESPACE, EVIL),
    ):
        scene.sandbox.apply(*documents(name, namespace, replicas=2, router="gateway", image=image))
        scene.sandbox.apply(*_more(name, namespace))
    scene.sandbox.clock.run(30)


def _more(name: str, namespace: str) -> tuple[JsonObject, ...]:
    metadata = {"name": name, "namespace": namespace}
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    return (
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "b"}},
        {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {"a": "Yg=="}},
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": metadata,
            "spec": {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 3},
        },
    )


def standing(scene: Scene) -> dict[str, Any]:
    """Every object of everybody else, without what its own controllers write about it."""
    return {
        f"{resource.kind.name} {item['metadata'].get('namespace')}/{item['metadata']['name']}": _kept(item)
        for resource in TABLE
        if resource.kind not in _PASSING
        for item in scene.sandbox.all(resource.kind)
        if not _is_own(scene, item)
    }


def _is_own(scene: Scene, item: JsonObject) -> bool:
    metadata = item["metadata"]
    if metadata.get("namespace") != NAMESPACE:
        return False
    sets = {found["metadata"]["name"] for found in own_sets(scene)}
    return metadata["name"] in _OWN or metadata["name"] in sets


def own_sets(scene: Scene) -> list[JsonObject]:
    """The ReplicaSets whose pods are those of the workload."""
    return [
        item
        for item in scene.sandbox.all(kinds.REPLICA_SET, NAMESPACE)
        if item["spec"]["selector"]["matchLabels"].get("app") in (NAME, f"{NAME}-canary")
    ]


def _kept(item: JsonObject) -> JsonObject:
    metadata = {
        key: item["metadata"].get(key) for key in ("uid", "labels", "annotations", "deletionTimestamp")
    }
    kept: JsonObject = clone({**item, "metadata": metadata})
    kept.pop("status", None)
    return kept
