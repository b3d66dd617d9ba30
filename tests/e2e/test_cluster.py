"""The test cluster itself behaves like a real one, so that what the scenarios see is the tool's doing."""

from __future__ import annotations

import json
import sys
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.e2e.cluster import workloads
from tests.e2e.cluster.exchange import Answer, Call, NoHooks
from tests.e2e.cluster.load import Load
from tests.e2e.cluster.proxy import RecordingProxy
from tests.e2e.cluster.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.cluster.client import Document
    from tests.e2e.cluster.cluster import Cluster

pytest_plugins = ["tests.e2e.cluster.fixtures"]

_STABLE, _CANARY = "demo", "demo-next"


def _two_versions(cluster: Cluster, namespace: str, canary: str = "example/app:2.0.0") -> None:
    for name, image in ((_STABLE, "example/app:1.0.0"), (_CANARY, canary)):
        cluster.admin.create(workloads.deployment(name, image), namespace)
        cluster.admin.create(workloads.service(name, {"app": name}), namespace)
    for name in (_STABLE, _CANARY):
        workloads.wait_ready(cluster.admin, namespace, name)


def _gateway_route(cluster: Cluster, namespace: str, canary: int) -> tuple[str, Document]:
    weights = {_STABLE: 100 - canary, _CANARY: canary}
    return cluster.gateway_url, workloads.http_route(
        "demo", f"{namespace}.test", cluster.gateway_parent, weights
    )


def _istio_route(cluster: Cluster, namespace: str, canary: int) -> tuple[str, Document]:
    weights = {_STABLE: 100 - canary, _CANARY: canary}
    return cluster.istio_gateway_url, workloads.virtual_service(
        "demo", f"{namespace}.test", cluster.istio_gateway, weights
    )


def _contour_route(cluster: Cluster, namespace: str, canary: int) -> tuple[str, Document]:
    return cluster.gateway_url, workloads.http_proxy(
        "demo", f"{namespace}.test", {_STABLE: 100 - canary, _CANARY: canary}
    )


_ROUTES = [
    pytest.param(_gateway_route, id="HTTPRoute"),
    pytest.param(_contour_route, id="HTTPProxy"),
    pytest.param(_istio_route, id="VirtualService"),
]


def _served(load: Load, share: float) -> None:
    """Wait until the canary's share of the last second is as wanted."""

    def settled() -> bool:
        recent = load.records().between(time.time() - 1.5)
        return len(recent.requests) > 50 and abs(recent.share("2.0.0") - share) < (
            0.15 if 0 < share < 1 else 0.001
        )

    wait_until(f"the canary serves {share:.0%}", settled, every=0.2)


def _start_load(cluster: Cluster, url: str, namespace: str) -> Load:
    """Start the load once the route is known to the gateway."""
    host = f"{namespace}.test"
    wait_until(f"{host} is routed", lambda: cluster.runner_status(url, host) == 200)
    return Load(cluster, url, host)


@pytest.mark.parametrize("route", _ROUTES)
def test_moving_weights_loses_no_request(
    cluster: Cluster,
    namespace: str,
    route: Callable[[Cluster, str, int], tuple[str, Document]],
) -> None:
    """Weights move 0, 50, 100, 0 under load and every request is answered."""
    _two_versions(cluster, namespace)
    url, document = route(cluster, namespace, 0)
    cluster.admin.apply(document, namespace)
    with _start_load(cluster, url, namespace) as load:
        for weight in (0, 50, 100, 0):
            cluster.admin.apply(route(cluster, namespace, weight)[1], namespace)
            _served(load, weight / 100)
        records = load.stop()
    assert not records.failed(), records.summary()


def test_scaling_loses_no_request(cluster: Cluster, namespace: str) -> None:
    """A Deployment goes from 3 to 6 to 3 pods under load and every request is answered."""
    _two_versions(cluster, namespace)
    url, document = _gateway_route(cluster, namespace, 0)
    cluster.admin.apply(document, namespace)
    with _start_load(cluster, url, namespace) as load:
        for replicas in (6, 3):
            cluster.admin.patch("Deployment", _STABLE, {"spec": {"replicas": replicas}}, namespace)
            workloads.wait_ready(cluster.admin, namespace, _STABLE)
            load.wait_for(requests=300)
        records = load.stop()
    assert not records.failed(), records.summary()


def test_prometheus_counts_requests(cluster: Cluster, namespace: str) -> None:
    """Prometheus, asked through the API server's service proxy, knows requests and errors by version."""
    _two_versions(cluster, namespace, canary="example/app:2.0.0-err30")
    url, document = _gateway_route(cluster, namespace, 50)
    cluster.admin.apply(document, namespace)
    rate = f'sum by (version, status) (rate(http_requests_total{{namespace="{namespace}"}}[5s]))'

    def rates() -> dict[tuple[str, str], float]:
        found = {
            (labels["version"], labels["status"]): value for labels, value in cluster.prometheus_query(rate)
        }
        return (
            found if found.get(("2.0.0-err30", "500"), 0) > 0 and found.get(("1.0.0", "200"), 0) > 40 else {}
        )

    with _start_load(cluster, url, namespace) as load:
        found = wait_until("request rates", rates)
    assert found["1.0.0", "500"] == 0
    assert load.stop().failed()
    assert found["2.0.0-err30", "500"] / found["2.0.0-err30", "200"] == pytest.approx(0.3 / 0.7, rel=0.7)


def test_the_runner_sees_no_pod(cluster: Cluster, namespace: str) -> None:
    """The runner's network reaches the API server and both gateways, but no pod."""
    cluster.admin.create(workloads.deployment(_STABLE, "example/app:1.0.0", replicas=1), namespace)
    workloads.wait_ready(cluster.admin, namespace, _STABLE)
    (pod,) = cluster.admin.list("Pod", namespace)
    for url in (cluster.server, cluster.gateway_url, cluster.istio_gateway_url):
        wait_until(f"{url} answers", partial(cluster.runner_status, url))
    assert cluster.runner_status(f"http://{pod['status']['podIP']}:8080") == 0


@pytest.mark.parametrize(
    ("tag", "reason"),
    [("2.0.0-missing", "ImagePullBackOff"), ("2.0.0-crash", "CrashLoopBackOff")],
    ids=["missing image", "crash"],
)
def test_a_broken_image_shows_its_reason(cluster: Cluster, namespace: str, tag: str, reason: str) -> None:
    """A pod that can't start says why, in the words of a kubelet."""
    cluster.admin.create(workloads.deployment(_STABLE, f"example/app:{tag}", replicas=1), namespace)

    def seen() -> bool:
        (pod,) = cluster.admin.list("Pod", namespace)
        (container,) = pod["status"]["containerStatuses"]
        return bool(container["state"].get("waiting", {}).get("reason") == reason and not container["ready"])

    wait_until(reason, seen)


def test_a_user_may_do_only_what_the_role_says(cluster: Cluster, namespace: str) -> None:
    """A token bound to a Role reads what the Role names; the audit log shows who was refused."""
    role = """
        kind: Role
        apiVersion: rbac.authorization.k8s.io/v1
        metadata: {name: reader}
        rules: [{apiGroups: [apps], resources: [deployments], verbs: [list]}]
    """
    began = time.time()
    kubeconfig = cluster.kubeconfig(cluster.user("ci", role, namespace))
    assert kubeconfig.exists()
    user = cluster.as_user(cluster.user("ci", role, namespace))
    assert wait_until("the role is in force", lambda: user.send("GET", user.path("Deployment", namespace)).ok)
    assert user.send("GET", f"/api/v1/namespaces/{namespace}/secrets").status_code == 403

    def refused() -> set[str]:
        events = cluster.audit_since(began, verb="list")
        return {e["user"]["username"] for e in events if e["responseStatus"].get("code") == 403}

    name = f"system:serviceaccount:{namespace}:ci"
    assert wait_until("the refusal is in the audit log", lambda: name in refused())


def test_logs_of_a_pod_can_be_read(cluster: Cluster, namespace: str) -> None:
    """The API server fetches a pod's log from the node."""
    cluster.admin.create(workloads.deployment(_STABLE, "example/app:1.0.0", replicas=1), namespace)
    workloads.wait_ready(cluster.admin, namespace, _STABLE)
    (pod,) = cluster.admin.list("Pod", namespace)
    path = cluster.admin.path("Pod", namespace, pod["metadata"]["name"], "log")
    tail = partial(cluster.admin.send, "GET", path, params={"tailLines": 1})
    assert wait_until("the log says what serves", lambda: "version 1.0.0" in tail().text)


def test_the_proxy_records_and_replaces_answers(cluster: Cluster, namespace: str, tmp_path: Path) -> None:
    """The proxy passes requests and watches on, records them, and answers otherwise when a hook says so."""
    record = tmp_path / "requests.jsonl"
    with RecordingProxy(cluster, record=record) as proxy:
        script = _CLIENT.format(namespace=namespace)
        kubeconfig = cluster.kubeconfig(server=proxy.url)
        with cluster.run_in_runner(
            [sys.executable, "-c", script], env={"KUBECONFIG": str(kubeconfig)}
        ) as running:
            out, errors = running.communicate(timeout=60)
        assert out.split() == ["created", "ADDED", "1"], errors
        proxy.hooks = _Unavailable()
        with cluster.run_in_runner(
            [sys.executable, "-c", script], env={"KUBECONFIG": str(kubeconfig)}
        ) as running:
            assert "503" in running.communicate(timeout=60)[1]
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    assert [line["method"] for line in lines if line["path"].endswith("/configmaps")][:3] == [
        "POST",
        "GET",
        "GET",
    ]
    assert cluster.admin.token not in record.read_text()


class _Unavailable(NoHooks):
    def before(self, call: Call) -> Answer | None:
        return (
            Answer(503, b'{"kind":"Status","apiVersion":"v1","code":503}') if call.method == "POST" else None
        )


_CLIENT = """
from kubernetes import client, config, watch
config.load_kube_config()
core = client.CoreV1Api()
core.create_namespaced_config_map("{namespace}", {{"metadata": {{"name": "one"}}}})
print("created")
for event in watch.Watch().stream(core.list_namespaced_config_map, "{namespace}", timeout_seconds=1):
    if event["object"].metadata.name == "one":
        print(event["type"])
print(sum(item.metadata.name == "one" for item in core.list_namespaced_config_map("{namespace}").items))
"""


def test_a_job_runs_its_command_with_its_account(cluster: Cluster, namespace: str) -> None:
    """A Job's pod runs a real command, which finds the API server and its token as in any cluster."""
    cluster.user("ci", _MAY_WRITE, namespace)
    container = {"name": "main", "image": "example/tool:1", "command": [sys.executable, "-c", _IN_CLUSTER]}
    spec = {"serviceAccountName": "ci", "restartPolicy": "Never", "containers": [container]}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "guard"}}
    cluster.admin.create({**job, "spec": {"backoffLimit": 0, "template": {"spec": spec}}}, namespace)
    cluster.admin.wait_until(
        "the Job is complete",
        lambda client: client.get("Job", "guard", namespace).get("status", {}).get("succeeded") == 1,
    )
    assert cluster.admin.get("ConfigMap", "from-the-pod", namespace)


def test_admission_policies_change_objects(cluster: Cluster, namespace: str) -> None:
    """A MutatingAdmissionPolicy is in force soon after it is created."""
    name = f"replicas.{namespace}.test"
    for document in yaml.safe_load_all(_POLICY.format(name=name, namespace=namespace)):
        cluster.admin.create(document)
    try:

        def mutated() -> bool:
            probe = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "probe"}}
            answer = cluster.admin.create(probe, namespace, dryRun="All")
            return bool(answer["metadata"].get("labels", {}).get("mutated") == "yes")

        wait_until("the policy is in force", mutated)
    finally:
        cluster.admin.delete("MutatingAdmissionPolicyBinding", name)
        cluster.admin.delete("MutatingAdmissionPolicy", name)


_MAY_WRITE = """
kind: Role
apiVersion: rbac.authorization.k8s.io/v1
metadata: {name: writer}
rules: [{apiGroups: [""], resources: [configmaps], verbs: [create]}]
"""

_IN_CLUSTER = """
from kubernetes import client, config
config.load_incluster_config()
namespace = open("/var/run/secrets/kubernetes.io/serviceaccount/namespace").read()
client.CoreV1Api().create_namespaced_config_map(namespace, {"metadata": {"name": "from-the-pod"}})
"""

_POLICY = """
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata: {{name: {name}}}
spec:
  reinvocationPolicy: Never
  failurePolicy: Fail
  matchConstraints:
    namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {namespace}}}}}
    resourceRules: [{{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}}]
  mutations:
    - patchType: ApplyConfiguration
      applyConfiguration:
        expression: 'Object{{metadata: Object.metadata{{labels: {{"mutated": "yes"}}}}}}'
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicyBinding
metadata: {{name: {name}}}
spec: {{policyName: {name}}}
"""
