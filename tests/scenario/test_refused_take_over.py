"""A take-over that nobody can follow any more: the way out that its message names is one."""

from collections.abc import Callable

from progressive_ci.model.outcome import Result
from progressive_ci.sandbox import faults
from progressive_ci.sandbox.call import Call
from tests.scenario import commands, meddling, then, when
from tests.scenario.late import on_the_wire
from tests.scenario.rows import ROWS
from tests.scenario.scene import Scene
from tests.scenario.struck import LEASE_SECONDS

ROW = ROWS["gateway"]


def pauses(_: int, call: Call) -> bool:
    return call.method == "PATCH" and call.path.endswith("/deployments/web") and not call.dry


def claims(scene: Scene, *, after: int) -> Callable[[int, Call], bool]:
    """Reads of NAME once the entry of a take-over stands, which finds no mark."""

    def fits(number: int, call: Call) -> bool:
        record = scene.oracle.record
        taken = record is not None and record.epoch > 1
        return number > after and taken and call.method == "GET" and call.path.endswith("/deployments/web")

    return fits


def refused_for_good() -> Scene:
    """The first write of a dead run lands under the second one, which dies before it can say so."""
    scene = ROW.open()
    kept: list[Callable[[], object]] = []
    scene.sandbox.faults.plan(on_the_wire(kept), when=pauses)
    assert scene.released(ROW.text).outcome is None
    scene.sandbox.clock.run(LEASE_SECONDS)
    landed = when.once(scene, claims(scene, after=len(scene.sandbox.log)), kept[0])
    scene.sandbox.faults.plan(
        faults.kill_before(), when=lambda number, _: bool(landed) and number > landed[0] + 1
    )
    assert commands.recover(scene).outcome is None
    scene.sandbox.clock.run(LEASE_SECONDS)
    return scene


def test_a_release_that_no_object_vouches_for_is_rolled_back_once_its_marks_are_off() -> None:
    scene = refused_for_good()
    refused = commands.recover(scene).outcome
    assert refused is not None
    assert refused.result is Result.REFUSED
    assert "`progressive-ci rollback web --namespace shop`" in f"{refused.reason} {refused.advice}"
    meddling.resume(scene)
    meddling.unmark(scene)
    then.ended(commands.roll_back(scene), Result.RECOVERED)
    then.serves(scene, ROW.old)
    then.nobody_was_turned_away(scene)
    then.nothing_left(scene)
    then.all_is_as_before(scene)
