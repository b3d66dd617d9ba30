"""Owns upstream's rules about fields that are not built yet: a wrong one is wrong, not merely unsupported."""

from collections.abc import Callable
from typing import Any

from progressive_ci.model.document import Document
from progressive_ci.specs.argo.analysis_fields import PROVIDERS
from progressive_ci.specs.part import Part
from progressive_ci.specs.reading import Reading

_CANARY = "spec.strategy.canary"
_ONE_OF = ("setWeight", "pause", "experiment", "analysis")
_MATCHES = ("exact", "prefix", "regex")
_WITH_SERVICES = ("alb", "smi", "apisix", "ambassador", "appMesh", "traefik")
_HEADER_ROUTERS = ("istio", "alb", "apisix", "plugins")
_MIRROR_ROUTERS = ("istio", "plugins")
_MOST_AFFINITY = 100


def strategy(reading: Reading, document: Document) -> None:
    """A Rollout has exactly one strategy."""
    written = Part(document, "spec.strategy", {}).written
    named = [name for name in ("canary", "blueGreen") if _get(written, name) is not None]
    if len(named) > 1:
        what = "strategy names both canary and blueGreen"
        reading.complaints.add(document.at("spec.strategy"), what, advice="keep one of them")
    elif not named and isinstance(written, dict):
        what = "strategy names neither canary nor blueGreen"
        reading.complaints.add(document.at("spec.strategy"), what, advice="write canary: {}")


def canary(reading: Reading, document: Document) -> None:
    """Rules about canaries. They look at what was written, of any shape, before it meets its table."""
    written = Part(document, _CANARY, {}).written
    if not isinstance(written, dict):
        return
    routing = written.get("trafficRouting")

    def fault(path: str, what: str, advice: str = "") -> None:
        reading.complaints.add(document.at(f"{_CANARY}.{path}"), what, advice=advice)

    _anti_affinity(written, fault)
    _ping_pong(written, routing, fault)
    _stable_scale(written, routing, fault)
    _services(written, routing, fault)
    steps = written.get("steps")
    for index, step in enumerate(steps if isinstance(steps, list) else ()):
        if isinstance(step, dict):
            _step(
                step,
                routing,
                lambda path, what, advice="", at=index: fault(f"steps[{at}]{path}", what, advice),
            )


def providers(reading: Reading, document: Document) -> None:
    """Of a template: each metric names one provider."""
    metrics = _get(document.body, "spec", "metrics")
    for index, metric in enumerate(metrics if isinstance(metrics, list) else ()):
        provider = _get(metric, "provider")
        named = [name for name in PROVIDERS if _get(provider, name) is not None]
        source = document.at(f"spec.metrics[{index}].provider")
        if len(named) > 1:
            what = f"the metric names several providers: {', '.join(named)}"
            reading.complaints.add(source, what, advice="make one metric of each")
        elif not named and isinstance(metric, dict) and not (isinstance(provider, dict) and provider):
            reading.complaints.add(source, "the metric names no provider", advice="add prometheus: {...}")


Fault = Callable[..., None]


def _anti_affinity(canary: dict[str, Any], fault: Fault) -> None:
    affinity = canary.get("antiAffinity")
    if not isinstance(affinity, dict):
        return
    preferred = affinity.get("preferredDuringSchedulingIgnoredDuringExecution")
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    if (preferred is None) == (required is None):
        fault("antiAffinity", "antiAffinity is either preferred or required", "write exactly one of them")
    weight = _get(preferred, "weight")
    if preferred is not None and not (isinstance(weight, int) and 1 <= weight <= _MOST_AFFINITY):
        path = "antiAffinity.preferredDuringSchedulingIgnoredDuringExecution.weight"
        fault(path, f"the weight of antiAffinity is 1 to {_MOST_AFFINITY}, not {weight}")


def _ping_pong(canary: dict[str, Any], routing: Any, fault: Fault) -> None:  # noqa: ANN401 - any YAML value
    services = canary.get("pingPong")
    if services is None:
        return
    ping, pong = _get(services, "pingService"), _get(services, "pongService")
    if not ping or not pong or ping == pong:
        fault("pingPong", "pingPong takes two different Services", "name pingService and pongService")
    if routing is not None and not _names(routing, ("alb", "istio", "plugins")):
        fault("pingPong", "pingPong works with alb, istio and plugins only", "remove it")
    if _get(routing, "alb") is not None and not _get(routing, "alb", "rootService"):
        fault("trafficRouting.alb.rootService", "pingPong with alb needs rootService")


def _stable_scale(canary: dict[str, Any], routing: Any, fault: Fault) -> None:  # noqa: ANN401 - any YAML value
    if canary.get("dynamicStableScale") is not True:
        return
    if routing is None:
        fault("dynamicStableScale", "dynamicStableScale needs trafficRouting", "remove it")
    elif canary.get("scaleDownDelaySeconds") is not None:
        what = "dynamicStableScale does not go together with scaleDownDelaySeconds"
        fault("dynamicStableScale", what, "remove one of them")


def _services(canary: dict[str, Any], routing: Any, fault: Fault) -> None:  # noqa: ANN401 - any YAML value
    """Of routers that are not built; for the others `routing` asks."""
    named = _names(routing, _WITH_SERVICES)
    if named == ("alb",) and canary.get("pingPong") is not None:
        return
    for name in ("canaryService", "stableService"):
        if named and not canary.get(name):
            fault(name, f"{name} is missing, which {named[0]} needs")
    if named and _get(routing, "maxTrafficWeight") is not None and not _names(routing, ("nginx", "plugins")):
        fault("trafficRouting.maxTrafficWeight", f"maxTrafficWeight has no meaning for {named[0]}")


def _step(step: dict[str, Any], routing: Any, fault: Fault) -> None:  # noqa: ANN401 - any YAML value
    kinds = [name for name in _ONE_OF if step.get(name) is not None]
    if len(kinds) > 1:
        fault("", f"a step does one thing, this one names {' and '.join(kinds)}", "make one step of each")
    if step.get("setCanaryScale") is not None and routing is None:
        fault(".setCanaryScale", "setCanaryScale needs trafficRouting")
    for name, routers in (("setHeaderRoute", _HEADER_ROUTERS), ("setMirrorRoute", _MIRROR_ROUTERS)):
        if step.get(name) is not None:
            _managed_route(step, routing, name, routers, fault)
    templates = _get(step, "experiment", "templates")
    for index, template in enumerate(templates if isinstance(templates, list) else ()):
        if _get(template, "weight") is not None and not _names(routing, ("alb", "smi", "istio", "plugins")):
            path = f".experiment.templates[{index}].weight"
            fault(path, "the weight of an experiment needs alb, smi, istio or a plugin")


def _managed_route(
    step: dict[str, Any],
    routing: Any,  # noqa: ANN401 - any YAML value
    name: str,
    routers: tuple[str, ...],
    fault: Fault,
) -> None:
    if not _names(routing, routers):
        fault(f".{name}", f"{name} needs one of {', '.join(routers)} in trafficRouting")
        return
    managed = _get(routing, "managedRoutes")
    names = [_get(each, "name") for each in managed] if isinstance(managed, list) else []
    if _get(step, name, "name") not in names:
        what = f"the route {_get(step, name, 'name')} is not listed in trafficRouting.managedRoutes"
        fault(
            f".{name}.name", what, "add it there: managedRoutes decides which routes are removed at the end"
        )
    matches = _get(step, name, "match")
    for index, match in enumerate(matches if isinstance(matches, list) else ()):
        exact = name == "setHeaderRoute" and _get(routing, "alb") is not None
        values = [_get(match, "headerValue")] if name == "setHeaderRoute" else _present(match)
        for value in values:
            given = [word for word in _MATCHES if _get(value, word)]
            if len(given) != 1 or (exact and given != ["exact"]):
                wanted = (
                    "exact, which is all that alb knows" if exact else "exactly one of exact, prefix, regex"
                )
                fault(f".{name}.match[{index}]", f"a value to match has {wanted}")


def _present(match: Any) -> list[Any]:  # noqa: ANN401 - any YAML value
    return [value for value in (_get(match, "method"), _get(match, "path")) if value is not None]


def _names(routing: Any, routers: tuple[str, ...]) -> tuple[str, ...]:  # noqa: ANN401 - any YAML value
    return tuple(name for name in routers if _get(routing, name))


def _get(value: Any, *names: str) -> Any:  # noqa: ANN401 - any YAML value
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value
