"""Releases that their own run did not finish: finished from the journal alone, forwards or back."""

from dataclasses import replace

from progressive_ci.errors import LeaseLost, ProgressiveError, Refused, Unfinished
from progressive_ci.model import kinds
from progressive_ci.model.event import Began, Noted, Opened
from progressive_ci.model.journal import Record, Stage
from progressive_ci.model.kinds import Ref
from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Cause, Outcome, Result
from progressive_ci.model.plan import Mode, Plan
from progressive_ci.ports import Hands
from progressive_ci.release.modes.table import MODES
from progressive_ci.release.nothing_to_do import nothing, refuse_held, taken_back, too_late, unaccounted
from progressive_ci.release.patience import until
from progressive_ci.release.promotion import complete_promotion
from progressive_ci.release.records import Newer, read_record, unfinished, waits_for_a_person
from progressive_ci.release.release import Release
from progressive_ci.release.rollback import outcome, roll_back
from progressive_ci.release.stop import cause_of
from progressive_ci.release.take_up import not_kept, take_up
from progressive_ci.release.workload import hash_of, observed


def rollback(
    namespace: str,
    name: str,
    options: Options,
    hands: Hands,
    *,
    only: str = "",
    held: bool = True,
    asked: Cause | None = None,
) -> Outcome:
    """Bring an unfinished release back to stable, from an empty folder.

    Args:
        namespace: of the workload.
        name: of the workload.
        options: the user's choices.
        hands: the world.
        only: id of the release that may be touched; empty for any.
        held: whether one that waits for a person may be touched.
        asked: why, where somebody has asked for it.
    """
    record = read_record(hands, namespace=namespace, name=name)
    if record is None and not only:
        return unaccounted(hands, namespace, name)
    if record is None or not unfinished(record):
        return nothing(record, name)

    def meant(now: Record) -> bool:
        return only in ("", now.release)

    if not meant(record) or (waits_for_a_person(record) and not held):
        return nothing(record, name)
    release, record = take_up(hands, options, record, held=held, meant=meant)
    if release is None:
        hands.lease.release()
        return unaccounted(hands, namespace, name) if record is None and not only else nothing(record, name)
    with not_kept(hands):
        done = _back(release, asked)
    return too_late(done.release, done.advice) if done.result is Result.PROMOTED else done


def recover(namespace: str, name: str, options: Options, hands: Hands) -> Outcome:
    """Bring an orphan to its end on the shortest way to safety; a held release waits for its person."""
    record = read_record(hands, namespace=namespace, name=name)
    if record is None:
        return unaccounted(hands, namespace, name)
    if not unfinished(record) or waits_for_a_person(record):
        return nothing(record, name)
    release, record = take_up(hands, options, record)
    if release is None:
        hands.lease.release()
        return unaccounted(hands, namespace, name) if record is None else nothing(record, name)
    with not_kept(hands):
        return finish(release)


def _back(release: Release, asked: Cause | None = None) -> Outcome:
    """Back to stable, unless the commit point lies behind: then only the cleaning up is left."""
    record = release.record
    if record.stage is Stage.COMMITTED or (record.stage is Stage.PROMOTING and _committed(release)):
        done = complete_promotion(release)
        return done if done.result is Result.INCOMPLETE else replace(done, advice=taken_back(record))
    told = f"release {record.release} was left {record.stage.value}"
    cause = asked or Cause(record.result or Result.CANCELLED, record.reason or told, record.source)
    return _restored(release, cause, record.stage)


def _restored(release: Release, cause: Cause, left: Stage) -> Outcome:
    """Rolled back: that is what was asked for, so it is no failure of this run."""
    done = roll_back(release, cause)
    if done.result is Result.INCOMPLETE:
        return done
    told = f"the release that was left {left.value} is rolled back: {done.reason}"
    return outcome(release, Result.RECOVERED, Cause(Result.RECOVERED, told, cause.source))


def finish(release: Release) -> Outcome:
    """Finish an orphan on the shortest way to safety: forwards once it was promoting, back before."""
    record = release.record
    if record.stage is Stage.PROMOTING:
        release.hands.clock.shield()
        try:
            MODES[record.mode].promote(release)
        except LeaseLost:
            raise
        except ProgressiveError as error:
            return _restored(release, cause_of(error), record.stage)
        return complete_promotion(release)
    if record.mode is Mode.IN_PLACE and _has_passed(release):
        return complete_promotion(release)
    return _back(release)


def _has_passed(release: Release) -> bool:
    """Whether nothing was left to do in place but the last entry: rolled out, and every step passed."""
    record = release.record
    begun = record.stage in (Stage.PREPARING, Stage.STEPPING)
    changes_pods = record.canary.hash != record.stable.hash
    return begun and changes_pods and len(record.passed) == record.steps and _committed(release)


def _committed(release: Release) -> bool:
    """Whether the commit point lies behind; a Deployment's counts are told after the take-over was seen."""
    record = release.record
    ref = Ref(kinds.DEPLOYMENT, record.namespace, record.name)
    found = release.read(ref)
    if found is not None and hash_of(found["spec"]["template"]) == record.canary.hash:
        until(release, lambda: observed(release.must_read(ref)), "its controller has seen the take-over")
    return MODES[record.mode].committed(release)


def finish_orphan(plan: Plan, options: Options, hands: Hands, release_id: str) -> Record | None:
    """Before a new release: an unfinished one of an earlier run comes to its end.

    Returns:
        What the journal says then.

    Raises:
        Unfinished: it could not be brought to its end.
        Refused: it is held for a person.
    """
    namespace, name = plan.namespace, plan.workload.name
    found = read_record(hands, namespace=namespace, name=name)
    if found is None or not unfinished(found):
        return found
    refuse_held(found)
    hands.reporter.emit(Began("recover"))
    hands.reporter.emit(Opened(release_id, namespace, name))
    try:
        release, meanwhile = take_up(hands, options, found)
        refuse_held(meanwhile)
        done = finish(release) if release is not None else None
    finally:
        hands.lease.release()
    if done is not None and done.result is Result.INCOMPLETE:
        told = f"an earlier release could not be finished: {done.reason}"
        raise Unfinished(told, advice=done.advice, left=done.left, weight=done.weight)
    if done is not None:
        hands.reporter.emit(Noted(f"an earlier release was finished first: {done.reason}"))
    return read_record(hands, namespace=namespace, name=name)


def forget(namespace: str, name: str, hands: Hands) -> str:
    """Remove the journal of a workload, an unreadable one too; refuses while a release is, or may be, unfinished."""
    try:
        record = read_record(hands, namespace=namespace, name=name)
    except Newer:
        raise
    except Refused:
        hands.journal.forget()
        return f"the journal of {name}, which could not be read, is removed"
    if record is not None and unfinished(record):
        told = f"release {record.release} is unfinished; its journal is needed to roll it back"
        where = str(Ref(kinds.CONFIG_MAP, namespace, f"progressive-ci.{name}"))
        advice = f"`progressive-ci rollback {name} --namespace {namespace}` does so"
        raise Refused(ProgressiveError(told, where=where, advice=advice))
    hands.journal.forget()
    return f"the journal of {name} is removed" if record else f"there is no journal of {name}"
