"""Owns `trafficRouting`: which router splits the traffic, and what it needs to know."""

from progressive_ci.model import kinds
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
from progressive_ci.specs.argo.rollout_fields import GATEWAY_API
from progressive_ci.specs.complaints import NOT_BUILT
from progressive_ci.specs.part import Part
from progressive_ci.specs.reading import Reading

PERCENT = 100
_LABEL_KEY, _LABEL_VALUE = "rollouts.argoproj.io/gatewayapi-canary", "in-progress"
_GATEWAY_KINDS = {
    "httpRoute": kinds.HTTP_ROUTE,
    "grpcRoute": kinds.GRPC_ROUTE,
    "tcpRoute": kinds.TCP_ROUTE,
    "tlsRoute": kinds.TLS_ROUTE,
}


def max_weight(canary: Part) -> int:
    """What 100 % is called in this Rollout."""
    return max(canary.part("trafficRouting").whole("maxTrafficWeight") or PERCENT, 1)


def route(reading: Reading, canary: Part, workload: str) -> Route | None:
    """The route of a canary; None after a complaint."""
    routing = canary.part("trafficRouting")
    chosen = _chosen(reading, canary, routing)
    if chosen is None:
        return None
    router, settings = chosen
    if router != "ratio":
        _services(reading, canary, router)
    stable, service = canary.text("stableService"), canary.text("canaryService")
    if stable and stable == service:
        what = f"canaryService and stableService are both {stable}"
        reading.fault(canary, "canaryService", what, advice="name two Services with the same ports")
    return Route(
        router=router,
        workload=workload,
        namespace=reading.namespace,
        stable_service=stable,
        canary_service=service,
        settings=settings,
        max_weight=max_weight(canary),
    )


def _chosen(reading: Reading, canary: Part, routing: Part) -> tuple[str, RouteSettings] | None:
    surge, unavailable = canary.value.get("maxSurge", "25%"), canary.value.get("maxUnavailable", "25%")
    if _is_zero(surge) and _is_zero(unavailable):
        what = "maxSurge and maxUnavailable are both 0, so no pod could ever be replaced"
        reading.fault(canary, "maxSurge", what, advice="raise one of them")
    if not canary.has("trafficRouting"):
        return "ratio", RatioSettings(surge, unavailable)
    named = [name for name in ("nginx", "istio", "plugins") if routing.has(name)]
    if len(named) != 1:
        what = f"{NOT_BUILT}: {' and '.join(named)} at once" if named else "trafficRouting names no router"
        advice = "name one of nginx, istio, plugins; without any, leave trafficRouting out"
        reading.fault(routing, "", what, advice=advice)
        return None
    if routing.has("maxTrafficWeight"):
        _max_weight(reading, routing, named[0])
    match named[0]:
        case "nginx":
            return _nginx(reading, routing.part("nginx"))
        case "istio":
            return _istio(reading, routing.part("istio"))
        case _ if routing.part("plugins").has(GATEWAY_API):
            return _gateway(reading, routing.part("plugins", GATEWAY_API))
        case _:
            reading.fault(routing, "plugins", "plugins names none", advice=f"name {GATEWAY_API}")
            return None


def _is_zero(share: int | str) -> bool:
    return int(str(share).rstrip("%")) == 0


def _max_weight(reading: Reading, routing: Part, router: str) -> None:
    maximum = routing.whole("maxTrafficWeight") or 0
    advice = "remove it and write weights in percent"
    if router == "istio":
        reading.fault(routing, "maxTrafficWeight", "maxTrafficWeight has no meaning for istio", advice=advice)
    elif maximum < PERCENT or maximum % PERCENT or (router != "nginx" and maximum != PERCENT):
        what = f"{NOT_BUILT}: maxTrafficWeight {maximum} with {router}"
        reading.fault(routing, "maxTrafficWeight", what, advice=advice)


def _services(reading: Reading, canary: Part, router: str) -> None:
    for name in ("canaryService", "stableService"):
        if not canary.text(name):
            advice = "name the Service that reaches this side's pods"
            reading.fault(canary, name, f"{name} is missing, which {router} needs", advice=advice)


def _nginx(reading: Reading, nginx: Part) -> tuple[str, RouteSettings] | None:
    one = nginx.text("stableIngress")
    ingresses = tuple(dict.fromkeys(((one,) if one else ()) + nginx.texts("stableIngresses")))
    if not ingresses:
        reading.fault(
            nginx, "stableIngress", "stableIngress is missing", advice="name the Ingress that takes users in"
        )
        return None
    return "nginx", NginxSettings(
        ingresses,
        annotation_prefix=nginx.text("annotationPrefix") or "nginx.ingress.kubernetes.io",
        additional_annotations=nginx.pairs("additionalIngressAnnotations"),
        canary_annotations=nginx.pairs("canaryIngressAnnotations"),
    )


def _istio(reading: Reading, istio: Part) -> tuple[str, RouteSettings] | None:
    single = istio.part("virtualService")
    services = ((single,) if single.has("name") else ()) + istio.parts("virtualServices")
    if not services:
        reading.fault(
            istio, "virtualService", "virtualService is missing", advice="name the VirtualService to weight"
        )
        return None
    return "istio", IstioSettings(tuple(_virtual_service(reading, service) for service in services))


def _virtual_service(reading: Reading, service: Part) -> VirtualServiceRef:
    name = service.text("name").removesuffix(".cluster.local").removesuffix(".svc")
    short, dot, namespace = name.rpartition(".")
    place = namespace if dot else reading.namespace
    _within(reading, service, "name", place)
    return VirtualServiceRef(place, short if dot else name, service.texts("routes"))


def _within(reading: Reading, part: Part, field: str, namespace: str) -> None:
    """Documents come from whoever may open a pull request; the credential may reach further than they should."""
    if not reading.admits(namespace):
        what = f"it names an object of namespace {namespace}, the release is in {reading.namespace}"
        reading.fault(part, field, what, advice=f"allow it with --allow-namespace {namespace}")


def _gateway(reading: Reading, gateway: Part) -> tuple[str, RouteSettings] | None:
    namespace = gateway.text("namespace") or reading.namespace
    _within(reading, gateway, "namespace", namespace)
    routes = tuple(
        GatewayRouteRef(kind, namespace, name)
        for field, kind in _GATEWAY_KINDS.items()
        for name in ((gateway.text(field),) if gateway.has(field) else ())
        + tuple(part.text("name") for part in gateway.parts(field + "s"))
    )
    if not routes:
        reading.fault(
            gateway,
            "httpRoute",
            "no route is named",
            advice="name an httpRoute, grpcRoute, tcpRoute or tlsRoute",
        )
        return None
    label = (
        gateway.text("inProgressLabelKey") or _LABEL_KEY,
        gateway.text("inProgressLabelValue") or _LABEL_VALUE,
    )
    return "gateway", GatewaySettings(
        tuple(dict.fromkeys(routes)), None if gateway.flag("disableInProgressLabel") else label
    )
