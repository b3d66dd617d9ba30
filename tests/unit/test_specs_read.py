import pytest

from progressive_ci.errors import SpecInvalid
from progressive_ci.model.plan import Analyze, Mode, Plan
from progressive_ci.specs.documents import parse
from progressive_ci.specs.read import subjects
from tests.unit.golden.render import plan_of
from tests.unit.golden.specs import METRIC, ROUTED, rollout, template

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers:
        - {name: app, image: "registry:5000/api:1"}
        - {name: proxy, image: "envoy:1"}
      initContainers:
        - {name: setup, image: "setup:1"}
"""


def deployment(name: str = "api", more: str = "") -> tuple[str, str]:
    return f"{name}.yaml", DEPLOYMENT.replace("name: api", f"name: {name}") + more


def other(kind: str, name: str, *, api: str = "v1", more: str = "") -> tuple[str, str]:
    return f"{kind}-{name}.yaml", f"apiVersion: {api}\nkind: {kind}\nmetadata: {{name: {name}}}\n{more}"


def fault(*given: tuple[str, str], **options: object) -> str:
    with pytest.raises(SpecInvalid) as caught:
        plan_of(*given, **{"namespace": None, **options})
    return str(caught.value)


def read(*given: tuple[str, str], **options: object) -> Plan:
    return plan_of(*given, **{"namespace": None, **options})


def names(plan: Plan) -> tuple[list[str], list[str]]:
    needed, rest = plan.needed, plan.not_applied
    return [f"{each.kind} {each.name}" for each in needed], [f"{each.kind} {each.name}" for each in rest]


def test_a_rollout_is_released_rather_than_a_deployment_beside_it() -> None:
    plan = read(deployment(), rollout())
    assert (plan.dialect, plan.workload.name) == ("argo", "web")
    assert names(plan) == ([], ["Deployment api"])


def test_a_name_chooses_among_all_workloads() -> None:
    given = (deployment(), deployment("batch"), rollout())
    assert read(*given, name="api").dialect == "deployment"
    assert [document.name for _, document in subjects(parse(given))] == ["web", "api", "batch"]


@pytest.mark.parametrize(
    ("given", "options", "text"),
    [
        (
            (deployment(), deployment("batch")),
            {},
            (
                "the input holds several workloads: Deployment api (api.yaml:1), Deployment batch (batch.yaml:1); "
                "choose one with --name, as in --name api"
            ),
        ),
        (
            (deployment(),),
            {"name": "web"},
            "--name web: the input holds no Rollout or Deployment web; there are: api",
        ),
        (
            (other("ConfigMap", "a"),),
            {},
            (
                "no spec: the input holds no Rollout and no Deployment; "
                "give the files that hold a Rollout or a Deployment"
            ),
        ),
        (
            (deployment(),),
            {"namespace": "test"},
            (
                "api.yaml:3: metadata.namespace: the document is for namespace shop, --namespace says test; "
                "make them agree, or drop the option"
            ),
        ),
        (
            (other("Canary", "web", api="flagger.app/v1beta1"), deployment()),
            {},
            "Canary-web.yaml:1: not supported yet: Flagger Canary web; write it as a Rollout",
        ),
    ],
    ids=["several", "no such name", "none", "another namespace", "Flagger"],
)
def test_what_to_release_must_be_clear(
    given: tuple[tuple[str, str], ...], options: dict[str, str], text: str
) -> None:
    assert fault(*given, **options) == text


def test_a_deployment_is_released_in_place_by_its_own_strategy() -> None:
    name, text = deployment()
    plan = read(
        (name, text.replace("spec:\n  sel", "spec:\n  replicas: 2\n  strategy: {type: Recreate}\n  sel"))
    )
    assert (plan.mode, plan.route, plan.steps) == (Mode.IN_PLACE, None, ())
    assert (plan.workload.strategy, plan.workload.replicas) == ({"type": "Recreate"}, 2)


def test_a_deployment_is_judged_by_the_template_that_the_option_names() -> None:
    plan = read(deployment(), template(), analysis="t")
    (step,) = plan.steps
    assert isinstance(step, Analyze)
    assert [check.name for check in step.analysis.checks] == ["errors"]
    assert str(step.source) == "--analysis t"


@pytest.mark.parametrize(
    ("strategy", "text"),
    [
        ("{type: Blue}", "type: Blue is neither RollingUpdate nor Recreate"),
        (
            "{type: Recreate, rollingUpdate: {maxSurge: 1}}",
            "rollingUpdate: rollingUpdate has no place in Recreate; remove it",
        ),
        (
            "{rollingUpdate: {maxSurge: 0, maxUnavailable: 0%}}",
            (
                "rollingUpdate.maxSurge: maxSurge and maxUnavailable are both 0, so no pod could ever be replaced; "
                "raise one of them"
            ),
        ),
    ],
    ids=["unknown", "both", "neither up nor down"],
)
def test_a_strategy_that_kubernetes_would_refuse_is_refused(strategy: str, text: str) -> None:
    name, body = deployment()
    found = fault((name, body.replace("spec:\n  sel", f"spec:\n  strategy: {strategy}\n  sel")))
    assert found == f"api.yaml:5: spec.strategy.{text}"


def test_an_analysis_that_is_not_there_or_lacks_arguments_is_refused() -> None:
    assert fault(deployment(), analysis="t") == (
        "--analysis t: there is no AnalysisTemplate t in the input; give the file that holds it"
    )
    spec = "args: [{name: a}]\n" + METRIC
    assert fault(deployment(), template(spec), analysis="t") == (
        "--analysis t: args.a: the argument a has no value, it is declared in t.yaml:6: spec.args[0]; "
        "give it a value there, since --analysis gives none"
    )


@pytest.mark.parametrize(
    ("images", "chosen"),
    [
        (("app=x:2",), ["x:2", "envoy:1", "setup:1"]),
        (("registry:5000/api:2",), ["registry:5000/api:2", "envoy:1", "setup:1"]),
        (("registry:5000/api@sha256:0a",), ["registry:5000/api@sha256:0a", "envoy:1", "setup:1"]),
        (("proxy=e:2", "setup=s:2"), ["registry:5000/api:1", "e:2", "s:2"]),
        ((), ["registry:5000/api:1", "envoy:1", "setup:1"]),
    ],
    ids=["by container", "by repository", "by digest", "several", "none"],
)
def test_an_image_goes_to_the_container_that_is_meant(images: tuple[str, ...], chosen: list[str]) -> None:
    spec = read(deployment(), images=images).workload.template["spec"]
    assert [each["image"] for each in (*spec["containers"], *spec["initContainers"])] == chosen


@pytest.mark.parametrize(
    ("images", "text"),
    [
        (
            ("new:1",),
            "it is not clear which container gets this image; write CONTAINER=new:1; there are: app, proxy, setup",
        ),
        (("web=new:1",), "there is no container web; there are: app, proxy, setup"),
        (("=new:1",), "expected [CONTAINER=]IMAGE; write app=registry.example.com/app:1.2"),
        (("app=a:1", "app=b:1"), "container app gets two images; give each container one image"),
    ],
    ids=["unclear", "unknown", "no container", "twice"],
)
def test_an_image_that_fits_no_container_is_refused(images: tuple[str, ...], text: str) -> None:
    assert fault(deployment(), images=images) == f"--image {images[-1]}: {text}"


def test_the_document_that_was_read_is_left_as_it_was() -> None:
    (document,) = parse([deployment()])
    read(deployment(), images=("app=x:2",))
    assert document.body["spec"]["template"]["spec"]["containers"][0]["image"] == "registry:5000/api:1"


PODS = """\
      volumes:
        - {name: a, configMap: {name: from-volume}}
        - {name: b, secret: {secretName: from-secret-volume}}
        - {name: c, projected: {sources: [{configMap: {name: projected}}, {secret: {name: projected-secret}}]}}
      imagePullSecrets: [{name: pull}]
"""


def test_config_that_the_pods_name_belongs_to_the_release_and_the_rest_does_not() -> None:
    name, text = deployment(more=PODS)
    text = text.replace(
        'image: "envoy:1"}',
        'image: "envoy:1", envFrom: [{configMapRef: {name: all}}],'
        " env: [{name: A, valueFrom: {secretKeyRef: {name: one, key: k}}}]}",
    )
    maps = ["from-volume", "projected", "all", "foreign"]
    secrets = ["from-secret-volume", "projected-secret", "pull", "one"]
    plan = read(
        (name, text),
        *(other("ConfigMap", each) for each in maps),
        *(other("Secret", each) for each in secrets),
        ("elsewhere.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: pull, namespace: elsewhere}\n"),
        other("Service", "api"),
    )
    needed, rest = names(plan)
    assert needed == [f"ConfigMap {each}" for each in maps[:3]] + [f"Secret {each}" for each in secrets]
    assert rest == ["ConfigMap foreign", "Secret pull", "Service api"]


def test_specs_of_other_releases_are_no_documents_to_apply() -> None:
    unused = template(name="unused")
    second = ("second.yaml", rollout()[1].replace("name: web\n", "name: second\n"))
    plan = read(rollout(), second, unused, name="web")
    assert names(plan) == ([], [])


def test_a_rollout_and_a_deployment_of_one_name_are_refused() -> None:
    assert fault(rollout(), deployment("web")) == (
        "rollout.yaml:4: metadata.name: the Rollout and the Deployment in web.yaml:1 are both called web; "
        "remove one, or let the Rollout refer to the Deployment by workloadRef"
    )


def test_an_autoscaler_of_the_rollout_is_told_to_scale_the_deployment() -> None:
    more = "spec: {scaleTargetRef: {apiVersion: argoproj.io/v1alpha1, kind: Rollout, name: web}}\n"
    plan = read(rollout(), other("HorizontalPodAutoscaler", "web", api="autoscaling/v2", more=more))
    assert plan.warnings == (
        (
            "HorizontalPodAutoscaler-web.yaml:4: spec.scaleTargetRef: it scales a Rollout, "
            "and no Rollout object is made: let it scale Deployment web"
        ),
    )


INGRESS = "spec: {rules: [{http: {paths: [{path: /, backend: {service: {name: SERVICE}}}]}}]}\n"
ROUTE = "spec: {rules: [{backendRefs: [{name: stable}, {name: SERVICE}]}]}\n"
MESH = (
    "spec: {http: [{name: r, route: [{destination: {host: stable.shop}}, {destination: {host: SERVICE}}]}]}\n"
)


@pytest.mark.parametrize(
    ("router", "document", "text"),
    [
        (
            "nginx: {stableIngress: web}",
            other("Ingress", "web", api="networking.k8s.io/v1", more=INGRESS),
            "4: spec.rules: Ingress web has no path to Service stable; name the stableService in a rule",
        ),
        (
            "plugins: {argoproj-labs/gatewayAPI: {httpRoute: web}}",
            other("HTTPRoute", "web", api="gateway.networking.k8s.io/v1", more=ROUTE),
            (
                "4: spec.rules: HTTPRoute web has no rule with both canary and stable; "
                "add both as backendRefs, with weights 100 and 0"
            ),
        ),
        (
            "istio: {virtualService: {name: web}}",
            other("VirtualService", "web", api="networking.istio.io/v1", more=MESH),
            "4: spec.http: VirtualService web has no destination canary; add both Services, with weights 100 and 0",
        ),
        (
            "istio: {virtualService: {name: web, routes: [primary]}}",
            other(
                "VirtualService", "web", api="networking.istio.io/v1", more=MESH.replace("SERVICE", "canary")
            ),
            "4: spec.http: VirtualService web has no http route primary; name a route that it has",
        ),
        (
            "nginx: {stableIngress: web}",
            other("Service", "canary", more="spec: {selector: {app: other}}\n"),
            (
                "4: spec.selector: Service canary selects app: other, which the pod template does not have; "
                "make the selector fit the pod template"
            ),
        ),
        (
            "nginx: {stableIngress: web}",
            other("Service", "stable", more="spec: {ports: []}\n"),
            (
                "4: spec.selector: Service stable has no selector, so it can't be pinned to one version; "
                "select the labels of the pod template"
            ),
        ),
    ],
    ids=["Ingress", "HTTPRoute", "VirtualService", "its route", "Service", "Service without selector"],
)
def test_a_document_that_does_not_fit_the_release_is_refused(
    router: str, document: tuple[str, str], text: str
) -> None:
    canary = ROUTED.replace("nginx: {stableIngress: web}", router)
    assert fault(rollout(canary), document) == f"{document[0]}:{text}"
    fitting = document[1].replace("app: other", "app: web").replace("ports: []", "selector: {app: web}")
    service = "stable" if "Ingress" in document[0] else "canary"
    fitting = fitting.replace("SERVICE", service).replace("name: r,", "name: primary,")
    plan = read(rollout(canary), (document[0], fitting))
    assert names(plan)[0] == [document[0].removesuffix(".yaml").replace("-", " ")]
