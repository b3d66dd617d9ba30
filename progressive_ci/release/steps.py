"""The steps of a plan, one by one."""

from dataclasses import replace
from functools import partial
from typing import assert_never

from progressive_ci.model import weight
from progressive_ci.model.journal import Stage
from progressive_ci.model.plan import Analyze, Pause, Plan, SetWeight, Step
from progressive_ci.model.weight import Weight
from progressive_ci.release import capacity, traffic
from progressive_ci.release.analysis import AnalysisRun
from progressive_ci.release.canary_set import set_ref
from progressive_ci.release.modes.table import MODES
from progressive_ci.release.others import hold_stable
from progressive_ci.release.passes import note_pass
from progressive_ci.release.readiness import diagnose, too_late
from progressive_ci.release.release import Release
from progressive_ci.release.split import note_changed_split
from progressive_ci.release.stop import Stop, unavailable
from progressive_ci.release.vigil import Vigil
from progressive_ci.release.watchers import outlast
from progressive_ci.release.workload import available, replicas_of


def describe(step: Step) -> str:
    """A step in upstream's words."""
    match step:
        case SetWeight(share):
            return f"setWeight: {share.percent}"
        case Pause(seconds):
            return "pause" if seconds is None else f"pause: {seconds:g}s"
        case Analyze(analysis):
            return f"analysis: {analysis.name}"
        case _:
            assert_never(step)


def take(vigil: Vigil, plan: Plan, *, done: int = 0) -> None:
    """The steps that are not done; guards start where the plan says."""
    for guard in plan.guards:
        if guard.starting_step < done:
            vigil.watch(guard.analysis)
    for index, step in enumerate(plan.steps[done:], start=done):
        for guard in plan.guards:
            if guard.starting_step == index:
                vigil.watch(guard.analysis)
        vigil.release.began(f"step {index + 1}/{len(plan.steps)} {describe(step)}")
        vigil.release.record = replace(vigil.release.record, step=index + 1)
        _take_one(vigil, step)
        note_pass(vigil.release, step, index + 1)
    for guard in plan.guards:
        if guard.starting_step >= len(plan.steps):
            vigil.watch(guard.analysis)


def _take_one(vigil: Vigil, step: Step) -> None:
    match step:
        case SetWeight(share):
            set_weight(vigil, share)
        case Pause(seconds):
            if vigil.release.evidence:
                vigil.release.enter(stage=Stage.STEPPING)
            vigil.pause(seconds if seconds is not None else vigil.release.options.pause_timeout or 0.0)
        case Analyze(analysis):
            vigil.release.enter(stage=Stage.STEPPING)
            _analyze(vigil, AnalysisRun.begin(vigil.release, analysis))
        case _:
            assert_never(step)


def _analyze(vigil: Vigil, run: AnalysisRun) -> None:
    """Wait for the verdict, beside the guards."""
    vigil.guards.append(run)
    try:
        while not run.judge():
            vigil.glance(float("inf"))
    finally:
        run.cancel()
        vigil.guards.remove(run)
    vigil.release.note(f"analysis {run.analysis.name} passed")


def set_weight(vigil: Vigil, share: Weight) -> None:
    """Give the canary a share; raising it needs pods that serve, a journal entry, and guards that see."""
    release = vigil.release
    announced = Weight(release.record.weight)
    rises = share > announced
    if share == announced and traffic.routed(release):
        # Nothing will be written, so nothing would tell that somebody else has.
        traffic.read_objects(release)
    if rises:
        vigil.hold_while_blind()
        mode = MODES[release.record.mode]
        pods = capacity.needed_pods(share, mode.size(release))
        if traffic.routed(release):
            mode.scale(vigil, pods)
            while outlast(release, vigil.pause):
                mode.scale(vigil, pods)
        release.enter(weight=share.percent, stage=Stage.STEPPING)
        vigil.look()
    elif traffic.routed(release):
        _await_stable(vigil, share)
    _shift(vigil, share, announced=announced)
    if not rises:
        release.enter(weight=share.percent, stage=Stage.STEPPING)


def _overwrite(release: Release, ours: tuple[Weight, Weight], carried: Weight) -> None:
    """Where somebody has changed the split since the last step, it is written again, once."""
    if carried not in ours:
        note_changed_split(release, ours[0], carried)


def _await_stable(vigil: Vigil, share: Weight) -> None:
    """Lowering the canary raises stable: it has to have the pods for it."""
    release, allowed = vigil.release, vigil.release.record.ready_seconds
    vigil.poll(
        lambda: _carries(release, share),
        seconds=allowed,
        text="stable has the pods for a larger share",
        late=lambda: _starved(release, share, allowed),
    )


def _carries(release: Release, share: Weight) -> bool | None:
    if capacity.bearable(release, Weight(release.record.weight)) <= share:
        return True
    if not release.stable_ready[0]:
        hold_stable(release)
    return None


def _starved(release: Release, share: Weight, seconds: float) -> Stop:
    """The way back needs the same pods: it gets only the time that is left for them."""
    release.starved = seconds
    return unavailable(
        f"stable has {release.stable_ready[0]} ready pods, too few for {share.rest}, after {seconds:.0f} s"
    )


def keep_up(release: Release) -> None:
    """An autoscaler that asks more of NAME means the canary too, while it has weight."""
    if release.record.autoscaled and traffic.routed(release):
        mode = MODES[release.record.mode]
        mode.grow(release, capacity.needed_pods(Weight(release.record.weight), mode.size(release)))


def _shift(vigil: Vigil, share: Weight, *, announced: Weight) -> None:
    """Shift from what was announced last, bounded by the time that pods may take."""
    release, clock = vigil.release, vigil.release.hands.clock
    began, allowed = clock.now(), release.record.ready_seconds

    def wait(seconds: float) -> None:
        elapsed = clock.now() - began
        late = elapsed > allowed + traffic.settle_seconds(release)
        if not traffic.routed(release):
            _stop_for_pods(release, elapsed, late=late)
        elif late:
            raise unavailable(
                f"the route does not carry {share} after {elapsed:.0f} s",
                advice="see the route's status: its controller has not confirmed the change",
            )
        vigil.pause(seconds)

    if traffic.routed(release):
        traffic.shift(release, share, wait, noticed=partial(_overwrite, release, (announced, share)))
    else:
        traffic.shift(release, _by_pods(share), wait)
    vigil.changed_at = clock.now()


def _stop_for_pods(release: Release, elapsed: float, *, late: bool) -> None:
    """Without a router the share waits for pods: stop where they can't come, or had their time."""
    item, allowed = release.known(set_ref(release)), release.record.ready_seconds
    if late and item is not None:
        raise too_late(release, replicas_of(item), available(item), allowed)
    if stop := diagnose(release, item, elapsed=elapsed, allowed=allowed):
        raise stop


def _by_pods(share: Weight) -> Weight:
    """Without a router stable keeps a pod until the Deployment takes the canary over."""
    return min(share, Weight(99))


def complete(vigil: Vigil) -> None:
    """After the last step: everything on the canary, and every guard has seen it so."""
    record = vigil.release.record
    if record.route is not None and record.weight < weight.ALL.percent:
        set_weight(vigil, weight.ALL)
    vigil.fresh_values(vigil.changed_at)
    vigil.dismiss()
