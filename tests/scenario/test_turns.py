"""Whose turn it is, where others are quicker, newer or silent: what once went wrong, each as one claim."""

import json

import pytest

from progressive_ci.errors import Refused
from progressive_ci.model import kinds
from progressive_ci.model.journal import Stage
from progressive_ci.model.options import IfLocked, Options
from progressive_ci.model.outcome import Outcome, Result
from progressive_ci.model.position import order_of
from progressive_ci.ports import Hands
from progressive_ci.release import rescue
from progressive_ci.release.abort import abort
from progressive_ci.release.endings import outcome_of
from progressive_ci.sandbox.call import Call
from progressive_ci.sandbox.faults import kill_after
from progressive_ci.sandbox.json_patch import clone
from tests.scenario import given, then, when
from tests.scenario.documents import rollout
from tests.scenario.rival import OBJECT, Rival
from tests.scenario.scene import NAME, NAMESPACE
from tests.scenario.test_second_run import FIRST, after_a_release, at, reason, text

POLICIES = (IfLocked.QUEUE, IfLocked.SUPERSEDE)


@pytest.mark.parametrize("policy", POLICIES)
def test_an_older_commit_gives_way_to_a_newer_one_that_begins_while_it_waits(policy: IfLocked) -> None:
    scene = after_a_release()
    first = Rival(scene, "x1", at(1), stage=Stage.PROMOTING).begins()
    newer = Rival(scene, "x9", at(9))

    def next_one() -> None:
        first.ends(Result.PROMOTED)
        newer.begins()

    when.later(scene, 60, next_one)
    run = scene.released(text(), Options(if_locked=policy, lock_wait=600, position=at(5)))
    then.ended(run, Result.OUTDATED)
    assert "run 5 is older than run 9, which release x9 is releasing now" in reason(run)
    assert newer.recalls == []


@pytest.mark.parametrize("policy", POLICIES)
def test_an_older_commit_gives_way_to_a_newer_one_that_is_quicker_to_take_the_lease(policy: IfLocked) -> None:
    scene = after_a_release()
    rivals: list[Rival] = []

    def look(_: int, call: Call) -> None:
        if len(scene.runs) == 2 and "/leases" in call.path and call.method == "GET" and not rivals:
            rivals.append(Rival(scene, "x9", at(9)).begins())

    scene.sandbox.faults.before_each(look)
    run = scene.released(text(), Options(if_locked=policy, lock_wait=600, position=at(5)))
    then.ended(run, Result.OUTDATED)
    assert rivals[0].recalls == []


def test_a_version_that_runs_already_is_told_to_be_of_the_release_that_promoted_it() -> None:
    scene = after_a_release()
    run = scene.released(text(FIRST))
    then.ended(run, Result.UNCHANGED)
    record = scene.oracle.record
    assert record is not None
    told = f"its template was written by release r1 at {record.endings[-1].at}"
    assert reason(run) == f"the running version is the one to release; {told}"


@pytest.mark.parametrize(
    ("said", "number"),
    [("007", 7), ("9" * 30, 10**30 - 1), ("9" * 5000, None), ("-3", None), ("1.5", None), ("\u0663", None)],
    ids=["with zeros", "large", "far too large", "negative", "broken", "of another script"],
)
def test_the_order_of_a_commit_is_a_whole_number_of_a_length_that_can_be_meant(
    said: str, number: int | None
) -> None:
    assert order_of(said) == number


def test_who_names_another_release_than_the_one_that_runs_is_told_so() -> None:
    scene = after_a_release()
    rival = Rival(scene).begins()
    options = Options(reason="too slow")
    run = scene.act(lambda hands: abort(NAMESPACE, NAME, options, hands, by="ann", only="x2"))
    then.ended(run, Result.ASKED)
    warned = then.warnings(run)
    goes_on = "not x2 is at work, but release x1, which goes on"
    assert warned == [f"{goes_on}; x2 is asked in case it waits for its turn"]
    assert rival.recalls == []


def test_a_journal_that_a_release_still_needs_is_not_forgotten_and_that_is_a_refusal() -> None:
    scene = after_a_release()
    Rival(scene).begins().dies()

    def forgotten(hands: Hands) -> Outcome:
        with pytest.raises(Refused, match="release x1 is unfinished; its journal is needed") as refused:
            rescue.forget(NAMESPACE, NAME, hands)
        return outcome_of(refused.value)

    then.ended(scene.act(forgotten), Result.REFUSED)
    assert scene.oracle.record is not None


def test_a_journal_of_a_later_version_of_the_tool_is_not_forgotten() -> None:
    scene = after_a_release()
    Rival(scene).begins().dies()
    journal = clone(scene.sandbox.get(kinds.CONFIG_MAP, NAMESPACE, OBJECT))
    journal["data"]["journal.json"] = json.dumps(json.loads(journal["data"]["journal.json"]) | {"format": 99})
    scene.sandbox.store.write(kinds.CONFIG_MAP, journal)
    scene.oracle.blind = True

    def forgotten(hands: Hands) -> Outcome:
        with pytest.raises(Refused, match="the journal has format 99") as refused:
            rescue.forget(NAMESPACE, NAME, hands)
        return outcome_of(refused.value)

    then.ended(scene.act(forgotten), Result.REFUSED)
    assert scene.sandbox.get(kinds.CONFIG_MAP, NAMESPACE, OBJECT) is not None


@pytest.mark.parametrize("wait", [0, 120, 1800])
def test_a_dead_holder_that_claims_years_is_not_waited_for_without_end(wait: float) -> None:
    scene = after_a_release()
    Rival(scene).begins().dies()
    lease = scene.sandbox.get(kinds.LEASE, NAMESPACE, OBJECT)
    assert lease is not None
    scene.sandbox.apply({**lease, "spec": {**lease["spec"], "leaseDurationSeconds": 2**31 - 1}})
    began = scene.sandbox.clock.now()
    run = scene.released(text(), Options(lock_wait=wait))
    then.ended(run, Result.LOCKED)
    assert scene.sandbox.clock.now() - began < max(600, wait) + 10
    assert "claims 2147483647 s and is silent; delete the Lease if that run is dead" in reason(run)


@pytest.mark.parametrize("options", [Options(), Options(resume=True)], ids=["anew", "resumed"])
def test_who_is_called_off_while_it_waits_for_a_dead_run_says_that_its_release_still_stands(
    options: Options,
) -> None:
    scene = given.app()
    scene.sandbox.faults.plan(
        kill_after(), when=lambda _, call: call.method == "PATCH" and "httproutes" in call.path
    )
    scene.released(rollout("gateway"))
    when.later(scene, 5.0, lambda: scene.sandbox.clock.deliver("SIGTERM"))
    run = scene.released(rollout("gateway"), options)
    then.ended(run, Result.CANCELLED)
    assert run.outcome is not None
    assert run.outcome.reason.endswith("before the first write")
    assert run.outcome.advice == (
        "release r1 still stands unfinished: `progressive-ci recover web --namespace shop`, "
        "or the next run, finishes it"
    )
    then.ended(scene.rescued(), Result.RECOVERED)
    then.all_is_as_before(scene)
