"""The end of the credential: a release must be at rest before it, for nothing can be taken back afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from progressive_ci.errors import ProgressiveError, Refused
from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Cause, Result
from progressive_ci.model.plan import Mode, Plan
from progressive_ci.ports import Hands, Login
from progressive_ci.release import watchers
from progressive_ci.release.duration import rolling_seconds, settle_seconds, way_back, worst_case
from progressive_ci.release.findings import Findings
from progressive_ci.reports.text import duration

_CONTROLLERS = 60.0
"""Seconds that controllers and the API server may take in all."""


def needed(plan: Plan, options: Options, mode: Mode) -> float:
    """Seconds from any state of a release to its safety, back or, in the promotion, forward.

    Never more than the rollback may take: what takes longer ends with its budget. Whoever comes back late after an
    outage is waited for beside it.
    """
    longest = way_back(replace(plan, mode=mode), options)
    drain = longest - options.rollback_budget
    starting = 0.0 if mode is Mode.ADOPT and plan.route else rolling_seconds(plan)
    others = watchers.SECONDS if plan.route and plan.route.stable_service else 0.0
    return others + min(longest, 2 * settle_seconds(plan, options) + drain + _CONTROLLERS + starting)


def described(login: Login) -> str:
    """What we log in with, and until when, in words."""
    if login.renewed:
        return f"{login.kind}, renewed before it ends"
    return f"{login.kind}, which ends {_moment(login)}" if login.ends else login.kind


def too_short(plan: Plan, options: Options, hands: Hands, mode: Mode) -> tuple[ProgressiveError, ...]:
    """Why no release may begin: the credential would not even last for the way back."""
    login, need = hands.credential.look(), needed(plan, options, mode)
    if login.left is None or login.left > need:
        return ()
    told = f"it ends {_moment(login)}, and the way back alone may take {duration(need)}"
    return (ProgressiveError(told, where=login.kind, advice=login.advice),)


def warning(plan: Plan, options: Options, hands: Hands, mode: Mode) -> tuple[str, ...]:
    """What the user should know of a credential that may end before the release does."""
    login, need = hands.credential.look(), needed(plan, options, mode)
    longest = worst_case(replace(plan, mode=mode), options)
    if login.left is None or login.left > longest + need:
        return ()
    told = (
        f"{login.kind} ends {_moment(login)}, and the release may take {duration(longest)}: what is not promoted "
        f"{duration(need)} before that is rolled back; {login.advice}"
    )
    return (told,)


def demand(plan: Plan, options: Options, hands: Hands, mode: Mode) -> None:
    """The credential lasts for the way back at least.

    Raises:
        Refused: it doesn't.
    """
    if short := too_short(plan, options, hands, mode):
        raise Refused(*short)


def weighed(plan: Plan, options: Options, hands: Hands, found: Findings) -> Findings:
    """What preflight found, with what the credential's end means for it.

    Raises:
        Refused: nothing may begin.
    """
    if found.unchanged:
        return found
    demand(plan, options, hands, found.mode)
    return replace(found, warnings=(*found.warnings, *warning(plan, options, hands, found.mode)))


@contextmanager
def in_time(plan: Plan, options: Options, hands: Hands, mode: Mode) -> Iterator[None]:
    """Meanwhile the run is called off while there is still time for the way back."""
    need = needed(plan, options, mode)

    def call_off(login: Login) -> None:
        told = f"{login.kind} ends {_moment(login)}, and the way back needs {duration(need)}"
        hands.clock.halt(Cause(Result.CANCELLED, told, advice=login.advice))

    stop = hands.credential.call_before_end(need, call_off)
    try:
        yield
    finally:
        stop()


def _moment(login: Login) -> str:
    """`in 14 min, at 10:30:00 UTC`."""
    if login.ends is None or login.left is None:
        return ""
    clock = login.ends.strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"in {duration(login.left)}, at {clock}" if login.left > 0 else f"at {clock}, which is over"
