"""Owns what becomes of the other documents of the input: used by the release, or not applied."""

from collections.abc import Iterator
from typing import Any

from progressive_ci.model.document import Document, JsonObject
from progressive_ci.model.plan import Plan
from progressive_ci.model.route import GatewaySettings, IstioSettings, NginxSettings
from progressive_ci.specs.reading import Reading, group_of, namespace_of

_SPEC_GROUPS = ("argoproj.io", "flagger.app")
Key = tuple[str, str, str, str]
"""Group, kind, namespace and name."""


def split(reading: Reading, plan: Plan) -> tuple[tuple[Document, ...], tuple[Document, ...]]:
    """Documents that the release creates where they are absent, and those that it leaves alone."""
    wanted = set(_named(plan))
    needed, rest = [], []
    for document in reading.documents:
        namespace = namespace_of(document) or plan.namespace
        key = (group_of(document), document.kind, namespace, document.name)
        if key in wanted:
            needed.append(document)
        elif not any(document is each for each in reading.taken) and not _is_spec(document, reading):
            rest.append(document)
            _autoscaler(document, reading, plan)
    return tuple(needed), tuple(rest)


def _autoscaler(document: Document, reading: Reading, plan: Plan) -> None:
    """Tell about an autoscaler that finds nothing to scale, since no Rollout object exists."""
    spec = document.body.get("spec")
    target = spec.get("scaleTargetRef") if isinstance(spec, dict) else None
    if isinstance(target, dict) and target.get("kind") == "Rollout":
        note = f"it scales a Rollout, and no Rollout object is made: let it scale Deployment {plan.workload.name}"
        reading.complaints.note(document.at("spec.scaleTargetRef"), note)


def _is_spec(document: Document, reading: Reading) -> bool:
    """Whether a document is about another release, and no object for the cluster."""
    referenced = [_workload_ref(each) for each in reading.documents if each.kind == "Rollout"]
    is_deployment = (group_of(document), document.kind) == ("apps", "Deployment")
    return group_of(document) in _SPEC_GROUPS or (is_deployment and document.name in referenced)


def _workload_ref(rollout: Document) -> object:
    spec = rollout.body.get("spec")
    reference = spec.get("workloadRef") if isinstance(spec, dict) else None
    return reference.get("name") if isinstance(reference, dict) else None


def _named(plan: Plan) -> Iterator[Key]:
    for kind, name in references(plan.workload.template):
        yield "", kind, plan.namespace, name
    route = plan.route
    if route is None:
        return
    for name in (route.stable_service, route.canary_service):
        yield "", "Service", plan.namespace, name
    match route.settings:
        case NginxSettings(stable_ingresses=names):
            for name in names:
                yield "networking.k8s.io", "Ingress", plan.namespace, name
        case IstioSettings(virtual_services=services):
            for service in services:
                yield "networking.istio.io", "VirtualService", service.namespace, service.name
        case GatewaySettings(routes=routes):
            for each in routes:
                yield each.kind.group, each.kind.name, each.namespace, each.name
        case _:
            pass


def references(template: JsonObject) -> tuple[tuple[str, str], ...]:
    """Kind and name of each ConfigMap and Secret that a pod template names, each once."""
    spec = template.get("spec") or {}
    found: dict[tuple[str, str], None] = {}
    for volume in _objects(spec.get("volumes")):
        for source in (volume, *_objects((volume.get("projected") or {}).get("sources"))):
            found.update(dict.fromkeys(_of_volume(source)))
    for name in ("initContainers", "containers"):
        for container in _objects(spec.get(name)):
            found.update(dict.fromkeys(_of_container(container)))
    for secret in _objects(spec.get("imagePullSecrets")):
        found["Secret", str(secret.get("name"))] = None
    return tuple(found)


def _of_volume(source: JsonObject) -> Iterator[tuple[str, str]]:
    config, secret = source.get("configMap"), source.get("secret")
    if isinstance(config, dict):
        yield "ConfigMap", str(config.get("name"))
    if isinstance(secret, dict):
        yield "Secret", str(secret.get("secretName") or secret.get("name"))


def _of_container(container: JsonObject) -> Iterator[tuple[str, str]]:
    keys = [variable.get("valueFrom") or {} for variable in _objects(container.get("env"))]
    for source in (*_objects(container.get("envFrom")), *(key for key in keys if isinstance(key, dict))):
        for field, kind in (
            ("configMapRef", "ConfigMap"),
            ("configMapKeyRef", "ConfigMap"),
            ("secretRef", "Secret"),
            ("secretKeyRef", "Secret"),
        ):
            if isinstance(source.get(field), dict):
                yield kind, str(source[field].get("name"))


def _objects(value: Any) -> Iterator[JsonObject]:  # noqa: ANN401 - any YAML value
    for item in value if isinstance(value, list) else ():
        if isinstance(item, dict):
            yield item
