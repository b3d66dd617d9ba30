"""Somebody else writes a field of ours: written again once; the second time the release gives way."""

from progressive_ci.model.document import JsonObject
from progressive_ci.model.event import Warned
from progressive_ci.model.kinds import DEPLOYMENT, Ref
from progressive_ci.model.outcome import Cause, Result
from progressive_ci.model.plan import Mode
from progressive_ci.release.ownership import valued, wish
from progressive_ci.release.release import Release, existing
from progressive_ci.release.services import pin, pinned_revision, service_ref
from progressive_ci.release.stop import Stop

PAUSED = "/spec/paused"


def hold_pins(release: Release, canary_service: str) -> None:
    """Look at every pinned Service afresh, and put a pin back that somebody has taken off."""
    if release.record.mode is not Mode.ADOPT:
        return
    for name in release.record.pinned:
        side = release.record.canary if name == canary_service else release.record.stable
        if pinned_revision(release, name) != side.hash:
            _put_back(release, name, side.hash)


def _put_back(release: Release, name: str, revision: str) -> None:
    ref = service_ref(release, name)
    who = last_writer(release.seen.get(ref) or {}, "f:selector")
    if name in release.record.asserted:
        raise Stop(
            Cause(
                Result.CANCELLED,
                f"{who} keeps changing spec.selector of {ref}, which this release needs",
                advice=f"let {who} ignore that field while a release runs, or leave the Service alone with "
                f"`--leave-service {name}`",
            )
        )
    release.hands.reporter.emit(Warned(f"{who} has changed spec.selector of {ref}; it is set again, once"))
    release.enter(asserted=(*release.record.asserted, name))
    pin(release, name, revision)


def hold_pause(release: Release, deployment: JsonObject) -> None:
    """Pause NAME again, once, where somebody has resumed it: its controller would start pods of its own."""
    if deployment["spec"].get("paused"):
        return
    who = last_writer(deployment, "f:paused")
    ref = Ref(DEPLOYMENT, release.record.namespace, release.record.name)
    if PAUSED in release.record.asserted:
        raise Stop(Cause(Result.CANCELLED, f"{who} keeps resuming {ref}, which this release has paused"))
    release.hands.reporter.emit(Warned(f"{who} has resumed {ref}; it is paused again, once"))
    release.enter(asserted=(*release.record.asserted, PAUSED))
    release.write(ref, existing(lambda seen: wish(ref, seen, [valued(PAUSED, value=True)])))


def last_writer(item: JsonObject, field: str) -> str:
    """The manager that wrote a field of the spec last, as far as the server remembers."""
    entries = item.get("metadata", {}).get("managedFields") or ()
    wrote = [entry for entry in entries if field in ((entry.get("fieldsV1") or {}).get("f:spec") or {})]
    others = [entry for entry in wrote if entry.get("manager") != "progressive-ci"] or wrote
    return str(max(others, key=lambda entry: str(entry.get("time", "")))["manager"]) if others else "somebody"
