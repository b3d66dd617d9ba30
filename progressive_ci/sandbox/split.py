"""How route objects split traffic between Services, read as a data plane reads them."""

from collections.abc import Callable, Iterable, Mapping

from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import Ref
from progressive_ci.sandbox.store import Store

Shares = dict[tuple[str, str], float]
"""Share of the requests by namespace and name of the Service; together 1, or nothing at all."""

NGINX = "nginx.ingress.kubernetes.io/"


def shares(store: Store, entry: Ref) -> Shares:
    """Where requests without special headers go that enter at a route object or a Service."""
    found = store.find(entry)
    return _READERS[entry.kind.name](store, found) if found else {}


def _normal(weights: Iterable[tuple[str, str, float]]) -> Shares:
    found = list(weights)
    whole = sum(weight for _, _, weight in found)
    result: Shares = {}
    for namespace, name, weight in found:
        if weight:
            result[namespace, name] = result.get((namespace, name), 0.0) + weight / whole
    return result


def _service(_: Store, service: JsonObject) -> Shares:
    metadata = service["metadata"]
    return {(metadata["namespace"], metadata["name"]): 1.0}


def _gateway(_: Store, route: JsonObject) -> Shares:
    namespace = route["metadata"]["namespace"]
    for rule in route["spec"].get("rules") or ():
        if rule.get("matches") and all(match.get("headers") for match in rule["matches"]):
            continue
        return _normal(
            (backend.get("namespace", namespace), backend["name"], backend.get("weight", 1))
            for backend in rule.get("backendRefs") or ()
        )
    return {}


def _istio(_: Store, route: JsonObject) -> Shares:
    namespace = route["metadata"]["namespace"]
    rules = route["spec"].get("http") or route["spec"].get("tls") or route["spec"].get("tcp") or ()
    for rule in rules:
        if rule.get("match") and all(match.get("headers") for match in rule["match"]):
            continue
        targets = rule.get("route") or ()
        alone = len(targets) == 1
        return _normal(
            (*_host(namespace, target["destination"]["host"]), target.get("weight", 100 if alone else 0))
            for target in targets
        )
    return {}


def _host(namespace: str, host: str) -> tuple[str, str]:
    name, _, rest = host.partition(".")
    return rest.partition(".")[0] or namespace, name


def _nginx(store: Store, ingress: JsonObject) -> Shares:
    namespace = ingress["metadata"]["namespace"]
    stable = _backend(ingress)
    for other in store.all(kinds.INGRESS, namespace):
        annotations = other["metadata"].get("annotations") or {}
        if annotations.get(f"{NGINX}canary") == "true" and _place(other) == _place(ingress):
            total = float(annotations.get(f"{NGINX}canary-weight-total", 100))
            weight = min(float(annotations.get(f"{NGINX}canary-weight", 0)), total)
            return _normal([(namespace, stable, total - weight), (namespace, _backend(other), weight)])
    return {(namespace, stable): 1.0}


def _first(ingress: JsonObject) -> JsonObject:
    rule: JsonObject = ingress["spec"]["rules"][0]
    return rule


def _backend(ingress: JsonObject) -> str:
    return str(_first(ingress)["http"]["paths"][0]["backend"]["service"]["name"])


def _place(ingress: JsonObject) -> tuple[str, str]:
    rule = _first(ingress)
    return rule.get("host", ""), rule["http"]["paths"][0].get("path", "/")


_READERS: Mapping[str, Callable[[Store, JsonObject], Shares]] = {
    "Service": _service,
    "HTTPRoute": _gateway,
    "GRPCRoute": _gateway,
    "TCPRoute": _gateway,
    "TLSRoute": _gateway,
    "VirtualService": _istio,
    "Ingress": _nginx,
}
