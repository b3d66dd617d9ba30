"""Commands that meet: each acts on the release that was meant, and says how that one ended, whoever else is at it."""

from collections.abc import Callable

import pytest

from progressive_ci.cli.rollback import again_later
from progressive_ci.model import kinds
from progressive_ci.model.journal import Stage, State
from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Outcome, Result
from progressive_ci.ports import Hands
from progressive_ci.release import rescue, undo
from progressive_ci.sandbox import faults
from progressive_ci.sandbox.call import Call
from tests.scenario import commands, given, then, when
from tests.scenario.rival import OBJECT, Rival
from tests.scenario.scene import NAME, NAMESPACE, Run, Scene
from tests.scenario.test_commands_meet import meanwhile
from tests.scenario.test_hold import HOLD, measured
from tests.scenario.test_second_run import after_a_release, at, reason, text
from tests.security.forgery import MOMENTS, dies

LEASE_SECONDS = 40
LATER = Options(reason=commands.WHY, lock_wait=600)


def orphan() -> Scene:
    scene = given.app()
    dies(scene, MOMENTS["with traffic on the canary"])
    assert scene.released(measured("gateway")).outcome is None
    return scene


def is_back(scene: Scene) -> None:
    then.serves(scene, "1.0.0")
    then.nothing_left(scene)
    then.rules_held(scene)


def forget(scene: Scene) -> None:
    """Somebody deletes the journal."""
    found = scene.sandbox.get(kinds.CONFIG_MAP, NAMESPACE, OBJECT)
    assert found is not None
    scene.sandbox.store.drop(kinds.CONFIG_MAP, found)


def before_the_abort_takes_it(scene: Scene, act: Callable[[], object]) -> None:
    """Something happens between the abort's last look and its first write to the Lease."""
    done: list[bool] = []

    def look(_: int, call: Call) -> None:
        if not done and "/leases" in call.path and call.method != "GET":
            done.append(True)
            act()

    scene.sandbox.faults.before_each(look)


def test_a_dead_release_that_another_one_has_taken_up_is_waited_for() -> None:
    scene = orphan()

    def taken() -> None:
        lease = scene.sandbox.get(kinds.LEASE, NAMESPACE, OBJECT)
        assert lease is not None
        scene.sandbox.apply({**lease, "spec": {**lease["spec"], "holderIdentity": "x1 other"}})

    before_the_abort_takes_it(scene, taken)
    run = commands.call_off(scene)
    then.ended(run, Result.RECOVERED)
    [warned] = then.warnings(run)
    assert "is looked at again after: Lease shop/progressive-ci.web: it is held by release x1" in warned
    is_back(scene)


def test_who_aborts_a_dead_release_takes_no_held_one_back_that_came_after_it() -> None:
    scene = orphan()

    def another_is_held() -> None:
        then.ended(scene.rescued(), Result.RECOVERED)
        scene.oracle.next_release()
        then.ended(scene.released(measured("gateway"), HOLD), Result.HELD)

    began = scene.sandbox.clock.now()

    def look(_: int, call: Call) -> None:
        """At the abort's last look at the lease, which has run out meanwhile."""
        late = scene.sandbox.clock.now() - began > LEASE_SECONDS / 2
        if late and "/leases" in call.path and len(scene.runs) == 2:
            another_is_held()

    scene.sandbox.faults.before_each(look)
    run = commands.call_off(scene)
    then.ended(run, Result.RECOVERED)
    record = scene.oracle.record
    assert record is not None
    assert (record.release, record.state) == ("r4", State.HELD)


@pytest.mark.parametrize("command", [commands.call_off, commands.promote], ids=["abort", "promote"])
def test_where_the_journal_is_gone_nobody_is_told_that_nothing_is_unfinished(
    command: Callable[[Scene], Run],
) -> None:
    scene = orphan()
    forget(scene)
    before = given.snapshot(scene.sandbox)
    run = command(scene)
    then.ended(run, Result.INCOMPLETE)
    assert "its journal is gone: somebody has deleted it" in reason(run)
    assert given.snapshot(scene.sandbox) == before


def test_a_live_release_whose_journal_is_deleted_is_not_said_to_have_ended() -> None:
    scene = after_a_release()
    Rival(scene, stage=Stage.PROMOTING).begins()
    scene.oracle.blind = True
    when.later(scene, 30, lambda: forget(scene))
    run = commands.call_off(scene, wait=120)
    then.ended(run, Result.LOCKED)
    assert "release x1 has been asked to go back and has not ended after 120 s" in reason(run)


def test_an_outage_does_not_end_the_wait_for_the_end() -> None:
    scene = after_a_release()
    rival = Rival(scene, stage=Stage.PROMOTING).begins()
    clock = scene.sandbox.clock
    outage = faults.during(clock, clock.now() + 20, clock.now() + 200)
    scene.sandbox.faults.plan(faults.refuse(), when=outage, times=10_000)
    when.later(scene, 400, lambda: rival.ends(Result.CANCELLED))
    run = commands.call_off(scene)
    then.ended(run, Result.RECOVERED)
    assert reason(run) == "release x1 is rolled back: as it went"
    assert then.warnings(run)[1:] == [
        "release x1 is looked at again after: ConfigMap shop/progressive-ci.web: connection refused"
    ]


def test_an_abort_that_is_stopped_does_not_claim_that_the_old_version_serves() -> None:
    scene = after_a_release()
    Rival(scene, stage=Stage.PROMOTING).begins()
    when.later(scene, 30, lambda: scene.sandbox.clock.deliver("SIGINT"))
    run = commands.call_off(scene)
    then.ended(run, Result.LOCKED)
    assert "release x1 has been asked to go back and had not ended: stopped by SIGINT" in reason(run)


def test_a_rollback_that_is_stopped_before_it_begins_does_not_claim_that_the_old_version_serves() -> None:
    scene = orphan()
    when.later(scene, 10, lambda: scene.sandbox.clock.deliver("SIGINT"))

    def command(hands: Hands) -> Outcome:
        return again_later(lambda: rescue.rollback(NAMESPACE, NAME, Options(), hands))

    run = scene.act(command)
    then.ended(run, Result.INCOMPLETE)
    assert reason(run).startswith(
        "stopped by SIGINT before anything was brought to its end; release r1 still"
    )


def test_a_release_that_was_held_only_while_its_turn_was_waited_for_is_not_resumed() -> None:
    scene = orphan()
    scene.sandbox.clock.run(LEASE_SECONDS)
    again = Options(on_failure="hold", resume=True, lock_wait=600)
    meanwhile(scene, lambda: then.ended(scene.released(measured("gateway"), again), Result.HELD))
    run = scene.released(measured("gateway"), again)
    then.ended(run, Result.REFUSED)
    assert "is held since" in reason(run)


def once_it_is_planned(scene: Scene, act: Callable[[], None]) -> None:
    """Something happens when the next command, an undoing, has read all that it goes by."""
    when.asked(scene, "/replicasets", act)


def undone(scene: Scene, options: Options) -> Run:
    return commands.told(scene, lambda hands: undo.undo(NAMESPACE, NAME, options, hands, release="u1"))


def test_an_undoing_does_not_replace_a_release_that_has_ended_while_it_waited() -> None:
    scene = after_a_release()

    def another() -> None:
        then.ended(scene.released(text()), Result.PROMOTED)

    once_it_is_planned(scene, another)
    run = undone(scene, LATER)
    then.ended(run, Result.REFUSED)
    assert "release r1 is not the last finished one any more" in reason(run)
    then.serves(scene, "2.0.0")


def test_of_two_undoings_at_once_the_second_finds_nothing_to_do() -> None:
    scene = after_a_release()
    once_it_is_planned(scene, lambda: then.ended(undone(scene, LATER), Result.PROMOTED))
    then.ended(undone(scene, LATER), Result.UNCHANGED)
    then.serves(scene, "1.0.0")
    then.nothing_left(scene)


def test_a_job_of_an_older_commit_may_undo_and_the_order_stays_as_it_was() -> None:
    scene = after_a_release(at(9))
    run = undone(scene, Options(reason=commands.WHY, position=at(5)))
    then.ended(run, Result.PROMOTED)
    record = scene.oracle.record
    assert record is not None
    assert record.deployed == at(9)


@pytest.mark.parametrize(
    "command", [commands.roll_back, commands.recover, commands.call_off, commands.promote]
)
def test_a_name_that_nothing_has_is_told_to_be_none(command: Callable[[Scene], Run]) -> None:
    scene = given.nothing()
    run = command(scene)
    then.ended(run, Result.NOTHING_TO_DO)
    assert reason(run).startswith("shop has neither a Deployment nor a journal of web")
    then.nothing_was_written(run)
