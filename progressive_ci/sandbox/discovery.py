"""What the simulated API server says of the kinds that it serves: `/apis`, and each group and version."""

from progressive_ci.model.document import JsonObject
from progressive_ci.sandbox.resources import TABLE, Resource


def listed(path: str) -> JsonObject | None:
    """What `/apis`, `/api/v1` and `/apis/GROUP/VERSION` answer; None for a path of another kind."""
    match path.split("/"):
        case ["", "apis"]:
            return _groups()
        case ["", "api", version]:
            return _resources("", version)
        case ["", "apis", group, version]:
            return _resources(group, version)
        case _:
            return None


def _groups() -> JsonObject:
    """Every group but the core one, with its versions."""
    versions: dict[str, dict[str, None]] = {}
    for resource in TABLE:
        if resource.kind.group:
            versions.setdefault(resource.kind.group, {}).update(dict.fromkeys(resource.versions))
    groups = [
        {
            "name": group,
            "versions": [{"groupVersion": f"{group}/{version}", "version": version} for version in found],
            "preferredVersion": {"groupVersion": f"{group}/{first}", "version": first},
        }
        for group, found in versions.items()
        for first in (next(iter(found)),)
    ]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def _resources(group: str, version: str) -> JsonObject | None:
    served = [each for each in TABLE if each.kind.group == group and version in each.versions]
    if not served:
        return None
    entries = [entry for each in served for entry in _entries(each)]
    written = f"{group}/{version}" if group else version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": written, "resources": entries}


def _entries(resource: Resource) -> list[JsonObject]:
    """The resource itself and its subresources, which have the same kind or one of their own."""
    kind = resource.kind
    parts = [part for part, there in (("status", resource.status), ("scale", resource.scale)) if there]
    return [
        {
            "name": "/".join((kind.plural, *part)),
            "singularName": "" if part else kind.name.lower(),
            "namespaced": kind.namespaced,
            "kind": "Scale" if part == ("scale",) else kind.name,
            "verbs": ["get", "patch", "update"],
        }
        for part in ((), *((part,) for part in parts))
    ]
