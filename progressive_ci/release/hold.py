"""`--on-failure hold`: a failed release stands still where it is, until a person takes it up."""

from math import floor

from progressive_ci.model import weight
from progressive_ci.model.event import Began, Stopped, Warned
from progressive_ci.model.journal import Record, Stage, State
from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Cause, Outcome, Result
from progressive_ci.model.plan import Mode, Plan, SetWeight
from progressive_ci.model.weight import Weight
from progressive_ci.release import capacity, traffic
from progressive_ci.release.fencing import raise_epoch
from progressive_ci.release.modes.table import MODES
from progressive_ci.release.readiness import pods_of, ready_uids
from progressive_ci.release.release import Release
from progressive_ci.release.rollback import outcome
from progressive_ci.release.stop import unready

HOLD = "hold"

_HOLDABLE = (Result.UNHEALTHY, Result.UNREADY, Result.UNAVAILABLE)
"""Who calls a run off wants the old version; what was measured can wait for a person who looks at it."""


def never_holds(plan: Plan, options: Options) -> tuple[str, ...]:
    """A warning where holding was asked for, and no step gives the new version a share that could be held."""
    steps = () if options.skip_analysis else plan.steps
    weights = any(isinstance(step, SetWeight) and step.weight > weight.NONE for step in steps)
    if options.on_failure != HOLD or weights:
        return ()
    return ("--on-failure hold has nothing to hold: no step has a weight, so a failure is rolled back",)


def may_hold(release: Release, cause: Cause) -> bool:
    """Whether a failure leaves something to hold: between the first weight and the promotion."""
    record = release.record
    stands = record.mode is not Mode.IN_PLACE and record.stage is Stage.STEPPING and record.weight > 0
    return stands and release.options.on_failure == HOLD and cause.result in _HOLDABLE


def hold(release: Release, cause: Cause) -> Outcome:
    """Freeze the weights, say so in the journal, and give the lease up; NAME stays paused, its Services pinned.

    Raises:
        Stop: the new version has not the pods for any weight.
    """
    reporter = release.hands.reporter
    reporter.emit(Stopped(cause.reason, cause.source))
    reporter.emit(Began("hold"))
    # Nothing that is still on its way may change a split that nobody watches any more.
    raise_epoch(release)
    carried = _bearable(release)
    release.armed = ()
    release.enter(
        state=State.HELD,
        weight=carried.percent,
        result=cause.result,
        reason=cause.reason,
        source=cause.source,
    )
    release.hands.lease.release()
    told = Cause(Result.HELD, cause.reason, cause.source, held_advice(release.record), cause.details)
    return outcome(release, Result.HELD, told)


def _bearable(release: Release) -> Weight:
    """What the canary carries, lowered to what its ready pods can carry where that is less."""
    mode, record = MODES[release.record.mode], release.record
    carried = traffic.current(release) if traffic.routed(release) else Weight(record.weight)
    ready = len(ready_uids(pods_of(release, record.canary)))
    if not ready or carried == weight.NONE:
        raise unready("the new version has no ready pod with traffic")
    if not traffic.routed(release):
        return carried
    size = mode.size(release)
    ready = min(ready, capacity.count_canary(release))
    if ready >= capacity.needed_pods(carried, size):
        return carried
    lower = Weight(floor(100 * ready / size))
    if not ready or capacity.bearable(release, carried) > lower:
        raise unready(f"{ready} ready pods can't carry {carried}, and stable can't carry {lower.rest}")
    reporter = release.hands.reporter
    reporter.emit(Warned(f"{ready} ready pods can't carry {carried}, so {lower} are held"))
    traffic.shift(release, lower, release.pause)
    return lower


def held_advice(record: Record) -> str:
    """The three ways on from a held release."""
    place = f"{record.name} --namespace {record.namespace}"
    return (
        f"take it up with `progressive-ci rollback {place}`, "
        f"`progressive-ci promote {place} --reason TEXT`, or `progressive-ci run --resume` with the same input"
    )
