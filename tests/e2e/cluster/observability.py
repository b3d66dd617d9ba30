"""Owns Prometheus as a pod of the cluster, reached through the API server's service proxy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.e2e.cluster.client import Client, Document

NAMESPACE = "monitoring"
_LABELS = {"app": "prometheus"}
_PROXY = f"/api/v1/namespaces/{NAMESPACE}/services/http:prometheus:9090/proxy"


def start_prometheus(admin: Client) -> None:
    """Create the pod and its Service `prometheus.monitoring:9090`; return when it answers."""
    for document in _documents():
        admin.apply(document)
    admin.wait_until(
        "Prometheus answers through the service proxy",
        lambda client: client.send("GET", f"{_PROXY}/-/ready").ok,
        seconds=180,
    )


def address(admin: Client) -> str:
    """Return the URL under which this process reaches the pod itself."""
    (pod,) = admin.list("Pod", NAMESPACE, labelSelector="app=prometheus")
    return f"http://{pod['status']['podIP']}:9090"


def query(admin: Client, text: str) -> list[tuple[dict[str, str], float]]:
    """Return (labels, value) of each series of an instant query."""
    answer: dict[str, Any] = admin.call("GET", f"{_PROXY}/api/v1/query", params={"query": text})
    return [(series["metric"], float(series["value"][1])) for series in answer["data"]["result"]]


def _documents() -> list[Document]:
    container = {
        "name": "prometheus",
        "image": "prometheus:2.42.0",
        "ports": [{"name": "web", "containerPort": 9090}],
    }
    place = {"name": "prometheus", "namespace": NAMESPACE}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": place,
            "spec": {"selector": _LABELS, "ports": [{"name": "web", "port": 9090, "targetPort": "web"}]},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": place,
            "spec": {
                "selector": {"matchLabels": _LABELS},
                "template": {"metadata": {"labels": _LABELS}, "spec": {"containers": [container]}},
            },
        },
    ]
