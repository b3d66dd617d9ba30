"""The way back: a target, not a list of undos. Reached from every state, by the journal alone, repeated until it holds.

All traffic to stable, stable at full size, canary gone, originals restored; or, after the time given to it, a
list of what is left and the commands for a human.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial

from progressive_ci.errors import Forbidden, LeaseLost, ProgressiveError, Unauthorized
from progressive_ci.model.document import JsonObject
from progressive_ci.model.event import Began, Stopped, Warned
from progressive_ci.model.fence import epoch_key, epoch_of, made_by
from progressive_ci.model.journal import Ending, Owned, Record, Stage, State
from progressive_ci.model.outcome import Cause, Outcome, Result
from progressive_ci.model.plan import Mode
from progressive_ci.model.seal import seal_at_rest
from progressive_ci.model.write import Delete
from progressive_ci.release import guard_job, traffic
from progressive_ci.release.fencing import raise_epoch
from progressive_ci.release.modes.table import MODES
from progressive_ci.release.order import deployed_after
from progressive_ci.release.predecessor import promoted
from progressive_ci.release.release import Release, existing
from progressive_ci.release.rollout import let_be
from progressive_ci.release.stop import Overdue
from progressive_ci.release.workload import uid_of

_AGAIN = 1.0
_SELDOM = 15.0
"""Seconds between two tries where the server refuses us: that rarely passes, and never by asking."""
_LONGEST_WRITE = 20.0
_KEPT = 20
_REFUSALS = (Unauthorized, Forbidden)
_LEAST = 60.0
"""Seconds that a way back has however long was waited for stable before."""


def roll_back(release: Release, cause: Cause) -> Outcome:
    """Give every user back the version that served before, then say why."""
    clock, reporter = release.hands.clock, release.hands.reporter
    clock.shield()
    safe = _safe_write(release)
    reporter.emit(Stopped(cause.reason, cause.source))
    reporter.emit(Began("roll back"))
    if safe:
        release.note("the canary is out of every route: stable gets all traffic")
    release.limit = clock.now() + max(release.options.rollback_budget - release.starved, _LEAST)
    try:
        return until_done(release, partial(_reach, release, cause), "the rollback")
    except Overdue as over:
        return incomplete(release, cause, str(over))


def _safe_write(release: Release) -> bool:
    """The first request after a verdict or a signal; what it can't do, the way back does."""
    record = release.record
    return bool(record.weight) and record.mode is not Mode.IN_PLACE and traffic.withdraw(release)


def until_done(release: Release, work: Callable[[], Outcome], what: str) -> Outcome:
    """Try until it is done or the time is over; every try decides on fresh reads."""
    told, wait = "", _AGAIN
    while True:
        try:
            return work()
        except (LeaseLost, Overdue):
            raise
        except Exception as error:  # noqa: BLE001 - whatever went wrong, users still need stable back
            if told != str(error):
                release.hands.reporter.emit(Warned(f"{what} goes on after: {error}"))
            wait = min(2 * wait, _SELDOM) if told == str(error) and isinstance(error, _REFUSALS) else _AGAIN
            told = str(error)
            release.seen.clear()
            release.pause(wait)


def _reach(release: Release, cause: Cause) -> Outcome:
    """One try: fence off what is still on its way, restore, take away, write the terminal entry."""
    if not release.fenced_off:
        release.record = replace(
            release.record,
            stage=Stage.ROLLING_BACK,
            result=cause.result,
            reason=cause.reason,
            source=cause.source,
        )
        raise_epoch(release)
        release.fenced_off = True
    if release.record.stable.hash:
        MODES[release.record.mode].restore(release)
    else:
        let_be(release)
    _delete_created(release)
    if release.unclear:
        sent = max(release.unclear.values())
        release.pause(max(0.0, sent + _LONGEST_WRITE - release.hands.clock.now()))
        release.unclear.clear()
        release.seen.clear()
        _delete_created(release)
    return end(release, cause.result, cause)


def _delete_created(release: Release) -> None:
    """What only this release brought goes with it: Services, routes and config that did not exist before."""
    for entry in release.record.objects:
        if entry.created:
            release.write(entry.ref, existing(partial(_removal, release.record, entry)))


def _removal(record: Record, entry: Owned, seen: JsonObject) -> Delete | None:
    metadata = seen["metadata"]
    if metadata.get("deletionTimestamp") or not made_by(seen, record.name, record.release):
        return None
    return Delete(entry.ref, uid_of(seen), str(metadata["resourceVersion"]))


def end(release: Release, result: Result, cause: Cause) -> Outcome:
    """The terminal entry, and the lease given up."""
    clock = release.hands.clock
    when = clock.wall().strftime("%Y-%m-%dT%H:%M:%SZ")
    record = release.record
    ending = Ending(record.release, result, cause.reason, record.canary.hash, when, record.by)
    release.enter(
        state=State.ENDED,
        stage=Stage.DONE,
        result=result,
        reason=cause.reason,
        source=cause.source,
        endings=(*record.endings, ending)[-_KEPT:],
        deployed=deployed_after(record, result),
    )
    guard_job.dismiss(release)
    finished = promoted(release.record)
    release.hands.lease.release(seal=seal_at_rest(finished) if finished else "")
    return outcome(release, result, cause)


def outcome(release: Release, result: Result, cause: Cause, *, left: tuple[str, ...] = ()) -> Outcome:
    """The run's end as a value."""
    record = release.record
    serves = result in (Result.PROMOTED, Result.UNCHANGED)
    return Outcome(
        result=result,
        reason=_reason(record, result, cause),
        revision=record.canary.hash,
        previous_revision=record.stable.hash,
        weight=100 if serves else record.weight,
        step=record.step,
        steps=record.steps,
        source=cause.source,
        advice=cause.advice,
        details=cause.details,
        left=left,
        release=record.release,
    )


def _reason(record: Record, result: Result, cause: Cause) -> str:
    """An undoing that goes back leaves users with the version that somebody wanted away."""
    if not record.undoes or result in (Result.PROMOTED, Result.INCOMPLETE):
        return cause.reason
    return f"release {record.undoes} is not undone, its version {record.stable.hash} still serves: {cause.reason}"


def incomplete(release: Release, cause: Cause, why: str) -> Outcome:
    """What a human has to do, object by object; the journal stays open, so that `rollback` can go on."""
    left = tuple(_command(release, entry) for entry in release.record.objects if _still_ours(release, entry))
    record = release.record
    command = f"progressive-ci rollback {record.name} --namespace {record.namespace}"
    release.hands.lease.release()
    trouble = f"; stable: {release.trouble}" if release.trouble else ""
    reason = f"{cause.reason}; {why}{trouble}"
    advice = f"run `{command}` again once the cluster answers and stable has its pods, or the commands listed"
    told = Cause(Result.INCOMPLETE, reason, cause.source, advice)
    return replace(
        outcome(release, Result.INCOMPLETE, told, left=(*left, *_look_at_stable(release))),
        weight=_carried(release),
    )


def _carried(release: Release) -> int:
    """What the canary really carries, where that can be read."""
    if release.record.mode is not Mode.IN_PLACE and traffic.routed(release):
        with suppress(ProgressiveError):
            return traffic.current(release).percent
    return release.record.weight


def _look_at_stable(release: Release) -> tuple[str, ...]:
    """Where stable had too few pods: how to see why."""
    if not release.trouble and not release.record.weight:
        return ()
    record = release.record
    return (f"stable's pods: kubectl -n {record.namespace} describe pods -l {record.stable.selector}",)


def _still_ours(release: Release, entry: Owned) -> bool:
    try:
        seen = release.hands.cluster.get(entry.ref)
    except ProgressiveError:
        return True
    return seen is not None and epoch_of(seen, release.record.name) is not None


def _command(release: Release, entry: Owned) -> str:
    kind, name, place = entry.ref.kind.plural, entry.ref.name, f"-n {release.record.namespace}"
    if entry.created:
        return f"{entry.ref}: kubectl {place} delete {kind} {name}"
    fields = ", ".join(item.path for item in entry.originals)
    mark = epoch_key(release.record.name)
    return f"{entry.ref}: set {fields} back and remove annotation {mark}: kubectl {place} edit {kind} {name}"
