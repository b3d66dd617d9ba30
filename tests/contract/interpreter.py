"""As much of an API server as a router's writes need: strict preconditions, versions, no empty maps."""

import jsonpatch

from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import Ref
from progressive_ci.model.write import Create, Delete, Merge, Patch, Write
from tests.contract.samples import Cluster


class PreconditionFailed(Exception):
    """404, 409 or 422: nothing was written."""


def apply(objects: Cluster, *writes: Write) -> None:
    """Carry writes out one after the other."""
    for write in writes:
        match write:
            case Patch(ref, operations):
                _patch(objects, ref, operations)
            case Create(ref, body):
                _create(objects, ref, body)
            case Delete(ref, uid, version):
                _delete(objects, ref, uid, version)
            case Merge():
                raise AssertionError("routers write no merge patches")


def _patch(objects: Cluster, ref: Ref, operations: tuple[JsonObject, ...]) -> None:
    if ref not in objects:
        raise PreconditionFailed(f"{ref} is not there")
    before = objects[ref]
    try:
        after: JsonObject = jsonpatch.apply_patch(before, list(operations))
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException) as error:
        raise PreconditionFailed(str(error)) from error
    for field in ("labels", "annotations"):
        if after["metadata"].get(field) == {}:
            del after["metadata"][field]
    if after != before:
        metadata = after["metadata"]
        metadata["resourceVersion"] = str(int(metadata["resourceVersion"]) + 1)
        metadata["generation"] += after["spec"] != before["spec"]
    objects[ref] = after


def _create(objects: Cluster, ref: Ref, body: JsonObject) -> None:
    if ref in objects:
        raise PreconditionFailed(f"{ref} exists")
    given = {"uid": f"uid of {ref}", "resourceVersion": "1", "generation": 1}
    objects[ref] = {**body, "metadata": {**body["metadata"], **given}}


def _delete(objects: Cluster, ref: Ref, uid: str, version: str) -> None:
    metadata = objects[ref]["metadata"] if ref in objects else {}
    if (metadata.get("uid"), metadata.get("resourceVersion")) != (uid, version):
        raise PreconditionFailed(f"{ref} is not what it was")
    del objects[ref]
