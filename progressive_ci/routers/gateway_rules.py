"""Owns which rules of a Gateway API route are split, and what keeps a route from being used."""

from collections.abc import Iterator

from progressive_ci.model.document import JsonObject
from progressive_ci.model.fence import is_marked, labels_of
from progressive_ci.model.kinds import Ref
from progressive_ci.model.route import Route
from progressive_ci.routers.gateway_status import accepted, refusal
from progressive_ci.routers.split import Backend, Split

WEIGHT_IF_ABSENT = 1
"""What the Gateway API makes of a backendRef without a weight."""


def splits(route: Route, body: JsonObject) -> tuple[Split, ...]:
    """Every rule that holds each of both Services once."""
    return tuple(
        Split(stable[0], canary[0], sum(one.effective for one in others))
        for _, stable, canary, others in _rules(route, body)
        if len(stable) == len(canary) == 1
    )


def obstacles(
    route: Route, ref: Ref, body: JsonObject | None, label: tuple[str, str] | None
) -> tuple[str, ...]:
    """Why a route object cannot be used, one sentence each."""
    if body is None:
        return (f"{ref} does not exist; create it, or give its document to this run",)
    return (*_in_rules(route, ref, body), *_in_metadata(ref, body, label), *_in_status(ref, body))


Rule = tuple[int, list[Backend], list[Backend], list[Backend]]
"""Index, entries of stable, entries of the canary, every other entry."""


def _rules(route: Route, body: JsonObject) -> Iterator[Rule]:
    for index, rule in enumerate(body.get("spec", {}).get("rules") or []):
        found: dict[str, list[Backend]] = {"stable": [], "canary": [], "other": []}
        for position, entry in enumerate(rule.get("backendRefs") or []):
            side = _side(route, body, entry)
            path = ("spec", "rules", index, "backendRefs", position)
            written = entry.get("weight")
            effective = WEIGHT_IF_ABSENT if written is None else int(written)
            found[side].append(Backend(path, ("name",), entry["name"], written, effective))
        yield index, found["stable"], found["canary"], found["other"]


def _side(route: Route, body: JsonObject, entry: JsonObject) -> str:
    """Whose Service an entry names."""
    home = body["metadata"].get("namespace", route.namespace)
    is_service = (entry.get("group", ""), entry.get("kind", "Service")) == ("", "Service")
    if is_service and entry.get("namespace", home) == route.namespace:
        names = {route.stable_service: "stable", route.canary_service: "canary"}
        return names.get(entry["name"], "other")
    return "other"


def _in_rules(route: Route, ref: Ref, body: JsonObject) -> Iterator[str]:
    both = f"{route.stable_service} and {route.canary_service}"
    split = False
    for index, stable, canary, others in _rules(route, body):
        if not stable or not canary:
            continue
        split = True
        field = f"{ref} spec.rules[{index}].backendRefs"
        if len(stable) > 1 or len(canary) > 1:
            either = f"{route.stable_service} or {route.canary_service}"
            yield f"{field} names {either} more than once; name each Service once in a rule"
        foreign = sorted({one.name for one in others if one.effective})
        if foreign:
            yield (
                f"{field} also gives weight to {', '.join(foreign)}, so the weights would not add up to 100; "
                "take it out of the rule or set its weight to 0"
            )
    if not split:
        yield f"{ref} spec.rules has no rule whose backendRefs name both {both}; add the missing Service"


def _in_metadata(ref: Ref, body: JsonObject, label: tuple[str, str] | None) -> Iterator[str]:
    """The label without our epoch is another tool's release."""
    if label is not None and labels_of(body).get(label[0]) == label[1] and not is_marked(body):
        yield (
            f"{ref} metadata.labels[{label[0]}] says that another tool is releasing a canary here; "
            "let it finish, or remove the label if it is gone"
        )


def _in_status(ref: Ref, body: JsonObject) -> Iterator[str]:
    """Only of an object that exists: a document that is still to be created has no uid."""
    if "uid" in body["metadata"] and not accepted(body):
        because = refusal(body)
        detail = f" ({because})" if because else ""
        yield (
            f"{ref} status.parents: no Gateway has accepted this route{detail}; "
            "look at its parentRefs and whether the Gateway's controller runs"
        )
