"""The figures that were measured on real controllers when a paused Deployment takes a ReplicaSet over."""

from dataclasses import dataclass, field

import pytest

from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import DEPLOYMENT, POD, REPLICA_SET
from progressive_ci.sandbox import app, defaults
from progressive_ci.sandbox.cluster import Sandbox
from progressive_ci.sandbox.controllers import revisions
from progressive_ci.sandbox.controllers.replica_set import ready_condition
from progressive_ci.sandbox.store import Change

NEW = "web:2.0.0"
DESIRED = "deployment.kubernetes.io/desired-replicas"
ROLLING = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}
WIDE = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "100%", "maxUnavailable": "25%"}}


@dataclass
class Watcher:
    """Counts pods as they come, go and become ready."""

    sandbox: Sandbox
    created: dict[str, int] = field(default_factory=lambda: {"old": 0, "new": 0})
    lowest: int = 1000

    def see(self, change: Change) -> None:
        side = "new" if change.object["spec"]["containers"][0]["image"] == NEW else "old"
        if change.type == "ADDED":
            self.created[side] += 1
        pods = self.sandbox.all(POD, "shop")
        ready = [pod for pod in pods if ready_condition(pod) and not pod["metadata"].get("deletionTimestamp")]
        self.lowest = min(self.lowest, sum(_is_new(pod) for pod in ready))


def _is_new(pod: JsonObject) -> bool:
    return bool(pod["spec"]["containers"][0]["image"] == NEW)


def patch(sandbox: Sandbox, path: str, body: JsonObject, seconds: float = 3.0) -> None:
    reply = sandbox.transport().request(
        "PATCH",
        f"/apis/apps/v1/namespaces/shop/{path}",
        query={},
        body=body,
        content_type="application/merge-patch+json",
        timeout=5.0,
    )
    assert reply.status == 200, reply.body
    sandbox.clock.run(seconds)


def canary(size: int) -> JsonObject:
    document = app.deployment({"name": "web", "namespace": "shop"}, replicas=size, image=NEW)
    spec = document["spec"]
    labels = {"app": "web", "pod-template-hash": "canary1"}
    spec["template"]["metadata"]["labels"] = labels
    return {
        **document,
        "kind": "ReplicaSet",
        "metadata": {
            "name": "web-canary1",
            "namespace": "shop",
            "labels": {"pod-template-hash": "canary1"},
        },
        "spec": {**spec, "selector": {"matchLabels": labels}},
    }


def prepared(size: int, stable: int | None = None) -> Sandbox:
    """Both versions run; the stable side may have been shrunk."""
    sandbox = Sandbox.with_app(replicas=size, router="none")
    sandbox.apply(canary(size))
    sandbox.clock.run(5)
    if stable is not None:
        patch(sandbox, "deployments/web", {"spec": {"replicas": stable}})
    return sandbox


def watched(sandbox: Sandbox) -> tuple[Watcher, set[str]]:
    watcher = Watcher(sandbox)
    sandbox.store.subscribe(watcher.see, POD)
    return watcher, {pod["metadata"]["uid"] for pod in sandbox.all(POD, "shop") if _is_new(pod)}


def take_over(
    sandbox: Sandbox,
    size: int,
    *,
    strategy: JsonObject | None,
    desired: bool,
    between: float = 3.0,
    **early: int,
) -> None:
    """Pause with the new template, then label; `early` is written with the pause."""
    template = app.deployment({"name": "web"}, replicas=0, image=NEW)["spec"]["template"]
    spec: JsonObject = {"paused": True, "template": template, **early}
    if strategy is not None:
        clear = {"rollingUpdate": None} if strategy["type"] == "Recreate" else {}
        spec["strategy"] = {**clear, **strategy}
    patch(sandbox, "deployments/web", {"spec": spec}, between)
    annotations = {"annotations": {DESIRED: str(size)}} if desired else {}
    patch(sandbox, "replicasets/web-canary1", {"metadata": {"labels": {"app": "web"}, **annotations}})


def resume(sandbox: Sandbox) -> None:
    patch(sandbox, "deployments/web", {"spec": {"paused": None, "strategy": ROLLING}}, seconds=12.0)


@pytest.mark.parametrize(
    ("strategy", "desired", "created"),
    [
        pytest.param(None, False, 2, id="P"),
        pytest.param(None, True, 0, id="A"),
        pytest.param(WIDE, False, 0, id="S"),
        pytest.param(WIDE, True, 0, id="SA"),
        pytest.param({"type": "Recreate"}, True, 0, id="H"),
    ],
)
def test_a_plain_takeover_keeps_every_pod(
    strategy: JsonObject | None, *, desired: bool, created: int
) -> None:
    sandbox = prepared(6)
    watcher, pods = watched(sandbox)
    take_over(sandbox, 6, strategy=strategy, desired=desired)
    resume(sandbox)
    left = {pod["metadata"]["uid"] for pod in sandbox.all(POD, "shop")}
    assert (watcher.lowest, left == pods, watcher.created) == (6, True, {"old": 0, "new": created})


@pytest.mark.parametrize(
    ("size", "stable", "created"),
    [
        pytest.param(6, 1, {"old": 5, "new": 42}, id="6 and 1"),
        pytest.param(6, 3, {"old": 3, "new": 10}, id="6 and 3"),
        pytest.param(10, 1, {"old": 9, "new": 120}, id="10 and 1"),
        pytest.param(10, 2, {"old": 8, "new": 55}, id="10 and 2"),
    ],
)
def test_without_the_annotation_a_stable_side_that_grows_back_makes_the_takeover_overshoot(
    size: int, stable: int, created: dict[str, int]
) -> None:
    sandbox = prepared(size, stable)
    watcher, _ = watched(sandbox)
    take_over(sandbox, size, strategy=None, desired=False, between=0.03, replicas=size)
    resume(sandbox)
    assert watcher.created == created


def test_a_wish_that_changed_moves_nothing_until_the_loop_follows_it() -> None:
    sandbox = prepared(6)
    patch(sandbox, "deployments/web/scale", {"spec": {"replicas": 4}})
    watcher, _ = watched(sandbox)
    take_over(sandbox, 6, strategy={"type": "Recreate"}, desired=True)
    wish = {"spec": {"replicas": 4}, "metadata": {"annotations": {DESIRED: "4"}}}
    patch(sandbox, "replicasets/web-canary1", wish)
    resume(sandbox)
    assert (watcher.lowest, watcher.created) == (4, {"old": 0, "new": 0})


def test_unpausing_with_two_active_sets_is_an_outage() -> None:
    sandbox = prepared(6)
    patch(sandbox, "deployments/web/scale", {"spec": {"replicas": 4}})
    watcher, _ = watched(sandbox)
    take_over(sandbox, 6, strategy={"type": "Recreate"}, desired=True)
    resume(sandbox)
    assert watcher.lowest < 4


def test_an_old_template_put_back_before_the_labels_come_off_is_an_outage() -> None:
    sandbox = prepared(6)
    patch(sandbox, "deployments/web/scale", {"spec": {"replicas": 4}})
    watcher, _ = watched(sandbox)
    take_over(sandbox, 6, strategy={"type": "Recreate"}, desired=True)
    template = app.deployment({"name": "web"}, replicas=0, image="web:1.0.0")["spec"]["template"]
    patch(sandbox, "deployments/web", {"spec": {"template": template}})
    assert watcher.lowest == 0


def test_an_own_set_beside_an_identical_old_one_is_never_the_new_one() -> None:
    sandbox = Sandbox.with_app(replicas=3, router="none", image=NEW)
    sandbox.apply(app.deployment({"name": "web", "namespace": "shop"}, replicas=3, image="web:1.0.0"))
    sandbox.clock.run(10)
    sandbox.apply(canary(3))
    sandbox.clock.run(5)
    take_over(sandbox, 3, strategy={"type": "Recreate"}, desired=True)
    ours = sandbox.get(REPLICA_SET, "shop", "web-canary1")
    assert ours is not None
    assert "deployment.kubernetes.io/revision" not in ours["metadata"]["annotations"]


def test_a_set_named_as_the_deployments_own_would_be_makes_it_count_a_collision() -> None:
    sandbox = Sandbox.with_app(replicas=1, router="none")
    document = app.deployment({"name": "web", "namespace": "shop"}, replicas=1, image=NEW)
    foreign = canary(1)
    foreign["metadata"]["name"] = f"web-{revisions.template_hash(_stored_template(document))}"
    sandbox.apply(foreign, document)
    sandbox.clock.run(10)
    deployment = sandbox.get(DEPLOYMENT, "shop", "web")
    assert deployment is not None
    assert deployment["status"]["collisionCount"] == 1
    assert len([each for each in sandbox.all(REPLICA_SET) if _is_new({"spec": _pod_spec(each)})]) == 2


def _stored_template(document: JsonObject) -> JsonObject:
    defaults.fill(DEPLOYMENT, document)
    template: JsonObject = document["spec"]["template"]
    return template


def _pod_spec(each: JsonObject) -> JsonObject:
    spec: JsonObject = each["spec"]["template"]["spec"]
    return spec
