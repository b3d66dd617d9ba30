"""Whatever a process is about, and in every state and step of it, an abort is served within five seconds.

The states aren't listed: each way is gone once undisturbed, and every state that its journal then shows is a case.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from progressive_ci.model.journal import Record, Stage, State
from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Result
from progressive_ci.sandbox import faults
from progressive_ci.sandbox.call import Call
from tests.scenario import commands, given, guards, then, when
from tests.scenario.documents import MEASURED, metric, rollout, template
from tests.scenario.rows import ROWS, STEPS, Row
from tests.scenario.scene import Run, Scene
from tests.scenario.struck import LEASE_SECONDS
from tests.scenario.test_abort import HEARD, TOLD, asked, follows_at_once

MANY = 2
"""States that the shortest way has."""

SOON = 5.0
REQUEST = 2 * faults.LATENCY
BAD = rollout("gateway", image="web:2.0.0-err40", steps=MEASURED) + "---\n" + template(metric())
HELD = Options(on_failure="hold")


@dataclass(frozen=True, slots=True)
class Way:
    """What a process is about.

    Attributes:
        begin: what stands before it.
        go: the process.
        old: the version that serves before; empty where there is none.
        new: the version that comes.
        back: how a failure of it ends.
    """

    begin: Callable[[], Scene]
    go: Callable[[Scene], Run]
    old: str = "1.0.0"
    new: str = "2.0.0"
    back: Result = Result.CANCELLED


def released(row: Row) -> Way:
    return Way(row.open, lambda scene: scene.released(row.text), row.old, row.new)


def undone(row: Row) -> Way:
    def begin() -> Scene:
        scene = row.open()
        then.ended(scene.released(row.text), Result.PROMOTED)
        return anew(scene)

    return Way(begin, commands.undo_last, row.new, row.old)


def resumed(row: Row) -> Way:
    def begin() -> Scene:
        scene = row.open()
        scene.sandbox.faults.plan(faults.kill_before(), when=lambda *_: in_its_steps(scene.oracle.record))
        assert scene.released(row.text).outcome is None
        scene.sandbox.clock.run(LEASE_SECONDS)
        return scene

    options = Options(resume=True)
    return Way(begin, lambda scene: scene.released(row.text, options), row.old, row.new)


def in_its_steps(record: Record | None) -> bool:
    return record is not None and record.stage is Stage.STEPPING and len(record.passed) > 0


def promoted_by_hand() -> Way:
    def begin() -> Scene:
        scene = given.app()
        then.ended(scene.released(BAD, HELD), Result.HELD)
        return scene

    return Way(begin, commands.promote, new="2.0.0-err40")


def failed() -> Way:
    return Way(given.app, lambda scene: scene.released(BAD), new="2.0.0-err40", back=Result.UNHEALTHY)


def guarded(row: Row) -> Way:
    """Its guard does not come up."""

    def begin() -> Scene:
        scene = row.open()
        guards.account(scene, row.text)
        scene.sandbox.world.jobs.starts = False
        return scene

    return Way(begin, lambda scene: scene.released(row.text, guards.ASKED), row.old, back=Result.UNREADY)


def anew(scene: Scene) -> Scene:
    scene.oracle.next_release()
    scene.before = given.snapshot(scene.sandbox)
    scene.before.pop("ConfigMap progressive-ci.web")
    return scene


WAYS = {
    **{name: released(row) for name, row in ROWS.items()},
    **{f"undo of {name}": undone(row) for name, row in ROWS.items()},
    **{f"resumed {name}": resumed(ROWS[name]) for name in ("gateway", "nginx", "ratio", "roll")},
    "the first release": Way(
        given.nothing, lambda scene: scene.released(rollout("gateway", steps=STEPS)), old=""
    ),
    "settings alone": Way(
        given.app,
        lambda scene: scene.released(rollout("gateway", image="web:1.0.0", spec="minReadySeconds: 3")),
        new="1.0.0",
    ),
    "promoted by hand": promoted_by_hand(),
    "a rollback": failed(),
    "the guard is waited for": guarded(ROWS["gateway"]),
}

Seen = tuple[Stage, int, int]
"""Where a release is: its stage, its step, its weight."""

FINISHED = (Stage.PROMOTING, Stage.COMMITTED)


def seen(scene: Scene) -> Seen | None:
    record = scene.oracle.record
    if record is None or record.state is not State.RUNNING:
        return None
    return record.stage, record.step, record.weight


def states(way: Way) -> dict[Seen, tuple[int, ...]]:
    """Every state that the way passes, with the numbers of its first request and of one in its middle."""
    scene, numbers = way.begin(), dict[Seen, list[int]]()

    def look(number: int, call: Call) -> None:
        state = seen(scene)
        if state is not None and "/leases" not in call.path:
            numbers.setdefault(state, []).append(number)

    scene.sandbox.faults.before_each(look)
    way.go(scene)
    return {state: tuple(sorted({each[0], each[len(each) // 2]})) for state, each in numbers.items()}


@dataclass(frozen=True, slots=True)
class Case:
    """The way again, aborted before a request.

    Attributes:
        scene: where.
        run: the process.
        at: when it was asked.
        finished: when the promotion began that nothing ends any more.
    """

    scene: Scene
    run: Run
    at: float
    finished: float

    @property
    def turned(self) -> float:
        """When the run turned back."""
        return self.run.stopped.time if self.run.stopped else float("inf")

    @property
    def withdrawn(self) -> float:
        """When nobody got the new version any more by the route."""
        weights = self.scene.oracle.weights
        later = [done for done in self.scene.sandbox.log if done.time > self.at]
        return next(done.time for done in later if not weights[done.number - 1])

    def failed(self, back: Result) -> bool:
        """Whether it was turning back by itself when it heard: the safe write is told of when it is answered."""
        told = self.run.outcome is not None and self.run.outcome.result is back
        return told and self.turned <= self.at + HEARD + REQUEST


def aborted(way: Way, number: int) -> Case:
    scene, asked_at, finished = way.begin(), list[float](), list[float]()
    clock = scene.sandbox.clock

    def ask() -> None:
        assert asked(scene).result is Result.ASKED
        asked_at.append(clock.now())

    def look(_: int, _call: Call) -> None:
        state = seen(scene)
        if state is not None and state[0] in FINISHED:
            finished.append(clock.now())

    when.before(scene, number, ask)
    scene.sandbox.faults.before_each(look)
    run = way.go(scene)
    return Case(scene, run, asked_at[0], finished[0] if finished else float("inf"))


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_an_abort_is_served_within_five_seconds_in_every_state_of_every_way(way: Way) -> None:
    found = states(way)
    assert len(found) >= MANY
    for (stage, _, _), numbers in found.items():
        for number in numbers:
            case = aborted(way, number)
            if case.finished <= case.at + HEARD:
                is_finished(case, way)
            elif stage is Stage.ROLLING_BACK or case.failed(way.back):
                is_back(case, way, way.back)
            else:
                is_back(case, way, Result.CANCELLED)
                obeyed(case)


def is_finished(case: Case, way: Way) -> None:
    then.ended(case.run, Result.PROMOTED)
    then.runs(case.scene, way.new) if not way.old else then.serves(case.scene, way.new)
    then.nothing_left(case.scene)
    then.rules_held(case.scene)


def is_back(case: Case, way: Way, result: Result) -> None:
    scene = case.scene
    then.ended(case.run, result)
    if way.old:
        then.serves(scene, way.old)
        then.nobody_was_turned_away(scene)
    else:
        scene.sandbox.clock.run(60)  # the garbage collector takes away what belonged to the Deployment
    then.nothing_left(scene)
    then.all_is_as_before(scene, sets=1 if way.old else 0)
    then.rules_held(scene)


def obeyed(case: Case) -> None:
    assert case.run.outcome is not None
    assert TOLD in case.run.outcome.reason
    # Whoever takes a release up waits for the end of its lease, and marks every object before anything else.
    known = max(case.at, case.run.listens)
    assert case.turned - known < SOON
    assert case.withdrawn - known < SOON
    if known == case.at:
        follows_at_once(case.scene, case.at)
