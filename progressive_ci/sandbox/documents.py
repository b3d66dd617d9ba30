"""The document in a request's body: whether it belongs there, and what of it is stored."""

from progressive_ci.model.document import JsonObject
from progressive_ci.sandbox import status
from progressive_ci.sandbox.call import Call, Target
from progressive_ci.sandbox.omissions import stored


def read(call: Call, place: Target) -> JsonObject:
    """The object, without what is never stored.

    Raises:
        status.Refusal: 400, it does not belong to this path or can't be read.
    """
    body = call.body
    if not isinstance(body, dict) or not isinstance(body.get("metadata", {}), dict):
        raise status.bad_request(
            "the object provided is unrecognized (must be of type " + place.kind.name + ")"
        )
    obj: JsonObject = stored(body, custom=place.resource.custom)
    obj.setdefault("metadata", {})
    _demand_types(place, obj)
    if place.resource.custom and not obj.get("kind"):
        raise status.bad_request(
            f"the object provided is unrecognized (must be of type {place.kind.name}): Object 'Kind' is missing"
        )
    if obj.get("kind", place.kind.name) != place.kind.name:
        raise status.bad_request(
            f'{obj["kind"]} in version "{place.version}" cannot be handled as a {place.kind.name}: converting'
            f" ({place.version}.{obj['kind']}) to (core.{place.kind.name}): unknown conversion"
        )
    if obj.get("apiVersion", place.api_version) != place.api_version:
        raise status.bad_request(
            f"the API version in the data ({obj['apiVersion']}) does not match the expected API version"
            f" ({place.api_version})"
        )
    if place.namespace and obj["metadata"].get("namespace", place.namespace) != place.namespace:
        raise status.bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    return obj


def _demand_types(place: Target, obj: JsonObject) -> None:
    """Refuse the one wrong type that templates produce again and again: a number that is a text."""
    spec = obj.get("spec")
    replicas = spec.get("replicas") if isinstance(spec, dict) else None
    if place.kind.group == "apps" and replicas is not None and not isinstance(replicas, int):
        raise status.bad_request(
            f'{place.kind.name} in version "{place.version}" cannot be handled as a {place.kind.name}: json:'
            f" cannot unmarshal string into Go struct field {place.kind.name}Spec.spec.replicas of type int32"
        )
