"""`run --resume`: an unfinished or held release of the same version goes on at its recorded step.

Passed steps are not taken again; the one in progress is taken in whole. Background analyses start anew, so the
promotion rests on values of this run.
"""

from datetime import datetime
from functools import partial

from progressive_ci.errors import ProgressiveError, Refused
from progressive_ci.model import kinds, weight
from progressive_ci.model.document import Source
from progressive_ci.model.event import Began, Noted, Opened, Warned
from progressive_ci.model.journal import Record, Stage
from progressive_ci.model.kinds import Ref
from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Outcome
from progressive_ci.model.plan import Mode, Plan, SetWeight
from progressive_ci.model.weight import Weight
from progressive_ci.ports import Hands
from progressive_ci.release import candidate, capacity, preflight, steps, traffic
from progressive_ci.release.attempt import attempt
from progressive_ci.release.credential_end import in_time
from progressive_ci.release.digest import digest
from progressive_ci.release.duration import hard_end
from progressive_ci.release.guard_job import terms_of
from progressive_ci.release.guard_post import post
from progressive_ci.release.hold import held_advice
from progressive_ci.release.modes.table import MODES
from progressive_ci.release.promotion import promote
from progressive_ci.release.recalls import heard
from progressive_ci.release.records import read_record, unfinished, waits_for_a_person
from progressive_ci.release.release import Release
from progressive_ci.release.take_up import take_up
from progressive_ci.release.vigil import Vigil
from progressive_ci.release.workload import hash_of, same_template

_CLOCKS_DIFFER = 60.0
"""Seconds by which the clocks of two machines may differ before nobody knows how old an entry is."""


def resume(plan: Plan, options: Options, hands: Hands) -> Outcome | None:
    """Go on with what stands; None where there is nothing that can be gone on with, and a release begins anew.

    Raises:
        Refused: a held release can't be gone on with, and nobody has said what is to become of it.
    """
    record = read_record(hands, namespace=plan.namespace, name=plan.workload.name)
    if record is None or not unfinished(record) or record.stage is not Stage.STEPPING:
        return None
    hands.reporter.emit(Began("resume"))
    if why := _unfit(plan, options, hands, record):
        if waits_for_a_person(record):
            told = f"the held release {record.release} can't be resumed: {why}"
            raise Refused(ProgressiveError(told, advice=held_advice(record)))
        told = f"release {record.release} is not resumed, but finished first: {why}"
        hands.reporter.emit(Warned(told))
        return None
    preflight.admit(plan, options, hands, mode=record.mode)
    hands.reporter.emit(Opened(record.release, plan.namespace, plan.workload.name))
    held, asked = waits_for_a_person(record), record.release
    # One that was held only meanwhile waits for a person who has seen that.
    release, _ = take_up(hands, options, record, held=held, meant=lambda now: now.release == asked)
    if release is None or release.record.stage != record.stage:
        hands.lease.release()
        return None
    with heard(hands, record.release), in_time(plan, options, hands, record.mode):
        return attempt(release, partial(_forward, release, plan))


def _unfit(plan: Plan, options: Options, hands: Hands, record: Record) -> str:
    """Why the recorded evidence is not good enough for this run; empty where it is."""
    if options.skip_analysis:
        return "--skip-analysis takes none of its steps"
    if record.plan != digest(plan):
        return "the plan has other steps or analyses than the one that was begun"
    if record.commit and options.commit and record.commit != options.commit:
        return f"it releases commit {record.commit}, this run {options.commit}"
    if (age := _age(record, hands)) < -_CLOCKS_DIFFER:
        return f"its last entry is of {record.updated}, which is still to come by the API server's clock"
    if age > options.resume_within:
        return f"its last entry is of {record.updated}, longer ago than --resume-within"
    return "" if _same_version(plan, options, hands, record) else "it releases another version of the pods"


def _age(record: Record, hands: Hands) -> float:
    try:
        return (hands.clock.wall() - datetime.fromisoformat(record.updated)).total_seconds()
    except (ValueError, TypeError):
        return float("inf")


def _same_version(plan: Plan, options: Options, hands: Hands, record: Record) -> bool:
    """Whether the server would store the very template that the canary has."""
    live = hands.cluster.get(Ref(kinds.DEPLOYMENT, plan.namespace, plan.workload.name))
    if live is None:
        return False
    template = candidate.stored(plan, options, hands, live)[1]
    if hash_of(template) == record.canary.hash:
        return True
    if record.mode is not Mode.ADOPT:
        return False
    item = hands.cluster.get(Ref(kinds.REPLICA_SET, plan.namespace, record.canary.name))
    return item is not None and same_template(item["spec"]["template"], template)


def _forward(release: Release, plan: Plan) -> Outcome:
    """The steps that are left, then the promotion."""
    done = len(release.record.passed)
    guarded = release.record.guarded or bool(release.options.guard)
    release.enter(result=None, reason="", source=Source(), guarded=guarded)
    release.hands.reporter.emit(Noted(_told(release, plan, done)))
    clock = release.hands.clock
    vigil = Vigil(
        release,
        deadline=clock.now() + hard_end(plan, release.options),
        keep_up=partial(steps.keep_up, release),
        changed_at=clock.now(),
    )
    stand_again(vigil)
    # Users may be on the new version already: whoever waits for the guard has an eye on them.
    post(release, terms_of(release.options, plan), vigil.pause)
    _reach(vigil, plan, done)
    steps.take(vigil, plan, done=done)
    steps.complete(vigil)
    return promote(release)


def _told(release: Release, plan: Plan, done: int) -> str:
    where = f"step {done + 1} of {len(plan.steps)}" if done < len(plan.steps) else "the promotion"
    return f"release {release.record.release} goes on at {where}, from {release.record.weight} %"


def stand_again(vigil: Vigil) -> None:
    """Believe the route, not the last entry: a raise may have been announced and never sent. Have pods for it."""
    release = vigil.release
    if release.record.route is not None:
        capacity.count_stable(release)
    if not traffic.routed(release):
        return
    carried = traffic.current(release)
    if carried.percent != release.record.weight:
        release.enter(weight=carried.percent)
    if carried > weight.NONE:
        traffic.arm(release)
        mode = MODES[release.record.mode]
        mode.scale(vigil, capacity.needed_pods(carried, mode.size(release)))


def _reach(vigil: Vigil, plan: Plan, done: int) -> None:
    """The weight of the steps that are passed, where the next step does not set its own.

    Also where it is carried already: whatever holds weight and pods against others rests on a shift of this run.
    """
    release = vigil.release
    shares = [step.weight for step in plan.steps[:done] if isinstance(step, SetWeight)]
    wanted = shares[-1] if shares else weight.NONE
    sets_its_own = done < len(plan.steps) and isinstance(plan.steps[done], SetWeight)
    carried = Weight(release.record.weight)
    has_users = max(carried, wanted) > weight.NONE
    if release.record.route is not None and (carried < wanted or (has_users and not sets_its_own)):
        steps.set_weight(vigil, wanted)
