"""What each router says, in full, when it cannot be used."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from progressive_ci.model.document import JsonObject
from progressive_ci.model.fence import RELEASE, epoch_key
from progressive_ci.model.kinds import HTTP_ROUTE, INGRESS, VIRTUAL_SERVICE, Ref
from progressive_ci.model.route import GatewaySettings, IstioSettings, Route, VirtualServiceRef
from progressive_ci.routers import gateway, istio, nginx, replica_ratio
from tests.contract.samples import GATEWAY, ISTIO, NGINX, RATIO, Cluster, an_ingress, cluster

LABEL = "rollouts.argoproj.io/gatewayapi-canary"
HTTP = Ref(HTTP_ROUTE, "shop", "web-httproute")
MESH = Ref(VIRTUAL_SERVICE, "shop", "web")
PUBLIC = Ref(INGRESS, "shop", "public")
CANARY = Ref(INGRESS, "shop", "web-public-canary")

Change = Callable[[JsonObject], object]


def http_route(change: Change) -> tuple[str, ...]:
    objects = cluster(GATEWAY)
    change(objects[HTTP])
    return gateway.complaints(GATEWAY.route, objects)


def virtual_service(change: Change) -> tuple[str, ...]:
    objects = cluster(ISTIO)
    change(objects[MESH])
    return istio.complaints(ISTIO.route, objects)


def drop_canary(body: JsonObject) -> None:
    body["spec"]["rules"][1]["backendRefs"].pop()


def add_foreign(body: JsonObject) -> None:
    body["spec"]["rules"][1]["backendRefs"].append({"name": "beta", "port": 80})


def double_canary(body: JsonObject) -> None:
    body["spec"]["rules"][1]["backendRefs"].append({"name": "web-canary", "port": 81})


def refuse(body: JsonObject) -> None:
    condition = body["status"]["parents"][0]["conditions"][0]
    condition |= {"status": "False", "reason": "NotAllowedByListeners", "message": "no listener"}


def mark(body: JsonObject) -> None:
    body["metadata"]["labels"] = {LABEL: "in-progress"}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            drop_canary,
            (
                "HTTPRoute shop/web-httproute spec.rules has no rule whose backendRefs name both web and "
                "web-canary; add the missing Service"
            ),
        ),
        (
            add_foreign,
            (
                "HTTPRoute shop/web-httproute spec.rules[1].backendRefs also gives weight to beta, so the "
                "weights would not add up to 100; take it out of the rule or set its weight to 0"
            ),
        ),
        (
            double_canary,
            (
                "HTTPRoute shop/web-httproute spec.rules[1].backendRefs names web or web-canary more than "
                "once; name each Service once in a rule"
            ),
        ),
        (
            refuse,
            (
                "HTTPRoute shop/web-httproute status.parents: no Gateway has accepted this route "
                "(NotAllowedByListeners: no listener); look at its parentRefs and whether the Gateway's "
                "controller runs"
            ),
        ),
        (
            lambda body: body.pop("status"),
            (
                "HTTPRoute shop/web-httproute status.parents: no Gateway has accepted this route; "
                "look at its parentRefs and whether the Gateway's controller runs"
            ),
        ),
        (
            mark,
            (
                f"HTTPRoute shop/web-httproute metadata.labels[{LABEL}] says that another tool is releasing "
                "a canary here; let it finish, or remove the label if it is gone"
            ),
        ),
    ],
    ids=["no canary backend", "foreign backend", "backend twice", "refused", "no status", "in progress"],
)
def test_a_gateway_route_is_refused(change: Change, sentence: str) -> None:
    assert http_route(change) == (sentence,)


def ours(body: JsonObject) -> None:
    mark(body)
    body["metadata"]["annotations"] = {epoch_key("web"): "3"}


def not_created_yet(body: JsonObject) -> None:
    del body["status"], body["metadata"]["uid"]


def no_weight_elsewhere(body: JsonObject) -> None:
    body["spec"]["rules"][1]["backendRefs"].append({"name": "beta", "port": 80, "weight": 0})


def left_gateway(body: JsonObject) -> None:
    old = {"parentRef": {"name": "former"}, "conditions": [{"type": "Accepted", "status": "False"}]}
    body["status"]["parents"].insert(0, old)


@pytest.mark.parametrize("change", [ours, not_created_yet, no_weight_elsewhere, left_gateway])
def test_a_gateway_route_is_usable(change: Change) -> None:
    assert http_route(change) == ()


def test_a_gateway_route_waits_only_for_gateways_that_it_names() -> None:
    objects = cluster(GATEWAY)
    left_gateway(objects[HTTP])
    route = only(HTTP)
    assert gateway.reached(route, objects, gateway.weight(route, objects))


def only(ref: Ref) -> Route:
    settings = GATEWAY.route.settings
    assert isinstance(settings, GatewaySettings)
    routes = tuple(one for one in settings.routes if one.name == ref.name)
    return replace(GATEWAY.route, settings=replace(settings, routes=routes))


def other_host(body: JsonObject) -> None:
    body["spec"]["http"][1]["route"][1]["destination"]["host"] = "else"


def subset_twice(body: JsonObject) -> None:
    body["spec"]["http"][1]["route"].append({"destination": {"host": "web", "subset": "v2"}})


def renamed(body: JsonObject) -> None:
    body["spec"]["http"][1]["name"] = "main"


def another_destination(body: JsonObject) -> None:
    body["spec"]["http"][1]["route"].append({"destination": {"host": "beta.shop.svc"}, "weight": 10})


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            other_host,
            (
                "VirtualService shop/web spec.http[1].route has no destination with the host web-canary; "
                "add it, its weight does not matter"
            ),
        ),
        (
            subset_twice,
            (
                "VirtualService shop/web spec.http[1].route has 2 destinations with the host web; "
                "name each host once"
            ),
        ),
        (
            renamed,
            (
                "VirtualService shop/web spec.http has no route named primary (there is testers, main); "
                "correct `routes`"
            ),
        ),
        (
            another_destination,
            (
                "VirtualService shop/web spec.http[1].route also gives weight to beta.shop.svc, so the "
                "weights would not add up to 100; take it out of the route or set its weight to 0"
            ),
        ),
    ],
    ids=["no canary host", "host twice", "no such route", "foreign destination"],
)
def test_a_virtual_service_is_refused(change: Change, sentence: str) -> None:
    assert virtual_service(change) == (sentence,)


def test_a_virtual_service_with_several_routes_needs_their_names() -> None:
    route = replace(ISTIO.route, settings=IstioSettings((VirtualServiceRef("shop", "web"),)))
    assert istio.complaints(route, cluster(ISTIO)) == (
        (
            "VirtualService shop/web spec.http has 2 routes and the spec names none of them; "
            "name the ones to split in trafficRouting.istio.virtualService.routes"
        ),
    )


def test_a_virtual_service_that_istiod_has_not_seen_is_not_reached() -> None:
    objects = cluster(ISTIO)
    istio_weight = istio.weight(ISTIO.route, objects)
    objects[MESH]["status"] = {"observedGeneration": 0}
    assert not istio.reached(ISTIO.route, objects, istio_weight)


def wrong_backend(objects: Cluster) -> None:
    path = objects[PUBLIC]["spec"]["rules"][0]["http"]["paths"][0]
    path["backend"] = {"resource": {"kind": "Bucket", "name": "web"}}


def rule_without_paths(objects: Cluster) -> None:
    objects[PUBLIC]["spec"]["rules"] = [{"host": "web.example.com"}]


def taken_name(objects: Cluster) -> None:
    objects.update([an_ingress(CANARY.name, "elsewhere.example.com")])


def rival(objects: Cluster) -> None:
    ref, body = an_ingress("theirs", "web.example.com")
    body["metadata"]["annotations"]["nginx.ingress.kubernetes.io/canary"] = "true"
    objects[ref] = body


NO_PATH = (
    "Ingress shop/public spec.rules has no path whose backend is the Service web; "
    "correct the backend or stableService (spec.defaultBackend cannot be split)"
)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (wrong_backend, NO_PATH),
        (rule_without_paths, NO_PATH),
        (
            taken_name,
            (
                "Ingress shop/web-public-canary exists and is not ours, but the canary Ingress gets this "
                "name; delete it once nobody needs it: kubectl delete ingress web-public-canary -n shop"
            ),
        ),
        (
            rival,
            (
                "Ingress shop/theirs is already a canary of host web.example.com and path /, and "
                "ingress-nginx follows only one canary for each; delete it, or wait until its release is over"
            ),
        ),
    ],
    ids=["other backend", "rule without http", "name taken", "canary of somebody else"],
)
def test_an_ingress_is_refused(change: Callable[[Cluster], None], sentence: str) -> None:
    objects = cluster(NGINX)
    change(objects)
    assert nginx.complaints(NGINX.route, objects) == (sentence,)


def test_a_canary_ingress_that_an_earlier_run_left_is_no_obstacle() -> None:
    objects = cluster(NGINX)
    taken_name(objects)
    objects[CANARY]["metadata"]["labels"] = {RELEASE: "web"}
    assert nginx.complaints(NGINX.route, objects) == ()


def test_an_ordinary_ingress_on_the_same_host_is_no_obstacle() -> None:
    objects = cluster(NGINX)
    objects.update([an_ingress("other", "web.example.com")])
    assert nginx.complaints(NGINX.route, objects) == ()


def test_replica_ratio_needs_the_deployment() -> None:
    assert replica_ratio.complaints(RATIO.route, {}) == (
        "Deployment shop/web does not exist; there is nothing to split traffic with",
    )
