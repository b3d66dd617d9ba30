"""A drain that is under way is told before a release begins; the release waits until the pods are elsewhere."""

import pytest

from progressive_ci.model import kinds
from progressive_ci.model.outcome import Result
from tests.scenario import meddling, then
from tests.scenario.rows import Row, every
from tests.scenario.scene import NAMESPACE, Scene


def pods(scene: Scene) -> list[str]:
    return sorted(pod["metadata"]["name"] for pod in scene.sandbox.all(kinds.POD, NAMESPACE))


def warned(scene: Scene, row: Row) -> list[str]:
    run = scene.released(row.written())
    then.ended(run, Result.PROMOTED)
    assert scene.sandbox.traffic.count(status=503, users="users") < 1e-6
    return [text for text in then.warnings(run) if "evicted" in text]


@pytest.mark.acceptance("F21")
@every(lambda row: row.name != "an earlier version")  # another run goes before it, and the pods go meanwhile
def test_pods_that_are_being_evicted_are_told_and_waited_for(row: Row) -> None:
    scene = row.open()
    before = pods(scene)
    meddling.drain_pods(scene, row.old, 2)
    told = warned(scene, row)
    assert told
    assert all("(EvictionByEvictionAPI)" in text and "from node " in text for text in told)
    assert sum(name in text for name in before for text in told) == 2
