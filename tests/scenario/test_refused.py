"""What preflight refuses, in its own words; nothing is written then."""

import json
from collections.abc import Callable

import pytest

from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.outcome import Result
from progressive_ci.sandbox import faults, status
from progressive_ci.sandbox.json_patch import clone
from tests.scenario import given, then, when
from tests.scenario.documents import deployment, rollout
from tests.scenario.scene import NAMESPACE, Scene


def changed(scene: Scene, kind: kinds.Kind, name: str, change: Callable[[JsonObject], None]) -> None:
    found = scene.sandbox.get(kind, NAMESPACE, name)
    assert found is not None
    wanted: JsonObject = clone(found)
    wanted.pop("status", None)
    change(wanted)
    scene.sandbox.apply(wanted)


def gone(scene: Scene, kind: kinds.Kind, name: str) -> None:
    found = scene.sandbox.get(kind, NAMESPACE, name)
    assert found is not None
    scene.sandbox.store.drop(kind, found)


def selector(scene: Scene, name: str, **labels: str) -> None:
    changed(scene, kinds.SERVICE, name, lambda item: item["spec"].update(selector=labels))


def paused(scene: Scene) -> None:
    changed(scene, kinds.DEPLOYMENT, "web", lambda item: item["spec"].update(paused=True))


def at_zero(scene: Scene) -> None:
    when.scaled(scene, 0)
    scene.sandbox.clock.run(5)


def crashing(scene: Scene) -> None:
    when.image_set(scene, "web:1.1.0-crash")
    scene.sandbox.clock.run(5)


def stranger_behind_web(scene: Scene) -> None:
    metadata = {"name": "stranger", "namespace": NAMESPACE, "labels": {"app": "web"}}
    container = {"name": "web", "image": "other:1", "ports": [{"name": "http", "containerPort": 8080}]}
    scene.sandbox.apply(
        {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container]}}
    )
    scene.sandbox.clock.run(5)


def rollout_object(scene: Scene) -> None:
    metadata = {"name": "web", "namespace": NAMESPACE}
    body = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": metadata,
        "spec": {"replicas": 1},
    }
    scene.sandbox.apply(body)
    found = scene.sandbox.get(kinds.ROLLOUT, NAMESPACE, "web")
    assert found is not None
    scene.sandbox.store.write(kinds.ROLLOUT, {**clone(found), "status": {"phase": "Healthy"}})


REFUSED: dict[str, tuple[Callable[[Scene], None], str]] = {
    "a paused Deployment": (
        paused,
        (
            "Deployment shop/web: spec.paused is true: somebody has stopped it; see who and why, then "
            "`kubectl -n shop rollout resume deployment/web`"
        ),
    ),
    "a Deployment at zero": (
        at_zero,
        (
            "Deployment shop/web: spec.replicas is 0: there is no stable version to go back to; "
            "kubectl -n shop scale deployment/web --replicas=N, then run again"
        ),
    ),
    "an unhealthy Deployment": (
        crashing,
        (
            "Deployment shop/web: it is not complete after 60 s: 3 of 4 replicas available, 2 updated; a "
            "rollout is under "
            "way or stable is unhealthy: don't apply the new version before this tool, and let stable "
            "become healthy first"
        ),
    ),
    "a Service that others answer for too": (
        stranger_behind_web,
        "\n".join(
            f"Service shop/{name}: it has endpoints outside this workload, which it would lose while it is pinned; "
            f"leave it alone with `--leave-service {name}`: its callers then meet both versions"
            for name in ("web", "web-canary", "web-stable")
        ),
    ),
    "a live Rollout": (
        rollout_object,
        (
            "Rollout shop/web: a live Argo Rollouts object owns this workload: two tools would write the same fields; "
            "delete it (kubectl -n shop delete rollouts web), or release with Argo Rollouts"
        ),
    ),
    "a Service that is missing": (
        lambda scene: gone(scene, kinds.SERVICE, "web-canary"),
        (
            "Service shop/web-canary (canaryService): it does not exist, and no document for it was given; "
            "create it, or "
            "give its document to `-f`"
        ),
    ),
    "a Service that selects other pods": (
        lambda scene: selector(scene, "web-stable", app="other"),
        (
            "Service shop/web-stable (stableService): its selector {'app': 'other'} does not select the "
            "stable pods; let "
            "it select labels of the pod template: {'app': 'web'}"
        ),
    ),
    "a Service that is pinned already": (
        lambda scene: selector(
            scene, "web-stable", **{"app": "web", "pod-template-hash": then.hash_of_active(scene)}
        ),
        (
            "Service shop/web-stable spec.selector: it is pinned to one version already: by another tool, "
            "or by a release "
            "that was never cleaned up; see `progressive-ci status`, or remove the hash from its selector"
        ),
    ),
}


@pytest.mark.parametrize(("change", "reason"), REFUSED.values(), ids=REFUSED)
def test_preflight_says_what_where_and_what_next(change: Callable[[Scene], None], reason: str) -> None:
    scene = given.app()
    change(scene)
    then.refused(scene.released(rollout("gateway")), reason)


def test_an_autoscaler_is_refused_where_the_share_of_pods_is_the_share_of_traffic() -> None:
    scene = given.app(router="ratio")
    given.autoscaler(scene, "web")
    then.refused(
        scene.released(rollout("ratio")),
        "Deployment shop/web: autoscaler web writes its replicas, which are the weight without a router; add "
        "trafficRouting to the spec, or remove the autoscaler for the release",
    )


def test_a_replica_set_of_nobody_with_the_canarys_name_is_refused() -> None:
    scene = given.app()
    run = scene.released(rollout("gateway"))
    name = then.active_set(scene)
    assert run.outcome is not None
    other = given.app()
    found = scene.sandbox.get(kinds.REPLICA_SET, NAMESPACE, name)
    assert found is not None
    left = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": name, "namespace": NAMESPACE}}
    other.sandbox.apply({**left, "spec": {**clone(found["spec"]), "replicas": 0}})
    then.refused(
        other.released(rollout("gateway")),
        f"ReplicaSet shop/{name}: a ReplicaSet with the canary's name exists and belongs to nobody; an earlier release "
        f"left it: kubectl -n shop delete replicaset {name}",
    )


ROUTES = {
    "gateway": (kinds.HTTP_ROUTE, "HTTPRoute shop/web"),
    "istio": (kinds.VIRTUAL_SERVICE, "VirtualService shop/web"),
    "nginx": (kinds.INGRESS, "Ingress shop/web"),
}


@pytest.mark.parametrize("router", ROUTES)
def test_a_missing_route_is_refused(router: str) -> None:
    scene = given.app(router=router)
    kind, where = ROUTES[router]
    gone(scene, kind, "web")
    run = scene.released(rollout(router))
    then.ended(run, Result.REFUSED)
    assert run.outcome is not None
    assert run.outcome.reason.startswith(where)
    assert "does not exist" in run.outcome.reason
    then.nothing_was_written(run)


def test_a_template_that_the_server_refuses_is_refused_in_its_words() -> None:
    scene = given.app(router="")
    text = deployment().replace("{app: web}", "{app: other}")
    run = scene.released(text)
    then.ended(run, Result.REFUSED)
    assert run.outcome is not None
    assert run.outcome.reason.startswith("Deployment shop/web: the API server would refuse the new version: ")
    then.nothing_was_written(run)


def test_a_journal_that_cannot_be_read_is_left_alone() -> None:
    scene = given.app()
    body = {"journal.json": json.dumps({"format": 99})}
    labels = {"app.kubernetes.io/managed-by": "progressive-ci"}
    metadata = {"name": "progressive-ci.web", "namespace": NAMESPACE, "labels": labels}
    scene.sandbox.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": body})
    scene.oracle.blind = True
    then.refused(
        scene.released(rollout("gateway")),
        "ConfigMap shop/progressive-ci.web: the journal has format 99, this version understands up to 1; use the "
        "version of this tool that wrote it, or a newer one",
    )


API: dict[str, tuple[faults.Fault, Result]] = {
    "it is unreachable": (faults.refuse(), Result.REFUSED),
    "it does not answer": (faults.drop(), Result.REFUSED),
    "it fails": (faults.broken(503), Result.REFUSED),
    "it is too busy": (faults.too_many(5), Result.REFUSED),
    "it does not know us": (faults.answer(status.unauthorized()), Result.REFUSED),
}


@pytest.mark.parametrize(("fault", "result"), API.values(), ids=API)
def test_an_api_server_that_never_answers_well_is_refused_in_bounded_time(
    fault: faults.Fault, result: Result
) -> None:
    scene = given.app()
    scene.sandbox.faults.plan(fault, when=lambda *_: True, times=10_000)
    began = scene.sandbox.clock.now()
    run = scene.released(rollout("gateway"))
    then.ended(run, result)
    assert scene.sandbox.clock.now() - began < 60
    assert run.outcome is not None
    assert "ConfigMap shop/progressive-ci.web" in run.outcome.reason


def test_a_credential_without_a_right_is_refused_before_anything_is_written() -> None:
    scene = given.app()
    rule = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list", "create", "delete"]}
    patch = {"apiGroups": ["", "apps", "coordination.k8s.io"], "resources": ["*"], "verbs": ["patch"]}
    scene.sandbox.world.grant("pipeline", [rule, patch], NAMESPACE)
    scene.user = "pipeline"
    then.refused(
        scene.released(rollout("gateway")),
        "namespace shop: the credential may not patch httproutes.gateway.networking.k8s.io web; bind the Role that "
        "`progressive-ci rbac` prints for web",
    )


def test_a_live_lease_of_another_run_is_left_alone() -> None:
    scene = given.app()
    spec = {"holderIdentity": "r0 other", "leaseDurationSeconds": 30, "leaseTransitions": 3}
    metadata = {"name": "progressive-ci.web", "namespace": NAMESPACE}

    def renew() -> None:
        renewed = scene.sandbox.clock.wall().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        body = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata}
        scene.sandbox.apply({**body, "spec": {**spec, "renewTime": renewed}})

    renew()
    scene.sandbox.clock.repeat(10.0, renew)
    run = scene.released(rollout("gateway"))
    then.ended(run, Result.LOCKED)
    then.nothing_was_written(run, but=())
    then.all_is_as_before(scene)
