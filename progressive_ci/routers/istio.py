"""Istio: weights of two destinations in the http routes of VirtualServices, told apart by their host."""

from collections.abc import Iterator

from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import VIRTUAL_SERVICE, Kind, Ref
from progressive_ci.model.route import IstioSettings, Route, VirtualServiceRef
from progressive_ci.model.weight import NONE, Weight
from progressive_ci.model.write import Write
from progressive_ci.routers.istio_routes import Names, obstacles, splits
from progressive_ci.routers.router import Objects
from progressive_ci.routers.split import carried, move, patches, place, says

NAME = "istio"
OBJECT = "VirtualService (weights of destinations)"
ACKNOWLEDGES = False
SETTLE = 10.0
SURVEYS: tuple[Kind, ...] = ()


def objects(route: Route) -> tuple[Ref, ...]:
    """The VirtualServices."""
    return tuple(_ref(one) for one in _settings(route).virtual_services)


def complaints(route: Route, objects: Objects) -> tuple[str, ...]:
    """What stands in the way, for every VirtualService."""
    return tuple(
        sentence
        for one in _settings(route).virtual_services
        for sentence in obstacles(route, _names(route, one), _ref(one), objects.get(_ref(one)))
    )


def weight(route: Route, objects: Objects) -> Weight:
    """The largest share over all split routes."""
    shares = (
        carried(split)
        for one, body in _seen(route, objects)
        for split in splits(route, _names(route, one), body)
    )
    return max(shares, default=NONE)


def shift(route: Route, objects: Objects, weight: Weight) -> tuple[Write, ...]:
    """One patch for each VirtualService that says anything else."""
    return patches(
        (
            _ref(one),
            tuple(op for split in splits(route, _names(route, one), body) for op in move(split, weight)),
        )
        for one, body in _seen(route, objects)
    )


def withdraw(route: Route, objects: Objects) -> tuple[Write, ...]:
    """Canary 0 and stable 100 in every split route."""
    return patches(
        (
            _ref(one),
            tuple(op for split in splits(route, _names(route, one), body) for op in place(split, NONE)),
        )
        for one, body in _seen(route, objects)
    )


def reached(route: Route, objects: Objects, weight: Weight) -> bool:
    """Whether every split route says so, and istiod has seen it where it writes a status at all.

    A VirtualService that is gone carries nothing, which is all that weight 0 asks for.
    """
    return all(
        _reached(route, one, objects[_ref(one)], weight) if _ref(one) in objects else weight == NONE
        for one in _settings(route).virtual_services
    )


def _settings(route: Route) -> IstioSettings:
    if not isinstance(route.settings, IstioSettings):
        raise TypeError(f"the router {NAME} was given {type(route.settings).__name__}")
    return route.settings


def _ref(one: VirtualServiceRef) -> Ref:
    return Ref(VIRTUAL_SERVICE, one.namespace, one.name)


def _names(route: Route, one: VirtualServiceRef) -> Names:
    return Names(one.routes, _settings(route).managed_routes)


def _seen(route: Route, objects: Objects) -> Iterator[tuple[VirtualServiceRef, JsonObject]]:
    """The VirtualServices that exist."""
    return ((one, objects[_ref(one)]) for one in _settings(route).virtual_services if _ref(one) in objects)


def _reached(route: Route, one: VirtualServiceRef, body: JsonObject, weight: Weight) -> bool:
    found = splits(route, _names(route, one), body)
    if not found:
        return weight == NONE
    generation = body["metadata"].get("generation", 0)
    observed = int(body.get("status", {}).get("observedGeneration", generation))
    return all(says(split, weight) for split in found) and observed >= generation
