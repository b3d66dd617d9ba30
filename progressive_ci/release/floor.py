"""The floor of autoscalers in `roll`: at the size of the release while the canary has traffic, then given back."""

from functools import partial

from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.journal import Owned
from progressive_ci.model.write import Patch
from progressive_ci.release.drift import assert_once, last_writer
from progressive_ci.release.ownership import valued, wish
from progressive_ci.release.paths import FLOOR
from progressive_ci.release.release import Release, existing


def raise_floors(release: Release) -> None:
    """The old version must keep its size while it has little traffic."""
    for entry in _floors(release):
        release.write(entry.ref, existing(partial(_raised, release, entry)))


def hold_floors(release: Release) -> None:
    """Raise a floor again, once, where somebody has lowered it: stable would lose its pods."""
    for entry in _floors(release):
        ref, found = entry.ref, release.read(entry.ref)
        if found is None or _floor(found) >= _needed(release, found):
            continue
        who = last_writer(found, "f:minReplicas")
        assert_once(release, f"{FLOOR} {ref.name}", field="spec.minReplicas", ref=ref, who=who)
        release.write(ref, existing(partial(_raised, release, entry)))


def restore_floors(release: Release) -> None:
    """The floor as it was, and our marks off; one that somebody has set meanwhile is theirs and stays."""
    for entry in _floors(release):
        found = release.read(entry.ref)
        ours = found is not None and _floor(found) == _needed(release, found)
        release.free(entry.ref, entry.originals if ours else ())


def _floors(release: Release) -> tuple[Owned, ...]:
    return tuple(entry for entry in release.record.objects if entry.ref.kind == kinds.HPA)


def _raised(release: Release, entry: Owned, seen: JsonObject) -> Patch | None:
    needed = _needed(release, seen)
    return wish(entry.ref, seen, [valued(FLOOR, needed)]) if _floor(seen) < needed else None


def _floor(scaler: JsonObject) -> int:
    return int(scaler["spec"].get("minReplicas") or 1)


def _needed(release: Release, scaler: JsonObject) -> int:
    """The size of the release, as far as the autoscaler's ceiling allows it: the API server refuses a floor above."""
    return min(release.record.size, int(scaler["spec"]["maxReplicas"]))
