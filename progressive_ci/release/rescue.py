"""Releases that their own run did not finish: finished from the journal alone, forwards or back."""

from progressive_ci.errors import LeaseLost, ProgressiveError, Refused
from progressive_ci.model import kinds
from progressive_ci.model.event import Began, Noted, Opened
from progressive_ci.model.journal import Record, Stage
from progressive_ci.model.kinds import Ref
from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Cause, Outcome, Result
from progressive_ci.model.plan import Plan
from progressive_ci.ports import Hands, Tenure
from progressive_ci.release.fencing import take_over
from progressive_ci.release.modes.table import MODES
from progressive_ci.release.promotion import complete_promotion
from progressive_ci.release.records import read_record, unfinished
from progressive_ci.release.release import Release
from progressive_ci.release.rollback import outcome, roll_back
from progressive_ci.release.stop import cause_of


def rollback(namespace: str, name: str, options: Options, hands: Hands, *, only: str = "") -> Outcome:
    """Bring an unfinished release back to stable, from an empty folder.

    Args:
        namespace: of the workload.
        name: of the workload.
        options: the user's choices.
        hands: the world.
        only: id of the release that may be touched; empty for any.
    """
    record = read_record(hands, namespace=namespace, name=name)
    if record is None or not unfinished(record) or (only and record.release != only):
        return _nothing(record, name)
    tenure = hands.lease.acquire(record.release, wait=options.lock_wait)
    release, record = _taken(hands, options, tenure, namespace, name)
    if release is None or (only and record is not None and record.release != only):
        hands.lease.release()
        return _nothing(record, name)
    return _back(release)


def _nothing(record: Record | None, name: str) -> Outcome:
    reason = f"no release of {name} is unfinished"
    if record is not None and record.result is not None:
        reason += f"; the last one ended {record.result.word} at {record.updated}"
    advice = "undoing a finished release is a release of the earlier version" if record else ""
    return Outcome(Result.NOTHING_TO_DO, reason, advice=advice, release=record.release if record else "")


def _taken(
    hands: Hands, options: Options, tenure: Tenure, namespace: str, name: str
) -> tuple[Release | None, Record | None]:
    """The release as the journal tells it after the lease is ours, every object fenced."""
    record = read_record(hands, namespace=namespace, name=name)
    if record is None or not unfinished(record):
        return None, record
    # Whoever deletes the Lease restarts its count; the marks on the objects must still go up.
    release = Release(hands, options, record, max(tenure.epoch, record.epoch + 1))
    take_over(release)
    return release, record


def _back(release: Release) -> Outcome:
    """Back to stable, unless the commit point lies behind: then only the cleaning up is left."""
    record = release.record
    if record.stage is Stage.COMMITTED or (
        record.stage is Stage.PROMOTING and MODES[record.mode].committed(release)
    ):
        return complete_promotion(release)
    told = f"release {record.release} was left {record.stage.value}"
    cause = Cause(record.result or Result.CANCELLED, record.reason or told, record.source)
    done = roll_back(release, cause)
    if done.result is Result.INCOMPLETE:
        return done
    restored = f"the release that was left {record.stage.value} is rolled back: {done.reason}"
    return outcome(release, Result.RECOVERED, Cause(Result.RECOVERED, restored, record.source))


def recover(release: Release) -> Outcome:
    """Finish an orphan on the shortest way to safety: forwards once it was promoting, back before."""
    if release.record.stage is Stage.PROMOTING:
        release.hands.clock.shield()
        try:
            MODES[release.record.mode].promote(release)
        except LeaseLost:
            raise
        except ProgressiveError as error:
            return roll_back(release, cause_of(error))
        return complete_promotion(release)
    return _back(release)


def finish_orphan(plan: Plan, options: Options, hands: Hands, release_id: str) -> None:
    """Before a new release: an unfinished one of an earlier run comes to its end.

    Raises:
        Refused: it could not be finished.
    """
    namespace, name = plan.namespace, plan.workload.name
    if not unfinished(read_record(hands, namespace=namespace, name=name)):
        return
    hands.reporter.emit(Began("recover"))
    hands.reporter.emit(Opened(release_id, namespace, name))
    try:
        tenure = hands.lease.acquire(release_id, wait=options.lock_wait)
        release, _ = _taken(hands, options, tenure, namespace, name)
        done = recover(release) if release is not None else None
    finally:
        hands.lease.release()
    if done is not None and done.result is Result.INCOMPLETE:
        told = f"an earlier release could not be finished: {done.reason}"
        raise Refused(ProgressiveError(told, advice=done.advice))
    if done is not None:
        hands.reporter.emit(Noted(f"an earlier release was finished first: {done.reason}"))


def forget(namespace: str, name: str, hands: Hands) -> str:
    """Remove the journal of a workload, an unreadable one too; refuses while a release is unfinished."""
    try:
        record = read_record(hands, namespace=namespace, name=name)
    except Refused:
        hands.journal.forget()
        return f"the journal of {name}, which could not be read, is removed"
    if record is not None and unfinished(record):
        raise ProgressiveError(
            f"release {record.release} is unfinished; its journal is needed to roll it back",
            where=str(Ref(kinds.CONFIG_MAP, namespace, f"progressive-ci.{name}")),
            advice=f"progressive-ci rollback {name} --namespace {namespace}",
        )
    hands.journal.forget()
    return f"the journal of {name} is removed" if record else f"there is no journal of {name}"
