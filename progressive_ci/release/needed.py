"""Objects that the spec names and brings along: created where they don't exist."""

from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import Ref
from progressive_ci.model.write import Create
from progressive_ci.release.findings import Findings
from progressive_ci.release.release import Release, if_absent


def create_missing(release: Release, found: Findings) -> None:
    """Create Services, routes and config whose documents were given; each is listed."""
    for document in found.missing:
        kind = next(kind for kind in kinds.ALL if kind.name == document.kind)
        ref = Ref(kind, release.record.namespace, document.name)
        body = _placed(document.body, release.record.namespace)
        release.write(ref, if_absent(Create(ref, body)))
        release.note(f"{ref} is created, and stays")


def _placed(body: JsonObject, namespace: str) -> JsonObject:
    return {**body, "metadata": {**body["metadata"], "namespace": namespace}}
