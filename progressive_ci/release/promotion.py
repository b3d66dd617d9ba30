"""From the last passed check to the terminal entry: the commit point, and the cleaning up after it."""

from dataclasses import replace
from functools import partial

from progressive_ci.model.event import Began
from progressive_ci.model.fence import epoch_of
from progressive_ci.model.journal import Record, Stage
from progressive_ci.model.outcome import Cause, Outcome, Result
from progressive_ci.release.canary_set import deployment_ref
from progressive_ci.release.deployment import holds_another
from progressive_ci.release.drift import last_writer
from progressive_ci.release.modes.table import MODES
from progressive_ci.release.predecessor import changed_no_pods
from progressive_ci.release.release import Release
from progressive_ci.release.rollback import end, incomplete, until_done
from progressive_ci.release.rollout import let_be
from progressive_ci.release.stop import Overdue


def promote(release: Release) -> Outcome:
    """Promote; from here a signal is only noted, because forward is the shortest way to safety.

    Raises:
        Stop: the promotion can't be finished, and the commit point is not reached.
    """
    release.began("promote")
    release.enter(stage=Stage.PROMOTING)
    release.hands.clock.shield()
    MODES[release.record.mode].promote(release)
    return complete_promotion(release)


def complete_promotion(release: Release, told: str = "") -> Outcome:
    """The new version serves: take everything of ours away, and say so. Never goes back, whoever asks for it."""
    release.hands.clock.shield()
    release.limit = release.hands.clock.now() + release.options.rollback_budget
    cause = Cause(Result.PROMOTED, told or _told(release.record))
    release.hands.reporter.emit(Began("clean up"))
    try:
        return until_done(release, partial(_finish, release, cause), "cleaning up")
    except Overdue as over:
        return incomplete(release, cause, str(over))


def _told(record: Record) -> str:
    serves = f"revision {record.canary.hash} serves all traffic"
    return f"release {record.undoes} is undone: {serves} again" if record.undoes else serves


def _finish(release: Release, cause: Cause) -> Outcome:
    if release.record.stage is not Stage.COMMITTED:
        release.enter(stage=Stage.COMMITTED)
    if release.record.stable.hash:
        MODES[release.record.mode].finish(release)
    for entry in release.record.objects:
        if entry.created and epoch_of(release.known(entry.ref) or {}, release.record.name) is not None:
            release.free(entry.ref)
    if not release.record.stable.hash:
        let_be(release)
    return end(release, Result.PROMOTED, _as_it_stands(release, cause))


def _as_it_stands(release: Release, cause: Cause) -> Cause:
    """The cause, where somebody has put another version into NAME after the commit point: then that one comes."""
    record, found = release.record, release.known(deployment_ref(release))
    if changed_no_pods(record) or not record.stable.hash:
        return cause
    if found is None or not holds_another(release, found):
        return cause
    since = f"{last_writer(found, 'f:template')} has changed spec.template of Deployment {record.name} since"
    told = f"revision {record.canary.hash} was promoted; {since}, and that version rolls out now"
    return replace(cause, reason=told)
