"""Faults that a review found, held so that they don't come back."""

from progressive_ci.model import kinds
from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Result
from progressive_ci.sandbox import faults
from progressive_ci.sandbox.call import Call
from progressive_ci.sandbox.json_patch import clone
from tests.scenario import given, then
from tests.scenario.documents import rollout


def _writes_deployment(_: int, call: Call) -> bool:
    return call.method == "PATCH" and call.path.endswith("/deployments/web") and not call.dry


def test_a_settings_change_that_dies_leaves_the_pods_of_an_earlier_release_alone() -> None:
    scene = given.app()
    then.ended(scene.released(rollout("gateway")), Result.PROMOTED)
    scene.sandbox.faults.plan(faults.kill_after(), when=_writes_deployment)
    scene.released(rollout("gateway", spec="minReadySeconds: 3"))
    scene.sandbox.clock.run(40)
    then.ended(scene.rescued(), Result.RECOVERED)
    then.serves(scene, "2.0.0")
    then.nobody_was_turned_away(scene)


def test_weights_that_somebody_keeps_putting_back_end_the_release() -> None:
    scene = given.app()
    sandbox = scene.sandbox
    found = sandbox.get(kinds.HTTP_ROUTE, "shop", "web")
    assert found is not None
    spec = clone(found["spec"])

    def sync() -> None:
        route = clone(sandbox.get(kinds.HTTP_ROUTE, "shop", "web"))
        if route["spec"]["rules"] != spec["rules"]:
            sandbox.apply({**route, "spec": clone(spec)})

    sandbox.clock.repeat(3.0, sync)
    steps = "- setWeight: 20\n- pause: {duration: 20s}\n- setWeight: 50\n- pause: {duration: 20s}\n- setWeight: 80\n"
    run = scene.released(rollout("gateway", steps=steps))
    then.ended(run, Result.CANCELLED)
    then.serves(scene, "1.0.0")


def test_the_services_of_the_route_cannot_be_left_alone() -> None:
    scene = given.app()
    run = scene.released(rollout("gateway"), Options(leave_services=("web-canary",)))
    then.ended(run, Result.REFUSED)
    then.nothing_was_written(run)
