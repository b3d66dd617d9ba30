"""What somebody else creates under a name that the release is about to use stays theirs, and the release goes back."""

import pytest

from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import Kind
from progressive_ci.model.outcome import Result
from progressive_ci.sandbox.call import Call
from progressive_ci.sandbox.json_patch import clone
from tests.scenario import given, then
from tests.scenario.documents import rollout
from tests.scenario.rules.writes import has_mark
from tests.scenario.scene import NAMESPACE, Scene

STEPS = "- setWeight: 25\n- pause: {duration: 5s}\n- setWeight: 75\n"
OWNER = {"team": "somebody-else"}
CONFIG = """
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop}
data: {a: b}
"""
POD = "volumes: [{name: settings, configMap: {name: settings}}]\n"


def with_config() -> str:
    text = rollout("gateway", steps=STEPS).replace("    spec:\n", "    spec:\n      " + POD, 1)
    return text.rstrip() + CONFIG


ROWS: dict[str, tuple[str, str, Kind, str]] = {
    "the canary's ReplicaSet": ("gateway", rollout("gateway", steps=STEPS), kinds.REPLICA_SET, "replicasets"),
    "the canary's Ingress": ("nginx", rollout("nginx", steps=STEPS), kinds.INGRESS, "ingresses"),
    "the canary's Deployment": ("gateway", rollout("gateway", steps=STEPS), kinds.DEPLOYMENT, "deployments"),
    "a document's ConfigMap": ("gateway", with_config(), kinds.CONFIG_MAP, "configmaps"),
}


def faster(scene: Scene, plural: str) -> list[JsonObject]:
    """Somebody creates an object just before the release creates one of the same name."""
    made: list[JsonObject] = []

    def create(_: int, call: Call) -> None:
        body = call.body
        first = call.method == "POST" and call.path.endswith(f"/{plural}") and not call.dry and not made
        if not first or not isinstance(body, dict) or body["metadata"]["name"].startswith("progressive-ci."):
            return
        foreign = clone(body)
        foreign["metadata"] = {"name": body["metadata"]["name"], "namespace": NAMESPACE, "labels": OWNER}
        scene.sandbox.apply(foreign)
        made.append(foreign)

    scene.sandbox.faults.before_each(create)
    return made


@pytest.mark.parametrize(("router", "text", "kind", "plural"), ROWS.values(), ids=ROWS)
def test_an_object_of_somebody_else_is_never_adopted_by_its_name(
    router: str, text: str, kind: Kind, plural: str
) -> None:
    scene = given.app(router=router)
    if kind == kinds.DEPLOYMENT:
        given.policy_on_deployments(scene)
    scene.oracle.meddled = True
    made = faster(scene, plural)
    run = scene.released(text)
    assert made
    assert run.outcome is not None
    assert run.outcome.result in (Result.UNREADY, Result.UNAVAILABLE, Result.CANCELLED), run.outcome
    scene.sandbox.clock.run(30)
    stands = scene.sandbox.get(kind, NAMESPACE, made[0]["metadata"]["name"])
    assert stands is not None
    assert stands["metadata"]["labels"] == OWNER
    assert not has_mark(stands)
    assert stands.get("data") == made[0].get("data")
    assert (stands.get("spec") or {}).get("rules") == (made[0].get("spec") or {}).get("rules")
    then.nothing_left(scene)
