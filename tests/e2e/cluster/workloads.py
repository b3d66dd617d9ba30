"""Owns documents that many scenarios start from: the test application, its Services, split routes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.e2e.cluster.client import Client, Document


def deployment(name: str, image: str, *, replicas: int = 3, env: Mapping[str, str] | None = None) -> Document:
    """Return a Deployment of the test application; the image's tag decides version and behaviour."""
    labels = {"app": name}
    container = {
        "name": "app",
        "image": image,
        "ports": [{"name": "http", "containerPort": 8080}],
        "env": [{"name": key, "value": value} for key, value in (env or {}).items()],
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": "http"}, "periodSeconds": 1},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def service(name: str, selector: Mapping[str, str]) -> Document:
    """Return a Service on port 80; the port's name tells Istio that it is HTTP."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": dict(selector), "ports": [{"name": "http", "port": 80, "targetPort": "http"}]},
    }


def http_route(name: str, host: str, gateway: Mapping[str, str], weights: Mapping[str, int]) -> Document:
    """Return an HTTPRoute that splits a host between Services."""
    backends = [{"name": backend, "port": 80, "weight": weight} for backend, weight in weights.items()]
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": name},
        "spec": {"parentRefs": [dict(gateway)], "hostnames": [host], "rules": [{"backendRefs": backends}]},
    }


def virtual_service(name: str, host: str, gateway: str, weights: Mapping[str, int]) -> Document:
    """Return a VirtualService that splits a host between Services of its namespace."""
    route = [
        {"destination": {"host": backend, "port": {"number": 80}}, "weight": weight}
        for backend, weight in weights.items()
    ]
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": name},
        "spec": {"hosts": [host], "gateways": [gateway], "http": [{"name": "primary", "route": route}]},
    }


def http_proxy(name: str, host: str, weights: Mapping[str, int]) -> Document:
    """Return a Contour HTTPProxy that splits a host between Services."""
    services = [{"name": backend, "port": 80, "weight": weight} for backend, weight in weights.items()]
    return {
        "apiVersion": "projectcontour.io/v1",
        "kind": "HTTPProxy",
        "metadata": {"name": name},
        "spec": {
            "virtualhost": {"fqdn": host},
            "routes": [{"conditions": [{"prefix": "/"}], "services": services}],
        },
    }


def wait_ready(client: Client, namespace: str, name: str, *, seconds: float = 60) -> None:
    """Wait until a Deployment's rollout is complete, as `kubectl rollout status` means it."""

    def complete(client: Client) -> bool:
        found = client.get("Deployment", name, namespace)
        status, wanted = found.get("status", {}), found["spec"]["replicas"]
        counts = {
            status.get(key, 0)
            for key in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
        }
        return status.get("observedGeneration", 0) >= found["metadata"]["generation"] and counts == {wanted}

    client.wait_until(f"Deployment {namespace}/{name} is complete", complete, seconds=seconds)
