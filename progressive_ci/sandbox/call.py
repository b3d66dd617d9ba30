"""One request to the simulated API server, and what its path means."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import Kind, Ref
from progressive_ci.ports import HttpResponse
from progressive_ci.sandbox import status
from progressive_ci.sandbox.resources import BY_PLURAL, GROUPS, Resource


@dataclass(frozen=True, slots=True)
class Call:
    """A request as it arrives.

    Attributes:
        method: as HTTP names it.
        path: without the query.
        query: parameters, decoded.
        body: what JSON can hold, form text for a proxied POST, or None.
        content_type: of the body.
        user: who the credential belongs to; empty for none that is known.
        agent: name that managed fields get when the query gives none.
    """

    method: str
    path: str
    query: Mapping[str, str]
    body: object | None
    content_type: str
    user: str
    agent: str = "unknown"

    @property
    def dry(self) -> bool:
        """Whether nothing may be stored; a delete with a body says it there, and only there."""
        if self.method == "DELETE" and isinstance(self.body, dict):
            return self.body.get("dryRun") == ["All"]
        return self.query.get("dryRun") == "All"

    @property
    def manager(self) -> str:
        """Who the changed fields belong to."""
        return self.query.get("fieldManager") or self.agent


@dataclass(frozen=True, slots=True)
class Answer:
    """A response before it becomes bytes.

    Attributes:
        code: HTTP status.
        body: an object, or text.
        content_type: of the body.
        headers: further ones.
    """

    code: int
    body: JsonObject | str | bytes
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


def rendered(answer: Answer) -> HttpResponse:
    """An answer as bytes."""
    headers = {"Content-Type": answer.content_type, **dict(answer.headers)}
    match answer.body:
        case bytes() as body:
            return HttpResponse(answer.code, headers, body)
        case str() as text:
            return HttpResponse(answer.code, headers, text.encode())
        case obj:
            return HttpResponse(answer.code, headers, json.dumps(obj).encode())


@dataclass(frozen=True, slots=True)
class Target:
    """What a path names.

    Attributes:
        resource: the served resource.
        version: that the path asks for.
        namespace: empty for none.
        name: empty for the collection.
        subresource: `status`, `scale`, `log`, `proxy` or empty.
        rest: path behind `proxy`.
    """

    resource: Resource
    version: str
    namespace: str
    name: str
    subresource: str
    rest: str

    @property
    def kind(self) -> Kind:
        """The kind that documents are stored as."""
        return self.resource.kind

    @property
    def ref(self) -> Ref:
        """The object's address."""
        return Ref(self.kind, self.namespace, self.name)

    @property
    def api_version(self) -> str:
        """As documents of this request write it."""
        return f"{self.kind.group}/{self.version}" if self.kind.group else self.version


def target(path: str) -> Target:
    """What a path names.

    Raises:
        status.Refusal: 404, nothing is served there.
    """
    parts = path.strip("/").split("/")
    match parts:
        case ["api", version, *tail]:
            group = ""
        case ["apis", group, version, *tail]:
            pass
        case _:
            raise status.no_group()
    namespace = ""
    # `/namespaces/x` is an object itself, `/namespaces/x/pods` a collection within it.
    if tail[:1] == ["namespaces"] and len(tail) > 2 and tail[2] not in {"status", "finalize"}:  # noqa: PLR2004 - parts of a path
        namespace, tail = tail[1], tail[2:]
    plural, name, subresource, *rest = [*tail, "", "", ""][: max(3, len(tail))]
    if group not in GROUPS:
        raise status.no_group()
    resource = BY_PLURAL.get((group, plural))
    if resource is None or version not in resource.versions:
        raise status.no_resource()
    if resource.kind.namespaced and name and not namespace:
        raise status.no_resource()
    return Target(resource, version, namespace, name, subresource, "/".join(rest))


VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


def verb(call: Call, place: Target) -> str:
    """The verb that a role must grant."""
    if place.name or call.method not in {"GET", "DELETE"}:
        return VERBS.get(call.method, "")
    if call.method == "DELETE":
        return "deletecollection"
    return "watch" if watches(call) else "list"


def watches(call: Call) -> bool:
    """Whether the request asks for a stream of changes."""
    return call.query.get("watch", "") in {"1", "true", "True"}
