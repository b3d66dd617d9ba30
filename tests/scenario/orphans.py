"""Releases that their run did not finish, and that nobody has taken up yet."""

from collections.abc import Callable
from itertools import count

from progressive_ci.model.journal import Stage, State
from progressive_ci.sandbox import faults
from progressive_ci.sandbox.call import Call
from tests.scenario import meddling
from tests.scenario.rows import Row
from tests.scenario.scene import Scene
from tests.scenario.struck import LEASE_SECONDS


def dead(row: Row, stage: Stage, number: int = 1) -> Scene:
    """A release that died with its request of this number in a stage, longer ago than its lease lasts."""
    numbers = count(1)

    def at(scene: Scene, call: Call) -> bool:
        record = scene.oracle.record
        within = record is not None and record.stage is stage and record.state is State.RUNNING
        return within and "/leases" not in call.path and next(numbers) == number

    return died(row, at)


def died(row: Row, at: Callable[[Scene, Call], bool]) -> Scene:
    """A release that died before the first request that fits."""
    scene = row.open()
    scene.sandbox.faults.plan(faults.kill_before(), when=lambda _, call: at(scene, call))
    assert scene.released(row.text).outcome is None
    scene.sandbox.clock.run(LEASE_SECONDS)
    return scene


def handed_over(scene: Scene, row: Row) -> bool:
    """Whether NAME holds the new version's ReplicaSet, and its journal says nothing of that yet."""
    found, record = meddling.set_of(scene, row.new), scene.oracle.record
    owned = found is not None and bool(found["metadata"].get("ownerReferences"))
    return owned and record is not None and record.stage is Stage.PROMOTING
