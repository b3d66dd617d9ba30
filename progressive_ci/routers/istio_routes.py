"""Owns which http routes of a VirtualService are split, and what keeps it from being used."""

from collections.abc import Iterator

from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import Ref
from progressive_ci.model.route import Route
from progressive_ci.routers.split import Backend, Split


def splits(route: Route, names: tuple[str, ...], body: JsonObject) -> tuple[Split, ...]:
    """Every chosen http route that leads to each of both hosts once."""
    return tuple(
        Split(stable[0], canary[0], sum(one.effective for one in others))
        for stable, canary, others in (_destinations(route, body, index) for index in _chosen(names, body))
        if len(stable) == len(canary) == 1
    )


def obstacles(route: Route, names: tuple[str, ...], ref: Ref, body: JsonObject | None) -> tuple[str, ...]:
    """Why a VirtualService cannot be used, one sentence each."""
    if body is None:
        return (f"{ref} does not exist; create it, or give its document to this run",)
    chosen = _chosen(names, body)
    return (
        *_in_choice(names, ref, body),
        *(sentence for index in chosen for sentence in _in_route(route, ref, body, index)),
    )


def _http(body: JsonObject) -> list[JsonObject]:
    return body.get("spec", {}).get("http") or []


def _chosen(names: tuple[str, ...], body: JsonObject) -> tuple[int, ...]:
    """Indexes of the routes to split: those named, the first of a name each, or the only one there is."""
    http = _http(body)
    if not names:
        return (0,) if len(http) == 1 else ()
    found = [one.get("name", "") for one in http]
    return tuple(sorted({found.index(name) for name in names if name in found}))


def _in_choice(names: tuple[str, ...], ref: Ref, body: JsonObject) -> Iterator[str]:
    """Whether it is clear which routes are meant."""
    found = [one.get("name", "") for one in _http(body)]
    for name in names:
        if name not in found:
            there = ", ".join(filter(None, found)) or "none with a name"
            yield f"{ref} spec.http has no route named {name} (there is {there}); correct `routes`"
    if not names and len(found) != 1:
        yield (
            f"{ref} spec.http has {len(found)} routes and the spec names none of them; "
            "name the ones to split in trafficRouting.istio.virtualService.routes"
        )


def _in_route(route: Route, ref: Ref, body: JsonObject, index: int) -> Iterator[str]:
    """Whether both hosts are there, once each, and nobody else."""
    field = f"{ref} spec.http[{index}].route"
    stable, canary, others = _destinations(route, body, index)
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


def _destinations(
    route: Route, body: JsonObject, index: int
) -> tuple[list[Backend], list[Backend], list[Backend]]:
    """Destinations of stable, of the canary, and all others."""
    found: dict[str, list[Backend]] = {route.stable_service: [], route.canary_service: []}
    others: list[Backend] = []
    for position, entry in enumerate(_http(body)[index].get("route") or []):
        host = str(entry.get("destination", {}).get("host", ""))
        written = entry.get("weight")
        backend = Backend(
            ("spec", "http", index, "route", position),
            ("destination", "host"),
            host,
            written,
            int(written or 0),
        )
        # Upstream's rule: the part up to the first dot is the Service.
        found.get(host.partition(".")[0], others).append(backend)
    return found[route.stable_service], found[route.canary_service], others
