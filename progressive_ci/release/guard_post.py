"""The guard at its post: a release makes its Job, and gives nobody the new version before somebody watches."""

from progressive_ci.model import kinds
from progressive_ci.model.fence import RELEASE
from progressive_ci.model.kinds import Ref
from progressive_ci.model.write import Create
from progressive_ci.release.guard_job import Terms, job_ref, remove, rendered
from progressive_ci.release.needed import refuse_foreign
from progressive_ci.release.patience import next_look
from progressive_ci.release.release import Release, if_absent
from progressive_ci.release.stop import unready
from progressive_ci.release.workload import labels_of

_GAP = 0.2
_AGAIN = 0.1


def post(release: Release, terms: Terms) -> None:
    """Let a Job watch over the release, where one was asked for; the journal says so already.

    It belongs to the journal, so that it goes when that is deleted.

    Raises:
        Stop: its pod does not run.
    """
    if not release.options.guard or not release.record.guarded:
        return
    ref = job_ref(release.record)
    _replace_earlier(release, ref)
    journal = release.must_read(
        Ref(kinds.CONFIG_MAP, release.record.namespace, f"progressive-ci.{release.record.name}")
    )
    body = rendered(release.record, journal, terms)
    refuse_foreign(release, ref, release.write(ref, if_absent(Create(ref, body))))
    _await_watch(release, ref)
    release.note(f"{ref} watches over the release")


def _replace_earlier(release: Release, ref: Ref) -> None:
    """An earlier guard may not have gone yet, and its time would run out too early."""
    seen = release.read(ref)
    owner = labels_of(seen).get(RELEASE) if seen is not None else None
    if owner is None:
        return
    remove(release.hands.cluster, ref, owner)
    while release.read(ref) is not None:
        release.pause(_AGAIN)


def _await_watch(release: Release, ref: Ref) -> None:
    clock = release.hands.clock
    began, allowed = clock.now(), release.record.ready_seconds
    while not (release.must_read(ref).get("status") or {}).get("ready"):
        elapsed = clock.now() - began
        if elapsed > allowed:
            raise unready(
                f"the pod of {ref} does not run after {allowed:.0f} s",
                advice=f"see why: kubectl -n {ref.namespace} describe pods -l job-name={ref.name}",
            )
        release.waiting("the guard's pod runs", elapsed, allowed)
        release.pause(next_look(elapsed, _GAP))
