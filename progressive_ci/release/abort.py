"""`abort`: a release is asked to go back; where nobody listens any more, this process takes it back itself."""

from dataclasses import replace

from progressive_ci.errors import (
    Conflict,
    Interrupted,
    Locked,
    NoAnswer,
    ProgressiveError,
    Refused,
    ServerError,
    TooManyRequests,
)
from progressive_ci.model.event import Noted, Waiting, Warned
from progressive_ci.model.journal import Record, Stage, State
from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Outcome, Result
from progressive_ci.model.recall import Purpose
from progressive_ci.model.weight import Weight
from progressive_ci.ports import Hands
from progressive_ci.release import recalls, rescue
from progressive_ci.release.nothing_to_do import nothing, too_late, unaccounted
from progressive_ci.release.recalls import Asked
from progressive_ci.release.records import read_record, unfinished, waits_for_a_person

_LOOK = 2.0
_PASSING = (Conflict, Locked, NoAnswer, ServerError, TooManyRequests)
"""Nobody can tell now, or somebody else has taken the release up; neither says that it has ended."""


def abort(namespace: str, name: str, options: Options, hands: Hands, *, by: str, only: str = "") -> Outcome:
    """Ask, and see to it that the release ends.

    Args:
        namespace: of the workload.
        name: of the workload.
        options: the user's choices; `reason` says why, `lock_wait` how long to wait.
        hands: the world.
        by: who asks.
        only: id of a run that still waits for its turn or looks around; empty for the release that runs.

    Raises:
        Locked: the release has been asked, and has not ended in the time that was given, or before a signal.
        Refused: there is nothing to write the request beside, or no room for one to a run that waits.
    """
    record = read_record(hands, namespace=namespace, name=name)
    if only and not (unfinished(record) and record is not None and record.release == only):
        return _ask_early(record, options, hands, by=by, only=only)
    if record is None:
        return unaccounted(hands, namespace, name)
    if not unfinished(record):
        return nothing(record, name)
    asked = recalls.ask(hands, Purpose.ABORT, record.release, by=by, reason=options.reason)
    if asked is None:
        told = f"somebody has just deleted the journal, so release {record.release} can't be asked"
        raise Refused(
            ProgressiveError(told, advice="give this command again: a run that lives writes it again")
        )
    hands.reporter.emit(Noted(asked.told))
    if record.stage in (Stage.PROMOTING, Stage.COMMITTED):
        told = f"release {record.release} is being promoted: where its run lives, that is finished first"
        hands.reporter.emit(Warned(told))
    if options.lock_wait == 0 and record.state is State.RUNNING:
        return _asked(asked)
    return _see(record, options, hands, by)


def _ask_early(record: Record | None, options: Options, hands: Hands, *, by: str, only: str) -> Outcome:
    ended = next((row for row in record.endings if row.release == only), None) if record else None
    if ended is not None:
        told = f"release {only} ended {ended.result.word} at {ended.at}: {ended.reason}"
        return Outcome(Result.NOTHING_TO_DO, told, release=only)
    if record is not None and unfinished(record):
        told = f"not {only} is at work, but release {record.release}, which goes on"
        hands.reporter.emit(Warned(f"{told}; {only} is asked in case it waits for its turn"))
    asked = recalls.ask(hands, Purpose.ABORT, only, by=by, reason=options.reason, runs=False)
    if asked is None:
        told = f"there is no journal yet, so release {only} can't be asked"
        raise Refused(ProgressiveError(told, advice="end its job; before the journal it has written nothing"))
    return _asked(asked)


def _asked(asked: Asked) -> Outcome:
    told = f"{asked.told}; nobody has waited for that"
    return Outcome(Result.ASKED, told, advice="see `progressive-ci status`", release=asked.recall.release)


def _see(asked: Record, options: Options, hands: Hands, by: str) -> Outcome:
    """How the release ends."""
    try:
        return _watched(asked, options, hands, by)
    except Interrupted as error:
        told = f"release {asked.release} has been asked to go back and had not ended: {error.what}"
        advice = "give this command again to see to its end"
        raise Locked(told, where=f"{asked.namespace}/{asked.name}", advice=advice) from error


def _watched(asked: Record, options: Options, hands: Hands, by: str) -> Outcome:
    """How it ends, whoever ends it; what can't be seen, or is in somebody else's hands, is looked at again."""
    clock, began = hands.clock, hands.clock.now()
    seen, trouble = asked, ""
    while True:
        try:
            found = _look(asked, options, hands, by)
            if isinstance(found, Outcome):
                return found
            seen, trouble = found, ""
        except _PASSING as error:
            if str(error) != trouble:
                hands.reporter.emit(Warned(f"release {asked.release} is looked at again after: {error}"))
            trouble = str(error)
        elapsed = clock.now() - began
        if elapsed >= options.lock_wait:
            raise _unended(asked, elapsed, trouble)
        waiting = f"release {asked.release} goes back"
        hands.reporter.emit(Waiting(waiting, elapsed, options.lock_wait, Weight(seen.weight)))
        clock.wait(min(clock.now() + _LOOK, began + options.lock_wait))


def _unended(asked: Record, seconds: float, trouble: str) -> Locked:
    told = f"release {asked.release} has been asked to go back and has not ended after {seconds:.0f} s"
    told += f" ({trouble})" if trouble else ""
    advice = "it goes on by itself; `progressive-ci status` tells how far it is"
    return Locked(told, where=f"{asked.namespace}/{asked.name}", advice=advice)


def _look(asked: Record, options: Options, hands: Hands, by: str) -> Outcome | Record:
    """How it has ended, by our own hands where nobody else's are at it; else how far it is."""
    record = read_record(hands, namespace=asked.namespace, name=asked.name)
    if record is not None and (record.release != asked.release or not unfinished(record)):
        return _told(asked.release, record)
    if record is not None and waits_for_a_person(record):
        return _ourselves(record, options, hands, by)
    if not hands.lease.deserted():
        # A run whose journal somebody has deleted writes it again.
        return record or asked
    return _ourselves(record or asked, options, hands, by)


def _ourselves(record: Record, options: Options, hands: Hands, by: str) -> Outcome:
    """Nobody listens: the run is dead, or the release waits for a person."""
    hands.reporter.emit(
        Noted(f"nobody runs release {record.release} any more, so it is taken back from here")
    )
    recall = recalls.recall(hands, Purpose.ABORT, record.release, by=by, reason=options.reason)
    at_once = replace(options, lock_wait=0.0)
    place, only = (record.namespace, record.name), record.release
    done = rescue.rollback(*place, at_once, hands, only=only, held=True, asked=recalls.cause(recall))
    if done.result is Result.NOTHING_TO_DO:
        now = read_record(hands, namespace=record.namespace, name=record.name)
        return unaccounted(hands, *place) if now is None else _told(only, now)
    return done


def _told(release: str, record: Record) -> Outcome:
    """What the journal says of the release's end."""
    ended = next((row for row in record.endings if row.release == release), None)
    if ended is None:
        told = f"release {release} has ended, and the journal does not tell how"
        return Outcome(Result.NOTHING_TO_DO, told, release=release)
    if ended.result is Result.PROMOTED:
        return too_late(release)
    told = f"release {release} is rolled back: {ended.reason}"
    return Outcome(Result.RECOVERED, told, revision=ended.revision, release=release)
