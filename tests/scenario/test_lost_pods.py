"""A node goes between any two writes of a promotion, and pods of the old or the new version with it (F21)."""

import os
from collections.abc import Callable
from itertools import count

import pytest

from progressive_ci.model.journal import Stage
from progressive_ci.model.outcome import Result
from progressive_ci.release.workload import replicas_of
from progressive_ci.sandbox.call import Call
from tests.scenario import meddling, then, when
from tests.scenario.rows import ROWS, Row
from tests.scenario.scene import Scene

SWEEP = os.environ.get("SWEEP") == "all"
STRIDE = 1 if SWEEP else 5
HALF = 2
"""Of four pods: the others carry everybody meanwhile."""

WAYS: dict[str, tuple[Callable[[Scene, str, int], None], float]] = {
    "drained": (meddling.drain_pods, 1e-6),
    "lost": (meddling.lose_pods, 10.0),
}
"""What takes the pods, and how many of 100 requests a second it takes with them until the proxies know."""
LOST = {"new pods": ("new",), "old pods": ("old",), "pods of both": ("new", "old")}


class Writes:
    """Counts the writes of the promotion."""

    def __init__(self, scene: Scene, number: int) -> None:
        self._scene, self._number, self.seen = scene, number, 0

    def fits(self, _: int, call: Call) -> bool:
        """Whether this is the one."""
        record = self._scene.oracle.record
        if record is None or record.stage not in (Stage.PROMOTING, Stage.COMMITTED) or "/leases" in call.path:
            return False
        self.seen += call.method != "GET" and not call.dry
        return self.seen > self._number


@pytest.mark.acceptance("F21")
@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
@pytest.mark.parametrize("which", LOST.values(), ids=LOST)
@pytest.mark.parametrize(("act", "taken"), WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("lane", range(STRIDE))
def test_pods_that_go_between_any_two_writes_of_a_promotion_cost_no_promotion_and_no_more_users_than_they_had(
    row: Row, which: tuple[str, ...], act: Callable[[Scene, str, int], None], taken: float, lane: int
) -> None:
    for number in count(lane, STRIDE):
        scene = row.open()
        scene.oracle.excused = ("3",)  # it is not the tool that takes them

        def node(scene: Scene = scene) -> None:
            for name in which:
                act(scene, row.new if name == "new" else row.old, HALF)

        acted = when.once(scene, Writes(scene, number).fits, node)
        run = scene.released(row.text)
        if not acted:
            assert number > 0, "the promotion has no write"
            return
        then.ended(run, Result.PROMOTED)
        scene.sandbox.clock.run(30)
        then.serves(scene, row.new)
        assert replicas_of(then.deployment(scene)) == 4
        assert scene.sandbox.traffic.failures < taken
        then.nothing_left(scene)
        then.rules_held(scene)
