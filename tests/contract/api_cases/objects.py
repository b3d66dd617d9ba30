"""The objects that the cases make."""

from collections.abc import Mapping

from progressive_ci.model.document import JsonObject

OLD, NEW = "example/app:1.0.0", "example/app:2.0.0"


def config_map(name: str = "settings", **fields: str) -> JsonObject:
    """A ConfigMap."""
    return {"metadata": {"name": name}, "data": {"colour": "blue", **fields}}


def service(name: str = "web", selector: Mapping[str, str] | None = None) -> JsonObject:
    """A Service in front of the pods of `deployment`."""
    wanted = {"app": "web"} if selector is None else dict(selector)
    return {"metadata": {"name": name}, "spec": {"selector": wanted, "ports": [{"port": 80}]}}


def deployment(name: str = "web", *, replicas: int = 3, image: str = OLD, **spec: object) -> JsonObject:
    """A Deployment."""
    return {
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": template(name, image),
            **spec,
        },
    }


def template(name: str = "web", image: str = OLD, **labels: str) -> JsonObject:
    """A pod template."""
    container = {"name": "app", "image": image, "ports": [{"containerPort": 8080}]}
    return {"metadata": {"labels": {"app": name, **labels}}, "spec": {"containers": [container]}}


def replica_set(
    name: str, *, replicas: int = 2, image: str = NEW, labels: Mapping[str, str] | None = None
) -> JsonObject:
    """A ReplicaSet as the canary of `web` is: its own metadata carries no label that a Deployment selects."""
    hashed = name.rpartition("-")[2]
    selected = {"app": "web", "pod-template-hash": hashed}
    return {
        "metadata": {"name": name, "labels": dict(labels or {"pod-template-hash": hashed})},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": selected},
            "template": template("web", image, **{"pod-template-hash": hashed}),
        },
    }


def http_route(name: str = "web") -> JsonObject:
    """A route with two backends."""
    backends = [{"name": "web-stable", "port": 80}, {"name": "web-canary", "port": 80, "weight": 0}]
    return {
        "metadata": {"name": name},
        "spec": {"parentRefs": [{"name": "gateway"}], "rules": [{"backendRefs": backends}]},
    }


def lease(name: str = "lock") -> JsonObject:
    """A Lease."""
    return {"metadata": {"name": name}, "spec": {"holderIdentity": "one", "leaseDurationSeconds": 30}}


def network_policy(name: str = "web") -> JsonObject:
    """A NetworkPolicy; no controller of a bare cluster touches it."""
    return {"metadata": {"name": name}, "spec": {"podSelector": {"matchLabels": {"app": "web"}}}}
