"""The documents of an application that serves already, for tests and the demo."""

from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import Ref

STARTED = 5.0
"""Seconds after which it serves."""

PORT = 8080
HOST = "web.example.com"


def documents(name: str, namespace: str, *, replicas: int, router: str, image: str) -> tuple[JsonObject, ...]:
    """Deployment, three Services and what splits the traffic between the first two."""
    place = {"namespace": namespace}
    services = [service(name, {"name": each, **place}) for each in (f"{name}-stable", f"{name}-canary", name)]
    routes = {"gateway": [http_route], "istio": [virtual_service], "nginx": [ingress], "none": []}[router]
    return (
        deployment({"name": name, **place}, replicas=replicas, image=image),
        *services,
        *(route(name, {"name": name, **place}) for route in routes),
    )


def entry(router: str, namespace: str, name: str) -> Ref:
    """Where the application's users come in."""
    kind = {
        "gateway": kinds.HTTP_ROUTE,
        "istio": kinds.VIRTUAL_SERVICE,
        "nginx": kinds.INGRESS,
        "none": kinds.SERVICE,
    }[router]
    return Ref(kind, namespace, name)


def deployment(metadata: JsonObject, *, replicas: int, image: str) -> JsonObject:
    """A Deployment of one container."""
    name = metadata["name"]
    container = {"name": name, "image": image, "ports": [{"name": "http", "containerPort": PORT}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}},
        },
    }


def service(app: str, metadata: JsonObject) -> JsonObject:
    """A Service in front of the application's pods."""
    ports = [{"name": "http", "port": 80, "targetPort": "http"}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {"selector": {"app": app}, "ports": ports},
    }


def http_route(app: str, metadata: JsonObject) -> JsonObject:
    """A route of the Gateway API with all traffic on stable."""
    backends = [
        {"name": f"{app}-stable", "port": 80, "weight": 100},
        {"name": f"{app}-canary", "port": 80, "weight": 0},
    ]
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": metadata,
        "spec": {
            "parentRefs": [{"name": "gateway"}],
            "hostnames": [HOST],
            "rules": [{"backendRefs": backends}],
        },
    }


def virtual_service(app: str, metadata: JsonObject) -> JsonObject:
    """Istio's route with all traffic on stable."""
    destinations = [
        {"destination": {"host": f"{app}-stable"}, "weight": 100},
        {"destination": {"host": f"{app}-canary"}, "weight": 0},
    ]
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": metadata,
        "spec": {
            "hosts": [HOST],
            "gateways": ["gateway"],
            "http": [{"name": "primary", "route": destinations}],
        },
    }


def ingress(app: str, metadata: JsonObject) -> JsonObject:
    """The stable Ingress; its canary is made by whoever splits the traffic."""
    backend = {"service": {"name": f"{app}-stable", "port": {"number": 80}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": metadata,
        "spec": {"ingressClassName": "nginx", "rules": [{"host": HOST, "http": {"paths": [path]}}]},
    }
