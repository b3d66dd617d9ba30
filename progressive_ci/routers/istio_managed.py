"""Owns the http routes that a release makes in a VirtualService: for tagged requests, and for copies of requests."""

from copy import deepcopy
from dataclasses import dataclass

from progressive_ci.model.document import JsonObject
from progressive_ci.model.route import HeaderMatch
from progressive_ci.routers.istio_routes import Names, chosen, http_of


@dataclass(frozen=True, slots=True)
class Managed:
    """A route to be made.

    Attributes:
        name: of the new route; one of that name is replaced.
        canary: where it leads: a host, and a subset where there is one.
    """

    name: str
    canary: JsonObject


def headed(
    made: Managed, names: Names, body: JsonObject, matches: tuple[HeaderMatch, ...]
) -> list[JsonObject]:
    """The http routes with one that sends every request with any of these headers to the canary.

    Args:
        made: the new route.
        names: which routes are split, and which are managed.
        body: the VirtualService.
        matches: none at all takes the route away.
    """
    others = without(body, made.name)
    if not matches:
        return others
    route = {
        "name": made.name,
        "match": [{"headers": {one.name: {one.how: one.value}}} for one in matches],
        "route": [{"destination": _with_port(made.canary, names, body), "weight": 100}],
    }
    return _ordered(names, [route, *others])


def mirrored(
    made: Managed, names: Names, body: JsonObject, matches: tuple[JsonObject, ...], percentage: int
) -> list[JsonObject]:
    """The http routes with one that also copies matching requests to the canary, and answers as before.

    Args:
        made: the new route.
        names: which routes are split, and which are managed.
        body: the VirtualService.
        matches: method, path and headers as the step has them; none at all takes the route away.
        percentage: share of the requests that is copied.
    """
    others = without(body, made.name)
    indexes = chosen(names, body)
    if not matches or not indexes:
        return others
    route = {
        "name": made.name,
        "match": [{"uri" if key == "path" else key: value for key, value in one.items()} for one in matches],
        "route": deepcopy(http_of(body)[indexes[0]].get("route", [])),
        "mirror": _with_port(made.canary, names, body),
        "mirrorPercentage": {"value": percentage},
    }
    return _ordered(names, [route, *others])


def without(body: JsonObject, *names: str) -> list[JsonObject]:
    """The http routes but those of these names."""
    return [one for one in http_of(body) if one.get("name", "") not in names]


def _with_port(canary: JsonObject, names: Names, body: JsonObject) -> JsonObject:
    """The canary as a destination, with the port that the split route leads to."""
    for index in chosen(names, body)[:1]:
        for first in (http_of(body)[index].get("route") or [])[:1]:
            if "port" in first.get("destination", {}):
                return {**canary, "port": first["destination"]["port"]}
    return canary


def _ordered(names: Names, http: list[JsonObject]) -> list[JsonObject]:
    """Managed routes on top, in the order in which the spec has them: the first that matches wins."""

    def rank(one: JsonObject) -> int:
        name = one.get("name", "")
        return names.managed.index(name) if name in names.managed else len(names.managed)

    return sorted(http, key=rank)
