"""Owns what keeps ingress-nginx from splitting: missing Ingresses and canaries of somebody else."""

from collections.abc import Iterator

from progressive_ci.model.document import JsonObject
from progressive_ci.model.fence import RELEASE, annotations_of, labels_of
from progressive_ci.model.kinds import INGRESS, Ref
from progressive_ci.model.route import Route
from progressive_ci.routers.nginx_ingress import backend_of, paths_of, rules_with, settings_of
from progressive_ci.routers.router import Objects


def in_stable(route: Route, ref: Ref, body: JsonObject | None) -> Iterator[str]:
    """Whether the stable Ingress is there and leads to the stable Service."""
    if body is None:
        yield f"{ref} does not exist; create it, or give its document to this run"
    elif not rules_with(body, route.stable_service):
        yield (
            f"{ref} spec.rules has no path whose backend is the Service {route.stable_service}; "
            "correct the backend or stableService (spec.defaultBackend cannot be split)"
        )


def in_canary(ref: Ref, body: JsonObject | None) -> Iterator[str]:
    """Whether the name that ours will have is free."""
    if body is not None and not _ours(body):
        yield (
            f"{ref} exists and is not ours, but the canary Ingress gets this name; delete it once nobody "
            f"needs it: kubectl delete ingress {ref.name} -n {ref.namespace}"
        )


def rivals(route: Route, stable: Ref, own: frozenset[Ref], objects: Objects) -> Iterator[str]:
    """Other canaries on the same host and path, of which ingress-nginx takes one and ignores the rest."""
    if stable not in objects:
        return
    rules = rules_with(objects[stable], route.stable_service)
    wanted = {(host, path) for host, path, service in _places(rules) if service == route.stable_service}
    mark = f"{settings_of(route).annotation_prefix}/canary"
    for ref, body in objects.items():
        if ref.kind != INGRESS or ref in own or annotations_of(body).get(mark) != "true":
            continue
        taken = {(host, path) for host, path, _ in _places(body.get("spec", {}).get("rules") or [])}
        for host, path in sorted(wanted & taken):
            yield (
                f"{ref} is already a canary of host {host or '*'} and path {path}, and ingress-nginx follows "
                "only one canary for each; delete it, or wait until its release is over"
            )


def _ours(body: JsonObject) -> bool:
    return RELEASE in labels_of(body)


def _places(rules: list[JsonObject]) -> Iterator[tuple[str, str, str]]:
    """Host, path and Service of every path."""
    for rule in rules:
        for path in paths_of(rule):
            yield rule.get("host", ""), path.get("path", "/"), backend_of(path)
