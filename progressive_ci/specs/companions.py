"""Owns whether the Services and routes in the input fit the release that names them."""

from collections.abc import Iterator
from typing import Any, assert_never

from progressive_ci.model.document import Document, JsonObject
from progressive_ci.model.plan import Plan
from progressive_ci.model.route import GatewaySettings, IstioSettings, NginxSettings, RatioSettings, Route
from progressive_ci.specs.complaints import Complaints


def fit(plan: Plan, complaints: Complaints) -> None:
    """Complain about documents that can't do what the release needs of them; absent ones are not looked for."""
    if plan.route is None:
        return
    services = (plan.route.stable_service, plan.route.canary_service)
    for document in plan.needed:
        if document.kind == "Service" and document.name in services:
            _service(document, plan.workload.template, complaints)
    _route(plan.route, plan.needed, complaints)


def _service(document: Document, template: JsonObject, complaints: Complaints) -> None:
    labels = (template.get("metadata") or {}).get("labels") or {}
    selector = _get(document.body, "spec", "selector")
    if not isinstance(selector, dict) or not selector:
        what = f"Service {document.name} has no selector, so it can't be pinned to one version"
        complaints.add(document.at("spec.selector"), what, advice="select the labels of the pod template")
        return
    missing = [f"{key}: {value}" for key, value in selector.items() if labels.get(key) != value]
    if missing:
        what = f"Service {document.name} selects {', '.join(missing)}, which the pod template does not have"
        complaints.add(document.at("spec.selector"), what, advice="make the selector fit the pod template")


def _route(route: Route, needed: tuple[Document, ...], complaints: Complaints) -> None:
    match route.settings:
        case NginxSettings():
            for document in _of(needed, "Ingress"):
                if route.stable_service not in _ingress_services(document.body):
                    what = f"Ingress {document.name} has no path to Service {route.stable_service}"
                    complaints.add(document.at("spec.rules"), what, advice="name the stableService in a rule")
        case IstioSettings(virtual_services=services):
            for document in _of(needed, "VirtualService"):
                named = [name for each in services if each.name == document.name for name in each.routes]
                _virtual_service(document, tuple(named), route, complaints)
        case GatewaySettings(routes=routes):
            for document in _of(needed, *(each.kind.name for each in routes)):
                both = {route.stable_service, route.canary_service}
                rules = _objects(_get(document.body, "spec", "rules"))
                if not any(
                    both <= {str(_get(each, "name")) for each in _objects(rule.get("backendRefs"))}
                    for rule in rules
                ):
                    what = (
                        f"{document.kind} {document.name} has no rule with both {' and '.join(sorted(both))}"
                    )
                    advice = "add both as backendRefs, with weights 100 and 0"
                    complaints.add(document.at("spec.rules"), what, advice=advice)
        case RatioSettings():
            pass
        case _:
            assert_never(route.settings)


def _virtual_service(
    document: Document, names: tuple[str, ...], route: Route, complaints: Complaints
) -> None:
    routes = list(_objects(_get(document.body, "spec", "http")))
    for name in names:
        if name not in [each.get("name") for each in routes]:
            what = f"VirtualService {document.name} has no http route {name}"
            complaints.add(document.at("spec.http"), what, advice="name a route that it has")
    chosen = [each for each in routes if each.get("name") in names] if names else routes
    for each in chosen if names or len(chosen) == 1 else ():
        hosts = {
            str(_get(way, "destination", "host")).partition(".")[0] for way in _objects(each.get("route"))
        }
        missing = [name for name in (route.stable_service, route.canary_service) if name not in hosts]
        if missing:
            what = f"VirtualService {document.name} has no destination {' and '.join(missing)}"
            complaints.add(document.at("spec.http"), what, advice="add both Services, with weights 100 and 0")


def _ingress_services(body: JsonObject) -> set[str]:
    return {
        str(_get(path, "backend", "service", "name"))
        for rule in _objects(_get(body, "spec", "rules"))
        for path in _objects(_get(rule, "http", "paths"))
    }


def _of(documents: tuple[Document, ...], *kinds: str) -> Iterator[Document]:
    return (document for document in documents if document.kind in kinds)


def _objects(value: Any) -> Iterator[JsonObject]:  # noqa: ANN401 - any YAML value
    return (item for item in (value if isinstance(value, list) else ()) if isinstance(item, dict))


def _get(value: Any, *names: str) -> Any:  # noqa: ANN401 - any YAML value
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value
