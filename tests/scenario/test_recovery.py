"""What a dead run, or somebody who meddles, leaves is brought to safety by the next command."""

import json
from collections.abc import Callable
from itertools import count

import pytest

from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.journal import Stage, State
from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Outcome, Result
from progressive_ci.release.workload import complete
from progressive_ci.sandbox import faults, status
from progressive_ci.sandbox.call import Call
from progressive_ci.sandbox.json_patch import clone
from tests.scenario import commands, given, meddling, orphans, then, when
from tests.scenario.documents import deployment, rollout
from tests.scenario.rows import ROWS, Row
from tests.scenario.scene import NAMESPACE, Run, Scene
from tests.scenario.struck import LEASE_SECONDS, struck
from tests.scenario.then import ROUTERS

rows = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
JOURNAL = "progressive-ci.web"
SHORT = 10.0
"""Seconds: a look every five, and new pods."""


@rows
@pytest.mark.parametrize("number", range(1, 9))
def test_a_rescue_that_dies_while_its_marks_go_up_is_done_again_by_the_next(row: Row, number: int) -> None:
    scene = row.open()
    _dies_after_write(scene, 1)
    assert scene.released(row.text).outcome is None
    scene.sandbox.clock.run(LEASE_SECONDS)
    _dies_after_write(scene, number)
    commands.recover(scene)
    scene.sandbox.clock.run(LEASE_SECONDS)
    again = commands.recover(scene)
    assert again.outcome is not None
    assert again.outcome.result in (Result.NOTHING_TO_DO, Result.RECOVERED)
    then.serves(scene, row.old)
    idle = again.outcome.result is Result.NOTHING_TO_DO
    then.nothing_left(scene, but=("the lease's holder",) if idle else ())
    then.nobody_was_turned_away(scene)


def _dies_after_write(scene: Scene, number: int) -> None:
    """The next process dies with so manyth of its writes, those of the Lease aside, if it has so many."""
    process, writes = len(scene.runs) + 1, count(1)

    def fits(_: int, call: Call) -> bool:
        writes_there = call.method != "GET" and not call.dry and "/leases" not in call.path
        there = len(scene.runs) == process and writes_there and "selfsubject" not in call.path
        return there and next(writes) == number

    scene.sandbox.faults.plan(faults.kill_after(), when=fits)


@rows
@pytest.mark.parametrize("fault", [faults.kill_before(), faults.kill_after()], ids=["before", "after"])
def test_a_release_that_dies_at_any_request_is_recovered(row: Row, fault: faults.Fault) -> None:
    first = 19 * list(ROWS).index(row.name)
    for scene, run, _ in struck(row.open, lambda scene: scene.released(row.text), fault, first=first):
        assert run.outcome is None
        scene.sandbox.clock.run(LEASE_SECONDS)
        result, version = the_way_on(scene, row)
        then.ended(commands.recover(scene), result)
        then.serves(scene, version)
        then.nobody_was_turned_away(scene)
        then.everything_but_the_version_is_as_before(scene)
        then.rules_held(scene)


def the_way_on(scene: Scene, row: Row) -> tuple[Result, str]:
    """How a release ends by what its journal says when it is dead, and the version that serves then.

    Forward where the promotion had begun, or where in place everything was done but its last entries; else back.
    """
    left = scene.oracle.record
    if left is None or left.state is State.ENDED:
        begun = left is not None and left.release == f"r{len(scene.runs)}"
        return Result.NOTHING_TO_DO, row.new if begun else row.old
    rolled_out = row.name == "in place" and then.image_of(scene) == f"web:{row.new}"
    done = rolled_out and len(left.passed) == left.steps and complete(then.deployment(scene))
    if done or left.stage in (Stage.PROMOTING, Stage.COMMITTED):
        return Result.PROMOTED, row.new
    return Result.RECOVERED, row.old


def at_step(scene: Scene) -> Callable[[int, Call], bool]:
    """The first read while the canary has 50 %."""

    def now(_: int, call: Call) -> bool:
        record = scene.oracle.record
        return record is not None and record.weight == 50 and call.method == "GET"

    return now


def orphan(router: str = "gateway") -> Scene:
    """A release that died at 50 %."""
    scene = given.app(router=router)
    scene.sandbox.faults.plan(faults.kill_after(), when=at_step(scene))
    scene.released(rollout(router))
    scene.sandbox.clock.run(LEASE_SECONDS)
    return scene


# In place: rolled out, and only the last entry was missing.


def test_a_rollout_in_place_that_was_complete_is_finished_forwards() -> None:
    scene = given.app(router="")

    def rolled_out(_: int, call: Call) -> bool:
        return then.image_of(scene) == "web:2.0.0" and call.method == "GET"

    scene.sandbox.faults.plan(faults.kill_after(), when=rolled_out)
    assert scene.released(deployment()).outcome is None
    scene.sandbox.clock.run(LEASE_SECONDS)
    pods = names_of_pods(scene)
    again = scene.released(deployment())
    then.ended(again, Result.UNCHANGED)
    assert names_of_pods(scene) == pods
    then.serves(scene, "2.0.0")
    then.nothing_left(scene, but=("the lease's holder",))


def names_of_pods(scene: Scene) -> set[str]:
    return {item["metadata"]["name"] for item in scene.sandbox.all(kinds.POD, NAMESPACE)}


def test_a_rollback_by_command_goes_back_all_the_same() -> None:
    scene = given.app(router="")
    scene.sandbox.faults.plan(
        faults.kill_after(),
        when=lambda _, call: (
            call.method == "PATCH" and call.path.endswith("/deployments/web") and not call.dry
        ),
    )
    scene.released(deployment())
    scene.sandbox.clock.run(LEASE_SECONDS)
    then.ended(scene.rescued(), Result.RECOVERED)
    then.serves(scene, "1.0.0")
    then.nothing_left(scene)


# Journals that nobody can follow.


def spoil(scene: Scene, change: Callable[[str], str]) -> None:
    """Somebody edits the journal."""
    found = clone(scene.sandbox.get(kinds.CONFIG_MAP, NAMESPACE, JOURNAL))
    found["data"]["journal.json"] = change(found["data"]["journal.json"])
    scene.sandbox.store.write(kinds.CONFIG_MAP, found)


def with_field(name: str, value: object) -> Callable[[str], str]:
    """A journal with another value in one field."""
    return lambda text: json.dumps({**json.loads(text), name: value})


SPOILED: dict[str, tuple[Callable[[str], str], str]] = {
    "no JSON": (lambda _: "{", "is no JSON"),
    "no record": (lambda _: "[]", "holds no record"),
    "empty": (lambda _: "", "is no JSON"),
    "no format": (with_field("format", None), "format: None is none"),
    "a newer format": (
        with_field("format", 99),
        "the journal has format 99, this version understands up to 1",
    ),
    "an unknown stage": (with_field("stage", "DANCING"), "'DANCING' is none of"),
    "of another workload": (with_field("name", "other"), "the journal belongs to shop/other"),
}
COMMANDS: dict[str, Callable[[Scene], Outcome | None]] = {
    "run": lambda scene: scene.released(rollout("gateway")).outcome,
    "run --resume": lambda scene: scene.released(rollout("gateway"), Options(resume=True)).outcome,
    "rollback": lambda scene: commands.roll_back(scene).outcome,
    "recover": lambda scene: commands.recover(scene).outcome,
    "promote": lambda scene: commands.promote(scene).outcome,
    "undo": lambda scene: commands.undo_last(scene).outcome,
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize(("change", "words"), SPOILED.values(), ids=SPOILED)
def test_a_journal_that_can_not_be_followed_is_refused_and_nothing_is_touched(
    change: Callable[[str], str], words: str, command: Callable[[Scene], Outcome | None]
) -> None:
    scene = orphan()
    spoil(scene, change)
    scene.oracle.blind = True
    before = given.snapshot(scene.sandbox)
    done = command(scene)
    assert done is not None
    assert done.result is Result.REFUSED, done
    assert words in done.reason
    assert given.snapshot(scene.sandbox) == before


# The journal deleted by a person (F18).


def forget(scene: Scene) -> None:
    """`kubectl delete configmap progressive-ci.web`."""
    found = scene.sandbox.get(kinds.CONFIG_MAP, NAMESPACE, JOURNAL)
    if found is not None:
        scene.sandbox.store.drop(kinds.CONFIG_MAP, found)


@pytest.mark.acceptance("F18")
@pytest.mark.parametrize("at", [3.0, 12.0, 25.0, 38.0, 60.0], ids=lambda at: f"{at:g} s")
@pytest.mark.parametrize("router", then.ROUTERS)
def test_a_run_whose_journal_is_deleted_writes_it_again_and_goes_on(router: str, at: float) -> None:
    scene = given.app(router=router)
    scene.oracle.blind = True
    when.later(scene, at, lambda: forget(scene))
    then.ended(scene.released(rollout(router)), Result.PROMOTED)
    scene.oracle.blind = False
    then.serves(scene, "2.0.0")
    then.nobody_was_turned_away(scene)
    then.everything_but_the_version_is_as_before(scene)
    then.nothing_left(scene)


@pytest.mark.parametrize("router", then.ROUTERS)
def test_a_run_whose_journal_is_deleted_rolls_back_by_its_own_memory(router: str) -> None:
    scene = given.app(router=router)
    scene.oracle.blind = True
    when.later(scene, 12.0, lambda: forget(scene))
    when.later(scene, 13.0, lambda: scene.sandbox.clock.deliver("SIGTERM"))
    then.ended(scene.released(rollout(router)), Result.CANCELLED)
    scene.oracle.blind = False
    then.serves(scene, "1.0.0")
    then.nobody_was_turned_away(scene)
    then.all_is_as_before(scene)
    then.nothing_left(scene)


def test_what_no_journal_tells_of_is_named_with_its_command_and_left_alone() -> None:
    scene = orphan()
    forget(scene)
    before = given.snapshot(scene.sandbox)
    for run in (scene.released(rollout("gateway")), commands.roll_back(scene), commands.recover(scene)):
        assert run.outcome is not None
        assert run.outcome.result in (Result.REFUSED, Result.INCOMPLETE)
        told = "\n".join((run.outcome.reason, *run.outcome.left))
        assert "its journal is gone: somebody has deleted it" in told
        for command in ("edit services web-stable", "edit deployments web", "delete replicasets web-"):
            assert f"kubectl -n shop {command}" in told
    assert given.snapshot(scene.sandbox) == before


@pytest.mark.acceptance("F18")
@pytest.mark.parametrize("router", ROUTERS)
def test_an_orphan_whose_marks_somebody_has_taken_off_is_not_called_recovered(router: str) -> None:
    scene = orphan(router)
    meddling.unmark(scene)
    for run in (scene.released(rollout(router)), commands.roll_back(scene), commands.recover(scene)):
        then.ended(run, Result.REFUSED)
        assert run.outcome is not None
        assert "somebody has taken its marks off since" in run.outcome.reason
        assert "Deployment shop/web is paused" in run.outcome.reason
        assert "progressive-ci rollback web --namespace shop" in run.outcome.reason
        then.nothing_was_written(run)


# The new version's ReplicaSet deleted by a person, while it alone serves.


def lose_canary(scene: Scene) -> None:
    """`kubectl delete replicaset` of the new version."""
    for item in scene.sandbox.all(kinds.REPLICA_SET, NAMESPACE):
        if image_of(item) == "web:2.0.0":
            scene.sandbox.store.drop(kinds.REPLICA_SET, item)


def image_of(item: JsonObject) -> str:
    return str(item["spec"]["template"]["spec"]["containers"][0]["image"])


@pytest.mark.parametrize("place", range(0, 30, 4))
@pytest.mark.parametrize("router", ["gateway", "istio", "nginx"])
def test_a_new_version_that_is_deleted_in_the_promotion_leaves_users_without_it_for_seconds(
    router: str, place: int
) -> None:
    scene = given.app(router=router)
    scene.oracle.meddled = True
    when.promoting(scene, place, lambda: lose_canary(scene))
    run = scene.released(rollout(router))
    assert run.outcome is not None
    assert run.outcome.result in (Result.PROMOTED, Result.UNREADY, Result.CANCELLED)
    scene.sandbox.clock.run(10)
    then.serves(scene, "2.0.0" if run.outcome.result is Result.PROMOTED else "1.0.0")
    then.nothing_left(scene)
    seconds = scene.sandbox.traffic.failures / sum(scene.sandbox.traffic.rates().values())
    assert seconds < SHORT


def test_what_was_deleted_while_nobody_was_at_work_is_made_good_by_the_next_command() -> None:
    scene = given.app()
    scene.oracle.meddled = True

    def taken(_: int, __: Call) -> bool:
        record = scene.oracle.record
        return record is not None and record.stage is Stage.PROMOTING

    scene.sandbox.faults.plan(faults.kill_after(), when=taken)
    scene.released(rollout("gateway"))
    scene.sandbox.clock.run(LEASE_SECONDS)
    lose_canary(scene)
    back = commands.recover(scene)
    then.ended(back, Result.RECOVERED)
    then.serves(scene, "1.0.0")
    then.nothing_left(scene)


@pytest.mark.parametrize("act", [commands.recover, commands.roll_back], ids=["recover", "rollback"])
def test_a_command_that_can_not_go_on_gives_the_lease_up(act: Callable[[Scene], Run]) -> None:
    scene = orphans.dead(ROWS["gateway"], Stage.STEPPING)
    denied = faults.answer(status.forbidden("ci", "get", (kinds.DEPLOYMENT, "", NAMESPACE, "web")))
    scene.sandbox.faults.plan(denied, when=faults.to("GET", "/deployments/web"))
    then.ended(act(scene), Result.REFUSED)
    lease = scene.sandbox.get(kinds.LEASE, NAMESPACE, JOURNAL)
    assert lease is not None
    assert not lease["spec"].get("holderIdentity")
    then.ended(act(scene), Result.RECOVERED)
    then.serves(scene, "1.0.0")
    then.nothing_left(scene)
    then.rules_held(scene)
