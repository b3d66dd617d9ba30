"""One sample for each row of the routers' table: a route, its objects at rest, what controllers do."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field

from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import (
    DEPLOYMENT,
    GRPC_ROUTE,
    HTTP_ROUTE,
    INGRESS,
    REPLICA_SET,
    TCP_ROUTE,
    TLS_ROUTE,
    VIRTUAL_SERVICE,
    Kind,
    Ref,
)
from progressive_ci.model.route import (
    GatewayRouteRef,
    GatewaySettings,
    IstioSettings,
    NginxSettings,
    RatioSettings,
    Route,
    RouteSettings,
    VirtualServiceRef,
)
from progressive_ci.model.weight import Weight
from progressive_ci.routers.replica_ratio import achievable

Cluster = dict[Ref, JsonObject]


@dataclass(frozen=True, slots=True)
class Sample:
    """What the contract suite needs to know of a router.

    Attributes:
        route: as a spec would give it.
        rest: the objects before a release.
        react: what the controllers do to the objects after a write.
        expected: what a weight reads back as.
        totals: sums of the weights in every rule that is split.
        owned: paths of the fields that the router may change, below each object.
    """

    route: Route
    rest: Mapping[Ref, JsonObject]
    react: Callable[[Cluster], None] = lambda _: None
    expected: Callable[[Weight], Weight] = lambda weight: weight
    totals: Callable[[Cluster], list[int]] = lambda _: [100]
    owned: Callable[[JsonObject], JsonObject] = field(default=lambda body: body)


def cluster(sample: Sample) -> Cluster:
    """A fresh copy of the objects at rest."""
    return deepcopy(dict(sample.rest))


def a_route(router: str, settings: RouteSettings) -> Route:
    services = ("", "") if isinstance(settings, RatioSettings) else ("web", "web-canary")
    return Route(router, "web", "shop", *services, settings)


def stored(ref: Ref, spec: JsonObject, **metadata: object) -> tuple[Ref, JsonObject]:
    """An object as an API server returns it."""
    return ref, {
        "apiVersion": ref.kind.api_version,
        "kind": ref.kind.name,
        "metadata": {
            "name": ref.name,
            "namespace": ref.namespace,
            "uid": f"uid of {ref}",
            "resourceVersion": "1",
            "generation": 1,
            **metadata,
        },
        "spec": spec,
    }


# Gateway API


def gateway_route(kind: Kind, rules: list[JsonObject], **metadata: object) -> tuple[Ref, JsonObject]:
    ref = Ref(kind, "shop", f"web-{kind.name.lower()}")
    _, body = stored(ref, {"parentRefs": [{"name": "public"}], "rules": rules}, **metadata)
    accept({ref: body})
    return ref, body


def accept(objects: Cluster) -> None:
    """What a Gateway's controller writes."""
    for body in objects.values():
        condition = {
            "type": "Accepted",
            "status": "True",
            "reason": "Accepted",
            "observedGeneration": body["metadata"]["generation"],
        }
        parent = {
            "parentRef": {"name": "public"},
            "controllerName": "example.com/c",
            "conditions": [condition],
        }
        body["status"] = {"parents": [parent]}


def backends(stable: int | None, canary: int | None) -> list[JsonObject]:
    return [
        {"name": name, "port": 80, **({} if weight is None else {"weight": weight})}
        for name, weight in (("web", stable), ("web-canary", canary))
    ]


def gateway_totals(objects: Cluster) -> list[int]:
    return [
        sum(backend.get("weight", 1) for backend in rule["backendRefs"])
        for body in objects.values()
        for rule in body["spec"]["rules"]
        if len(rule["backendRefs"]) == 2
    ]


def without_gateway_fields(body: JsonObject) -> JsonObject:
    copied = deepcopy(body)
    for rule in copied["spec"]["rules"]:
        if len(rule["backendRefs"]) == 2:
            for backend in rule["backendRefs"]:
                backend.pop("weight", None)
    return copied


GATEWAY_RULES: dict[Kind, list[JsonObject]] = {
    HTTP_ROUTE: [
        {
            "matches": [{"headers": [{"name": "x-tester", "value": "yes"}]}],
            "backendRefs": [{"name": "web-canary", "port": 80}],
        },
        {
            "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
            "filters": [{"type": "RequestHeaderModifier", "requestHeaderModifier": {"remove": ["x-debug"]}}],
            "backendRefs": backends(100, 0),
            "timeouts": {"request": "10s"},
        },
        {"backendRefs": [{"name": "static", "port": 80}]},
    ],
    GRPC_ROUTE: [{"backendRefs": backends(None, None)}],
    TCP_ROUTE: [{"backendRefs": backends(1, 0)}],
    TLS_ROUTE: [{"backendRefs": list(reversed(backends(100, None)))}],
}

GATEWAY = Sample(
    a_route(
        "gateway",
        GatewaySettings(
            tuple(GatewayRouteRef(kind, "shop", f"web-{kind.name.lower()}") for kind in GATEWAY_RULES)
        ),
    ),
    dict(
        gateway_route(kind, rules, **({"labels": {"app": "web"}} if kind is HTTP_ROUTE else {}))
        for kind, rules in GATEWAY_RULES.items()
    ),
    react=accept,
    totals=gateway_totals,
    owned=without_gateway_fields,
)


# Istio


def destination(host: str, weight: int | None) -> JsonObject:
    return {"destination": {"host": host}, **({} if weight is None else {"weight": weight})}


def istio_totals(objects: Cluster) -> list[int]:
    return [
        sum(one.get("weight", 0) for one in http["route"])
        for body in objects.values()
        for http in body["spec"]["http"]
        if len(http["route"]) == 2
    ]


def without_istio_fields(body: JsonObject) -> JsonObject:
    copied = deepcopy(body)
    for http in copied["spec"]["http"]:
        for one in http["route"]:
            one.pop("weight", None)
    return copied


ISTIO = Sample(
    a_route(
        "istio",
        IstioSettings(
            (VirtualServiceRef("shop", "web", ("primary",)), VirtualServiceRef("mesh", "web-internal"))
        ),
    ),
    dict(
        (
            stored(
                Ref(VIRTUAL_SERVICE, "shop", "web"),
                {
                    "hosts": ["web.example.com"],
                    "http": [
                        {"name": "testers", "route": [destination("web-canary", None)]},
                        {
                            "name": "primary",
                            "retries": {"attempts": 3},
                            "route": [destination("web", 100), destination("web-canary", 0)],
                        },
                    ],
                },
            ),
            stored(
                Ref(VIRTUAL_SERVICE, "mesh", "web-internal"),
                {
                    "hosts": ["web"],
                    "http": [
                        {
                            "route": [
                                destination("web-canary.shop.svc.cluster.local", None),
                                destination("web.shop.svc.cluster.local", 100),
                            ]
                        }
                    ],
                },
            ),
        )
    ),
    totals=istio_totals,
    owned=without_istio_fields,
)


# ingress-nginx


def an_ingress(name: str, host: str, **fields: object) -> tuple[Ref, JsonObject]:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    rule = {"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
    return stored(
        Ref(INGRESS, "shop", name),
        {"ingressClassName": "nginx", "rules": [rule], **fields},
        annotations={"nginx.ingress.kubernetes.io/proxy-read-timeout": "30"},
    )


NGINX = Sample(
    a_route("nginx", NginxSettings(("public", "partners"), additional_annotations=(("affinity", "none"),))),
    dict(
        (
            an_ingress(
                "public", "web.example.com", tls=[{"hosts": ["web.example.com"], "secretName": "tls"}]
            ),
            an_ingress("partners", "partners.example.com"),
        )
    ),
)


# Replica ratio


SIZE = 10


def run_pods(objects: Cluster) -> None:
    """Every wished pod is there at once."""
    for body in objects.values():
        count = body["spec"]["replicas"]
        body["status"] = {
            "observedGeneration": body["metadata"]["generation"],
            "replicas": count,
            "readyReplicas": count,
            "availableReplicas": count,
        }


def sized(kind: Kind, name: str, count: int) -> tuple[Ref, JsonObject]:
    ref, body = stored(Ref(kind, "shop", name), {"replicas": count, "template": {"spec": {}}})
    run_pods({ref: body})
    return ref, body


def share_of_pods(weight: Weight) -> Weight:
    (one,) = achievable((weight,), SIZE, "25%", "25%")
    return Weight(round(one.percent))


def without_replicas(body: JsonObject) -> JsonObject:
    copied = deepcopy(body)
    del copied["spec"]["replicas"], copied["status"]
    return copied


RATIO = Sample(
    a_route("ratio", RatioSettings("25%", "25%", "web-5d9f", SIZE)),
    dict((sized(DEPLOYMENT, "web", SIZE), sized(REPLICA_SET, "web-5d9f", 0))),
    react=run_pods,
    expected=share_of_pods,
    owned=without_replicas,
)

SAMPLES: Mapping[str, Sample] = {sample.route.router: sample for sample in (GATEWAY, ISTIO, NGINX, RATIO)}
