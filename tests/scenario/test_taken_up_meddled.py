"""Somebody changes or deletes what a dead release has left, while another command brings it to its end."""

from collections.abc import Callable
from functools import partial

import pytest

from progressive_ci.model import kinds
from progressive_ci.model.journal import Stage, State
from progressive_ci.model.outcome import Result
from progressive_ci.sandbox import faults
from progressive_ci.sandbox.call import Call
from tests.scenario import commands, meddling, then
from tests.scenario.rows import ROWS, Row
from tests.scenario.scene import Run, Scene
from tests.scenario.struck import LEASE_SECONDS

FINISHING: dict[str, Callable[[Scene, Row], Run]] = {
    "recover": lambda scene, _: commands.recover(scene),
    "rollback": lambda scene, _: commands.roll_back(scene),
    "run": lambda scene, row: scene.released(row.text),
}


def dead(row: Row, stage: Stage, number: int = 1) -> Scene:
    """A release that died with its request of this number in a stage, longer ago than its lease lasts."""
    scene = row.open()
    seen = 0

    def at(_: int, call: Call) -> bool:
        nonlocal seen
        record = scene.oracle.record
        within = record is not None and record.stage is stage and record.state is State.RUNNING
        seen += within and "/leases" not in call.path
        return seen == number

    scene.sandbox.faults.plan(faults.kill_before(), when=at)
    assert scene.released(row.text).outcome is None
    scene.sandbox.clock.run(LEASE_SECONDS)
    return scene


def before(scene: Scene, fits: Callable[[Call], bool], act: Callable[[], object]) -> list[int]:
    """Act once, before the first request from now on that fits; tells whether that was."""
    acted: list[int] = []

    def look(sent: int, call: Call) -> None:
        if not acted and fits(call):
            acted.append(sent)
            act()

    scene.sandbox.faults.before_each(look)
    return acted


@pytest.mark.acceptance("F18")
@pytest.mark.parametrize("command", FINISHING)
def test_a_lease_that_is_deleted_while_it_is_taken_is_made_again(command: str) -> None:
    row = ROWS["gateway"]
    scene = dead(row, Stage.STEPPING, 10)
    lease = partial(meddling.delete, scene, kinds.LEASE, "progressive-ci.web")
    acted = before(scene, lambda call: call.method == "PATCH" and "/leases" in call.path, lease)
    run = FINISHING[command](scene, row)
    assert acted
    then.ended(run, Result.PROMOTED if command == "run" else Result.RECOVERED)
    then.serves(scene, row.new if command == "run" else row.old)
    then.nothing_left(scene)
    then.nobody_was_turned_away(scene)
    then.rules_held(scene)


@pytest.mark.acceptance("F18")
@pytest.mark.parametrize("command", FINISHING)
@pytest.mark.parametrize(
    "row", [ROWS[name] for name in ("gateway", "ratio", "an earlier version")], ids=lambda row: row.name
)
def test_a_promotion_whose_marks_somebody_has_taken_off_is_not_called_finished(
    row: Row, command: str
) -> None:
    scene = dead(row, Stage.COMMITTED, 2)
    meddling.unmark(scene)
    run = FINISHING[command](scene, row)
    then.ended(run, Result.REFUSED)
    assert run.outcome is not None
    assert "was left committed, and somebody has taken its marks off since" in run.outcome.reason
    assert "delete what is left of the new version" not in run.outcome.reason
    then.nothing_was_written(run)
    then.nobody_was_turned_away(scene)
