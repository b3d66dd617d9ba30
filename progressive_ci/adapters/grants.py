"""Whether a list of rules, as the API server tells them, holds a right."""

from collections.abc import Iterable

from progressive_ci.model.document import JsonObject
from progressive_ci.ports import Access


def grants(rules: Iterable[JsonObject], access: Access) -> bool:
    """Whether one of the rules holds the right; one that is bound to names holds it for these only."""
    return any(_grants(rule, access) for rule in rules)


def _grants(rule: JsonObject, access: Access) -> bool:
    names = rule.get("resourceNames") or ()
    resource = f"{access.resource}/{access.subresource}" if access.subresource else access.resource
    return (
        _holds(rule.get("verbs"), access.verb)
        and _holds(rule.get("apiGroups"), access.group)
        and _holds(rule.get("resources"), resource)
        and (not names or access.name in names)
    )


def _holds(values: Iterable[str] | None, wanted: str) -> bool:
    return bool({"*", wanted} & set(values or ()))
