"""Route objects before and after a weight or a managed route."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy

import jsonpatch

from progressive_ci.model import kinds
from progressive_ci.model.fence import RELEASE, Fence, epoch_key, fenced
from progressive_ci.model.kinds import Ref
from progressive_ci.model.route import (
    GatewayRouteRef,
    GatewaySettings,
    HeaderMatch,
    IstioSettings,
    NginxSettings,
    Route,
    VirtualServiceRef,
)
from progressive_ci.model.weight import Weight
from progressive_ci.model.write import Create, Patch, Write
from progressive_ci.routers import gateway, gateway_managed, istio, istio_managed, nginx
from progressive_ci.routers.istio_experiment import shared
from progressive_ci.routers.istio_routes import Names
from progressive_ci.routers.nginx_ingress import canary_name
from tests.conformance.result import Deviation, Json, Result, by_section, judge

Vector = Mapping[str, Json]

BUILT = ("nginx", "istio_virtualservice", "gatewayapi")
SPACE = "ns"
HUNDRED = 100

ONLY_WITH_WEIGHT = "The canary Ingress exists only while it has weight"
WHOLE_PERCENT = "Weights are whole percent"
OTHERS_REFUSED = "Other destinations with weight are refused"
BOTH_IN_A_RULE = "Gateway API rules with one of both Services stay as they are"
GATEWAY_PLUGIN = "argoproj-labs/gatewayAPI"


def run(data: Vector) -> Iterator[Result]:
    """Every list of the file."""
    yield from by_section(data["sections"], _TABLE)


# What all sections share


def _seen(ref: Ref, body: Vector, **metadata: Json) -> Json:
    """An object of a vector as the API server would return it."""
    stored = {"name": ref.name, "namespace": ref.namespace, "uid": "u", "resourceVersion": "1"}
    return {**deepcopy(dict(body)), "metadata": {**stored, **body.get("metadata", {}), **metadata}}


def _after(write: Write, seen: Json) -> Json:
    """What a write leaves behind, our marks included."""
    marked = fenced(write, seen, Fence("web", 1, "r"))
    if isinstance(marked, Create):
        return marked.body
    assert isinstance(marked, Patch)
    return jsonpatch.apply_patch(seen, list(marked.operations))


def _exactly(ours: Json) -> Callable[[Json], bool]:
    """Equal, and nothing beside it."""
    return lambda expected: expected == ours


def _refusal(vector: Vector, complaints: Sequence[str]) -> Callable[[Json], bool]:
    """Ours is in our own words; it must name everything of the input that upstream's names."""
    text = " ".join(complaints)
    given = {key: value for key, value in vector.items() if key != "expect"}

    def refused(expected: Json) -> bool:
        if not isinstance(expected, str):
            return bool(complaints) is bool(expected)
        words = {word.strip("`'\".,") for word in expected.split()}
        return bool(complaints) and all(word in text for word in words & set(_strings(given)))

    return refused


def _strings(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    items = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    for item in items:
        yield from _strings(item)


def _judged(vector: Vector, actual: Vector, deviation: Deviation | None = None) -> Result:
    return judge("", vector["expect"], actual, deviation=deviation)


def _refused(vector: Vector, complaints: Sequence[str], decision: str | None) -> Result:
    """Nothing is written; where upstream writes, a decision of ours must say why not."""
    nothing: dict[str, Json] = dict.fromkeys(vector["expect"])
    if decision is None or "error" in vector["expect"]:
        return _judged(vector, nothing | {"error": _refusal(vector, complaints)})
    return _judged(vector, nothing, Deviation(decision, nothing))


def _headers(step: Vector) -> tuple[HeaderMatch, ...]:
    return tuple(
        HeaderMatch(one["headerName"], how, value)
        for one in step.get("match") or []
        for how, value in one["headerValue"].items()
    )


def _managed(rollout: Vector) -> tuple[str, ...]:
    return tuple(one["name"] for one in rollout.get("managedRoutes") or [])


# nginx


def _nginx(vector: Vector) -> Result:
    route, whole = _nginx_route(vector["rollout"])
    if vector["weight"] * HUNDRED % whole:
        return _refused(vector, ["not a whole percent"], WHOLE_PERCENT)
    weight = Weight(vector["weight"] * HUNDRED // whole)
    stable, canary = nginx.objects(route)[:2]
    objects = {stable: _seen(stable, vector["stableIngress"])}
    current = vector["currentCanaryIngress"]
    if current is not None:
        objects[canary] = _seen(canary, {"spec": {}, **current}, labels={RELEASE: "r"})
    complaints = nginx.complaints(route, objects)
    if complaints:
        return _refused(vector, complaints, None)
    writes = nginx.shift(route, objects, weight)
    if writes and isinstance(writes[0], Create):
        # It is born without weight, and gets it in a second shift.
        objects[canary] = _seen(canary, _after(writes[0], None))
        writes = nginx.shift(route, objects, weight)
    return _canary_ingress(vector, writes, objects.get(canary))


def _canary_ingress(vector: Vector, writes: tuple[Write, ...], seen: Json) -> Result:
    """The canary Ingress, or none: without weight there is none."""
    nothing: dict[str, Json] = dict.fromkeys(vector["expect"])
    if vector["weight"] == 0:
        gone = all(not isinstance(write, Create | Patch) for write in writes)
        return _judged(vector, nothing if gone else {}, Deviation(ONLY_WITH_WEIGHT, nothing))
    ours = _after(writes[0], seen) if writes else seen
    annotations = {
        key: value for key, value in ours["metadata"]["annotations"].items() if key != epoch_key("web")
    }
    metadata = {
        "name": ours["metadata"]["name"],
        "annotations": _exactly(annotations),
        "ownedByRollout": ours["metadata"]["labels"] == {RELEASE: "r"},
    }
    return _judged(vector, {"metadata": metadata, "spec": _exactly(ours["spec"])})


def _nginx_route(rollout: Vector) -> tuple[Route, int]:
    given = rollout["nginx"]
    whole = rollout.get("maxTrafficWeight") or given.get("maxTrafficWeight") or HUNDRED
    settings = NginxSettings(
        tuple(given.get("stableIngresses") or [given["stableIngress"]]),
        given.get("annotationPrefix") or "nginx.ingress.kubernetes.io",
        tuple((given.get("additionalIngressAnnotations") or {}).items()),
        tuple((given.get("canaryIngressAnnotations") or {}).items()),
    )
    services = rollout["stableService"], rollout["canaryService"]
    return Route("nginx", rollout["name"], SPACE, *services, settings, whole), whole


# Istio


def _istio(vector: Vector) -> Result:
    rollout = vector["rollout"]
    service = rollout["virtualService"]
    names = Names(tuple(service.get("routes") or []), _managed(rollout))
    settings = IstioSettings((VirtualServiceRef(SPACE, service["name"], names.split),), names.managed)
    services = rollout.get("stableService", ""), rollout.get("canaryService", "")
    route = Route("istio", rollout["name"], SPACE, *services, settings)
    (ref,) = istio.objects(route)
    body = _seen(ref, vector["virtualService"])
    if vector["operation"] == "setWeight":
        return _istio_weight(vector, route, names, body)
    http = _istio_managed(vector, names, body)
    return _judged(vector, {"http": lambda expected: _bare(expected) == _bare(http)})


def _istio_weight(vector: Vector, route: Route, names: Names, body: Json) -> Result:
    if "destinationRule" in vector["rollout"]:
        raise AssertionError("weights of subsets are not built")
    (ref,) = istio.objects(route)
    weight = Weight(vector["weight"])
    extras = {one["service"]: one["weight"] for one in vector.get("additionalDestinations") or []}
    complaints = istio.complaints(route, {ref: body})
    if extras and not complaints:
        writes: tuple[Write, ...] = (Patch(ref, shared(route, names, body, weight, extras)),)
    else:
        writes = istio.shift(route, {ref: body}, weight)
    if complaints:
        foreign = any("also gives weight" in sentence for sentence in complaints)
        return _refused(vector, complaints, OTHERS_REFUSED if foreign else None)
    ours = _after(writes[0], body) if writes else body
    http = ours["spec"]["http"]
    return _judged(vector, {"http": lambda expected: _bare(expected) == _bare(http)})


def _istio_managed(vector: Vector, names: Names, body: Json) -> list[Json]:
    rollout = vector["rollout"]
    if vector["operation"] == "removeManagedRoutes":
        return istio_managed.without(body, *names.managed)
    step = vector["step"]
    host = vector.get("destinationRuleHost", rollout.get("destinationRuleHost", rollout.get("canaryService")))
    subset = rollout.get("destinationRule", {}).get("canarySubsetName")
    canary = {"host": host, **({"subset": subset} if subset else {})}
    made = istio_managed.Managed(step["name"], canary)
    if vector["operation"] == "setHeaderRoute":
        return istio_managed.headed(made, names, body, _headers(step))
    if vector["operation"] == "setMirrorRoute":
        matches = tuple(step.get("match") or [])
        return istio_managed.mirrored(made, names, body, matches, step.get("percentage", HUNDRED))
    raise AssertionError(f"{vector['operation']} is not built")


def _bare(http: list[Json]) -> list[Json]:
    """In a mirror route a weight of 0 may be left out."""
    copied = deepcopy(http)
    for one in copied:
        for entry in one["route"] if "mirror" in one else ():
            if not entry.get("weight", 0):
                entry.pop("weight", None)
    return copied


# Gateway API


def _gateway(vector: Vector) -> Result:
    route, ref = _gateway_route(vector)
    body = _seen(ref, vector["route"])
    body["status"] = {"parents": [{"conditions": [{"type": "Accepted", "status": "True"}]}]}
    operation = vector.get("operation", "setWeight")
    if operation != "setWeight":
        rules = _gateway_managed(vector, route, body, operation)
        return _gateway_judged(vector, {**body, "spec": {**body["spec"], "rules": rules}})
    # A release is under way in these vectors, so the label is its own.
    body["metadata"]["annotations"] = {epoch_key("r"): "1"}
    complaints = gateway.complaints(route, {ref: body})
    if complaints:
        foreign = any("also gives weight" in sentence for sentence in complaints)
        return _refused(vector, complaints, OTHERS_REFUSED if foreign else None)
    writes = gateway.shift(route, {ref: body}, Weight(vector["weight"]))
    return _gateway_judged(vector, _after(writes[0], body) if writes else body)


def _gateway_managed(vector: Vector, route: Route, body: Json, operation: str) -> list[Json]:
    if operation == "setHeaderRoute":
        step = vector["step"]
        return gateway_managed.headed(route, body, step["name"], _headers(step))
    if operation == "removeManagedRoutes":
        return gateway_managed.without(body, *_managed(vector["rollout"]))
    raise AssertionError(f"{operation} is not built")


def _gateway_judged(vector: Vector, ours: Json) -> Result:
    expect, metadata = vector["expect"], ours["metadata"]
    actual = {
        "apiVersion": ours["apiVersion"],
        "kind": ours["kind"],
        "metadata": {"name": metadata["name"], "labels": _exactly(metadata.get("labels", {}))},
        "spec": _exactly(ours["spec"]),
    }
    if "spec" not in expect:
        return _judged(vector, actual)
    return _judged(vector, actual, Deviation(BOTH_IN_A_RULE, {"spec": _untouched(vector)}))


def _untouched(vector: Vector) -> Json:
    """Upstream's result, but rules that lack one of both Services are as they were."""
    spec = deepcopy(vector["expect"]["spec"])
    both = {vector["rollout"]["stableService"], vector["rollout"]["canaryService"]}
    for before, after in zip(vector["route"]["spec"]["rules"], spec["rules"], strict=False):
        if not both <= {entry["name"] for entry in before.get("backendRefs", [])}:
            after.update(deepcopy(before))
    return spec


def _gateway_route(vector: Vector) -> tuple[Route, Ref]:
    rollout, body = vector["rollout"], vector["route"]
    given = rollout["plugins"][GATEWAY_PLUGIN]
    kind = next(one for one in kinds.ALL if one.name == body["kind"] and "gateway" in one.group)
    name = body["metadata"]["name"]
    label = (
        given.get("inProgressLabelKey") or "rollouts.argoproj.io/gatewayapi-canary",
        given.get("inProgressLabelValue") or "in-progress",
    )
    settings = GatewaySettings(
        (GatewayRouteRef(kind, SPACE, name),), None if given.get("disableInProgressLabel") else label
    )
    services = rollout["stableService"], rollout["canaryService"]
    return Route("gateway", "rollout", SPACE, *services, settings), Ref(kind, SPACE, name)


# Names


def _name(vector: Vector) -> Result:
    if not vector["what"].startswith("nginx canary ingress"):
        raise AssertionError(f"{vector['what']} is not built")
    ours = canary_name(vector["rollout"], vector["stableIngress"])
    return judge("", {"name": vector["expect"]}, {"name": ours})


_TABLE: dict[str, Callable[[Vector], Result]] = {
    "nginx": _nginx,
    "istio_virtualservice": _istio,
    "gatewayapi": _gateway,
    "names": _name,
}
