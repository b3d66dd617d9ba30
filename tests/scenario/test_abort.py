"""A release is asked to go back: in every state it does so within five seconds, or says why it can't."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from progressive_ci.errors import Locked
from progressive_ci.model import kinds
from progressive_ci.model.event import Shifted
from progressive_ci.model.journal import Record, Stage, State
from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Outcome, Result
from progressive_ci.ports import Hands
from progressive_ci.release.abort import abort
from progressive_ci.sandbox import faults
from progressive_ci.sandbox.call import Call
from progressive_ci.sandbox.watch import LATENCY
from tests.scenario import given, then, when
from tests.scenario.documents import metric, rollout, template
from tests.scenario.rival import Rival
from tests.scenario.scene import NAME, NAMESPACE, Run, Scene
from tests.scenario.then import ROUTERS

WHY = "the queue of orders grows"
TOLD = f"aborted by ann: {WHY}"
HEARD = LATENCY - 0.005
"""Seconds before which a request was sent without knowing of it."""
STEPS = """
- setWeight: 25
- pause: {duration: 40s}
- analysis:
    templates: [{templateName: healthy}]
    args: [{name: hash, valueFrom: {podTemplateHashValue: Latest}}]
- setWeight: 75
"""
SLOW_METRIC = template(metric(count="2", interval="20s"))
BAD_METRIC = template(metric(successCondition="result[0] >= 2"))


def text(router: str, metrics: str = SLOW_METRIC, image: str = "web:2.0.0-start20") -> str:
    return rollout(router, steps=STEPS, image=image) + "---\n" + metrics


def asked(scene: Scene, *, wait: float = 0.0, only: str = "") -> Outcome:
    """`progressive-ci abort web`, from another process."""
    options = Options(reason=WHY, lock_wait=wait)
    run = scene.act(lambda hands: abort(NAMESPACE, NAME, options, hands, by="ann", only=only))
    assert run.outcome is not None
    return run.outcome


@dataclass(slots=True)
class Once:
    """Asks a release to go back before the first request at which something holds."""

    scene: Scene
    holds: Callable[[Record, Call], bool]
    at: float = -1.0
    begun: bool = False

    def __post_init__(self) -> None:
        self.scene.sandbox.faults.before_each(self.look)

    def look(self, _: int, call: Call) -> None:
        record = self.scene.oracle.record
        if self.begun or record is None or record.state is not State.RUNNING or not self.holds(record, call):
            return
        self.begun = True
        assert asked(self.scene).result is Result.ASKED
        self.at = self.scene.sandbox.clock.now()


def stage(wanted: Stage, path: str = "") -> Callable[[Record, Call], bool]:
    return lambda record, call: record.stage is wanted and path in call.path


def step(number: int, path: str = "") -> Callable[[Record, Call], bool]:
    return lambda record, call: record.stage is Stage.STEPPING and record.step == number and path in call.path


EARLY = (Stage.PREPARING, Stage.STEPPING)

STATES: dict[str, Callable[[Record, Call], bool]] = {
    "it begins": stage(Stage.PREPARING),
    "its canary is made": lambda record, call: record.stage is Stage.PREPARING and call.method == "POST",
    "its pods start": lambda record, call: record.stage in EARLY and "/pods" in call.path,
    "a weight is set": step(1),
    "it settles": lambda record, call: record.step == 1 and record.weight > 0 and call.method == "GET",
    "it is measured": step(3),
    "the next weight is set": step(4),
}


@pytest.mark.parametrize("router", ROUTERS)
@pytest.mark.parametrize("holds", STATES.values(), ids=STATES)
def test_in_every_state_the_safe_write_follows_within_five_seconds(
    router: str, holds: Callable[[Record, Call], bool]
) -> None:
    scene = given.app(router=router)
    once = Once(scene, holds)
    run = scene.released(text(router))
    assert once.at > 0, "that state was never seen"
    is_aborted(scene, run)
    follows_at_once(scene, once.at)


def is_aborted(scene: Scene, run: Run) -> None:
    then.ended(run, Result.CANCELLED)
    assert run.outcome is not None
    assert run.outcome.reason == TOLD
    record = scene.oracle.record
    assert record is not None
    assert (record.reason, record.endings[-1].reason) == (TOLD, TOLD)
    journal = scene.sandbox.get(kinds.CONFIG_MAP, NAMESPACE, "progressive-ci.web")
    assert journal is not None
    assert sorted(journal["data"]) == ["journal.json"]
    is_whole(scene)


def is_whole(scene: Scene) -> None:
    then.serves(scene, "1.0.0")
    then.nobody_was_turned_away(scene)
    then.nothing_left(scene)
    then.all_is_as_before(scene)
    then.rules_held(scene)


def follows_at_once(scene: Scene, at: float) -> None:
    """What is written next, and where the canary had weight it is the safe write."""
    log = scene.sandbox.log
    later = [
        (index, done)
        for index, done in enumerate(log)
        if done.time > at + HEARD and done.writes and not then.is_lease(done)
    ]
    index, first = later[0]
    assert first.time - at < 5
    if scene.oracle.weights[index] and scene.router != "ratio":
        assert then.is_safe_write(first), f"{first.call.method} {first.call.path}"


@pytest.mark.parametrize("router", ROUTERS)
def test_a_pause_is_left_within_five_seconds(router: str) -> None:
    scene = given.app(router=router)
    times: list[float] = []

    def look(_: int, call: Call) -> None:
        shifted = [told.time for told in scene.runs[-1].told if isinstance(told.event, Shifted)]
        if (
            not times
            and shifted
            and scene.sandbox.clock.now() - shifted[0] > 20
            and "/leases" not in call.path
        ):
            times.append(scene.sandbox.clock.now())
            asked(scene)

    scene.sandbox.faults.before_each(look)
    run = scene.released(text(router))
    is_aborted(scene, run)
    follows_at_once(scene, times[0])


@pytest.mark.parametrize("kind", ["slow", "down"])
def test_a_query_that_hangs_does_not_hold_it_up(kind: str) -> None:
    scene = given.app()
    scene.sandbox.prometheus.misbehave(kind, since=60, seconds=60)
    times: list[float] = []

    def ask() -> None:
        times.append(scene.sandbox.clock.now())
        asked(scene)

    when.later(scene, 115, ask)
    run = scene.released(text("gateway"), Options(metrics_timeout=600))
    is_aborted(scene, run)
    follows_at_once(scene, times[0])


def test_a_request_that_hangs_does_not_hold_it_up() -> None:
    scene = given.app()
    once = Once(scene, lambda record, call: record.weight > 0 and call.method == "GET")
    scene.sandbox.faults.plan(faults.drop(), when=lambda _, call: once.at > 0 and call.method == "GET")
    run = scene.released(text("gateway"))
    is_aborted(scene, run)
    follows_at_once(scene, once.at)


@pytest.mark.parametrize("router", ROUTERS)
def test_a_promotion_is_finished_and_whoever_aborts_is_told(router: str) -> None:
    scene = given.app(router=router)
    once = Once(scene, stage(Stage.PROMOTING))
    run = scene.released(text(router))
    assert once.at > 0
    then.ended(run, Result.PROMOTED)
    then.nothing_left(scene)
    then.rules_held(scene)
    late = asked(scene, wait=60)
    assert (late.result, late.reason) == (
        Result.NOTHING_TO_DO,
        f"no release of web is unfinished; the last one ended promoted at {scene.oracle.record.updated}",  # type: ignore[union-attr]
    )


@pytest.mark.parametrize("router", ROUTERS)
def test_a_rollback_goes_on_for_the_reason_that_it_began_with(router: str) -> None:
    scene = given.app(router=router)
    once = Once(scene, stage(Stage.ROLLING_BACK))
    run = scene.released(text(router, BAD_METRIC))
    assert once.at > 0
    then.ended(run, Result.UNHEALTHY)
    is_whole(scene)


def test_a_run_that_still_looks_around_is_asked_by_its_id() -> None:
    scene = given.app()
    then.ended(scene.released(text("gateway", image="web:1.5.0")), Result.PROMOTED)
    scene.oracle.next_release()
    told: list[Outcome] = []

    def look(_: int, call: Call) -> None:
        if len(scene.runs) == 2 and "/services" in call.path and not told:
            told.append(Outcome(Result.ASKED, ""))
            told[0] = asked(scene, only="r2")

    scene.sandbox.faults.before_each(look)
    run = scene.released(text("gateway"))
    assert told[0].reason == "release r2 is asked to go back; nobody has waited for that"
    then.ended(run, Result.CANCELLED)
    assert run.outcome is not None
    assert run.outcome.reason == f"{TOLD} before the first write"
    then.serves(scene, "1.5.0")
    assert not [done for done in run.requests if done.writes and "/configmaps/" not in done.call.path]


def test_a_run_that_waits_for_its_turn_is_asked_by_its_id() -> None:
    scene = given.app()
    then.ended(scene.released(text("gateway", image="web:1.5.0")), Result.PROMOTED)
    Rival(scene).begins()

    def ask() -> None:
        asked(scene, only="r2")

    when.later(scene, 100, ask)
    began = scene.sandbox.clock.now()
    run = scene.released(text("gateway"), Options(lock_wait=900))
    assert 100 <= scene.sandbox.clock.now() - began < 105
    then.ended(run, Result.CANCELLED)
    then.serves(scene, "1.5.0")


def test_an_orphan_is_taken_back_by_whoever_aborts_it() -> None:
    scene = given.app()
    scene.sandbox.faults.plan(
        faults.kill_after(), when=lambda _, call: carries(scene) and "/pods" in call.path
    )
    assert scene.released(text("gateway")).outcome is None
    done = asked(scene, wait=300)
    assert done.result is Result.RECOVERED
    assert done.reason == f"the release that was left stepping is rolled back: {TOLD}"
    is_whole(scene)


def carries(scene: Scene) -> bool:
    record = scene.oracle.record
    return record is not None and record.weight > 0


def test_a_held_release_is_taken_back_by_whoever_aborts_it() -> None:
    scene = given.app()
    options = Options(on_failure="hold")
    then.ended(scene.released(text("gateway", BAD_METRIC), options), Result.HELD)
    done = asked(scene)
    assert done.result is Result.RECOVERED
    assert TOLD in done.reason
    is_whole(scene)


def test_a_frozen_run_is_taken_back_after_its_lease() -> None:
    scene = given.app()
    told: list[Outcome] = []

    def look(_: int, call: Call) -> None:
        if carries(scene) and "/pods" in call.path and not told:
            told.append(Outcome(Result.ASKED, ""))
            told[0] = asked(scene, wait=300)

    scene.sandbox.faults.before_each(look)
    run = scene.released(text("gateway"))
    assert told[0].result is Result.RECOVERED
    then.ended(run, Result.TAKEN_OVER)
    is_whole(scene)


def test_who_waits_too_short_is_told_that_it_goes_on() -> None:
    scene = given.app()
    then.ended(scene.released(text("gateway", image="web:1.5.0")), Result.PROMOTED)
    Rival(scene, stage=Stage.PROMOTING).begins()
    options = Options(reason=WHY, lock_wait=60)
    errors: list[Locked] = []

    def work(hands: Hands) -> Outcome:
        with pytest.raises(Locked) as caught:
            abort(NAMESPACE, NAME, options, hands, by="ann")
        errors.append(caught.value)
        return Outcome(Result.LOCKED, "")

    run = scene.act(work)
    assert str(errors[0]) == (
        "shop/web: release x1 has been asked to go back and has not ended after 60 s; it goes on by itself; "
        "`progressive-ci status` tells how far it is"
    )
    warned = then.warnings(run)
    assert warned == ["release x1 is being promoted: where its run lives, that is finished first"]


@pytest.mark.parametrize(
    ("ends", "result", "reason"),
    [
        (Result.CANCELLED, Result.RECOVERED, "release x1 is rolled back: as it went"),
        (Result.PROMOTED, Result.TOO_LATE, "release x1 was being promoted already, and has been finished"),
    ],
    ids=["rolled back", "promoted"],
)
def test_whoever_aborts_hears_how_it_ended(ends: Result, result: Result, reason: str) -> None:
    scene = given.app()
    then.ended(scene.released(text("gateway", image="web:1.5.0")), Result.PROMOTED)
    rival = Rival(scene, stage=Stage.PROMOTING).begins()
    when.later(scene, 45, lambda: rival.ends(ends))
    began = scene.sandbox.clock.now()
    done = asked(scene, wait=600)
    assert (done.result, done.reason) == (result, reason)
    assert 45 <= scene.sandbox.clock.now() - began < 48
    assert [recall["by"] for recall in rival.recalls] == ["ann"]


def test_where_nothing_runs_nothing_is_written() -> None:
    scene = given.app()
    done = asked(scene)
    assert (done.result, done.reason) == (Result.NOTHING_TO_DO, "no release of web is unfinished")
    then.nothing_was_written(scene.runs[-1], but=())
