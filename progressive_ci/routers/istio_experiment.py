"""Owns how an experiment's Services share an http route of a VirtualService with stable and canary."""

from collections.abc import Mapping

from progressive_ci.model.document import JsonObject
from progressive_ci.model.route import Route
from progressive_ci.model.weight import Weight
from progressive_ci.model.write import add, pointer, test
from progressive_ci.routers.istio_routes import Names, chosen, destinations


def shared(
    route: Route, names: Names, body: JsonObject, weight: Weight, extras: Mapping[str, int]
) -> tuple[JsonObject, ...]:
    """Operations that give the canary its weight, every extra Service its own, and stable the rest.

    Args:
        route: names both Services.
        names: which routes are split, and which are managed.
        body: the VirtualService.
        weight: of the canary.
        extras: weight of each further Service; one that is no destination yet is appended, in order of names.
    """
    rest = max(0, weight.rest.percent - sum(extras.values()))
    operations: list[JsonObject] = []
    for index in chosen(names, body):
        stable, canary, others = destinations(route, body, index)
        known = [(one, extras[one.name]) for one in others if one.name in extras]
        placed = [(stable[0], rest), (canary[0], weight.percent), *known]
        for backend, share in placed:
            operations.append(test(pointer(*backend.path, *backend.identity), backend.name))
            operations.append(add(pointer(*backend.path, "weight"), share))
        for host in sorted(set(extras) - {backend.name for backend, _ in known}):
            entry = {"destination": {"host": host}, "weight": extras[host]}
            operations.append(add(pointer("spec", "http", index, "route", "-"), entry))
    return tuple(sorted(operations, key=lambda operation: operation["op"] != "test"))
