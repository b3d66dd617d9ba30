"""Somebody changes or deletes what a dead release has left, while another command brings it to its end."""

from collections.abc import Callable
from functools import partial
from itertools import count

import pytest

from progressive_ci.model import kinds
from progressive_ci.model.journal import Stage
from progressive_ci.model.outcome import Result
from progressive_ci.sandbox.call import Call
from tests.scenario import commands, meddling, then, when
from tests.scenario.orphans import dead, died, handed_over
from tests.scenario.rows import ROWS, Row
from tests.scenario.rules.writes import has_mark
from tests.scenario.scene import NAMESPACE, Run, Scene

FINISHING: dict[str, Callable[[Scene, Row], Run]] = {
    "recover": lambda scene, _: commands.recover(scene),
    "rollback": lambda scene, _: commands.roll_back(scene),
    "run": lambda scene, row: scene.released(row.text),
}

ADOPTED = ("gateway", "istio", "nginx", "an earlier version")
THEIRS = "9.0.0"
ROUTE = {"gateway": "/httproutes/", "istio": "/virtualservices/"}


@pytest.mark.acceptance("F18")
@pytest.mark.parametrize("command", FINISHING)
def test_a_lease_that_is_deleted_while_it_is_taken_is_made_again(command: str) -> None:
    row = ROWS["gateway"]
    scene = dead(row, Stage.STEPPING, 10)
    lease = partial(meddling.delete, scene, kinds.LEASE, "progressive-ci.web")
    acted = when.once(scene, lambda _, call: call.method == "PATCH" and "/leases" in call.path, lease)
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
    assert "progressive-ci recover web --namespace shop" in run.outcome.reason
    then.nothing_was_written(run)
    then.nobody_was_turned_away(scene)


@pytest.mark.acceptance("F01")
@pytest.mark.parametrize("number", range(1, 18))
def test_a_promotion_without_a_router_is_finished_wherever_it_was_left_and_takes_no_pod_away(
    number: int,
) -> None:
    row = ROWS["ratio"]
    scene = dead(row, Stage.PROMOTING, number)
    began, ready = scene.sandbox.clock.now(), []

    def look(_: object) -> None:
        found = scene.sandbox.all(kinds.REPLICA_SET, NAMESPACE)
        ready.append(sum(item["status"].get("availableReplicas", 0) for item in found))

    scene.sandbox.faults.after_each(look)
    then.ended(commands.recover(scene), Result.PROMOTED)
    assert scene.sandbox.clock.now() - began < 60
    assert min(ready) >= 4
    then.serves(scene, row.new)
    then.nothing_left(scene)
    then.nobody_was_turned_away(scene)
    then.rules_held(scene)


@pytest.mark.acceptance("F18")
@pytest.mark.parametrize(
    "row", [ROWS[name] for name in ("gateway", "ratio", "roll")], ids=lambda row: row.name
)
def test_a_journal_that_is_deleted_while_a_run_waits_for_the_lease_is_missed_by_name(row: Row) -> None:
    scene = dead(row, Stage.STEPPING, 5)
    when.later(scene, 10.0, partial(meddling.delete, scene, kinds.CONFIG_MAP, "progressive-ci.web"))
    run = scene.released(row.text)
    then.ended(run, Result.REFUSED)
    assert run.outcome is not None
    assert "its journal is gone: somebody has deleted it" in run.outcome.reason
    assert "rollout resume" not in run.outcome.reason


@pytest.mark.acceptance("F18")
def test_who_pauses_what_a_dead_release_in_place_has_left_is_not_said_to_have_taken_marks_off() -> None:
    row = ROWS["in place"]

    def bare(scene: Scene, _: Call) -> bool:
        record = scene.oracle.record
        return record is not None and record.stage is Stage.COMMITTED and not has_mark(then.deployment(scene))

    scene = died(row, bare)
    meddling.pause(scene)
    then.ended(commands.recover(scene), Result.PROMOTED)
    then.nothing_left(scene)
    then.nobody_was_turned_away(scene)


@pytest.mark.acceptance("F18")
def test_marks_that_are_taken_off_just_before_a_dead_release_in_place_is_fenced_leave_none_behind() -> None:
    row = ROWS["in place"]
    scene = dead(row, Stage.PREPARING, 6)
    scene.sandbox.clock.run(60)
    journal = "/configmaps/progressive-ci.web"
    acted = when.once(
        scene,
        lambda _, call: call.method == "PATCH" and journal in call.path,
        partial(meddling.unmark, scene),
    )
    run = commands.recover(scene)
    assert acted
    then.ended(run, Result.PROMOTED)
    then.serves(scene, row.new)
    then.nothing_left(scene)


@pytest.mark.acceptance("F18")
@pytest.mark.parametrize("command", ["the run itself", *FINISHING])
@pytest.mark.parametrize("name", ADOPTED)
@pytest.mark.parametrize("number", [8, 12])
def test_a_version_that_somebody_puts_in_and_resumes_gets_everybody_when_stable_has_lost_its_pods(
    number: int, name: str, command: str
) -> None:
    row = ROWS[name]
    if command == "the run itself":
        scene = row.open()
        when.promoting(scene, number, lambda: overrule(scene))
        run = scene.released(row.text)
        then.ended(run, Result.CANCELLED)
    else:
        scene = dead(row, Stage.PROMOTING, number)
        overrule(scene)
        run = FINISHING[command](scene, row)
        then.ended(run, Result.PROMOTED if command == "run" else Result.RECOVERED)
    scene.sandbox.clock.run(60)
    then.serves(scene, row.new if command == "run" else THEIRS)
    then.nothing_left(scene)
    then.nobody_was_turned_away(scene)


def overrule(scene: Scene) -> None:
    """`kubectl set image`, then `kubectl rollout resume`."""
    scene.oracle.excused = ("1", "3", "4", "pin", "unpause")
    meddling.put(scene, THEIRS)
    meddling.resume(scene)


@pytest.mark.acceptance("F18")
@pytest.mark.parametrize("command", [commands.recover, commands.roll_back], ids=["recover", "rollback"])
def test_a_canary_that_is_a_deployment_is_named_when_no_journal_tells_of_it(
    command: Callable[[Scene], Run],
) -> None:
    scene = dead(ROWS["roll"], Stage.STEPPING, 8)
    meddling.delete(scene, kinds.CONFIG_MAP, "progressive-ci.web")
    run = command(scene)
    then.ended(run, Result.INCOMPLETE)
    assert run.outcome is not None
    assert any("kubectl -n shop delete deployments web-canary" in line for line in run.outcome.left)
    then.nothing_was_written(run)


@pytest.mark.acceptance("F18")
@pytest.mark.parametrize("number", range(1, 5))
@pytest.mark.parametrize("name", ["gateway", "istio"])
def test_a_weight_that_somebody_raises_while_a_way_back_is_confirmed_goes_back_at_once(
    name: str, number: int
) -> None:
    row = ROWS[name]
    scene = dead(row, Stage.STEPPING, 10)
    looks = count(1)

    def looked(_: int, call: Call) -> bool:
        record = scene.oracle.record
        back = record is not None and record.stage is Stage.ROLLING_BACK and scene.oracle.weights[-1] == 0
        return back and call.method == "GET" and ROUTE[name] in call.path and next(looks) == number

    acted = when.once(scene, looked, partial(meddling.set_weight, scene, 50))
    began = scene.sandbox.clock.now()
    then.ended(commands.roll_back(scene), Result.RECOVERED)
    assert acted
    assert scene.sandbox.clock.now() - began < 200
    then.serves(scene, row.old)
    then.nothing_left(scene)
    then.nobody_was_turned_away(scene)


@pytest.mark.acceptance("F18")
@pytest.mark.parametrize("command", [commands.recover, commands.roll_back], ids=["recover", "rollback"])
@pytest.mark.parametrize("name", [*ADOPTED, "ratio"])
def test_a_repository_that_is_applied_after_the_hand_over_takes_the_new_version_back_at_once(
    name: str, command: Callable[[Scene], Run]
) -> None:
    row = ROWS[name]
    scene = died(row, lambda scene, _: handed_over(scene, row))
    scene.oracle.excused = ("1", "3", "4", "6", "pin", "unpause")
    journal = "/configmaps/progressive-ci.web"
    acted = when.once(
        scene,
        lambda _, call: call.method == "PATCH" and journal in call.path,
        partial(meddling.reapply, scene),
    )
    began = scene.sandbox.clock.now()
    then.ended(command(scene), Result.RECOVERED)
    assert acted
    assert scene.sandbox.clock.now() - began < 120
    scene.sandbox.clock.run(60)
    then.serves(scene, row.old)
    then.nothing_left(scene)
    then.nobody_was_turned_away(scene)
