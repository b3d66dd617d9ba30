"""Somebody else writes a field of ours: written again once; the second time the release gives way."""

from progressive_ci.model.document import JsonObject
from progressive_ci.model.event import Warned
from progressive_ci.model.outcome import Cause, Result
from progressive_ci.model.plan import Mode
from progressive_ci.release.release import Release
from progressive_ci.release.services import pin, pinned_revision, service_ref
from progressive_ci.release.stop import Stop


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


def last_writer(item: JsonObject, field: str) -> str:
    """The manager that wrote a field of the spec last, as far as the server remembers."""
    entries = item.get("metadata", {}).get("managedFields") or ()
    wrote = [entry for entry in entries if field in ((entry.get("fieldsV1") or {}).get("f:spec") or {})]
    others = [entry for entry in wrote if entry.get("manager") != "progressive-ci"] or wrote
    return str(max(others, key=lambda entry: str(entry.get("time", "")))["manager"]) if others else "somebody"
