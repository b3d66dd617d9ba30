"""A take-over: the epoch goes up, first in the journal, then on every object that the journal names."""

from functools import partial

from progressive_ci.errors import Refused
from progressive_ci.model.document import JsonObject
from progressive_ci.model.fence import epoch_of, made_by
from progressive_ci.model.journal import Owned
from progressive_ci.model.write import Patch
from progressive_ci.release.release import Release, existing
from progressive_ci.release.trust import vouched


def take_over(release: Release) -> None:
    """From here on nothing that was sent before takes effect; the journal counts as far as the objects vouch for it.

    Raises:
        Refused: they don't; nothing is written then.
    """
    try:
        release.record = vouched(release.record, release.hands.cluster)
    except Refused:
        release.hands.lease.release()
        raise
    _fence(release)


def _fence(release: Release) -> None:
    """Unmarked objects are claimed too: a first write to one, still on its way, rests on the version it had."""
    release.enter()
    release.seen.clear()
    for entry in release.record.objects:
        release.write(entry.ref, existing(partial(_claim, release, entry)))


def raise_epoch(release: Release) -> None:
    """A take-over from oneself: what this run still has on the wire comes too late."""
    release.epoch += 1
    _fence(release)


def _claim(release: Release, entry: Owned, seen: JsonObject) -> Patch | None:
    """What the release was to create and has not is somebody else's, whatever its name."""
    epoch = epoch_of(seen, release.record.name)
    foreign = entry.created and not made_by(seen, release.record.name, release.record.release)
    return None if foreign or epoch == release.epoch else Patch(entry.ref, ())
