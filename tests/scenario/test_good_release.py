import pytest

from progressive_ci.model import kinds
from progressive_ci.model.outcome import Result
from tests.scenario import given, then
from tests.scenario.documents import GUARD, metric, rollout, template

ROUTERS = ("gateway", "istio", "nginx", "ratio")


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


@pytest.mark.parametrize("router", ROUTERS)
def test_a_version_with_errors_is_taken_back_at_the_first_verdict(router: str) -> None:
    scene = given.app(router=router)
    text = rollout(router, image="web:2.0.0-err30", canary=GUARD) + "---\n" + template(metric(count=""))
    run = scene.released(text)
    then.ended(run, Result.UNHEALTHY)
    then.serves(scene, "1.0.0")
    then.nobody_was_turned_away(scene)
    then.nothing_left(scene)
    then.all_is_as_before(scene)
    then.rules_held(scene)
    if router != "ratio":
        then.the_safe_write_came_first(run)
