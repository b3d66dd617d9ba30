"""Owns what a Gateway's controller says about a route in `status.parents`."""

from collections.abc import Iterator

from progressive_ci.model.document import JsonObject

ACCEPTED = "Accepted"


def accepted(body: JsonObject) -> bool:
    """Whether at least one Gateway serves the route."""
    return any(_is_true(condition) for condition in _conditions(body))


def looked_at(body: JsonObject) -> bool:
    """Whether every Gateway has decided about this generation, and one at least serves it.

    Entries of Gateways that the route no longer names are left out: nobody updates those any more.
    """
    generation = body["metadata"].get("generation", 0)
    found = tuple(_conditions(body))
    fresh = all(
        condition is not None and condition.get("observedGeneration", 0) >= generation for condition in found
    )
    return fresh and any(_is_true(condition) for condition in found)


def refusal(body: JsonObject) -> str:
    """Reason and message of the first refusal, empty where there is none."""
    for condition in _conditions(body):
        if condition is not None and not _is_true(condition):
            return ": ".join(filter(None, (condition.get("reason", ""), condition.get("message", ""))))
    return ""


def _conditions(body: JsonObject) -> Iterator[JsonObject | None]:
    """The `Accepted` condition of every Gateway that the route names; None where one has not said it."""
    wanted = [_parent(reference, body) for reference in body.get("spec", {}).get("parentRefs") or []]
    for entry in body.get("status", {}).get("parents") or []:
        if not wanted or _parent(entry.get("parentRef", {}), body) in wanted:
            said = (one for one in entry.get("conditions") or [] if one.get("type") == ACCEPTED)
            yield next(said, None)


def _parent(reference: JsonObject, body: JsonObject) -> tuple[object, ...]:
    """A parentRef with its defaults filled in, so that spec and status compare."""
    return (
        reference.get("group", "gateway.networking.k8s.io"),
        reference.get("kind", "Gateway"),
        reference.get("namespace", body["metadata"].get("namespace")),
        reference.get("name"),
        reference.get("sectionName"),
        reference.get("port"),
    )


def _is_true(condition: JsonObject | None) -> bool:
    return condition is not None and condition.get("status") == "True"
