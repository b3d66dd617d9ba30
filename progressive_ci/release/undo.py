"""`undo NAME`: a finished release returned to its predecessor, as a release of its own that takes no steps."""

from collections.abc import Iterable
from dataclasses import replace

from progressive_ci.errors import ProgressiveError, Refused
from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.fence import annotations_of
from progressive_ci.model.journal import Finished, Record, Side
from progressive_ci.model.kinds import Ref
from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Outcome, Result
from progressive_ci.model.plan import Mode, Plan, Workload
from progressive_ci.model.position import Position
from progressive_ci.model.seal import AT_REST, seal_at_rest
from progressive_ci.ports import Hands
from progressive_ci.release import conductor
from progressive_ci.release.predecessor import changed_no_pods, last_finished
from progressive_ci.release.records import read_record, unfinished
from progressive_ci.release.workload import (
    hash_of,
    name_of,
    owned_by,
    same_template,
    selector_text,
    uid_of,
    without_hash,
)

_SECONDS = 600
"""What Kubernetes takes where a Deployment has no progressDeadlineSeconds."""

_SETTINGS = "release the earlier settings, or the earlier version, from its commit"

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
    record, last = _finished(record, namespace, name)
    _demand_trust(record, last, hands)
    # The version that serves may be broken: that is why it is undone. And what serves then is no commit of this job.
    chosen = replace(options, skip_analysis=True, position=Position())
    return conductor.run(_plan(record, last, hands), chosen, hands, release=release)


def _finished(record: Record | None, namespace: str, name: str) -> tuple[Record, Finished]:
    """The release to take back, which has a predecessor."""
    place = f"{name} --namespace {namespace}"
    if record is None:
        raise _no(namespace, name, "there is no journal of a release", "release the earlier version")
    if unfinished(record):
        told = f"release {record.release} is unfinished ({record.state.value})"
        raise _no(namespace, name, told, f"`progressive-ci rollback {place}` brings it back")
    promoted = record.result is Result.PROMOTED
    if promoted and changed_no_pods(record):
        raise _no(namespace, name, "the last release changed no pods", _SETTINGS)
    if promoted and not record.stable.hash:
        raise _no(
            namespace, name, "it was the first release: it has no predecessor", "release another version"
        )
    last = last_finished(record)
    if last is None:
        ended = record.result.word if record.result else "unknown"
        told = f"the last release ended {ended}, and the journal knows no finished one before it"
        raise _no(namespace, name, told, "release the version that you want")
    return record, last


def _demand_trust(record: Record, last: Finished, hands: Hands) -> None:
    """What the journal keeps of an earlier release is believed as far as the Lease vouches for it."""
    lease = hands.cluster.get(Ref(kinds.LEASE, record.namespace, f"progressive-ci.{record.name}"))
    if annotations_of(lease or {}).get(AT_REST) != seal_at_rest(last):
        told = f"the Lease does not vouch for what the journal says of release {last.release}"
        advice = "somebody has edited one of them: release the earlier version from its commit"
        raise _no(record.namespace, record.name, told, advice)


def _no(namespace: str, name: str, what: str, advice: str) -> Refused:
    return Refused(ProgressiveError(what, where=f"workload {namespace}/{name}", advice=advice))


def _plan(record: Record, last: Finished, hands: Hands) -> Plan:
    """The predecessor as a plan: its template from its own ReplicaSet, its fields from the journal."""
    namespace, name = record.namespace, record.name
    live = hands.cluster.get(Ref(kinds.DEPLOYMENT, namespace, name))
    if live is None:
        raise _no(namespace, name, "the Deployment is gone", "release the version that you want")
    labels = selector_text(live["spec"]["selector"])
    sets = owned_by(live, hands.cluster.list(kinds.REPLICA_SET, namespace, labels=labels))
    if not _runs(last.canary, live, sets):
        told = "another version than the promoted one runs: somebody has changed it since"
        raise _no(namespace, name, told, "release the version that you want")
    before = next((item for item in sets if uid_of(item) == last.stable.uid), None)
    if before is None:
        # A text in the journal alone is no version to run.
        told = f"the predecessor's ReplicaSet {last.stable.name} is gone (revisionHistoryLimit)"
        raise _no(namespace, name, told, "release the earlier version from its commit")
    return Plan(
        dialect="undo",
        namespace=namespace,
        workload=_workload(name, last, live, without_hash(before["spec"]["template"])),
        mode=Mode.IN_PLACE if last.mode is Mode.IN_PLACE else Mode.ADOPT,
        route=last.route,
        steps=(),
        drain_seconds=last.drain_seconds,
        abort_drain_seconds=last.abort_drain_seconds,
        undoes=last.release,
    )


def _runs(side: Side, live: JsonObject, sets: Iterable[JsonObject]) -> bool:
    """Whether NAME holds the template of a version."""
    template = live["spec"]["template"]
    if hash_of(template) == side.hash:
        return True
    return any(
        name_of(item) == side.name and same_template(item["spec"]["template"], template) for item in sets
    )


def _workload(name: str, last: Finished, live: JsonObject, template: JsonObject) -> Workload:
    """NAME as it was: where the release wrote a field, its value before; the size stays as it is now."""
    before = {item.path: item.value for item in last.before if item.present}
    added = {item.path for item in last.before if not item.present}
    spec = live["spec"]
    deadline = spec.get("progressDeadlineSeconds", _SECONDS)
    return Workload(
        name=name,
        template=template,
        selector=spec["selector"],
        replicas=None,
        strategy=before.get("/spec/strategy"),
        min_ready_seconds=before.get(
            "/spec/minReadySeconds", 0 if "/spec/minReadySeconds" in added else None
        ),
        progress_deadline_seconds=int(before.get("/spec/progressDeadlineSeconds", deadline)),
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
