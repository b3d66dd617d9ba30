"""What a run that was taken over may still have created: an empty canary with our marks. The next release sweeps it."""

from progressive_ci.model.document import JsonObject
from progressive_ci.model.fence import RELEASE, epoch_of
from progressive_ci.model.kinds import Ref
from progressive_ci.model.write import Delete
from progressive_ci.release.release import Release, existing
from progressive_ci.release.workload import controller_uid, labels_of, replicas_of, uid_of


def is_leftover(item: JsonObject, workload: str) -> bool:
    """Whether nobody would miss an object: a release of this workload made it, and it has no pods."""
    ours = epoch_of(item, workload) is not None and RELEASE in labels_of(item)
    return ours and replicas_of(item) == 0 and not controller_uid(item)


def sweep(release: Release, ref: Ref) -> None:
    """Delete what an earlier release left where this one makes its canary."""

    def away(seen: JsonObject) -> Delete | None:
        mine = labels_of(seen).get(RELEASE) == release.record.release
        if mine or not is_leftover(seen, release.record.name):
            return None
        return Delete(ref, uid_of(seen), str(seen["metadata"]["resourceVersion"]))

    release.write(ref, existing(away))
