"""What is sent to the API server for each kind of write; no network, no time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never

from progressive_ci.adapters.answers import Asked
from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import SECRET, Ref, collection_path
from progressive_ci.model.write import Create, Delete, Merge, Patch, Write

_MANAGER = "progressive-ci"
_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Request:
    """One request, before it becomes bytes; `asked` is how messages speak of it."""

    method: str
    path: str
    asked: Asked
    query: Mapping[str, str]
    body: object | None = None
    content_type: str = _JSON


def of_write(write: Write, *, dry_run: bool) -> Request:
    """The request of a write."""
    ref, query = write.ref, {"dryRun": "All"} if dry_run else {}
    named, secret = {**query, "fieldManager": _MANAGER}, ref.kind == SECRET
    match write:
        case Create():
            path = collection_path(ref.kind, ref.namespace)
            return Request("POST", path, Asked("create", str(ref), secret=secret), named, write.body)
        case Delete():
            options = _delete_options(write, dry_run=dry_run)
            return Request("DELETE", ref.path, Asked("delete", str(ref)), query, options)
        case Patch():
            asked = Asked("patch", str(ref), secret=secret)
            operations = list(write.operations)
            return Request("PATCH", ref.path, asked, named, operations, "application/json-patch+json")
        case Merge():
            asked = Asked("patch", str(ref), secret=secret)
            return Request("PATCH", ref.path, asked, named, write.body, "application/merge-patch+json")
        case _:
            assert_never(write)


def of_apply(ref: Ref, document: JsonObject) -> Request:
    """The request of a server-side apply without force."""
    body = {**document, "metadata": {**document["metadata"]}}
    if ref.kind.namespaced:
        body["metadata"]["namespace"] = ref.namespace
    asked = Asked("apply", str(ref), secret=ref.kind == SECRET)
    query = {"fieldManager": _MANAGER}
    return Request("PATCH", ref.path, asked, query, body, "application/apply-patch+yaml")


def _delete_options(write: Delete, *, dry_run: bool) -> JsonObject:
    """The body of a delete. With a body the API server does not look at the query: a dry run must stand here."""
    preconditions = {"uid": write.uid}
    if write.resource_version:
        preconditions["resourceVersion"] = write.resource_version
    return {
        "kind": "DeleteOptions",
        "apiVersion": "v1",
        "propagationPolicy": "Background",
        "preconditions": preconditions,
        **({"dryRun": ["All"]} if dry_run else {}),
    }
