"""Acceptance scenarios that no other file holds, each with what has to come of it and what must never happen."""

from collections.abc import Callable

import pytest

from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.event import Noted
from progressive_ci.model.journal import Stage
from progressive_ci.model.outcome import Result
from progressive_ci.release.workload import replicas_of
from progressive_ci.sandbox import faults
from progressive_ci.sandbox.call import Call
from tests.scenario import given, then
from tests.scenario.documents import rollout
from tests.scenario.rows import ROWS, STEPS, Row
from tests.scenario.scene import NAMESPACE, Run, Scene
from tests.scenario.then import ROUTERS

routers = pytest.mark.parametrize("router", ROUTERS)
LEASE_SECONDS = 40


def is_back(scene: Scene, run: Run, result: Result, version: str = "1.0.0") -> None:
    then.ended(run, result)
    then.serves(scene, version)
    then.nobody_was_turned_away(scene)
    then.nothing_left(scene)
    then.rules_held(scene)


def at_weight(scene: Scene, percent: int) -> Callable[[int, Call], bool]:
    """The first request for which the canary carries so much."""
    seen: list[int] = []

    def chosen(_: int, call: Call) -> bool:
        record = scene.oracle.record
        if not seen and record is not None and record.weight >= percent and "/leases" not in call.path:
            seen.append(1)
            return call.method != "GET"
        return False

    return chosen


@pytest.mark.acceptance("F03")
@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
@pytest.mark.parametrize("late", [0, 2, 5, 9, 14])
def test_a_rollback_that_was_killed_is_finished_before_a_newer_version_begins(row: Row, late: int) -> None:
    scene = row.open()
    count = 0

    def in_rollback(_: int, call: Call) -> bool:
        nonlocal count
        record = scene.oracle.record
        if record is None or record.stage is not Stage.ROLLING_BACK or "/leases" in call.path:
            return False
        count += 1
        return count > late

    given_signal = 12.0 if row.routed else 1.0
    scene.sandbox.clock.at(
        scene.sandbox.clock.now() + given_signal, lambda: scene.sandbox.clock.deliver("SIGTERM")
    )
    scene.sandbox.faults.plan(faults.kill_before(), when=in_rollback)
    killed = scene.released(row.text)
    newer = scene.released(row.text.replace(f"web:{row.new}", "web:3.0.0"))
    then.ended(newer, Result.PROMOTED)
    told = [event.event.text for event in newer.told if isinstance(event.event, Noted)]
    finished = [text for text in told if text.startswith("an earlier release was finished first")]
    assert len(finished) == (killed.outcome is None)
    then.serves(scene, "3.0.0")
    then.nobody_was_turned_away(scene)
    then.nothing_left(scene)
    then.rules_held(scene)


def objects(scene: Scene) -> dict[str, JsonObject]:
    """Every object of the namespace with its version, but lease and journal."""
    every = (kinds.DEPLOYMENT, kinds.REPLICA_SET, kinds.POD, kinds.SERVICE, kinds.HTTP_ROUTE, kinds.INGRESS)
    return {
        f"{kind.name} {item['metadata']['name']}": item["metadata"]["resourceVersion"]
        for kind in every
        for item in scene.sandbox.all(kind, NAMESPACE)
    }


ENDS = {
    "promoted": ("web:2.0.0", None, Result.PROMOTED),
    "unready": ("web:missing", None, Result.UNREADY),
    "cancelled": ("web:2.0.0", 12.0, Result.CANCELLED),
    "refused": ("web:2.0.0", None, Result.INVALID),
}


@pytest.mark.acceptance("F25")
@routers
@pytest.mark.parametrize(("image", "signal", "result"), ENDS.values(), ids=ENDS)
def test_after_any_end_nothing_of_ours_is_needed_and_a_rescue_writes_nothing(
    router: str, image: str, signal: float | None, result: Result
) -> None:
    scene = given.app(router=router)
    clock = scene.sandbox.clock
    if signal is not None:
        clock.at(clock.now() + signal, lambda: clock.deliver("SIGTERM"))
    steps = "- setWeight: 20\n- pause: {}\n" if result is Result.INVALID else STEPS
    run = scene.released(rollout(router, image=image, steps=steps))
    then.ended(run, result)
    then.nothing_left(scene)
    before, sent = objects(scene), len(scene.sandbox.log)
    then.ended(scene.rescued(), Result.NOTHING_TO_DO)
    assert not [done for done in scene.sandbox.log[sent:] if done.writes]
    for kind in (kinds.CONFIG_MAP, kinds.LEASE):
        for item in scene.sandbox.all(kind, NAMESPACE):
            scene.sandbox.store.drop(kind, item)
    clock.run(30)
    assert objects(scene) == before
    assert replicas_of(then.deployment(scene)) == 4
    then.nobody_was_turned_away(scene)
    then.rules_held(scene)
