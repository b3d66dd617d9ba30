"""Gateway API: weights of backendRefs in HTTPRoute, GRPCRoute, TCPRoute and TLSRoute objects.

Only rules that hold both Services are split: a rule for tagged users that leads to the canary alone goes on
doing so (argoproj-labs/rollouts-plugin-trafficrouter-gatewayapi, issue 158).
"""

from collections.abc import Iterator

from progressive_ci.model.document import JsonObject
from progressive_ci.model.fence import labels_of
from progressive_ci.model.kinds import Kind, Ref
from progressive_ci.model.route import GatewaySettings, Route
from progressive_ci.model.weight import NONE, Weight
from progressive_ci.model.write import Write, add, pointer, remove, test
from progressive_ci.routers.gateway_rules import obstacles, splits
from progressive_ci.routers.gateway_status import looked_at
from progressive_ci.routers.router import Objects
from progressive_ci.routers.split import carried, move, patches, place, says

NAME = "gateway"
OBJECT = "HTTPRoute, GRPCRoute, TCPRoute or TLSRoute (weights of backendRefs)"
ACKNOWLEDGES = True
SETTLE = 2.0
SURVEYS: tuple[Kind, ...] = ()


def objects(route: Route) -> tuple[Ref, ...]:
    """The route objects."""
    return tuple(Ref(one.kind, one.namespace, one.name) for one in _settings(route).routes)


def complaints(route: Route, objects: Objects) -> tuple[str, ...]:
    """What stands in the way, for every route object."""
    label = _settings(route).in_progress_label
    return tuple(
        sentence for ref in _refs(route) for sentence in obstacles(route, ref, objects.get(ref), label)
    )


def weight(route: Route, objects: Objects) -> Weight:
    """The largest share over all split rules."""
    return max(
        (carried(split) for _, body in _seen(route, objects) for split in splits(route, body)), default=NONE
    )


def shift(route: Route, objects: Objects, weight: Weight) -> tuple[Write, ...]:
    """One patch for each route object that says anything else."""
    return patches(
        (
            ref,
            (
                *(op for split in splits(route, body) for op in move(split, weight)),
                *_label(route, body, weight),
            ),
        )
        for ref, body in _seen(route, objects)
    )


def withdraw(route: Route, objects: Objects) -> tuple[Write, ...]:
    """Canary 0 and stable 100 in every split rule, and the label off."""
    return patches(
        (ref, (*(op for split in splits(route, body) for op in place(split, NONE)), *_label_off(route, body)))
        for ref, body in _seen(route, objects)
    )


def reached(route: Route, objects: Objects, weight: Weight) -> bool:
    """Whether every split rule says so and every Gateway has looked at its route since.

    A route object that is gone carries nothing, which is all that weight 0 asks for. The label is no part of
    this: it moves no traffic.
    """
    return all(
        _reached(route, objects[ref], weight) if ref in objects else weight == NONE for ref in _refs(route)
    )


_refs = objects


def _settings(route: Route) -> GatewaySettings:
    if not isinstance(route.settings, GatewaySettings):
        raise TypeError(f"the router {NAME} was given {type(route.settings).__name__}")
    return route.settings


def _seen(route: Route, objects: Objects) -> Iterator[tuple[Ref, JsonObject]]:
    """The route objects that exist."""
    return ((ref, objects[ref]) for ref in _refs(route) if ref in objects)


def _reached(route: Route, body: JsonObject, weight: Weight) -> bool:
    found = splits(route, body)
    if not found:
        return weight == NONE
    return all(says(split, weight) for split in found) and looked_at(body)


def _label(route: Route, body: JsonObject, weight: Weight) -> tuple[JsonObject, ...]:
    """The label that tells GitOps tools to leave the weights alone, as upstream's plugin sets it."""
    label = _settings(route).in_progress_label
    if label is None:
        return ()
    key, value = label
    path = pointer("metadata", "labels", key)
    found = labels_of(body).get(key)
    if weight == NONE:
        return (remove(path),) if found is not None else ()
    if found == value:
        return ()
    if body["metadata"].get("labels") is not None:
        return (add(path, value),)
    # A whole map must not overwrite one that somebody else has made since.
    version = body["metadata"].get("resourceVersion")
    guard = () if version is None else (test(pointer("metadata", "resourceVersion"), version),)
    return (*guard, add(pointer("metadata", "labels"), {key: value}))


def _label_off(route: Route, body: JsonObject) -> tuple[JsonObject, ...]:
    """Removes the label whether it is there by then or not: it is set first wherever that is possible.

    Where the object has no labels at all, a shift may just be adding the map; then the label is left to the
    next write.
    """
    label = _settings(route).in_progress_label
    labels = labels_of(body)
    if label is None or not labels:
        return ()
    path = pointer("metadata", "labels", label[0])
    if set(labels) == {label[0]}:
        return (remove(path),)
    return (add(path, label[1]), remove(path))
