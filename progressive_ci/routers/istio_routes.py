"""Owns which http routes of a VirtualService are split, and what keeps it from being used."""

from collections.abc import Iterator
from dataclasses import dataclass

from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import Ref
from progressive_ci.model.route import Route
from progressive_ci.routers.split import Backend, Split


@dataclass(frozen=True, slots=True)
class Names:
    """Which http routes are meant.

    Attributes:
        split: those whose weights are written; none means the only one that is not managed.
        managed: those that the release itself makes.
    """

    split: tuple[str, ...] = ()
    managed: tuple[str, ...] = ()


def splits(route: Route, names: Names, body: JsonObject) -> tuple[Split, ...]:
    """Every chosen http route that leads to each of both hosts once, and every managed mirror of one."""
    found = (destinations(route, body, index) for index in (*_mirrors(names, body), *chosen(names, body)))
    return tuple(
        Split(stable[0], canary[0], sum(one.effective for one in others))
        for stable, canary, others in found
        if len(stable) == len(canary) == 1
    )


def obstacles(route: Route, names: Names, ref: Ref, body: JsonObject | None) -> tuple[str, ...]:
    """Why a VirtualService cannot be used, one sentence each."""
    if body is None:
        return (f"{ref} does not exist; create it, or give its document to this run",)
    return (
        *_in_choice(names, ref, body),
        *(sentence for index in chosen(names, body) for sentence in _in_route(route, ref, body, index)),
    )


def http_of(body: JsonObject) -> list[JsonObject]:
    """The http routes of a VirtualService."""
    return body.get("spec", {}).get("http") or []


def chosen(names: Names, body: JsonObject) -> tuple[int, ...]:
    """Indexes of the routes to split: those named, the first of a name each, or the only one there is."""
    found = [one.get("name", "") for one in http_of(body)]
    if names.split:
        return tuple(sorted({found.index(name) for name in names.split if name in found}))
    free = tuple(index for index, name in enumerate(found) if name not in names.managed)
    return free if len(free) == 1 else ()


def destinations(
    route: Route, body: JsonObject, index: int
) -> tuple[list[Backend], list[Backend], list[Backend]]:
    """Destinations of stable, of the canary, and all others."""
    found: dict[str, list[Backend]] = {route.stable_service: [], route.canary_service: []}
    others: list[Backend] = []
    for position, entry in enumerate(http_of(body)[index].get("route") or []):
        host = str(entry.get("destination", {}).get("host", ""))
        written = entry.get("weight")
        path = ("spec", "http", index, "route", position)
        backend = Backend(path, ("destination", "host"), host, written, int(written or 0))
        # Upstream's rule: the part up to the first dot is the Service.
        found.get(host.partition(".")[0], others).append(backend)
    return found[route.stable_service], found[route.canary_service], others


def _mirrors(names: Names, body: JsonObject) -> tuple[int, ...]:
    """Managed routes that copy requests to the canary carry the weights of the route they were made from."""
    return tuple(
        index
        for index, one in enumerate(http_of(body))
        if "mirror" in one and one.get("name", "") in names.managed and index not in chosen(names, body)
    )


def _in_choice(names: Names, ref: Ref, body: JsonObject) -> Iterator[str]:
    """Whether it is clear which routes are meant."""
    found = [one.get("name", "") for one in http_of(body)]
    for name in names.split:
        if name not in found:
            there = ", ".join(filter(None, found)) or "none with a name"
            yield f"{ref} spec.http has no route named {name} (there is {there}); correct `routes`"
    free = [name for name in found if name not in names.managed]
    if not names.split and len(free) != 1:
        yield (
            f"{ref} spec.http has {len(free)} routes and the spec names none of them; "
            "name the ones to split in trafficRouting.istio.virtualService.routes"
        )


def _in_route(route: Route, ref: Ref, body: JsonObject, index: int) -> Iterator[str]:
    """Whether both hosts are there, once each, and nobody else."""
    field = f"{ref} spec.http[{index}].route"
    stable, canary, others = destinations(route, body, index)
    for service, entries in ((route.stable_service, stable), (route.canary_service, canary)):
        if not entries:
            yield f"{field} has no destination with the host {service}; add it, its weight does not matter"
        if len(entries) > 1:
            yield f"{field} has {len(entries)} destinations with the host {service}; name each host once"
    foreign = sorted({one.name for one in others if one.effective})
    if foreign:
        yield (
            f"{field} also gives weight to {', '.join(foreign)}, so the weights would not add up to 100; "
            "take it out of the route or set its weight to 0"
        )
