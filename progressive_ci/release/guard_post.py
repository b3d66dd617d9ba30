"""The guard at its post: a release makes its Job, and gives nobody the new version before somebody watches."""

from collections.abc import Callable

from progressive_ci import __version__
from progressive_ci.model.event import Warned
from progressive_ci.model.fence import RELEASE
from progressive_ci.model.kinds import Ref
from progressive_ci.model.write import Create
from progressive_ci.release import guard_word
from progressive_ci.release.guard_job import Terms, job_ref, remove, rendered
from progressive_ci.release.guard_word import Word
from progressive_ci.release.needed import refuse_foreign
from progressive_ci.release.patience import next_look
from progressive_ci.release.release import Release, if_absent
from progressive_ci.release.stop import Stop, unready
from progressive_ci.release.workload import labels_of, uid_of

Pause = Callable[[float], None]

_GAP = 0.2
_AGAIN = 0.1


def post(release: Release, terms: Terms, pause: Pause | None = None) -> None:
    """Let a Job watch over the release, where one was asked for; the journal says so already.

    It belongs to the journal, so that it goes when that is deleted.

    Args:
        release: which.
        terms: what the Job is made of.
        pause: waits so many seconds, and looks meanwhile at what somebody must see to; None where nobody need.

    Raises:
        Stop: an earlier one does not go, its pod does not run, or nobody watches in it.
    """
    if not release.options.guard or not release.record.guarded:
        return
    ref, pause = job_ref(release.record), pause or release.pause
    _replace_earlier(release, ref, pause)
    body = rendered(release.record, release.must_read(guard_word.journal_ref(release.record)), terms)
    refuse_foreign(release, ref, release.write(ref, if_absent(Create(ref, body))))
    word = _await_watch(release, ref, pause)
    release.note(f"{ref} watches over the release")
    if word.version != __version__:
        told = f"the guard is version {word.version} of this tool, and this run version {__version__}"
        release.hands.reporter.emit(
            Warned(f"{told}: give both the same image, or it may not know what to do")
        )


def _replace_earlier(release: Release, ref: Ref, pause: Pause) -> None:
    """An earlier guard may not have gone yet, and its time would run out too early."""
    seen = release.read(ref)
    owner = labels_of(seen).get(RELEASE) if seen is not None else None
    if owner is None:
        return
    remove(release.hands.cluster, ref, owner)
    clock, allowed = release.hands.clock, release.record.ready_seconds
    began = clock.now()
    while release.read(ref) is not None:
        elapsed = clock.now() - began
        if elapsed > allowed:
            raise _undying(ref, allowed)
        release.waiting("the earlier guard goes", elapsed, allowed)
        pause(next_look(elapsed, _AGAIN))


def _await_watch(release: Release, ref: Ref, pause: Pause) -> Word:
    """First its pod, then its word."""
    clock = release.hands.clock
    began, allowed, ready = clock.now(), release.record.ready_seconds, False
    while True:
        job = release.must_read(ref)
        ready = bool((job.get("status") or {}).get("ready"))
        journal = release.must_read(guard_word.journal_ref(release.record)) if ready else {}
        if (word := guard_word.given(journal, uid_of(job))) is not None:
            return word
        elapsed = clock.now() - began
        if elapsed > allowed:
            raise _mute(ref, allowed) if ready else _down(ref, allowed)
        release.waiting("the guard watches" if ready else "the guard's pod runs", elapsed, allowed)
        pause(next_look(elapsed, _GAP))


def _undying(ref: Ref, allowed: float) -> Stop:
    return unready(
        f"{ref} was deleted {allowed:.0f} s ago and is still there",
        advice=f"see who keeps it: kubectl -n {ref.namespace} get job {ref.name} -o yaml (metadata.finalizers)",
    )


def _down(ref: Ref, allowed: float) -> Stop:
    return unready(
        f"the pod of {ref} does not run after {allowed:.0f} s",
        advice=f"see why: kubectl -n {ref.namespace} describe pods -l job-name={ref.name}",
    )


def _mute(ref: Ref, allowed: float) -> Stop:
    """It says itself what it is refused; an earlier version of this tool says nothing, and can't be relied on."""
    return unready(
        f"the pod of {ref} runs, and has not said after {allowed:.0f} s that it watches",
        advice=f"see why: kubectl -n {ref.namespace} logs -l job-name={ref.name}; "
        "give --guard the image of this version",
    )
