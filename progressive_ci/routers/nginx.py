"""ingress-nginx: a second Ingress with canary annotations beside each stable one, while it has weight.

It is created when the first weight above 0 comes, still without weight, and then raised by a patch: a create
carries no precondition, so that one which arrives after a take-over must cost nobody anything. It is deleted at 0:
one that stays at weight 0, or has its annotation set to "false", is still compared by the admission webhook and
can block the stable one.
"""

from collections.abc import Iterator
from functools import partial

from progressive_ci.model.kinds import INGRESS, Kind, Ref
from progressive_ci.model.route import Route
from progressive_ci.model.weight import NONE, Weight
from progressive_ci.model.write import Create, Delete, Patch, Write
from progressive_ci.routers.nginx_ingress import canary_ingress, canary_name, changes, settings_of, share
from progressive_ci.routers.nginx_obstacles import in_canary, in_stable, rivals
from progressive_ci.routers.router import Objects

NAME = "nginx"
OBJECT = "Ingress (canary annotations)"
ACKNOWLEDGES = False
SETTLE = 10.0
SURVEYS: tuple[Kind, ...] = (INGRESS,)


def objects(route: Route) -> tuple[Ref, ...]:
    """Every stable Ingress and the canary's beside it."""
    return tuple(ref for pair in _pairs(route) for ref in pair)


def complaints(route: Route, objects: Objects) -> tuple[str, ...]:
    """What stands in the way of every pair of Ingresses."""
    return tuple(
        sentence
        for stable, canary in _pairs(route)
        for sentence in (
            *in_stable(route, stable, objects.get(stable)),
            *in_canary(canary, objects.get(canary)),
            *rivals(route, stable, frozenset(_refs(route)), objects),
        )
    )


def weight(route: Route, objects: Objects) -> Weight:
    """The largest share over all canary Ingresses."""
    shares = (share(route, objects[canary]) for _, canary in _pairs(route) if canary in objects)
    return max(shares, default=NONE)


def shift(route: Route, objects: Objects, weight: Weight) -> tuple[Write, ...]:
    """Creates, changes or deletes the canary Ingress of each pair; one that was created needs another shift."""
    if weight == NONE:
        return withdraw(route, objects)
    return tuple(_writes(route, objects, weight))


def withdraw(route: Route, objects: Objects) -> tuple[Write, ...]:
    """Deletes every canary Ingress that was seen.

    The delete carries the version seen, as every delete does (a former holder's must not hit a new one's
    object): where a shift has landed in between, the server answers 409, and reading it again is next.
    """
    return tuple(
        Delete(canary, metadata["uid"], metadata["resourceVersion"])
        for _, canary in _pairs(route)
        if canary in objects
        for metadata in (objects[canary]["metadata"],)
    )


def reached(route: Route, objects: Objects, weight: Weight) -> bool:
    """Whether every canary Ingress says so; at weight 0, whether all are gone."""
    if weight != NONE and not all(stable in objects for stable, _ in _pairs(route)):
        return False
    return not shift(route, objects, weight)


_refs = objects


def _pairs(route: Route) -> Iterator[tuple[Ref, Ref]]:
    """Stable Ingress and canary Ingress."""
    for name in settings_of(route).stable_ingresses:
        canary = canary_name(route.workload, name)
        yield Ref(INGRESS, route.namespace, name), Ref(INGRESS, route.namespace, canary)


def _writes(route: Route, objects: Objects, weight: Weight) -> Iterator[Write]:
    for stable, canary in _pairs(route):
        if stable not in objects:
            continue
        wanted = partial(canary_ingress, route, objects[stable], canary)
        if canary not in objects:
            yield Create(canary, wanted(NONE))
        elif operations := changes(objects[canary], wanted(weight)):
            yield Patch(canary, operations)
