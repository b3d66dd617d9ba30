"""Two runs die, one after the other, and a write of the first lands while the second takes the release over.

The second finds no mark, so nothing seems to have been written; what lands then is to be given back all the same,
by whoever comes third, although the second died before it could say so.
"""

import os
from collections.abc import Callable
from itertools import product

import pytest

from progressive_ci.model.outcome import Result
from progressive_ci.sandbox import faults
from progressive_ci.sandbox.call import Call
from tests.scenario import commands, then, when
from tests.scenario.late import on_the_wire
from tests.scenario.rows import Row
from tests.scenario.scene import Scene
from tests.scenario.struck import LEASE_SECONDS
from tests.scenario.test_interrupted import is_whole, rows, version_of
from tests.scenario.test_zombie import writes

STRIDE = 1 if os.environ.get("SWEEP") == "all" else 61
WRITES, MOMENTS, DEATHS = range(1, 8), range(1, 16), range(1, 13)
"""Of the first run, by number; of the second, requests before it lands, and from there to its death."""


def died_twice(row: Row, write: int, moment: int, death: int) -> Scene | None:
    """Both are dead, and the write has landed; None where it never came to that."""
    scene, kept, count = row.open(), list[Callable[[], object]](), 0

    def is_it(_: int, call: Call) -> bool:
        nonlocal count
        count += writes(call)
        return writes(call) and count == write

    scene.sandbox.faults.plan(on_the_wire(kept), when=is_it)
    scene.released(row.text)
    scene.sandbox.clock.run(LEASE_SECONDS)
    first = len(scene.sandbox.log)
    # What lands stands outside a journal that says that nothing was written; in the end all is as before.
    scene.oracle.excused = ("9",)
    landed = when.once(scene, lambda number, _: number == first + moment, kept[0])
    scene.sandbox.faults.plan(
        faults.kill_before(), when=lambda number, _: bool(landed) and number == landed[0] + death
    )
    if commands.recover(scene).outcome is not None:
        return None
    scene.sandbox.clock.run(LEASE_SECONDS)
    return scene


@pytest.mark.acceptance("F01")
@rows
def test_what_lands_between_two_deaths_is_given_back_without_anybodys_help(row: Row) -> None:
    cases = list(product(WRITES, MOMENTS, DEATHS))
    met = 0
    for write, moment, death in cases[list(rows.args[1]).index(row) :: STRIDE]:
        scene = died_twice(row, write, moment, death)
        if scene is None:
            continue
        met += 1
        third = commands.recover(scene)
        assert third.outcome is not None
        assert third.outcome.result not in (Result.REFUSED, Result.INCOMPLETE), (write, moment, death)
        idle = third.outcome.result is Result.NOTHING_TO_DO
        then.nothing_left(scene, but=("the lease's holder",) if idle else ())
        is_whole(scene, version_of(scene, row))
    assert met
