import pytest

from progressive_ci.model.outcome import Result
from tests.scenario import given, then
from tests.scenario.documents import rollout
from tests.scenario.rows import ROWS, Row
from tests.scenario.then import ROUTERS


@pytest.mark.parametrize("router", ROUTERS)
def test_a_good_version_is_promoted_and_nobody_is_turned_away(router: str) -> None:
    scene = given.app(router=router)
    run = scene.released(rollout(router, image="web:2.0.0"))
    then.ended(run, Result.PROMOTED)
    then.serves(scene, "2.0.0")
    then.nobody_was_turned_away(scene)
    then.nothing_left(scene)
    then.everything_but_the_version_is_as_before(scene)
    then.rules_held(scene)


@pytest.mark.parametrize(
    "row", [ROWS[name] for name in ("gateway", "istio", "nginx", "roll")], ids=lambda row: row.name
)
def test_pods_that_have_only_just_come_are_not_taken_for_lost_ones(row: Row) -> None:
    scene = row.open()
    run = scene.released(row.text)
    then.ended(run, Result.PROMOTED)
    assert not [told for told in then.warnings(run) if "until they are back" in told]
    then.rules_held(scene)
