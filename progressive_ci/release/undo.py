"""`undo NAME`: a finished release returned to its predecessor, as a release of its own that takes no steps."""

from dataclasses import replace

from progressive_ci.errors import ProgressiveError, Refused
from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.journal import Record
from progressive_ci.model.kinds import Ref
from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Outcome, Result
from progressive_ci.model.plan import Plan, Workload
from progressive_ci.ports import Hands
from progressive_ci.release import conductor
from progressive_ci.release.records import read_record, unfinished
from progressive_ci.release.workload import (
    controller_uid,
    hash_of,
    same_template,
    uid_of,
    without_hash,
)

_SECONDS = 600
"""What Kubernetes takes where a Deployment has no progressDeadlineSeconds."""

_LABELS, _ANNOTATIONS = "/metadata/labels/", "/metadata/annotations/"


def undo(namespace: str, name: str, options: Options, hands: Hands, *, release: str) -> Outcome:
    """Give users the version back that the last release has replaced.

    Args:
        namespace: of the workload.
        name: of the workload.
        options: the user's choices, with the reason.
        hands: the world.
        release: id for the release that this is.

    Raises:
        Refused: there is nothing to return to, or something else than the promoted version runs.
    """
    record = read_record(hands, namespace=namespace, name=name)
    if record is not None and record.undoes and record.result is Result.PROMOTED:
        told = f"release {record.undoes} of {name} is undone already, at {record.updated}"
        return Outcome(Result.NOTHING_TO_DO, told, release=record.release)
    plan = _plan(_finished(record, namespace, name), hands)
    # The version that serves may be broken: that is why it is undone.
    return conductor.run(plan, replace(options, skip_analysis=True), hands, release=release)


def _finished(record: Record | None, namespace: str, name: str) -> Record:
    """The record of a release that has a predecessor."""
    place = f"{name} --namespace {namespace}"
    if record is None:
        raise _no(namespace, name, "there is no journal of a release", "release the earlier version")
    if unfinished(record):
        told = f"release {record.release} is unfinished ({record.state.value})"
        raise _no(namespace, name, told, f"`progressive-ci rollback {place}` brings it back")
    if record.result is not Result.PROMOTED:
        ended = record.result.word if record.result else "unknown"
        told = f"the last release ended {ended}: its predecessor serves already"
        raise _no(namespace, name, told, "release the version that you want")
    if not record.stable.hash:
        raise _no(
            namespace, name, "it was the first release: it has no predecessor", "release another version"
        )
    if record.stable.hash == record.canary.hash:
        raise _no(namespace, name, "the last release changed no pods", "release the earlier settings")
    return record


def _no(namespace: str, name: str, what: str, advice: str) -> Refused:
    return Refused(ProgressiveError(what, where=f"workload {namespace}/{name}", advice=advice))


def _plan(record: Record, hands: Hands) -> Plan:
    """The predecessor as a plan: its template from its own ReplicaSet, its fields from the journal."""
    namespace, name = record.namespace, record.name
    live = hands.cluster.get(Ref(kinds.DEPLOYMENT, namespace, name))
    if live is None:
        raise _no(namespace, name, "the Deployment is gone", "release the version that you want")
    if not _promoted(record, live, hands):
        told = "another version than the promoted one runs: somebody has changed it since"
        raise _no(namespace, name, told, "release the version that you want")
    return Plan(
        dialect="undo",
        namespace=namespace,
        workload=_workload(record, live, _template(record, live, hands)),
        mode=record.mode,
        route=record.route,
        steps=(),
        drain_seconds=record.drain_seconds,
        abort_drain_seconds=record.abort_drain_seconds,
        undoes=record.release,
    )


def _promoted(record: Record, live: JsonObject, hands: Hands) -> bool:
    template = live["spec"]["template"]
    if hash_of(template) == record.canary.hash:
        return True
    item = _set(record.canary.name, record, hands)
    return item is not None and same_template(item["spec"]["template"], template)


def _set(name: str, record: Record, hands: Hands) -> JsonObject | None:
    return hands.cluster.get(Ref(kinds.REPLICA_SET, record.namespace, name)) if name else None


def _template(record: Record, live: JsonObject, hands: Hands) -> JsonObject:
    """What the predecessor's own ReplicaSet holds; a text in the journal alone is no version to run."""
    found = _set(record.stable.name, record, hands)
    if found is None or uid_of(found) != record.stable.uid or controller_uid(found) != uid_of(live):
        told = f"the predecessor's ReplicaSet {record.stable.name} is gone (revisionHistoryLimit)"
        raise _no(record.namespace, record.name, told, "release the earlier version from its commit")
    return without_hash(found["spec"]["template"])


def _workload(record: Record, live: JsonObject, template: JsonObject) -> Workload:
    """NAME as it was: where the release wrote a field, its value before; the size stays as it is now."""
    entry = record.owned(Ref(kinds.DEPLOYMENT, record.namespace, record.name))
    wrote = {path for path, _ in record.wanted.fields}
    before = (
        {item.path: item.value for item in entry.originals if item.path in wrote and item.present}
        if entry
        else {}
    )
    spec = live["spec"]
    return Workload(
        name=record.name,
        template=template,
        selector=spec["selector"],
        replicas=None,
        strategy=before.get("/spec/strategy"),
        min_ready_seconds=before.get("/spec/minReadySeconds", 0 if spec.get("minReadySeconds") else None),
        progress_deadline_seconds=before.get(
            "/spec/progressDeadlineSeconds", spec.get("progressDeadlineSeconds", _SECONDS)
        ),
        revision_history_limit=before.get("/spec/revisionHistoryLimit"),
        labels=_pairs(before, _LABELS),
        annotations=_pairs(before, _ANNOTATIONS),
    )


def _pairs(before: JsonObject, prefix: str) -> tuple[tuple[str, str], ...]:
    return tuple(
        (path.removeprefix(prefix).replace("~1", "/").replace("~0", "~"), value)
        for path, value in before.items()
        if path.startswith(prefix)
    )
