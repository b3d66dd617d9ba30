"""The order of commits: an older one never replaces a newer one, unless a user says so."""

from progressive_ci.errors import Outdated
from progressive_ci.model.event import Warned
from progressive_ci.model.journal import Record
from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Result
from progressive_ci.model.position import Position
from progressive_ci.ports import Hands, History

_ADVICE = "release a newer commit; if this one is meant, say so with --allow-older and --reason"


def demand(options: Options, record: Record | None, hands: Hands) -> None:
    """This run's commit is not older than what was promoted last; where nobody can tell, that is said.

    Raises:
        Outdated: it is.
    """
    deployed, mine = record.deployed if record else None, options.position
    if record is None or deployed is None:
        return
    found = older(mine, deployed, hands.history)
    if found is False:
        return
    where = f"{record.namespace}/{record.name}"
    if found is None:
        told = f"nobody can tell whether {mine} is older than {deployed}, which is deployed"
        hands.reporter.emit(Warned(f"{where}: {told}"))
    elif options.allow_older:
        told = f"{mine} is older than {deployed}, which is deployed; allowed because: {options.reason}"
        hands.reporter.emit(Warned(f"{where}: {told}"))
    else:
        raise Outdated(f"{mine} is older than {deployed}, which is deployed", where=where, advice=_ADVICE)


def overtaken(options: Options, running: Record, hands: Hands) -> Outdated | None:
    """What to say where this run's commit is older than the one that is being released now."""
    mine, other = options.position, running.position
    if options.allow_older or not older(mine, other, hands.history):
        return None
    told = f"{mine} is older than {other}, which release {running.release} is releasing now"
    return Outdated(told, where=f"{running.namespace}/{running.name}", advice=_ADVICE)


def older(mine: Position, other: Position, history: History) -> bool | None:
    """Whether a commit is older than another; None where nobody can tell.

    Numbers of one source say it; else the checkout, if it has both commits and one rests on the other.
    """
    if mine.number is not None and other.number is not None and mine.source == other.source:
        return mine.number < other.number
    if not mine.commit or not other.commit:
        return None
    if mine.commit == other.commit or history.contains(mine.commit, other.commit):
        return False
    return True if history.contains(other.commit, mine.commit) else None


def deployed_after(record: Record, result: Result) -> Position | None:
    """Where the commit stands that serves when a release has ended so."""
    return record.position if result is Result.PROMOTED and record.position.known else record.deployed


def override(options: Options) -> str:
    """The rules that the user set aside, for the journal."""
    rules = {
        "without analysis": options.skip_analysis,
        "over a newer commit if there is one": options.allow_older,
    }
    chosen = " and ".join(rule for rule, given in rules.items() if given)
    return f"{chosen}, because: {options.reason}" if chosen else ""
