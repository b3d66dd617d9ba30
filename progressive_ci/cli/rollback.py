"""`progressive-ci rollback NAME`: an unfinished release brought back, from an empty folder."""

from collections.abc import Callable

from progressive_ci.cli.desk import Desk, conduct
from progressive_ci.cli.settings import Settings
from progressive_ci.errors import ApiError, Interrupted, ProgressiveError, SpecInvalid
from progressive_ci.model.names import is_name
from progressive_ci.model.outcome import Outcome, Result
from progressive_ci.release import rescue


def main(settings: Settings) -> int:
    """Roll back, and exit by the outcome."""
    return conduct(settings, _rollback)


def _rollback(desk: Desk) -> Outcome:
    namespace, name = workload(desk.settings)
    hands = desk.hands(namespace=namespace, name=name)
    return again_later(lambda: rescue.rollback(namespace, name, desk.options, hands))


def again_later(work: Callable[[], Outcome]) -> Outcome:
    """Do it; where the cluster does not answer, or a signal comes too early, nobody knows how much is left."""
    try:
        return work()
    except ApiError as error:
        advice = f"{error.advice or 'restore the connection'}, then run this command again"
        return Outcome(Result.INCOMPLETE, str(error), advice=advice)
    except Interrupted as error:
        told = f"{error.what} before anything was brought to its end"
        return Outcome(Result.INCOMPLETE, told, advice=error.advice or "run this command again")


def workload(settings: Settings) -> tuple[str, str]:
    """Namespace and name that the user gave.

    Raises:
        SpecInvalid: one of them is missing, or can't be one.
    """
    if not settings.name:
        raise SpecInvalid(ProgressiveError("no workload was given", advice="name it after the command"))
    return namespace_of(settings), _named(settings.name, "a workload")


def namespace_of(settings: Settings) -> str:
    """The namespace that the user gave.

    Raises:
        SpecInvalid: none, or what can't be one.
    """
    if not settings.namespace:
        raise SpecInvalid(ProgressiveError("no namespace was given", advice="give --namespace"))
    return _named(settings.namespace, "a namespace")


def _named(text: str, what: str) -> str:
    if not is_name(text):
        told = f"{text!r} can't be the name of {what}"
        raise SpecInvalid(ProgressiveError(told, advice="write the name alone, as kubectl shows it"))
    return text


def demand_reason(settings: Settings) -> None:
    """Why a person goes another way than the plan's.

    Raises:
        SpecInvalid: the user gave none.
    """
    if not settings.reason:
        advice = "say why, as in --reason 'errors since noon'; it stands in the journal"
        raise SpecInvalid(ProgressiveError("no reason was given", advice=advice))
