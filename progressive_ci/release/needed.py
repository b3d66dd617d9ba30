"""Documents that come along with a spec: created where their objects don't exist; changed config is refused."""

import base64

from progressive_ci.errors import ProgressiveError
from progressive_ci.model import kinds
from progressive_ci.model.document import Document, JsonObject
from progressive_ci.model.fence import epoch_of
from progressive_ci.model.kinds import Ref
from progressive_ci.model.outcome import Cause, Result
from progressive_ci.model.plan import Plan
from progressive_ci.model.write import Create
from progressive_ci.ports import Hands
from progressive_ci.release.findings import Findings
from progressive_ci.release.release import Release, if_absent
from progressive_ci.release.stop import Stop


def document_ref(namespace: str, document: Document) -> Ref:
    """Address of the object that a document describes."""
    kind = next(kind for kind in kinds.ALL if kind.name == document.kind)
    return Ref(kind, namespace, document.name)


def missing(plan: Plan, hands: Hands) -> tuple[Document, ...]:
    """Documents whose objects don't exist yet."""
    return tuple(
        item for item in plan.needed if hands.cluster.get(document_ref(plan.namespace, item)) is None
    )


def create_missing(release: Release, found: Findings) -> None:
    """Create Services, routes and config whose documents were given; each is listed."""
    namespace = release.record.namespace
    for document in found.missing:
        ref = document_ref(namespace, document)
        body = {**document.body, "metadata": {**document.body["metadata"], "namespace": namespace}}
        refuse_foreign(release, ref, release.write(ref, if_absent(Create(ref, body)), new=True))
        release.note(f"{ref} is created, and stays")


def refuse_foreign(release: Release, ref: Ref, stored: JsonObject | None) -> None:
    """Stop where an object that the release was to create belongs to somebody else."""
    if stored is not None and epoch_of(stored, release.record.name) is None:
        told = f"{ref} exists, and this release has not made it"
        raise Stop(Cause(Result.UNREADY, told, advice="rename it, or delete it if it is a leftover"))


def changed_config(plan: Plan, hands: Hands) -> list[ProgressiveError]:
    """Changed config would reach the stable pods before anything was judged."""
    reasons = []
    for document in plan.needed:
        if document.kind in ("ConfigMap", "Secret"):
            live = hands.cluster.get(document_ref(plan.namespace, document))
            if live is not None and _content(live) != _content(document.body):
                reasons.append(
                    ProgressiveError(
                        f"{document.kind} {document.name} differs from the one in the cluster, and releasing "
                        "changed config is not supported yet",
                        where=str(document.source),
                        advice="give changed config a new name, and name that in the pod template",
                    )
                )
    return reasons


def _content(item: JsonObject) -> tuple[JsonObject, JsonObject]:
    """What pods read, in the server's spelling: `stringData` is stored encoded."""
    plain = item.get("stringData") or {}
    encoded = {key: base64.b64encode(str(value).encode()).decode() for key, value in plain.items()}
    return {**(item.get("data") or {}), **encoded}, item.get("binaryData") or {}
