"""Owns what a canary Ingress looks like beside its stable one: exactly as Argo Rollouts writes it."""

from collections.abc import Iterator
from copy import deepcopy

from progressive_ci.model.document import JsonObject
from progressive_ci.model.fence import annotations_of
from progressive_ci.model.kinds import INGRESS, Ref
from progressive_ci.model.route import NginxSettings, Route
from progressive_ci.model.weight import ALL, NONE, Weight
from progressive_ci.model.write import add, pointer, remove, test

SUFFIX = "-canary"
NAME_LIMIT = 253
CLASS_ANNOTATION = "kubernetes.io/ingress.class"
HUNDRED = 100


def settings_of(route: Route) -> NginxSettings:
    """The settings, of which only this router's make sense here."""
    if not isinstance(route.settings, NginxSettings):
        raise TypeError(f"the router nginx was given {type(route.settings).__name__}")
    return route.settings


def canary_name(workload: str, stable: str) -> str:
    """Name of the canary Ingress beside a stable one."""
    return f"{workload}-{stable}"[: NAME_LIMIT - len(SUFFIX)] + SUFFIX


def share(route: Route, canary: JsonObject) -> Weight:
    """What a canary Ingress carries, to the nearest percent, never 0 while it carries anything."""
    annotations, prefix = annotations_of(canary), settings_of(route).annotation_prefix
    if annotations.get(f"{prefix}/canary") != "true":
        return NONE
    written = _number(annotations.get(f"{prefix}/canary-weight"), 0)
    total = _number(annotations.get(f"{prefix}/canary-weight-total"), HUNDRED)
    if written == 0 or total == 0:
        return NONE
    return Weight(min(ALL.percent, max(1, (written * HUNDRED + total // 2) // total)))


def canary_ingress(route: Route, stable: JsonObject, ref: Ref, weight: Weight) -> JsonObject:
    """The canary Ingress in full.

    Only the rules that lead to the stable Service somewhere are taken over, with that Service replaced; other
    paths of such a rule stay. Of the annotations only the class is.
    """
    spec: JsonObject = {"rules": [_renamed(rule, route) for rule in rules_with(stable, route.stable_service)]}
    for field in ("ingressClassName", "tls"):
        if stable["spec"].get(field) is not None:
            spec[field] = deepcopy(stable["spec"][field])
    return {
        "apiVersion": INGRESS.api_version,
        "kind": INGRESS.name,
        "metadata": {
            "name": ref.name,
            "namespace": ref.namespace,
            "annotations": dict(_annotations(route, stable, weight)),
        },
        "spec": spec,
    }


def changes(current: JsonObject, wanted: JsonObject) -> tuple[JsonObject, ...]:
    """What makes a canary Ingress that exists say the same; annotations that others added stay.

    What is overwritten is tested, so that a change by somebody else does not go unseen.
    """
    annotations = wanted["metadata"]["annotations"]
    found = current["metadata"].get("annotations")
    marks: tuple[JsonObject, ...]
    if found is None:
        marks = (add(pointer("metadata", "annotations"), annotations),)
    else:
        changed = {key: value for key, value in annotations.items() if found.get(key) != value}
        paths = {key: pointer("metadata", "annotations", key) for key in changed}
        marks = (
            *(test(paths[key], found[key]) for key in changed if key in found),
            *(add(paths[key], value) for key, value in changed.items()),
        )
    return (*marks, *_spec_changes(current.get("spec", {}), wanted["spec"]))


def rules_with(stable: JsonObject, service: str) -> list[JsonObject]:
    """The rules in which at least one path leads to a Service."""
    rules: list[JsonObject] = stable.get("spec", {}).get("rules") or []
    return [rule for rule in rules if any(backend_of(path) == service for path in paths_of(rule))]


def paths_of(rule: JsonObject) -> list[JsonObject]:
    """The paths of a rule; a rule without `http` has none."""
    paths: list[JsonObject] = (rule.get("http") or {}).get("paths") or []
    return paths


def backend_of(path: JsonObject) -> str:
    """Name of the Service that a path leads to; empty where it leads to another resource."""
    return str(((path.get("backend") or {}).get("service") or {}).get("name", ""))


def _renamed(rule: JsonObject, route: Route) -> JsonObject:
    """A rule with the canary Service where the stable one stands."""
    copied = deepcopy(rule)
    for path in paths_of(copied):
        if backend_of(path) == route.stable_service:
            path["backend"]["service"]["name"] = route.canary_service
    return copied


def _annotations(route: Route, stable: JsonObject, weight: Weight) -> Iterator[tuple[str, str]]:
    """Later ones win: the user's own, the user's verbatim ones, then those that make it a canary."""
    settings = settings_of(route)
    prefix = settings.annotation_prefix
    ingress_class = annotations_of(stable).get(CLASS_ANNOTATION)
    if ingress_class is not None:
        yield CLASS_ANNOTATION, ingress_class
    for key, value in settings.additional_annotations:
        yield key if key.startswith(prefix) else f"{prefix}/{key}", value
    yield from settings.canary_annotations
    yield f"{prefix}/canary", "true"
    yield f"{prefix}/canary-weight", str(_amount(route, weight))
    if route.max_weight != HUNDRED:
        yield f"{prefix}/canary-weight-total", str(route.max_weight)


def _amount(route: Route, weight: Weight) -> int:
    """A weight in the route's own total, rounded, never 0 while it is above 0."""
    rounded = (weight.percent * route.max_weight + HUNDRED // 2) // HUNDRED
    return max(1, rounded) if weight > NONE else 0


def _spec_changes(found: JsonObject, wanted: JsonObject) -> Iterator[JsonObject]:
    """Fields that we write; a class that the cluster filled in stays."""
    for field in ("rules", "tls", "ingressClassName"):
        if field in wanted and found.get(field) != wanted[field]:
            yield add(pointer("spec", field), wanted[field])
    if "tls" in found and "tls" not in wanted:
        yield remove(pointer("spec", "tls"))


def _number(text: str | None, default: int) -> int:
    """A number as the controller reads it; anything else is what it takes instead."""
    return int(text) if text is not None and text.isascii() and text.isdigit() else default
