"""Roll: somebody scales the canary's Deployment down while it alone carries the traffic, before NAME rolls."""

from collections.abc import Callable
from functools import partial

import pytest

from progressive_ci.model import kinds
from progressive_ci.model.journal import Stage
from progressive_ci.model.outcome import Result
from progressive_ci.sandbox.call import Call
from progressive_ci.sandbox.json_patch import clone
from tests.scenario import meddling, then, when
from tests.scenario.rows import ROWS
from tests.scenario.scene import NAMESPACE, Scene

ROW = ROWS["roll"]
IN_THE_LAST_SECONDS = (27, 29)
"""Seconds after the promotion has begun: between the last two looks of the wait for old pods to finish."""


def shrink(scene: Scene) -> None:
    """`kubectl scale deployment/web-canary --replicas 2`."""
    meddling.edit(scene, kinds.DEPLOYMENT, "web-canary", lambda item: item["spec"].update(replicas=2))


def promoting(scene: Scene, act: Callable[[], object]) -> None:
    """Something happens when the promotion begins."""
    when.once(
        scene,
        lambda *_: scene.oracle.record is not None and scene.oracle.record.stage is Stage.PROMOTING,
        act,
    )


def pods_at_the_roll(scene: Scene) -> list[int]:
    """How many pods of the canary are available when NAME gets the new template."""
    found: list[int] = []

    def look(_: int, call: Call) -> None:
        operations = call.body if isinstance(call.body, list) else []
        writes = any(step["path"] == "/spec/template" and step["op"] == "replace" for step in operations)
        if writes and call.path.endswith("/deployments/web") and not call.dry:
            canary = scene.sandbox.get(kinds.DEPLOYMENT, NAMESPACE, "web-canary")
            assert canary is not None
            found.append(clone(canary)["status"].get("availableReplicas", 0))

    scene.sandbox.faults.before_each(look)
    return found


@pytest.mark.parametrize("seconds", IN_THE_LAST_SECONDS)
def test_the_deployment_does_not_roll_before_its_canary_has_its_full_size_again(seconds: int) -> None:
    scene = ROW.open()
    scene.oracle.meddled = True
    found = pods_at_the_roll(scene)
    promoting(scene, lambda: when.later(scene, seconds, partial(shrink, scene)))
    run = scene.released(ROW.text)
    then.ended(run, Result.PROMOTED)
    assert found == [4]
    then.serves(scene, "2.0.0")
    then.nothing_left(scene)


def test_who_keeps_scaling_the_canary_down_is_named_and_the_old_version_comes_back() -> None:
    scene = ROW.open()
    scene.oracle.meddled = True
    found = pods_at_the_roll(scene)
    promoting(scene, lambda: scene.sandbox.clock.repeat(8.0, partial(shrink, scene)))
    run = scene.released(ROW.text)
    then.ended(run, Result.CANCELLED)
    assert run.outcome is not None
    told = "kubectl keeps changing spec.replicas of Deployment shop/web-canary, which this release needs"
    assert run.outcome.reason == told
    assert found == []
    then.serves(scene, "1.0.0")
    then.nothing_left(scene)
