"""Acceptance scenarios that no other file holds, each with what has to come of it and what must never happen."""

import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.event import Noted
from progressive_ci.model.journal import Stage
from progressive_ci.model.outcome import Result
from progressive_ci.release.workload import replicas_of
from progressive_ci.sandbox import faults
from progressive_ci.sandbox.call import Call
from tests.scenario import given, then, when
from tests.scenario.documents import metric
from tests.scenario.rows import ROWS, STEPS, Input, Row, every
from tests.scenario.scene import NAMESPACE, Run, Scene

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
    of_pods = (kinds.DEPLOYMENT, kinds.REPLICA_SET, kinds.POD, kinds.SERVICE)
    return {
        f"{kind.name} {item['metadata']['name']}": item["metadata"]["resourceVersion"]
        for kind in (*of_pods, kinds.HTTP_ROUTE, kinds.VIRTUAL_SERVICE, kinds.INGRESS)
        for item in scene.sandbox.all(kind, NAMESPACE)
    }


@dataclass(frozen=True, slots=True)
class End:
    """How a release ends.

    Attributes:
        result: so.
        befalls: what makes it.
        given: what is released.
    """

    result: Result
    befalls: Callable[[Scene, Row], object] = lambda *_: None
    given: Callable[[Row], Input] = lambda row: row.lasting(STEPS, 10)


def cancelled(scene: Scene, row: Row) -> None:
    when.later(scene, 12.0 if row.router else 1.0, lambda: scene.sandbox.clock.deliver("SIGTERM"))


def without_rights(scene: Scene, _: Row) -> None:
    scene.user = "reader"
    reads = {"verbs": ["get", "list", "watch"], "apiGroups": ["*"], "resources": ["*"]}
    scene.sandbox.world.grant(scene.user, [reads])


ENDS = {
    "promoted": End(Result.PROMOTED),
    "unready": End(Result.UNREADY, lambda scene, row: given.turned(scene, row.new, "missing")),
    "unhealthy": End(
        Result.UNHEALTHY, given=lambda row: row.judged(metric(successCondition="result[0] >= 2"))
    ),
    "cancelled": End(Result.CANCELLED, cancelled),
    "refused": End(Result.REFUSED, without_rights),
    "invalid": End(
        Result.INVALID, given=lambda row: Input(row.written(steps="- setWeight: 20\n- pause: {}\n"))
    ),
}
ENDED = [
    pytest.param(row, end, id=f"{name}, {row.name}")
    for row in ROWS.values()
    for name, end in ENDS.items()
    if row.router or end.result is not Result.INVALID  # a Deployment without steps has no pause for a person
]


@pytest.mark.acceptance("F25")
@pytest.mark.parametrize(("row", "end"), ENDED)
def test_after_any_end_nothing_of_ours_is_needed_and_a_rescue_writes_nothing(row: Row, end: End) -> None:
    scene = row.open()
    end.befalls(scene, row)
    then.ended(end.given(row).released(scene), end.result)
    then.nothing_left(scene)
    before, sent = objects(scene), len(scene.sandbox.log)
    then.ended(scene.rescued(), Result.NOTHING_TO_DO)
    assert not [done for done in scene.sandbox.log[sent:] if done.writes]
    for kind in (kinds.CONFIG_MAP, kinds.LEASE):
        for item in scene.sandbox.all(kind, NAMESPACE):
            scene.sandbox.store.drop(kind, item)
    scene.sandbox.clock.run(30)
    assert objects(scene) == before
    assert replicas_of(then.deployment(scene)) == 4
    then.nobody_was_turned_away(scene)
    then.rules_held(scene)


EARLIER = "0.0.1"


def by_version(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every module of the tool has this for its version."""
    for name, module in [*sys.modules.items()]:
        if name.partition(".")[0] == "progressive_ci" and hasattr(module, "__version__"):
            monkeypatch.setattr(module, "__version__", version)


@pytest.mark.acceptance("F25")
@every()
def test_the_next_version_of_the_tool_writes_nothing_on_the_finished_state(
    row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = row.open()
    with monkeypatch.context() as earlier:
        by_version(EARLIER, earlier)
        then.ended(scene.released(row.text), Result.PROMOTED)
    assert scene.oracle.record is not None
    assert scene.oracle.record.tool == EARLIER
    before = objects(scene)
    again = scene.released(row.text)
    then.ended(again, Result.UNCHANGED)
    then.nothing_was_written(again, but=())
    then.ended(scene.rescued(), Result.NOTHING_TO_DO)
    scene.sandbox.clock.run(30)
    assert objects(scene) == before
    then.nobody_was_turned_away(scene)
    then.rules_held(scene)
