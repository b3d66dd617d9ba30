"""Clocks that are wrong, that jump, or that stand still while the machine sleeps (F24)."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from progressive_ci.model import kinds
from progressive_ci.model.journal import Stage, State
from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Result
from progressive_ci.sandbox import faults
from progressive_ci.sandbox.call import Call
from progressive_ci.sandbox.faults import Chooser
from tests.scenario import then, when
from tests.scenario.documents import metric, rollout
from tests.scenario.own_clock import OwnClock
from tests.scenario.rows import ROWS, Input, Row, every
from tests.scenario.scene import NAMESPACE, Run, Scene
from tests.scenario.struck import LEASE_SECONDS

STEPS = "- setWeight: 25\n- pause: {duration: 60s}\n- setWeight: 75\n- pause: {duration: 60s}\n"
SLEEP = 300.0
SKEWS = {"ten minutes ahead": timedelta(minutes=10), "ten minutes behind": timedelta(minutes=-10)}
MOMENTS = (3.0, 12.0, 40.0, 95.0, 150.0)
"""Seconds after the start: pods, first weight, both pauses, promotion."""
COUNTS = {"counts its sleep": True, "does not know of its sleep": False}


def lasting(row: Row) -> Input:
    return row.lasting(STEPS, 120)


def on_a_machine(row: Row, **clock: object) -> tuple[Scene, OwnClock]:
    scene = row.open()
    machine = OwnClock(scene.sandbox.clock, **clock)  # type: ignore[arg-type]  # its fields by name
    scene.machine = machine
    return scene, machine


def is_restored(scene: Scene, row: Row) -> None:
    then.serves(scene, row.old)
    then.nothing_left(scene)
    then.all_is_as_before(scene)
    then.nobody_was_turned_away(scene)
    then.rules_held(scene)


def at_a_step(scene: Scene) -> Chooser:
    """Fits requests, but no renewals, while the release takes its steps."""

    def fits(_: int, call: Call) -> bool:
        record = scene.oracle.record
        stepping = record is not None and (record.state, record.stage) == (State.RUNNING, Stage.STEPPING)
        return stepping and "/leases" not in call.path

    return fits


def duration(scene: Scene, row: Row) -> float:
    """Seconds of a promotion by the world's clock."""
    began = scene.sandbox.clock.now()
    then.promoted_as_if_nothing_had_happened(scene, lasting(row).released(scene), row.new)
    return scene.sandbox.clock.now() - began


@pytest.mark.acceptance("F24")
@every()
@pytest.mark.parametrize("wrong", SKEWS.values(), ids=SKEWS)
def test_a_wrong_wall_clock_makes_no_step_shorter_or_longer(row: Row, wrong: timedelta) -> None:
    scene, _ = on_a_machine(row, wrong=wrong)
    usual = duration(row.open(), row)
    assert duration(scene, row) == pytest.approx(usual, abs=1.0)


WINDOW = """
    rangeQuery: {start: now() - duration("10s"), end: now(), step: 5s}"""
VERDICTS = {"good": ("result, # >= 0.9", Result.PROMOTED), "bad": ("result, # > 2", Result.UNHEALTHY)}


@pytest.mark.acceptance("F24")
@every()
@pytest.mark.parametrize("wrong", SKEWS.values(), ids=SKEWS)
@pytest.mark.parametrize(("condition", "result"), VERDICTS.values(), ids=VERDICTS)
def test_a_window_of_measurements_is_that_of_the_metrics_servers_clock(
    row: Row, wrong: timedelta, condition: str, result: Result
) -> None:
    scene, _ = on_a_machine(row, wrong=wrong)
    judged = row.judged(metric(successCondition=f'"all({condition})"') + WINDOW)
    run = judged.released(scene, Options(metrics_timeout=30))
    if result is Result.PROMOTED:
        then.promoted_as_if_nothing_had_happened(scene, run, row.new)
    else:
        then.back_as_if_nothing_had_happened(scene, run, result, row.old)


@pytest.mark.acceptance("F24")
@every()
@pytest.mark.parametrize("jump", [timedelta(hours=1), timedelta(hours=-1)], ids=["forward", "back"])
def test_a_wall_clock_that_jumps_during_a_pause_changes_nothing(row: Row, jump: timedelta) -> None:
    scene, machine = on_a_machine(row)
    usual = duration(row.open(), row)
    when.later(scene, 40.0, lambda: setattr(machine, "wrong", jump))
    assert duration(scene, row) == pytest.approx(usual, abs=1.0)


@pytest.mark.acceptance("F24")
@every()
@pytest.mark.parametrize("wrong", SKEWS.values(), ids=SKEWS)
def test_a_journal_of_a_machine_with_another_clock_is_taken_over_no_sooner_and_no_later(
    row: Row, wrong: timedelta
) -> None:
    scene, machine = on_a_machine(row, wrong=wrong)
    scene.sandbox.faults.plan(faults.kill_after(), when=at_a_step(scene))
    died = lasting(row).released(scene)
    assert died.outcome is None
    lease = scene.sandbox.get(kinds.LEASE, NAMESPACE, "progressive-ci.web")
    assert lease is not None
    began, held = scene.sandbox.clock.now(), lease["spec"]["holderIdentity"]
    machine.wrong = -wrong
    taken: list[float] = []

    def look(_: int, __: Call) -> None:
        found = scene.sandbox.get(kinds.LEASE, NAMESPACE, "progressive-ci.web")
        if found is not None and found["spec"].get("holderIdentity") != held and not taken:
            taken.append(scene.sandbox.clock.now() - began)

    scene.sandbox.faults.before_each(look)
    back = scene.rescued()
    assert back.outcome is not None
    assert back.outcome.result is Result.RECOVERED, back.outcome
    assert taken[0] == pytest.approx(30.0, abs=3.0)
    is_restored(scene, row)


@pytest.mark.acceptance("F24")
@every()
def test_a_release_whose_last_entry_is_still_to_come_is_not_resumed_because_nobody_knows_its_age(
    row: Row,
) -> None:
    scene, machine = on_a_machine(row, wrong=timedelta(minutes=10))
    scene.sandbox.faults.plan(faults.kill_after(), when=at_a_step(scene))
    assert lasting(row).released(scene).outcome is None
    machine.wrong = timedelta()
    scene.sandbox.clock.run(LEASE_SECONDS)
    run = lasting(row).released(scene, Options(resume=True))
    then.ended(run, Result.PROMOTED)
    [why] = [told for told in then.warnings(run) if "is not resumed" in told]
    assert "which is still to come by the API server's clock" in why
    then.serves(scene, row.new)
    then.nothing_left(scene)
    then.nobody_was_turned_away(scene)
    then.rules_held(scene)


def asleep(scene: Scene, machine: OwnClock, at: float, meanwhile: Callable[[], None]) -> None:
    """Suspend the machine before the first request after a moment; renewals come on a thread of their own."""
    due, slept = scene.sandbox.clock.now() + at, False

    def look(_: int, call: Call) -> None:
        nonlocal slept
        renews = "/leases/" in call.path
        if slept or renews or scene.sandbox.clock.now() < due or scene.living is None:
            return
        slept, scene.living.stands_still = True, True
        machine.sleep(SLEEP)
        meanwhile()
        scene.living.stands_still = False

    scene.sandbox.faults.before_each(look)


@pytest.mark.acceptance("F24")
@every()
@pytest.mark.parametrize("counts", COUNTS.values(), ids=COUNTS)
@pytest.mark.parametrize("at", MOMENTS)
def test_a_machine_that_slept_for_five_minutes_goes_on_or_goes_back(
    row: Row, at: float, *, counts: bool
) -> None:
    scene, machine = on_a_machine(row, counts_sleep=counts)
    # Who does not know of the sleep can't know that the Lease has run out: then the epoch alone is the fence.
    scene.oracle.excused = () if counts else ("lease",)
    asleep(scene, machine, at, lambda: None)
    run = lasting(row).released(scene)
    assert run.outcome is not None
    if run.outcome.result is Result.PROMOTED:
        then.promoted_as_if_nothing_had_happened(scene, run, row.new)
    else:
        assert run.outcome.result in (Result.UNAVAILABLE, Result.CANCELLED, Result.UNREADY), run.outcome
        is_restored(scene, row)


@pytest.mark.acceptance("F24")
@every()
@pytest.mark.parametrize("counts", COUNTS.values(), ids=COUNTS)
@pytest.mark.parametrize("at", MOMENTS[:4])
def test_a_machine_that_slept_through_a_take_over_changes_nothing_any_more(
    row: Row, at: float, *, counts: bool
) -> None:
    scene, machine = on_a_machine(row, counts_sleep=counts)
    others: list[Run] = []

    def somebody_rolls_back() -> None:
        scene.machine = None
        others.append(scene.rescued())

    asleep(scene, machine, at, somebody_rolls_back)
    run = lasting(row).released(scene)
    then.ended(run, Result.TAKEN_OVER)
    then.ended(others[0], Result.RECOVERED)
    is_restored(scene, row)


def test_a_pause_that_ended_while_the_machine_slept_is_over_when_it_wakes() -> None:
    scene, machine = on_a_machine(ROWS["gateway"])
    usual = duration(ROWS["gateway"].open(), ROWS["gateway"])
    asleep(scene, machine, 12.0, lambda: None)
    began = scene.sandbox.clock.now()
    run = scene.released(rollout("gateway", steps=STEPS), Options(max_duration=3600))
    assert run.outcome is not None
    assert scene.sandbox.clock.now() - began < usual - 40 + SLEEP
    then.rules_held(scene)
