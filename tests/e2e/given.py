"""Owns what a scenario starts from: a workload that serves, the documents that release it, and who may do so."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.e2e.cluster import workloads
from tests.e2e.cluster.client import Client, Document
from tests.e2e.cluster.cluster import Cluster
from tests.e2e.cluster.waiting import wait_until

NAME, STABLE, CANARY = "shop", "shop-stable", "shop-canary"
OLD, NEW, BAD = "example/app:1.0.0", "example/app:2.0.0", "example/app:2.0.0-err30"
PROMETHEUS = "http://prometheus.monitoring:9090"
ROLE = f"progressive-ci-{NAME}"
ROOT = Path(__file__).parents[2]

TRAFFIC: dict[str, Document] = {
    "gateway": {"plugins": {"argoproj-labs/gatewayAPI": {"httpRoute": NAME}}},
    "istio": {"istio": {"virtualService": {"name": NAME}}},
    "nginx": {"nginx": {"stableIngress": NAME}},
}


def setting(*weights: int, pause: str = "2s") -> list[Document]:
    """Steps that set each weight and pause after it, but after the last."""
    return [step for weight in weights for step in ({"setWeight": weight}, {"pause": {"duration": pause}})][
        :-1
    ]


INTRODUCTION = setting(5, 20, 50, 80, 100)
QUICK = setting(50, 100, pause="1s")


@dataclass(frozen=True, slots=True)
class Shop:
    """A workload that serves version 1.0.0 through a router, and the folder with the documents that release it."""

    cluster: Cluster
    namespace: str
    folder: Path
    router: str

    @property
    def host(self) -> str:
        """The name under which users reach it."""
        return f"{self.namespace}.test"

    @property
    def url(self) -> str:
        """The gateway through which users reach it."""
        return self.cluster.istio_gateway_url if self.router == "istio" else self.cluster.gateway_url

    @property
    def account(self) -> str:
        """Whose requests the tool sends, as the audit log names it."""
        return f"system:serviceaccount:{self.namespace}:ci"

    def write(self, *documents: Document) -> None:
        """Put documents into the folder, a file for each kind."""
        for document in documents:
            path = self.folder / f"{document['metadata']['name']}.{document['kind'].lower()}.yaml"
            path.write_text(yaml.safe_dump(document, sort_keys=False))

    def releases(self, image: str, **how: object) -> None:
        """Let the folder say that `image` is the next version; `how` goes to `rollout`."""
        self.write(rollout(image, self.router, **how), analysis())  # type: ignore[arg-type]

    def role(self, *occasions: str, options: Sequence[str] = ()) -> str:
        """What `progressive-ci rbac` prints for the folder, and for occasions: `first`, `roll`."""
        command = [sys.executable, "-m", "progressive_ci", "rbac", "-f", str(self.folder)]
        command += ["-n", self.namespace, *options]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        names = {ROLE, *(f"{ROLE}-{occasion}" for occasion in occasions)}
        chosen = [item for item in yaml.safe_load_all(done.stdout) if item["metadata"]["name"] in names]
        assert {item["metadata"]["name"] for item in chosen} == names, done.stdout
        return yaml.safe_dump_all(chosen)

    def token(self, role: str, *, lacking: Document | None = None, account: str = "ci") -> str:
        """A token with exactly the rights of a role, once they are in force and the lacking one is not."""
        token = self.cluster.user(account, role, self.namespace)
        self.await_rights(token, role, lacking=lacking)
        return token

    def await_rights(self, token: str, role: str, *, lacking: Document | None = None) -> None:
        """Wait until the owner of a token has the rights of a role, and no longer the lacking one."""
        user = self.cluster.as_user(token)
        usual = [
            {**rule, "namespace": item["metadata"].get("namespace", self.namespace)}
            for item in yaml.safe_load_all(role)
            for rule in item["rules"][-1:]
        ]
        wait_until("the Role is in force", lambda: all(self._may(user, rule) for rule in usual))
        if lacking:
            wait_until("the right is gone", lambda: not self._may(user, lacking))

    def _may(self, user: Client, rule: Document) -> bool:
        """Whether the API server lets a user do the first thing that a rule allows."""
        resource, _, part = rule["resources"][0].partition("/")
        wanted = {
            "namespace": rule.get("namespace", self.namespace),
            "group": rule["apiGroups"][0],
            "resource": resource,
            "subresource": part,
            "name": (rule.get("resourceNames") or [""])[0],
            "verb": rule["verbs"][0],
        }
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": wanted},
        }
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        return bool(user.call("POST", path, review)["status"]["allowed"])


def open_shop(
    cluster: Cluster, namespace: str, folder: Path, router: str, *, image: str, replicas: int
) -> Shop:
    """Open a shop behind a router; without an image nothing runs there yet."""
    folder.mkdir()
    opened = Shop(cluster, namespace, folder, router)
    for document in entrance(opened):
        cluster.admin.create(document, namespace)
    if not image:
        return opened
    cluster.admin.create(workloads.deployment(NAME, image, replicas=replicas), namespace)
    workloads.wait_ready(cluster.admin, namespace, NAME)
    if router != "nginx":
        wait_until("users reach it", lambda: cluster.runner_status(opened.url, opened.host) == 200)
    return opened


def entrance(shop: Shop) -> list[Document]:
    """The Services and the route by which users come in; everything goes to the stable Service."""
    services = [workloads.service(name, {"app": NAME}) for name in (STABLE, CANARY)]
    weights = {STABLE: 100, CANARY: 0}
    match shop.router:
        case "gateway":
            return [
                *services,
                workloads.http_route(NAME, shop.host, shop.cluster.gateway_parent, weights),
            ]
        case "istio":
            return [
                *services,
                workloads.virtual_service(NAME, shop.host, shop.cluster.istio_gateway, weights),
            ]
        case "nginx":
            return [*services, ingress(shop.host)]
        case _:
            return [
                services[0],
                workloads.http_route(NAME, shop.host, shop.cluster.gateway_parent, {STABLE: 1}),
            ]


def ingress(host: str) -> Document:
    """An Ingress for ingress-nginx that leads to the stable Service."""
    backend = {"service": {"name": STABLE, "port": {"number": 80}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": NAME, "annotations": {"example.com/team": "shop"}},
        "spec": {"ingressClassName": "nginx", "rules": [{"host": host, "http": {"paths": [path]}}]},
    }


def rollout(
    image: str,
    router: str,
    *,
    steps: Sequence[Document] = INTRODUCTION,
    judged: bool = True,
    ready_seconds: int = 60,
    replicas: int | None = None,
    drains: tuple[int, int] = (3, 3),
) -> Document:
    """The Rollout that releases an image; old pods have the first seconds to finish, new ones the second."""
    canary: Document = {"steps": list(steps)}
    if router in TRAFFIC:
        canary |= {
            "canaryService": CANARY,
            "stableService": STABLE,
            "trafficRouting": TRAFFIC[router],
            "scaleDownDelaySeconds": drains[0],
            "abortScaleDownDelaySeconds": drains[1],
        }
    if judged:
        args = [{"name": "hash", "valueFrom": {"podTemplateHashValue": "Latest"}}]
        canary["analysis"] = {
            "templates": [{"templateName": "success-rate"}],
            "args": args,
            "startingStep": 1,
        }
    like = workloads.deployment(NAME, image)["spec"]
    spec: Document = {"selector": like["selector"], "template": like["template"]}
    if replicas is not None:
        spec["replicas"] = replicas
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": NAME},
        "spec": {**spec, "progressDeadlineSeconds": ready_seconds, "strategy": {"canary": canary}},
    }


def analysis(name: str = "success-rate", **limits: int | str) -> Document:
    """The introduction's success rate, measured each second over the pods of one version."""
    series = 'http_requests_total{pod_template_hash="{{args.hash}}"'
    query = f'sum(rate({series},status!~"5.."}}[5s])) / sum(rate({series}}}[5s]))'
    metric = {
        "name": "success-rate",
        "interval": "1s",
        "successCondition": "result[0] >= 0.95",
        "failureLimit": 1,
        **limits,
        "provider": {"prometheus": {"address": PROMETHEUS, "query": query}},
    }
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisTemplate",
        "metadata": {"name": name},
        "spec": {"args": [{"name": "hash"}], "metrics": [metric]},
    }


@contextlib.contextmanager
def no_prometheus(cluster: Cluster) -> Iterator[None]:
    """For a while the Service of Prometheus leads nowhere: the service proxy answers 503."""

    def leads_to(app: str) -> None:
        cluster.admin.patch("Service", "prometheus", {"spec": {"selector": {"app": app}}}, "monitoring")

    leads_to("nobody")
    try:
        yield
    finally:
        leads_to("prometheus")


@contextlib.contextmanager
def a_policy_changes_deployments(shop: Shop) -> Iterator[None]:
    """A MutatingAdmissionPolicy gives the pods of Deployments, and of nothing else, an annotation."""
    admin, name = shop.cluster.admin, f"deployments.{shop.namespace}.test"
    expression = (
        "Object{spec: Object.spec{template: Object.spec.template{metadata: "
        'Object.spec.template.metadata{annotations: {"example.com/mutated": "yes"}}}}}'
    )
    matching = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": shop.namespace}},
        "resourceRules": [
            {
                "apiGroups": ["apps"],
                "apiVersions": ["v1"],
                "operations": ["CREATE", "UPDATE"],
                "resources": ["deployments"],
            }
        ],
    }
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "reinvocationPolicy": "Never",
            "failurePolicy": "Fail",
            "matchConstraints": matching,
            "mutations": [
                {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": expression}}
            ],
        },
    }
    binding = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": name},
    }
    try:
        admin.create(policy)
        admin.create(binding)
        probe = workloads.deployment("probe", NEW, replicas=1)
        wait_until(
            "the policy is in force",
            lambda: admin.create(probe, shop.namespace, dryRun="All")["spec"]["template"]["metadata"].get(
                "annotations"
            ),
        )
        yield
    finally:
        admin.delete("MutatingAdmissionPolicyBinding", name)
        admin.delete("MutatingAdmissionPolicy", name)


def in_place(shop: Shop, image: str) -> tuple[Document, Document]:
    """A plain Deployment, and an AnalysisTemplate that judges it with `--analysis success-rate`."""
    deployment = workloads.deployment(NAME, image, replicas=4)
    deployment["spec"]["progressDeadlineSeconds"] = 60
    template = analysis(count=5, initialDelay="4s")
    (metric,) = template["spec"]["metrics"]
    prometheus = metric["provider"]["prometheus"]
    series = f'namespace="{shop.namespace}"'
    prometheus["query"] = prometheus["query"].replace('pod_template_hash="{{args.hash}}"', series)
    del template["spec"]["args"]
    return deployment, template
