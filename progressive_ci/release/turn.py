"""Whose turn it is where two runs want to release one workload: wait, refuse, or ask the first to go back."""

from dataclasses import replace

from progressive_ci.errors import ApiError, Locked, Refused
from progressive_ci.model.event import Noted, Waiting
from progressive_ci.model.journal import Record, State
from progressive_ci.model.options import IfLocked, Options
from progressive_ci.model.plan import Plan
from progressive_ci.model.recall import Purpose
from progressive_ci.model.weight import Weight
from progressive_ci.ports import Hands, Tenure
from progressive_ci.release import order, preflight, recalls, rescue
from progressive_ci.release.findings import Findings
from progressive_ci.release.records import read_record, unfinished
from progressive_ci.release.unaccounted import refuse_leftovers
from progressive_ci.reports.text import duration

_LOOK = 3.0
"""Seconds between two looks at a release that is waited for."""


def look(plan: Plan, options: Options, hands: Hands, release: str) -> tuple[Findings, Options]:
    """Preflight when it is our turn; what a run has made unfit that began meanwhile is no refusal.

    Raises:
        Outdated: see `come`.
        Locked: see `come`.
        Refused: see `come` and `preflight.examine`.
    """
    while True:
        before, options = come(plan, options, hands, release)
        try:
            return preflight.examine(plan, options, hands, before), options
        except Refused as refusal:
            if _now(plan, hands, refusal) == before:
                raise


def come(plan: Plan, options: Options, hands: Hands, release: str) -> tuple[Record | None, Options]:
    """Before anything is looked at: the release that runs is waited for, a dead one's is finished.

    Returns:
        What the journal says then, and the options with what is left of the time to wait.

    Raises:
        Outdated: this commit is older than the one deployed, or than the one that another run releases now.
        Locked: it is not our turn in the time that was given.
        Unfinished: an earlier release could not be brought to its end.
        Refused: one is held for a person.
    """
    began = hands.clock.now()
    found = read_record(hands, namespace=plan.namespace, name=plan.workload.name)
    if found is None:
        found = _first(plan, hands)
    if found is not None and unfinished(found):
        found = _after(found, plan, options, hands, release)
        options = replace(options, lock_wait=max(0.0, options.lock_wait - (hands.clock.now() - began)))
        if found is None:  # somebody has deleted the journal meanwhile
            found = _first(plan, hands)
    order.demand(options, found, hands)
    return found, options


def _first(plan: Plan, hands: Hands) -> Record | None:
    """No journal: nobody has left anything, or somebody has begun just now."""
    try:
        refuse_leftovers(hands.cluster, plan.namespace, plan.workload.name)
    except Refused as refusal:
        if (found := _now(plan, hands, refusal)) is None:
            raise
        return found
    return None


def _now(plan: Plan, hands: Hands, refusal: Refused) -> Record | None:
    """What the journal says after a refusal; where it does not answer, the refusal stands."""
    try:
        return read_record(hands, namespace=plan.namespace, name=plan.workload.name)
    except ApiError as error:
        raise refusal from error


def take(plan: Plan, options: Options, hands: Hands, release: str) -> Tenure:
    """The lease; whoever has been quicker meanwhile is waited for or asked to go back as well.

    Raises:
        Locked: it is not our turn in the time that was given.
        Outdated: whoever was quicker releases a newer commit.
    """
    until, waited = hands.clock.now() + options.lock_wait, False
    while True:
        try:
            tenure = hands.lease.acquire(release, wait=min(_LOOK, max(0.0, until - hands.clock.now())))
        except Locked:
            if hands.clock.now() >= until:
                raise
            waited = True
            running = read_record(hands, namespace=plan.namespace, name=plan.workload.name)
            _meet(running, options, hands, release)
        else:
            return replace(tenure, waited=waited or tenure.waited)


def _after(found: Record, plan: Plan, options: Options, hands: Hands, release: str) -> Record | None:
    """What the journal says when the unfinished release has come to its end."""
    if too_old := order.overtaken(options, found, hands):
        try:
            return rescue.finish_orphan(plan, replace(options, lock_wait=0.0), hands, release)
        except Locked as error:
            raise too_old from error
    record = _waited(found, options, hands, release)
    if record is None or not unfinished(record):
        return record
    return rescue.finish_orphan(plan, replace(options, lock_wait=0.0), hands, release)


def _waited(found: Record, options: Options, hands: Hands, release: str) -> Record | None:
    """The record when its release has ended, nobody keeps it any more, or the time to wait is over."""
    clock, began = hands.clock, hands.clock.now()
    record: Record | None = found
    met: set[str] = set()
    while record is not None and unfinished(record):
        elapsed = clock.now() - began
        if elapsed >= options.lock_wait or hands.lease.deserted():
            return record
        if record is found:
            ends = f"for release {record.release} of {record.name} to end"
            limit = duration(options.lock_wait)
            hands.reporter.emit(Noted(f"this is release {release}, which waits up to {limit} {ends}"))
        if record.release not in met:
            met.add(record.release)
            _meet(record, options, hands, release)
        told = f"release {record.release} of {record.name} comes to its end"
        hands.reporter.emit(Waiting(told, elapsed, options.lock_wait, Weight(record.weight)))
        clock.wait(min(clock.now() + _LOOK, began + options.lock_wait))
        record = read_record(hands, namespace=found.namespace, name=found.name)
    return record


def _meet(record: Record | None, options: Options, hands: Hands, release: str) -> None:
    """Give way to a newer commit; ask any other release that runs to go back, where this one takes its place."""
    if record is None or record.state is not State.RUNNING:
        return
    if too_old := order.overtaken(options, record, hands):
        raise too_old
    if options.if_locked is not IfLocked.SUPERSEDE:
        return
    by = f"release {release}" + (f" ({options.run_url})" if options.run_url else "")
    asked = recalls.ask(hands, Purpose.SUPERSEDE, record.release, by=by, reason=options.reason)
    if asked is not None:
        why = "" if asked.earlier else ", because this one takes its place"
        hands.reporter.emit(Noted(f"{asked.told}{why}"))
