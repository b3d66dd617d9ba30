"""The Status bodies with which an API server says no, word for word as the real one writes them."""

from typing import Any

from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import Kind


class Refusal(Exception):
    """An answer other than success; carries its code and its Status body."""

    def __init__(self, body: JsonObject, headers: dict[str, str] | None = None) -> None:
        super().__init__(body["message"])
        self.code = int(body["code"])
        self.body = body
        self.headers = headers or {}


def failure(
    code: int,
    reason: str,
    message: str,
    *,
    details: JsonObject | None = None,
    headers: dict[str, str] | None = None,
) -> Refusal:
    """Any refusal."""
    body: JsonObject = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code,
    }
    if details is not None:
        body["details"] = details
    return Refusal(body, headers)


def success(kind: Kind, name: str, uid: str) -> JsonObject:
    """What a delete answers once the object is gone."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {**details(kind, name), "uid": uid},
    }


def qualified(kind: Kind) -> str:
    """The resource as messages name it: `deployments.apps`."""
    return f"{kind.plural}.{kind.group}" if kind.group else kind.plural


def details(kind: Kind, name: str) -> JsonObject:
    """Name, group and resource."""
    return {
        **({"name": name} if name else {}),
        **({"group": kind.group} if kind.group else {}),
        "kind": kind.plural,
    }


def not_found(kind: Kind, name: str) -> Refusal:
    """404 for an object."""
    return failure(404, "NotFound", f'{qualified(kind)} "{name}" not found', details=details(kind, name))


def no_resource() -> Refusal:
    """404 for a resource that nothing serves in a group that is served."""
    return failure(404, "NotFound", "the server could not find the requested resource", details={})


def no_group() -> Refusal:
    """404 for a path below which nothing is served; the real answer is plain text."""
    return Refusal({"message": "404 page not found", "code": 404})


def already_exists(kind: Kind, name: str) -> Refusal:
    """409 on create."""
    message = f'{qualified(kind)} "{name}" already exists'
    return failure(409, "AlreadyExists", message, details=details(kind, name))


CHANGED = "the object has been modified; please apply your changes to the latest version and try again"


def conflict(kind: Kind, name: str, why: str = CHANGED) -> Refusal:
    """409 on a precondition."""
    message = f'Operation cannot be fulfilled on {qualified(kind)} "{name}": {why}'
    return failure(409, "Conflict", message, details=details(kind, name))


def bad_request(message: str) -> Refusal:
    """400."""
    return failure(400, "BadRequest", message)


def method_not_allowed() -> Refusal:
    """405."""
    return failure(
        405, "MethodNotAllowed", "the server does not allow this method on the requested resource", details={}
    )


def patch_refused() -> Refusal:
    """422 for a JSON patch that does not apply, a failed `test` above all."""
    return failure(
        422, "Invalid", "the server rejected our request due to an error in our request", details={}
    )


def unsupported_patch() -> Refusal:
    """415."""
    return failure(415, "UnsupportedMediaType", "415: Unsupported Media Type", details={})


def invalid(kind: Kind, name: str, causes: list[JsonObject]) -> Refusal:
    """422 with its causes."""
    title = f"{kind.name}.{kind.group}" if kind.group else kind.name
    return _invalid(title, {**details(kind, name), "kind": kind.name}, causes)


def _invalid(title: str, found: JsonObject, causes: list[JsonObject]) -> Refusal:
    texts = [f"{cause['field']}: {cause['message']}" for cause in causes]
    text = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    message = f'{title} "{found.get("name", "")}" is invalid: {text}'
    return failure(422, "Invalid", message, details={**found, "causes": causes})


def version_required(kind: Kind, name: str) -> Refusal:
    """422 for a replacement that must name the version it rests on."""
    fault = cause(
        "FieldValueInvalid", "metadata.resourceVersion", "Invalid value: 0: must be specified for an update"
    )
    return _invalid(qualified(kind), details(kind, name), [fault])


def manager_required() -> Refusal:
    """422 for an apply without a field manager."""
    fault = cause("FieldValueRequired", "fieldManager", "Required value: is required for apply patch")
    return _invalid("PatchOptions.meta.k8s.io", {"group": "meta.k8s.io", "kind": "PatchOptions"}, [fault])


def precondition(kind: Kind, name: str, why: str) -> Refusal:
    """409 for a deletion of another object than the one meant; it names the kind, not the resource."""
    found = {**details(kind, name), "kind": kind.name}
    title = f"{kind.name}.{kind.group}" if kind.group else kind.name
    return failure(
        409, "Conflict", f'Operation cannot be fulfilled on {title} "{name}": {why}', details=found
    )


def cause(reason: str, field: str, message: str) -> JsonObject:
    """One fault of an invalid object."""
    return {"reason": reason, "message": message, "field": field}


def expired(asked: int, oldest: int) -> Refusal:
    """410: the history does not reach that far back."""
    return failure(410, "Expired", f"too old resource version: {asked} ({oldest})")


def unauthorized() -> Refusal:
    """401."""
    return failure(401, "Unauthorized", "Unauthorized")


def forbidden(user: str, verb: str, place: tuple[Kind, str, str, str]) -> Refusal:
    """403.

    Args:
        user: who asked.
        verb: for what.
        place: kind, subresource, namespace and name.
    """
    kind, subresource, namespace, name = place
    resource = f"{kind.plural}/{subresource}" if subresource else kind.plural
    where = f' in the namespace "{namespace}"' if namespace else " at the cluster scope"
    subject = f'{qualified(kind)} "{name}"' if name else qualified(kind)
    message = (
        f'{subject} is forbidden: User "{user}" cannot {verb} resource "{resource}"'
        f' in API group "{kind.group}"{where}'
    )
    return failure(403, "Forbidden", message, details=details(kind, name))


def too_many_requests(retry_after: int) -> Refusal:
    """429."""
    return failure(
        429,
        "TooManyRequests",
        "too many requests",
        details={"retryAfterSeconds": retry_after},
        headers={"Retry-After": str(retry_after)},
    )


def server_error(code: int = 500, message: str = "etcdserver: request timed out") -> Refusal:
    """5xx."""
    reasons: dict[int, Any] = {500: "InternalError", 503: "ServiceUnavailable", 504: "Timeout"}
    return failure(code, reasons.get(code, "InternalError"), message, details={})
