"""Somebody else writes a field of ours: written again once; the second time the release gives way."""

from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.event import Warned
from progressive_ci.model.journal import Original
from progressive_ci.model.kinds import DEPLOYMENT, Ref
from progressive_ci.model.plan import Mode
from progressive_ci.release.canary_deployment import canary_name
from progressive_ci.release.ownership import MANAGER, look_up, valued, wish
from progressive_ci.release.paths import PAUSED, REPLICAS
from progressive_ci.release.release import Release, existing
from progressive_ci.release.services import service_ref
from progressive_ci.release.stop import Stop, cancelled
from progressive_ci.release.workload import replicas_of


def gone(ref: Ref) -> Stop:
    """The stop when somebody has deleted what the release needs; it is not made again."""
    return cancelled(
        f"somebody has deleted {ref}, which this release needs",
        advice=f"create {ref} again if it should exist, then release again",
    )


def assert_once(release: Release, key: str, *, field: str, ref: Ref, who: str, advice: str = "") -> None:
    """Note that a field is written again; nothing is written here.

    Args:
        release: whose field.
        key: of the field, in the journal's list of what was written again.
        field: for people.
        ref: the object.
        who: wrote it.
        advice: what to do about it.

    Raises:
        Stop: it was written again before.
    """
    if key in release.record.asserted:
        told = f"{who} keeps changing {field} of {ref}, which this release needs"
        raise cancelled(told, advice=advice or _leave_alone(who, field))
    release.hands.reporter.emit(Warned(f"{who} has changed {field} of {ref}; it is set again, once"))
    release.enter(asserted=(*release.record.asserted, key))


def _leave_alone(who: str, field: str) -> str:
    return f"let {who} leave {field} alone while a release runs: the README says how, under `With GitOps`"


def hold_pins(release: Release, *, moved: bool = False) -> bool:
    """Look at every bound Service afresh, and put back what binds it to one version where somebody has taken it off.

    Args:
        release: whose Services.
        moved: whether all of them lead to the new version already.

    Returns:
        Whether one was put back.
    """
    undone = False
    for name in release.record.pinned:
        ref, wanted = service_ref(release, name), pin_of(release, name, moved=moved)
        found = release.read(ref)
        if found is None:
            raise gone(ref)
        if wanted is not None and look_up(found, wanted.path) != wanted:
            _put_back(release, ref, wanted)
            undone = True
    return undone


def pin_of(release: Release, name: str, *, moved: bool) -> Original | None:
    """What binds a Service to one version while both have pods."""
    entry, record = release.record.owned(service_ref(release, name)), release.record
    if entry is None or not entry.originals or record.route is None:
        return None
    original, is_canary = entry.originals[0], name == record.route.canary_service
    if record.mode is Mode.ADOPT:
        return valued(original.path, (record.canary if is_canary or moved else release.stable).hash)
    return valued(original.path, canary_name(record.name)) if is_canary else original


def _put_back(release: Release, ref: Ref, wanted: Original) -> None:
    who = last_writer(release.seen.get(ref) or {}, "f:selector")
    advice = (
        f"let {who} ignore that field while a release runs, or leave the Service alone with "
        f"`--leave-service {ref.name}`"
    )
    assert_once(release, ref.name, field="spec.selector", ref=ref, who=who, advice=advice)
    release.write(ref, existing(lambda seen: wish(ref, seen, [wanted])))


def hold_canary(release: Release, needed: int) -> JsonObject:
    """The canary's ReplicaSet or Deployment, read afresh: it must stand, and be asked for the pods that it needs."""
    kind = DEPLOYMENT if release.record.mode is Mode.ROLL else kinds.REPLICA_SET
    ref = Ref(kind, release.record.namespace, release.record.canary.name)
    found = release.read(ref)
    if found is None:
        raise gone(ref)
    if replicas_of(found) < needed:
        who = last_writer(found, "f:replicas")
        if who != MANAGER:  # else it was our own wish, for a smaller share
            assert_once(release, f"canary {REPLICAS}", field="spec.replicas", ref=ref, who=who)
        release.write(ref, existing(lambda seen: wish(ref, seen, [valued(REPLICAS, needed)])))
    return found


def hold_pause(release: Release, deployment: JsonObject) -> None:
    """Pause NAME again, once, where somebody has resumed it: its controller would start pods of its own."""
    if deployment["spec"].get("paused"):
        return
    who = last_writer(deployment, "f:paused")
    ref = Ref(DEPLOYMENT, release.record.namespace, release.record.name)
    if PAUSED in release.record.asserted:
        raise cancelled(
            f"{who} keeps resuming {ref}, which this release has paused",
            advice=_leave_alone(who, "spec.paused"),
        )
    release.hands.reporter.emit(Warned(f"{who} has resumed {ref}; it is paused again, once"))
    release.enter(asserted=(*release.record.asserted, PAUSED))
    release.write(ref, existing(lambda seen: wish(ref, seen, [valued(PAUSED, value=True)])))


def last_writer(item: JsonObject, field: str) -> str:
    """The manager that wrote a field of the spec, or an annotation, last, as far as the server remembers."""
    entries = item.get("metadata", {}).get("managedFields") or ()
    wrote = [entry for entry in entries if _holds(entry, field)]
    others = [entry for entry in wrote if entry.get("manager") != MANAGER] or wrote
    return str(max(others, key=lambda entry: str(entry.get("time", "")))["manager"]) if others else "somebody"


def _holds(entry: JsonObject, field: str) -> bool:
    fields = entry.get("fieldsV1") or {}
    annotations = (fields.get("f:metadata") or {}).get("f:annotations") or {}
    return field in (fields.get("f:spec") or {}) or field in annotations
