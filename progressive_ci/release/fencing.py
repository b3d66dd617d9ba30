"""A take-over: the epoch goes up, first in the journal, then on every object that the journal names."""

from progressive_ci.model.document import JsonObject
from progressive_ci.model.fence import epoch_of
from progressive_ci.model.kinds import Ref
from progressive_ci.model.write import Patch
from progressive_ci.release.release import Release, existing


def take_over(release: Release) -> None:
    """From here on nothing that the former holder still sends takes effect.

    An object without a mark was never written, or is released already; it stays as it is.
    """
    release.enter()
    for entry in release.record.objects:
        release.read(entry.ref)
        _claim(release, entry.ref)


def _claim(release: Release, ref: Ref) -> None:
    def decide(seen: JsonObject) -> Patch | None:
        return None if epoch_of(seen, release.record.name) in (None, release.epoch) else Patch(ref, ())

    release.write(ref, existing(decide))
