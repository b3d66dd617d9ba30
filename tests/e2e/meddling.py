"""Owns what others do with kubectl to the objects that a release holds."""

from __future__ import annotations

from tests.e2e import then
from tests.e2e.cluster.client import JSON_PATCH, MERGE_PATCH
from tests.e2e.cluster.waiting import wait_until
from tests.e2e.given import CANARY, NAME, STABLE, Shop

WHO = "kubectl"
_HASH = "pod-template-hash"


def patch(shop: Shop, kind: str, name: str, change: object) -> None:
    """Write with kubectl's name: a list is a JSON Patch, all else a merge patch."""
    admin = shop.cluster.admin
    content = JSON_PATCH if isinstance(change, list) else MERGE_PATCH
    path = admin.path(kind, shop.namespace, name)
    admin.call("PATCH", path, change, content_type=content, params={"fieldManager": WHO})


def sets_weights(shop: Shop) -> None:
    """`kubectl edit` of the route: everybody goes to the old version."""
    istio = shop.router == "istio"
    path = "/spec/http/0/route" if istio else "/spec/rules/0/backendRefs"
    wanted = {STABLE: 100, CANARY: 0}
    changes = [
        {"op": "replace", "path": f"{path}/{index}/weight", "value": wanted[name]}
        for index, name in enumerate(then.split(shop))
    ]
    patch(shop, "VirtualService" if istio else "HTTPRoute", NAME, changes)


def takes_pins_off(shop: Shop) -> None:
    """What whoever applies the repository's Services does."""
    for name in (STABLE, CANARY):
        patch(shop, "Service", name, {"spec": {"selector": {_HASH: None}}})


def pauses(shop: Shop) -> None:
    """`kubectl rollout pause`."""
    patch(shop, "Deployment", NAME, {"spec": {"paused": True}})


def resumes(shop: Shop) -> None:
    """`kubectl rollout resume`."""
    patch(shop, "Deployment", NAME, {"spec": {"paused": None}})


def wait_for_rollout(shop: Shop, image: str, *, pods: int) -> None:
    """Wait until NAME itself rolls to an image, and so many pods are there."""

    def so() -> bool:
        found = shop.cluster.admin.get("Deployment", NAME, shop.namespace)
        held: str = found["spec"]["template"]["spec"]["containers"][0]["image"]
        return held == image and int(found["status"].get("replicas", 0)) >= pods

    wait_until(f"{NAME} rolls to {image}", so, every=0.02)
