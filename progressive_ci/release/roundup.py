"""Every orphan of a namespace, one after the other, each with its own lease; the worst end is the end."""

from collections.abc import Callable
from dataclasses import replace

from progressive_ci.errors import ApiError, Interrupted, Locked, ProgressiveError
from progressive_ci.model import kinds
from progressive_ci.model.event import Noted
from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Outcome, Result
from progressive_ci.ports import Hands
from progressive_ci.release import rescue
from progressive_ci.release.endings import outcome_of
from progressive_ci.release.workload import name_of

JOURNALS = "app.kubernetes.io/managed-by=progressive-ci"
PREFIX = "progressive-ci."

_WORST_FIRST = (
    Result.INCOMPLETE,
    Result.TAKEN_OVER,
    Result.CANCELLED,
    Result.REFUSED,
    Result.INVALID,
    Result.PROMOTED,
    Result.RECOVERED,
)
"""What is no failure of anybody stands behind them: a release that a run is at work on is in good hands."""


def workloads(namespace: str, hands: Hands) -> tuple[str, ...]:
    """The workloads of a namespace that have a journal."""
    found = hands.cluster.list(kinds.CONFIG_MAP, namespace, labels=JOURNALS)
    names = (name_of(item) for item in found)
    return tuple(sorted(name.removeprefix(PREFIX) for name in names if name.startswith(PREFIX)))


def recover_all(
    namespace: str, names: tuple[str, ...], options: Options, reach: Callable[[str], Hands]
) -> Outcome:
    """Finish what dead runs left of these workloads.

    Args:
        namespace: theirs.
        names: of the workloads.
        options: the user's choices.
        reach: the hands for one workload, with its own journal and lease.
    """
    each = tuple(_one(namespace, name, options, reach(name)) for name in names)
    ends = {item.result for item in each}
    worst = next((result for result in _WORST_FIRST if result in ends), Result.NOTHING_TO_DO)
    done = sum(item.result in (Result.RECOVERED, Result.PROMOTED) for item in each)
    reason = f"{len(each)} journals in {namespace}, {done} releases finished"
    return Outcome(worst, reason, each=each)


def _one(namespace: str, name: str, options: Options, hands: Hands) -> Outcome:
    try:
        done = rescue.recover(namespace, name, options, hands)
    except Locked as error:
        hands.reporter.emit(Noted(f"{name}: a run is at work on it"))
        done = Outcome(Result.LOCKED, str(error), advice="nothing: that run finishes it")
    except ApiError as error:
        done = Outcome(Result.INCOMPLETE, str(error), advice="restore the connection, then run this again")
    except Interrupted as error:
        told = f"{error.what} before anything was brought to its end"
        done = Outcome(Result.INCOMPLETE, told, advice="run this again")
    except ProgressiveError as error:
        done = outcome_of(error)
    return replace(done, workload=name)
