"""A take-over: the epoch goes up, first in the journal, then on every object that the journal names."""

from functools import partial

from progressive_ci.model.document import JsonObject
from progressive_ci.model.fence import epoch_of, made_by, seal_on
from progressive_ci.model.journal import Owned, Record
from progressive_ci.model.seal import seal_of
from progressive_ci.model.write import Patch
from progressive_ci.release.canary_set import deployment_ref
from progressive_ci.release.release import Release, existing
from progressive_ci.release.trust import vouched


def take_over(release: Release) -> None:
    """From here on nothing that was sent before takes effect; the journal counts as far as the objects vouch for it.

    Raises:
        Refused: they don't; nothing is written then.
    """
    told = release.record
    _believe(release, told)
    if not _fence(release, unmarked=release.record.begun is not None):
        # The first write of a dead run came while the marks went up: there is something to give back after all.
        _believe(release, told)
        _fence(release)


def _believe(release: Release, told: Record) -> None:
    """Go on with as much of a record as the objects vouch for; the marks to come vouch for that, and no more."""
    release.record = vouched(told, release.hands.cluster)
    release.seal = seal_of(release.record)


def _landed(release: Release, entry: Owned) -> bool:
    """Whether an object had no mark when it was judged, and that of the former holder when it was to be claimed."""
    return _tells_more(release, release.seen.get(entry.ref) or {})


def _tells_more(release: Release, seen: JsonObject) -> bool:
    """Whether an object carries a mark with another seal than that of the reduced record."""
    name = release.record.name
    return epoch_of(seen, name) is not None and seal_on(seen, name) != release.seal


def _fence(release: Release, *, unmarked: bool = False) -> bool:
    """Unmarked objects are claimed too: a first write to one, still on its way, rests on the version it had.

    Args:
        release: whose.
        unmarked: whether all were without a mark: then one that has got one meanwhile is left as it is, and NAME
            comes last, because as long as it carries no mark those of the others count, whoever comes next. Else
            it comes first: its controller copies its marks to its ReplicaSet.

    Returns:
        False where there is one; the rest is not claimed then.
    """
    release.enter()
    release.seen.clear()
    name = deployment_ref(release)
    for entry in sorted(release.record.objects, key=lambda each: unmarked and each.ref == name):
        release.write(entry.ref, existing(partial(_claim, release, entry, unmarked=unmarked)))
        if unmarked and _landed(release, entry):
            return False
    return True


def raise_epoch(release: Release) -> None:
    """A take-over from oneself: what this run still has on the wire comes too late."""
    release.epoch += 1
    _fence(release)


def _claim(release: Release, entry: Owned, seen: JsonObject, *, unmarked: bool) -> Patch | None:
    """What the release was to create and has not is somebody else's, whatever its name."""
    epoch = epoch_of(seen, release.record.name)
    foreign = entry.created and not made_by(seen, release.record.name, release.record.release)
    meanwhile = unmarked and _tells_more(release, seen) and not entry.created
    return None if foreign or meanwhile or epoch == release.epoch else Patch(entry.ref, ())
