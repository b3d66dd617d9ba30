"""A take-over: the epoch goes up, first in the journal, then on every object that the journal names."""

from functools import partial

from progressive_ci.model.document import JsonObject
from progressive_ci.model.fence import epoch_of
from progressive_ci.model.kinds import Ref
from progressive_ci.model.write import Patch
from progressive_ci.release.release import Release, existing


def take_over(release: Release) -> None:
    """From here on nothing that was sent before takes effect.

    Unmarked objects are claimed too: a first write to one, still on its way, rests on the version it had.
    """
    release.enter()
    release.seen.clear()
    for entry in release.record.objects:
        release.write(entry.ref, existing(partial(_claim, release, entry.ref)))


def raise_epoch(release: Release) -> None:
    """A take-over from oneself: what this run still has on the wire comes too late."""
    release.epoch += 1
    take_over(release)


def _claim(release: Release, ref: Ref, seen: JsonObject) -> Patch | None:
    return None if epoch_of(seen, release.record.name) == release.epoch else Patch(ref, ())
