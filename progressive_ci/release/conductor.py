"""The story of a release, from the plan to the outcome."""

from dataclasses import replace
from functools import partial

from progressive_ci.errors import Interrupted, ProgressiveError
from progressive_ci.model.event import Began, Ended, Noted, Opened, Warned
from progressive_ci.model.kinds import DEPLOYMENT, Ref
from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Cause, Outcome, Result
from progressive_ci.model.plan import Plan
from progressive_ci.ports import Hands
from progressive_ci.release import first, guard_post, order, preflight, settings, steps, turn
from progressive_ci.release.attempt import attempt, called_off
from progressive_ci.release.credential_end import in_time
from progressive_ci.release.duration import hard_end, seen_live
from progressive_ci.release.endings import outcome_of
from progressive_ci.release.findings import Findings
from progressive_ci.release.guard_job import terms_of
from progressive_ci.release.modes.table import MODES
from progressive_ci.release.needed import create_missing
from progressive_ci.release.predecessor import promoted_by
from progressive_ci.release.promotion import promote
from progressive_ci.release.recalls import heard
from progressive_ci.release.records import read_record
from progressive_ci.release.release import Release
from progressive_ci.release.rest import apply_rest
from progressive_ci.release.resume import resume
from progressive_ci.release.rollback import roll_back
from progressive_ci.release.snapshot import already_seen, snapshot
from progressive_ci.release.vigil import Vigil
from progressive_ci.release.workload import generation


def run(plan: Plan, options: Options, hands: Hands, *, release: str) -> Outcome:
    """Release a new version; whatever happens, the outcome says what the cluster looks like.

    Args:
        plan: what is released.
        options: the user's choices.
        hands: the world.
        release: id for this release.
    """
    try:
        with heard(hands, release):
            outcome = _run(plan, options, hands, release)
    except ProgressiveError as error:
        outcome = replace(outcome_of(error), release=release)
    hands.reporter.emit(Ended(outcome))
    return outcome


def _run(plan: Plan, options: Options, hands: Hands, release_id: str) -> Outcome:
    hands.reporter.emit(Began("preflight"))
    for warning in plan.warnings:
        hands.reporter.emit(Warned(warning))
    if options.resume and (resumed := resume(plan, options, hands)):
        return resumed
    found, options = turn.look(plan, options, hands, release_id)
    for warning in found.warnings:
        hands.reporter.emit(Warned(warning))
    if found.unchanged:
        return _unchanged(found, release_id)
    with in_time(plan, options, hands, found.mode):
        return _begin(plan, options, hands, found, release_id)


def _begin(plan: Plan, options: Options, hands: Hands, found: Findings, release_id: str) -> Outcome:
    """Lease, a second look, snapshot: whatever ends this early gives the lease up."""
    hands.reporter.emit(Opened(release_id, plan.namespace, plan.workload.name))
    try:
        tenure = turn.take(plan, options, hands, release_id)
        found = _still(plan, options, hands, found, waited=tenure.waited)
        if found.unchanged:
            hands.lease.release()
            return _unchanged(found, release_id)
        record = snapshot(plan, options, hands, found, epoch=tenure.epoch, release=release_id)
        seen = already_seen(record, found)
        release = Release(hands, options, record, record.epoch, seen=seen, serving=found.serving)
        stopped = _enter(release)
    except BaseException:
        hands.lease.release()
        raise
    if stopped:
        return roll_back(release, stopped)
    explain = None if found.deployment else first.without_predecessor
    return attempt(release, partial(_forward, release, plan, found), explain=explain)


def _enter(release: Release) -> Cause | None:
    """The first entry: from here on everything can be undone by the journal alone.

    A signal may come while its answer is on the way; the entry stands then, and has to be brought to its end.
    """
    try:
        release.enter()
    except Interrupted:
        return called_off(release)
    return None


def _unchanged(found: Findings, release_id: str) -> Outcome:
    reason = "the running version is the one to release"
    if origin := promoted_by(found.before, found.stable.hash) or found.origin:
        reason += f"; its template was written by {origin}"
    return Outcome(
        Result.UNCHANGED,
        reason,
        revision=found.stable.hash,
        previous_revision=found.stable.hash,
        weight=100,
        release=release_id,
    )


def _still(plan: Plan, options: Options, hands: Hands, found: Findings, *, waited: bool) -> Findings:
    """What preflight found, looked at again where another run has finished a release before the lease was ours."""
    before = read_record(hands, namespace=plan.namespace, name=plan.workload.name)
    live = hands.cluster.get(Ref(DEPLOYMENT, plan.namespace, plan.workload.name))
    if not waited and before == found.before and generation(live) == generation(found.deployment):
        return found
    hands.reporter.emit(Noted("the workload has changed since preflight, so it is looked at again"))
    order.demand(options, before, hands)
    return preflight.examine(plan, options, hands, before)


def _forward(release: Release, plan: Plan, found: Findings) -> Outcome:
    """Prepare, step, promote."""
    if release.options.apply_rest:
        apply_rest(release, plan)
    if found.deployment is None:
        return first.release_first(release, plan, found)
    if found.canary.hash == found.stable.hash:
        return settings.change_settings(release)
    live = seen_live(plan, found.deployment, found.mode)
    deadline = release.hands.clock.now() + hard_end(live, release.options)
    vigil = Vigil(release, deadline=deadline, keep_up=partial(steps.keep_up, release))
    release.began("prepare")
    guard_post.post(release, terms_of(release.options, plan))
    create_missing(release, found)
    MODES[release.record.mode].prepare(vigil, found)
    if not release.options.skip_analysis:
        steps.take(vigil, plan)
    steps.complete(vigil)
    return promote(release)
