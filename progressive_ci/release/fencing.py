"""A take-over: the epoch goes up, first in the journal, then on every object that the journal names."""

from functools import partial

from progressive_ci.model.document import JsonObject
from progressive_ci.model.fence import epoch_of, made_by
from progressive_ci.model.journal import Owned, Record
from progressive_ci.model.seal import seal_of
from progressive_ci.model.write import Patch
from progressive_ci.release.release import Release, existing
from progressive_ci.release.trust import vouched


def take_over(release: Release) -> None:
    """From here on nothing that was sent before takes effect; the journal counts as far as the objects vouch for it.

    Raises:
        Refused: they don't; nothing is written then.
    """
    told = release.record
    _believe(release, told)
    begun = release.record is told
    _fence(release, unmarked=not begun)
    if not begun and any(map(partial(_landed, release), release.record.objects)):
        # The first write of a dead run came while the marks went up: there is something to give back after all.
        _believe(release, told)
        _fence(release)


def _believe(release: Release, told: Record) -> None:
    """Go on with as much of a record as the objects vouch for; the marks to come vouch for that, and no more."""
    release.record = vouched(told, release.hands.cluster)
    release.seal = seal_of(release.record)


def _landed(release: Release, entry: Owned) -> bool:
    """Whether an object had no mark when it was judged, and that of the former holder when it was to be claimed."""
    epoch = epoch_of(release.seen.get(entry.ref) or {}, release.record.name)
    return epoch is not None and epoch != release.epoch


def _fence(release: Release, *, unmarked: bool = False) -> None:
    """Unmarked objects are claimed too: a first write to one, still on its way, rests on the version it had.

    Where all were without a mark, one that has got one meanwhile is left as it is.
    """
    release.enter()
    release.seen.clear()
    for entry in release.record.objects:
        release.write(entry.ref, existing(partial(_claim, release, entry, unmarked=unmarked)))


def raise_epoch(release: Release) -> None:
    """A take-over from oneself: what this run still has on the wire comes too late."""
    release.epoch += 1
    _fence(release)


def _claim(release: Release, entry: Owned, seen: JsonObject, *, unmarked: bool) -> Patch | None:
    """What the release was to create and has not is somebody else's, whatever its name."""
    epoch = epoch_of(seen, release.record.name)
    foreign = entry.created and not made_by(seen, release.record.name, release.record.release)
    meanwhile = unmarked and epoch is not None and not entry.created
    return None if foreign or meanwhile or epoch == release.epoch else Patch(entry.ref, ())
