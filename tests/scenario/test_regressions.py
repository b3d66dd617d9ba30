"""Faults that once were there, held so that they do not come back."""

import json

import pytest

from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.fence import RELEASE
from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Result
from progressive_ci.sandbox import faults
from progressive_ci.sandbox.call import Call
from progressive_ci.sandbox.json_patch import clone
from tests.scenario import given, then
from tests.scenario.documents import rollout


def _writes_deployment(_: int, call: Call) -> bool:
    return call.method == "PATCH" and call.path.endswith("/deployments/web") and not call.dry


def test_a_settings_change_that_dies_leaves_the_pods_of_an_earlier_release_alone() -> None:
    scene = given.app()
    then.ended(scene.released(rollout("gateway")), Result.PROMOTED)
    scene.sandbox.faults.plan(faults.kill_after(), when=_writes_deployment)
    scene.released(rollout("gateway", spec="minReadySeconds: 3"))
    scene.sandbox.clock.run(40)
    then.ended(scene.rescued(), Result.RECOVERED)
    then.serves(scene, "2.0.0")
    then.nobody_was_turned_away(scene)


def test_weights_that_somebody_keeps_putting_back_end_the_release() -> None:
    scene = given.app()
    sandbox = scene.sandbox
    found = sandbox.get(kinds.HTTP_ROUTE, "shop", "web")
    assert found is not None
    spec = clone(found["spec"])

    def sync() -> None:
        route = clone(sandbox.get(kinds.HTTP_ROUTE, "shop", "web"))
        if route["spec"]["rules"] != spec["rules"]:
            sandbox.apply({**route, "spec": clone(spec)})

    sandbox.clock.repeat(3.0, sync)
    steps = "- setWeight: 20\n- pause: {duration: 20s}\n- setWeight: 50\n- pause: {duration: 20s}\n- setWeight: 80\n"
    run = scene.released(rollout("gateway", steps=steps))
    then.ended(run, Result.CANCELLED)
    then.serves(scene, "1.0.0")


def test_the_services_of_the_route_cannot_be_left_alone() -> None:
    scene = given.app()
    run = scene.released(rollout("gateway"), Options(leave_services=("web-canary",)))
    then.ended(run, Result.REFUSED)
    then.nothing_was_written(run)


SLOW_END = 700.0
"""Seconds that a pod takes to end: more than one budget of a rollback."""


def _patiently_ending(text: str) -> str:
    return text.replace(
        "    spec:\n      containers:",
        "    spec:\n      terminationGracePeriodSeconds: 900\n      containers:",
    )


def test_pods_that_take_long_to_end_do_not_fail_a_promotion() -> None:
    scene = given.app()
    sandbox = scene.sandbox
    sandbox.pods.shutdown = SLOW_END
    live = clone(then.deployment(scene))
    live["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 900
    sandbox.apply(live)
    sandbox.clock.run(2 * SLOW_END)
    scene.oracle.next_release()
    then.ended(scene.released(_patiently_ending(rollout("gateway"))), Result.PROMOTED)
    then.serves(scene, "2.0.0")
    then.nothing_left(scene)


@pytest.mark.parametrize("stuck", [False, True], ids=["nothing is ready", "a rollout is stuck half way"])
def test_skipping_the_analysis_is_a_way_out_of_a_broken_stable(*, stuck: bool) -> None:
    scene = given.app() if stuck else given.app(image="web:1.0.0-crash")
    if stuck:
        live = clone(then.deployment(scene))
        live["spec"]["template"]["spec"]["containers"][0]["image"] = "web:1.5.0-crash"
        scene.sandbox.apply(live)
        scene.sandbox.clock.run(30)
        scene.oracle.next_release()
    run = scene.released(rollout("gateway"), Options(skip_analysis=True, reason="stable is down"))
    then.ended(run, Result.PROMOTED)
    then.serves(scene, "2.0.0")
    then.nothing_left(scene)


OTHERS = """
---
apiVersion: v1
kind: ConfigMap
metadata: {name: web-settings, namespace: shop}
data: {colour: blue}
---
apiVersion: v1
kind: Service
metadata: {name: other, namespace: shop}
spec: {selector: {app: other}, ports: [{port: 80}]}
"""


def test_config_that_comes_with_a_release_stays_without_a_mark_and_foreign_documents_stay_out() -> None:
    scene = given.app()
    text = rollout("gateway").replace(
        "image: web:2.0.0", "image: web:2.0.0\n          envFrom: [{configMapRef: {name: web-settings}}]"
    )
    then.ended(scene.released(text + OTHERS), Result.PROMOTED)
    then.serves(scene, "2.0.0")
    then.nothing_left(scene)
    assert scene.sandbox.get(kinds.CONFIG_MAP, "shop", "web-settings") is not None
    assert scene.sandbox.get(kinds.SERVICE, "shop", "other") is None


SELECTORS = {
    "a set of one": [{"key": "app", "operator": "In", "values": ["web"]}],
    "what is absent": [
        {"key": "legacy", "operator": "DoesNotExist"},
        {"key": "batch", "operator": "DoesNotExist"},
    ],
}


@pytest.mark.parametrize("selector", SELECTORS.values(), ids=SELECTORS)
def test_a_selector_of_expressions_never_lets_both_versions_be_one(selector: list[JsonObject]) -> None:
    scene = given.app()
    sandbox = scene.sandbox
    live = clone(then.deployment(scene))
    for kind in (kinds.DEPLOYMENT, kinds.REPLICA_SET, kinds.POD):
        for item in sandbox.all(kind, "shop"):
            sandbox.store.drop(kind, item)
    sandbox.clock.run(2)
    spec = {**live["spec"], "selector": {"matchExpressions": selector}}
    metadata = {"name": "web", "namespace": "shop"}
    sandbox.apply({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec})
    sandbox.clock.run(10)
    scene.oracle.next_release()
    turned_away = sandbox.traffic.failures
    text = rollout("gateway").replace(
        "selector: {matchLabels: {app: web}}", f"selector: {json.dumps({'matchExpressions': selector})}"
    )
    run = scene.released(text)
    assert run.outcome is not None
    assert run.outcome.result in (Result.PROMOTED, Result.REFUSED), run.outcome
    assert sandbox.traffic.failures == turned_away
    then.nothing_left(scene)
    then.rules_held(scene)


def test_a_deployment_of_somebody_else_that_has_the_canarys_name_is_refused() -> None:
    scene = given.app()
    given.policy_on_deployments(scene)
    labels = {"app": "web-canary"}
    spec = {
        "replicas": 2,
        "selector": {"matchLabels": labels},
        "template": {
            "metadata": {"labels": labels},
            "spec": {"containers": [{"name": "x", "image": "users:1.0.0"}]},
        },
    }
    metadata = {"name": "web-canary", "namespace": "shop"}
    scene.sandbox.apply({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec})
    scene.sandbox.clock.run(5)
    run = scene.released(rollout("gateway"))
    then.ended(run, Result.REFUSED)
    then.nothing_was_written(run)


def test_a_stable_ingress_that_carries_an_old_mark_is_not_taken_for_a_canary_that_was_left() -> None:
    scene = given.app(router="nginx")
    ingress = scene.sandbox.get(kinds.INGRESS, "shop", "web")
    assert ingress is not None
    metadata = ingress["metadata"]
    scene.sandbox.apply(
        {
            **ingress,
            "metadata": {**metadata, "labels": {**(metadata.get("labels") or {}), RELEASE: "long-ago"}},
        }
    )
    run = scene.released(rollout("nginx", image="web:2.0.0-crash"))
    then.ended(run, Result.UNREADY)
    record = scene.oracle.record
    assert record is not None
    assert not [entry for entry in record.objects if entry.created and entry.ref.name == "web"]
    assert scene.sandbox.get(kinds.INGRESS, "shop", "web") is not None
    then.nobody_was_turned_away(scene)


@pytest.mark.parametrize("router", then.ROUTERS)
def test_an_object_of_ours_that_somebody_between_asked_for_twice_costs_nothing(router: str) -> None:
    def creates(_: int, call: Call) -> bool:
        return call.method == "POST" and not call.dry and "selfsubject" not in call.path

    scene = given.app(router=router)
    scene.sandbox.faults.plan(faults.twice(), when=creates, times=100)
    then.promoted_as_if_nothing_had_happened(scene, scene.released(rollout(router)))
