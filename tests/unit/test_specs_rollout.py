from dataclasses import replace

import pytest

from progressive_ci.errors import SpecInvalid
from progressive_ci.model import kinds
from progressive_ci.model.plan import Mode, Pause, Plan, SetWeight
from progressive_ci.model.route import (
    GatewayRouteRef,
    GatewaySettings,
    IstioSettings,
    NginxSettings,
    RatioSettings,
    VirtualServiceRef,
)
from progressive_ci.model.weight import Weight
from tests.unit.golden.render import plan_of
from tests.unit.golden.specs import ROUTED, rollout

ABORT_DELAY = "spec.strategy.canary.abortScaleDownDelaySeconds"


def read(canary: str = "steps: [{setWeight: 20}]", more: str = "") -> Plan:
    return plan_of(rollout(canary, more), namespace=None)


def routed(router: str) -> Plan:
    return read(ROUTED.replace("nginx: {stableIngress: web}", router))


def test_steps_keep_their_order_their_values_and_their_lines() -> None:
    plan = read(
        "steps:\n  - setWeight: 5\n  - pause: {}\n  - pause: {duration: 90}\n  - pause: {duration: 1h30m}\n"
    )
    assert [replace(step, source=plan.source) for step in plan.steps] == [
        SetWeight(Weight(5), plan.source),
        Pause(None, plan.source),
        Pause(90.0, plan.source),
        Pause(5400.0, plan.source),
    ]
    assert [step.source.line for step in plan.steps] == [18, 19, 20, 21]


def test_the_fields_of_the_workload_are_the_documents() -> None:
    plan = read("{}", "replicas: 4\nminReadySeconds: 5\nprogressDeadlineSeconds: 60\nrevisionHistoryLimit: 2")
    assert (plan.dialect, plan.mode, plan.namespace) == ("argo", Mode.ADOPT, "shop")
    workload = plan.workload
    assert (workload.name, workload.replicas, workload.min_ready_seconds) == ("web", 4, 5)
    assert (workload.progress_deadline_seconds, workload.revision_history_limit) == (60, 2)
    assert workload.selector == {"matchLabels": {"app": "web"}}
    assert workload.strategy is None
    assert workload.template["spec"]["containers"] == [{"name": "app", "image": "web:1"}]


def test_what_is_not_written_has_upstream_s_default() -> None:
    plan = read("{}")
    assert (plan.workload.replicas, plan.workload.progress_deadline_seconds) == (None, 600)
    assert (plan.drain_seconds, plan.abort_drain_seconds) == (30.0, 30.0)
    assert (plan.steps, plan.guards) == ((), ())
    assert plan.route is not None
    assert (plan.route.router, plan.route.settings) == ("ratio", RatioSettings("25%", "25%"))


def test_without_a_router_surge_decides_the_share_of_pods() -> None:
    plan = read("maxSurge: 1\nmaxUnavailable: 0")
    assert plan.route is not None
    assert plan.route.settings == RatioSettings(1, 0)


def test_nginx_settings_are_the_documents() -> None:
    plan = routed(
        "nginx: {stableIngress: a, stableIngresses: [b, a], annotationPrefix: x.y,"
        " additionalIngressAnnotations: {canary-by-header: X}, canaryIngressAnnotations: {k: v}}"
    )
    assert plan.route is not None
    assert (plan.route.stable_service, plan.route.canary_service) == ("stable", "canary")
    assert plan.route.settings == NginxSettings(
        ("a", "b"),
        "x.y",
        additional_annotations=(("canary-by-header", "X"),),
        canary_annotations=(("k", "v"),),
    )


def test_parts_of_max_traffic_weight_become_percents() -> None:
    plan = read(ROUTED + "  maxTrafficWeight: 1000\nsteps: [{setWeight: 50}, {setWeight: 1000}]\n")
    assert [step.weight.percent for step in plan.steps if isinstance(step, SetWeight)] == [5, 100]
    assert plan.route is not None
    assert plan.route.max_weight == 1000


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("web", VirtualServiceRef("shop", "web", ("primary",))),
        ("web.mesh", VirtualServiceRef("mesh", "web", ("primary",))),
        ("web.mesh.svc.cluster.local", VirtualServiceRef("mesh", "web", ("primary",))),
    ],
)
def test_a_virtual_service_may_stand_in_another_namespace(name: str, reference: VirtualServiceRef) -> None:
    plan = routed(f"istio: {{virtualService: {{name: {name}, routes: [primary]}}}}")
    assert plan.route is not None
    assert plan.route.settings == IstioSettings((reference,))


def test_every_route_of_the_gateway_api_is_taken_once() -> None:
    plan = routed(
        "plugins: {argoproj-labs/gatewayAPI: {httpRoute: a, httpRoutes: [{name: a}, {name: b}], grpcRoute: c,"
        " namespace: edge, inProgressLabelValue: busy}}"
    )
    assert plan.route is not None
    assert plan.route.settings == GatewaySettings(
        (
            GatewayRouteRef(kinds.HTTP_ROUTE, "edge", "a"),
            GatewayRouteRef(kinds.HTTP_ROUTE, "edge", "b"),
            GatewayRouteRef(kinds.GRPC_ROUTE, "edge", "c"),
        ),
        ("rollouts.argoproj.io/gatewayapi-canary", "busy"),
    )


def test_the_label_of_the_gateway_api_can_be_switched_off() -> None:
    plan = routed("plugins: {argoproj-labs/gatewayAPI: {httpRoute: a, disableInProgressLabel: true}}")
    assert plan.route is not None
    assert isinstance(plan.route.settings, GatewaySettings)
    assert plan.route.settings.in_progress_label is None


@pytest.mark.parametrize(
    ("canary", "more", "warnings"),
    [
        (ROUTED + "maxSurge: 1\n", "", ["21: spec.strategy.canary.maxSurge: no effect with trafficRouting"]),
        (
            "abortScaleDownDelaySeconds: 5",
            "",
            [f"17: {ABORT_DELAY}: no effect without trafficRouting"],
        ),
        (
            ROUTED + "abortScaleDownDelaySeconds: 0\n",
            "",
            [f"21: {ABORT_DELAY}: 0 counts as not written: a failed canary never stays"],
        ),
        ("{}", "restartAt: now", ["18: spec.restartAt: no effect: use kubectl rollout restart"]),
        ("steps:", "", ["17: spec.strategy.canary.steps: has no value and counts as not written"]),
        (
            "analysis: {}",
            "",
            ["17: spec.strategy.canary.analysis: names no template, so nothing is measured"],
        ),
    ],
    ids=["surge", "abort delay", "endless abort delay", "restart", "empty steps", "empty analysis"],
)
def test_what_has_no_effect_is_told(canary: str, more: str, warnings: list[str]) -> None:
    assert list(read(canary, more).warnings) == [f"rollout.yaml:{warning}" for warning in warnings]


def test_what_is_not_built_is_welcome_where_it_changes_nothing() -> None:
    assert read(ROUTED + "  managedRoutes: []\ndynamicStableScale: false\n").warnings == ()


DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop-web
  labels: {team: a}
  annotations: {kubectl.kubernetes.io/last-applied-configuration: x, owner: b}
spec:
  replicas: 0
  minReadySeconds: 7
  selector:
    matchLabels: {app: web}
  strategy: {type: Recreate}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
        - {name: app, image: "web:1"}
"""
REFERRING = """\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web, namespace: shop}
spec:
  replicas: 4
  workloadRef: {apiVersion: apps/v1, kind: Deployment, name: shop-web}
  strategy:
    canary: {steps: [{setWeight: 20}]}
"""


def test_a_rollout_that_refers_to_a_deployment_releases_that_deployment() -> None:
    plan = plan_of(("rollout.yaml", REFERRING), ("deployment.yaml", DEPLOYMENT), namespace=None)
    workload = plan.workload
    assert (workload.name, workload.replicas, workload.min_ready_seconds) == ("shop-web", 4, 7)
    assert workload.strategy == {"type": "Recreate"}
    assert (workload.labels, workload.annotations) == ((("team", "a"),), (("owner", "b"),))
    assert plan.route is not None
    assert plan.route.workload == "shop-web"
    assert plan.not_applied == ()


REFERENCE_FAULTS = {
    "template too": (
        ("  strategy:", "  template: {metadata: {}}\n  strategy:"),
        "7: spec.template: template and workloadRef are both given; keep one",
    ),
    "another kind": (
        ("kind: Deployment", "kind: ReplicaSet"),
        "6: spec.workloadRef.kind: not supported yet: workloadRef to a ReplicaSet; refer to a Deployment",
    ),
    "a kind that is none": (
        ("kind: Deployment", "kind: Pod"),
        "6: spec.workloadRef.kind: workloadRef can't name a Pod; refer to a Deployment",
    ),
    "scaled down": (
        ("name: shop-web", "name: shop-web, scaleDown: onsuccess"),
        "6: spec.workloadRef.scaleDown: not supported yet: scaleDown: onsuccess; write never",
    ),
    "not in the input": (
        ("name: shop-web", "name: other"),
        "6: spec.workloadRef.name: there is no Deployment other in the input; give the file that holds it",
    ),
    "another selector": (
        ("  strategy:", "  selector: {matchLabels: {app: x}}\n  strategy:"),
        "7: spec.selector: the selector differs from that of Deployment shop-web; remove it: the Deployment's counts",
    ),
}


@pytest.mark.parametrize(("change", "fault"), REFERENCE_FAULTS.values(), ids=REFERENCE_FAULTS)
def test_a_reference_that_cannot_be_followed_is_told(change: tuple[str, str], fault: str) -> None:
    with pytest.raises(SpecInvalid) as caught:
        plan_of(("rollout.yaml", REFERRING.replace(*change)), ("deployment.yaml", DEPLOYMENT), namespace=None)
    assert str(caught.value) == f"rollout.yaml:{fault}"
