"""`recover` without a name: every workload of a namespace comes to its own end, whatever the others' are."""

import pytest

from progressive_ci.model.event import Noted
from progressive_ci.model.journal import Stage
from progressive_ci.model.outcome import Outcome, Result
from progressive_ci.sandbox.call import Call
from tests.scenario import given, neighbours, then
from tests.scenario.documents import rollout
from tests.scenario.rival import Rival
from tests.scenario.scene import NAME, Run, Scene
from tests.scenario.struck import LEASE_SECONDS


def ends(run: Run) -> list[tuple[str, Result]]:
    """How each workload ended, in the order in which they were looked at."""
    return [(item.workload, item.result) for item in outcome(run).each]


def outcome(run: Run) -> Outcome:
    assert run.outcome is not None, "it was killed"
    return run.outcome


def came_back(scene: Scene, name: str) -> None:
    """The old version serves, and of the release nothing is left."""
    neighbours.serves(scene, name, "1.0.0")
    neighbours.nothing_left(scene, name)
    neighbours.is_as_before(scene, name)


def told(run: Run) -> list[str]:
    return [each.event.text for each in run.told if isinstance(each.event, Noted)]


def test_every_orphan_of_a_namespace_is_finished_and_what_has_ended_is_left_as_it_is() -> None:
    scene = neighbours.street("api", "cart", "web")
    then.ended(neighbours.released(scene, "cart"), Result.PROMOTED)
    for name in ("api", "web"):
        neighbours.orphan(scene, name)
    before = neighbours.standing(scene, "cart")
    run = neighbours.recovered(scene)
    assert ends(run) == [
        ("api", Result.RECOVERED),
        ("cart", Result.NOTHING_TO_DO),
        ("web", Result.RECOVERED),
    ]
    assert outcome(run).result is Result.RECOVERED
    assert outcome(run).reason == "3 journals in shop, 2 releases finished"
    came_back(scene, "api")
    came_back(scene, "web")
    neighbours.serves(scene, "cart", "2.0.0")
    assert neighbours.standing(scene, "cart") == before
    then.nobody_was_turned_away(scene)
    then.rules_held(scene)


def test_one_orphan_goes_back_and_another_that_was_being_promoted_is_finished_forwards() -> None:
    scene = neighbours.street("api", "web")

    def committed(_: int, __: Call) -> bool:
        found = neighbours.record(scene, "api")
        return found is not None and found.stage is Stage.COMMITTED

    neighbours.dies(scene, "api", committed)
    neighbours.orphan(scene, "web")
    run = neighbours.recovered(scene)
    assert ends(run) == [("api", Result.PROMOTED), ("web", Result.RECOVERED)]
    assert outcome(run).result is Result.PROMOTED
    neighbours.serves(scene, "api", "2.0.0")
    neighbours.nothing_left(scene, "api")
    came_back(scene, "web")
    then.nobody_was_turned_away(scene)
    then.rules_held(scene)


@pytest.mark.parametrize("spoiled", ["api", "zoo"], ids=["before the other", "after it"])
def test_one_unreadable_journal_does_not_keep_the_others_from_being_finished(spoiled: str) -> None:
    scene = neighbours.street(spoiled, "web")
    for name in (spoiled, "web"):
        neighbours.orphan(scene, name)
    neighbours.spoil(scene, spoiled)
    before = neighbours.standing(scene, spoiled)
    run = neighbours.recovered(scene)
    assert dict(ends(run)) == {spoiled: Result.REFUSED, "web": Result.RECOVERED}
    assert (outcome(run).result, outcome(run).result.code) == (Result.REFUSED, 3)
    [refused] = [item for item in outcome(run).each if item.workload == spoiled]
    assert f"ConfigMap shop/progressive-ci.{spoiled}" in refused.reason
    assert "is no JSON" in refused.reason
    assert neighbours.standing(scene, spoiled) == before
    came_back(scene, "web")
    then.nobody_was_turned_away(scene)
    then.rules_held(scene)


def test_a_live_release_is_skipped_and_told_while_its_neighbours_come_to_their_ends() -> None:
    scene = neighbours.street("api", "cart", "web")
    for name in ("api", "cart", "web"):
        neighbours.orphan(scene, name)
    neighbours.spoil(scene, "cart")
    dies = neighbours.keep_alive(scene, "api")
    before = {name: neighbours.standing(scene, name) for name in ("api", "cart")}
    run = neighbours.recovered(scene)
    assert ends(run) == [("api", Result.LOCKED), ("cart", Result.REFUSED), ("web", Result.RECOVERED)]
    assert outcome(run).result is Result.REFUSED
    assert "api: a run is at work on it" in told(run)
    assert {name: neighbours.standing(scene, name) for name in before} == before
    came_back(scene, "web")
    dies()
    scene.sandbox.clock.run(LEASE_SECONDS)
    again = neighbours.recovered(scene)
    assert ends(again) == [
        ("api", Result.RECOVERED),
        ("cart", Result.REFUSED),
        ("web", Result.NOTHING_TO_DO),
    ]
    came_back(scene, "api")
    assert neighbours.standing(scene, "cart") == before["cart"]
    then.nobody_was_turned_away(scene)
    then.rules_held(scene)


def test_a_journal_that_can_not_be_written_is_a_failure_of_the_command() -> None:
    scene = neighbours.street("api", "web")
    for name in ("api", "web"):
        neighbours.orphan(scene, name)
    neighbours.overfill(scene, "api")
    run = neighbours.recovered(scene)
    assert ends(run) == [("api", Result.INVALID), ("web", Result.RECOVERED)]
    assert (outcome(run).result, outcome(run).result.code) == (Result.INVALID, 2)
    came_back(scene, "web")
    then.nobody_was_turned_away(scene)


def test_a_live_release_beside_an_orphan_is_no_failure_of_the_command() -> None:
    scene = neighbours.street("api", "web")
    for name in ("api", "web"):
        neighbours.orphan(scene, name)
    neighbours.keep_alive(scene, "api")
    run = neighbours.recovered(scene)
    assert ends(run) == [("api", Result.LOCKED), ("web", Result.RECOVERED)]
    assert (outcome(run).result, outcome(run).result.code) == (Result.RECOVERED, 0)


def test_a_namespace_without_orphans_is_left_as_it_is() -> None:
    scene = given.app()
    assert outcome(neighbours.recovered(scene)).result is Result.NOTHING_TO_DO
    scene.released(rollout("gateway"))
    done = outcome(neighbours.recovered(scene))
    assert done.result is Result.NOTHING_TO_DO
    assert done.reason == "1 journals in shop, 0 releases finished"


def test_a_release_that_a_run_is_at_work_on_is_skipped_and_told() -> None:
    scene = given.app()
    then.ended(scene.released(rollout("gateway")), Result.PROMOTED)
    Rival(scene).begins()
    before = given.snapshot(scene.sandbox)
    run = neighbours.recovered(scene)
    assert ends(run) == [(NAME, Result.LOCKED)]
    assert outcome(run).result is Result.NOTHING_TO_DO
    assert given.snapshot(scene.sandbox) == before
