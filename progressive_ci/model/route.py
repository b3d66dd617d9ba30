"""What carries the traffic split, as the spec names it. One frozen settings class for each router."""

from dataclasses import dataclass
from typing import Literal

from progressive_ci.model.kinds import Kind


@dataclass(frozen=True, slots=True)
class HeaderMatch:
    """A header by which requests are told apart, and how its value is compared."""

    name: str
    how: Literal["exact", "prefix", "regex"]
    value: str


@dataclass(frozen=True, slots=True)
class NginxSettings:
    """ingress-nginx: a second Ingress with canary annotations beside each stable one.

    Attributes:
        stable_ingresses: names of the Ingresses that route to the stable Service.
        annotation_prefix: before `/canary`, `/canary-weight`.
        additional_annotations: key (prefixed unless it starts with the prefix) and value.
        canary_annotations: key and value, verbatim; these win.
    """

    stable_ingresses: tuple[str, ...]
    annotation_prefix: str = "nginx.ingress.kubernetes.io"
    additional_annotations: tuple[tuple[str, str], ...] = ()
    canary_annotations: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class VirtualServiceRef:
    """One VirtualService and its http routes by name; none named means its only one."""

    namespace: str
    name: str
    routes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class IstioSettings:
    """Istio at host level: weights between two destinations of VirtualServices.

    Attributes:
        virtual_services: the objects.
        managed_routes: names of http routes that the release itself makes, in the order in which they win.
    """

    virtual_services: tuple[VirtualServiceRef, ...]
    managed_routes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GatewayRouteRef:
    """One route object of the Gateway API."""

    kind: Kind
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """Gateway API: backendRefs weights in every rule that holds both Services.

    Attributes:
        routes: the route objects.
        in_progress_label: key and value set while the canary has weight; None switches it off.
    """

    routes: tuple[GatewayRouteRef, ...]
    in_progress_label: tuple[str, str] | None = ("rollouts.argoproj.io/gatewayapi-canary", "in-progress")


@dataclass(frozen=True, slots=True)
class RatioSettings:
    """No router: the share of pods is the share of traffic.

    Attributes:
        max_surge: as written, `25%` or a number.
        max_unavailable: as written.
        canary_set: name of the canary's ReplicaSet; known once the release has named it.
        size: desired pods of both versions together; known once the release has begun.
    """

    max_surge: int | str = "25%"
    max_unavailable: int | str = "25%"
    canary_set: str = ""
    size: int = 0


RouteSettings = NginxSettings | IstioSettings | GatewaySettings | RatioSettings


@dataclass(frozen=True, slots=True)
class Route:
    """Who carries the split between which Services.

    Attributes:
        router: a row of the routers' table.
        workload: name of the Rollout or Deployment, part of names that routers make up.
        namespace: of the workload and its Services.
        stable_service: empty without a router.
        canary_service: empty without a router.
        settings: what the router needs to know.
        max_weight: what 100 % is called in the route object (nginx `canary-weight-total`).
    """

    router: str
    workload: str
    namespace: str
    stable_service: str
    canary_service: str
    settings: RouteSettings
    max_weight: int = 100
