"""A command finds no unfinished release, or only one that waits for its person: what it says then."""

from progressive_ci.errors import ProgressiveError, Refused
from progressive_ci.model import kinds
from progressive_ci.model.journal import Record, State
from progressive_ci.model.kinds import Ref
from progressive_ci.model.outcome import Outcome, Result
from progressive_ci.ports import Hands
from progressive_ci.release.hold import held_advice
from progressive_ci.release.records import waits_for_a_person
from progressive_ci.release.unaccounted import UNACCOUNTED, leftovers


def unaccounted(hands: Hands, namespace: str, name: str) -> Outcome:
    """No journal: nothing to do, or what only a person can."""
    left = leftovers(hands.cluster, namespace, name)
    if not left and hands.cluster.get(Ref(kinds.DEPLOYMENT, namespace, name)) is None:
        told = (
            f"{namespace} has neither a Deployment nor a journal of {name}, so no release of it is unfinished"
        )
        return Outcome(Result.NOTHING_TO_DO, told, advice="see that name and namespace are the ones you mean")
    if not left:
        return nothing(None, name)
    advice = "do what is listed; nothing was touched"
    return Outcome(Result.INCOMPLETE, UNACCOUNTED, advice=advice, left=left)


def nothing(record: Record | None, name: str) -> Outcome:
    """Nobody has to do anything, or only who held the release."""
    if record is None:
        return Outcome(Result.NOTHING_TO_DO, f"no release of {name} is unfinished")
    reason, advice = f"no release of {name} is unfinished", ""
    if waits_for_a_person(record):
        reason, advice = _held(record), held_advice(record)
    elif record.result is not None:
        reason += f"; the last one ended {record.result.word} at {record.updated}"
    if record.state is State.ENDED and record.result is Result.PROMOTED:
        advice = taken_back(record)
    return Outcome(Result.NOTHING_TO_DO, reason, advice=advice, release=record.release)


def too_late(release: str, advice: str = "") -> Outcome:
    """The old version was asked for when the new one had already been promoted."""
    told = f"release {release} was being promoted already, and has been finished"
    return Outcome(Result.TOO_LATE, told, advice=advice, weight=100, release=release)


def taken_back(record: Record) -> str:
    """Advice: how a promoted release is returned to its predecessor."""
    undo = f"progressive-ci undo {record.name} --namespace {record.namespace} --reason TEXT"
    return f"a finished release is taken back by `{undo}`"


def _held(record: Record) -> str:
    return f"release {record.release} of {record.name} is held since {record.updated}: {record.reason}"


def refuse_held(record: Record | None) -> None:
    """A held release ends by the word of a person, not because the next run comes."""
    if record is not None and waits_for_a_person(record):
        raise Refused(ProgressiveError(_held(record), advice=held_advice(record)))
