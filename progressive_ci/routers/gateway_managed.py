"""Owns the rules that a release makes in a Gateway API route: tagged requests go to the canary alone."""

import re

from progressive_ci.model.document import JsonObject
from progressive_ci.model.route import HeaderMatch, Route
from progressive_ci.routers.gateway_rules import splits


def headed(route: Route, body: JsonObject, name: str, matches: tuple[HeaderMatch, ...]) -> list[JsonObject]:
    """The rules with one more for each split rule, for requests that have all of these headers.

    The new rules come last: the Gateway API lets the rule with more header matches win, wherever it stands.

    Args:
        route: names both Services.
        body: the route object.
        name: of the first new rule; rules of that name are replaced.
        matches: none at all takes the rules away.
    """
    others = without(body, name)
    if not matches:
        return others
    headers = [_header(one) for one in matches]
    sources = [body["spec"]["rules"][split.canary.path[2]] for split in splits(route, body)]
    made = [
        {
            "name": f"{name}-{index}" if index else name,
            "matches": [
                {**match, "headers": [*match.get("headers", []), *headers]}
                for match in source.get("matches") or [{}]
            ],
            "filters": list(source.get("filters") or []),
            "backendRefs": [_canary(route, source)],
        }
        for index, source in enumerate(sources)
    ]
    return [*others, *made]


def without(body: JsonObject, *names: str) -> list[JsonObject]:
    """The rules but those that a release made under these names."""
    own = re.compile("|".join(rf"{re.escape(name)}(-\d+)?" for name in names))
    return [rule for rule in body["spec"]["rules"] if not own.fullmatch(rule.get("name", ""))]


def _header(one: HeaderMatch) -> JsonObject:
    """The Gateway API knows no prefix: it is the regular expression that begins with it."""
    if one.how == "exact":
        return {"name": one.name, "type": "Exact", "value": one.value}
    value = f"{one.value}.*" if one.how == "prefix" else one.value
    return {"name": one.name, "type": "RegularExpression", "value": value}


def _canary(route: Route, source: JsonObject) -> JsonObject:
    """The canary's entry of a split rule, without its weight."""
    entry = next(one for one in source["backendRefs"] if one["name"] == route.canary_service)
    port = {"port": entry["port"]} if "port" in entry else {}
    return {"group": "", "kind": "Service", "name": route.canary_service, **port}
