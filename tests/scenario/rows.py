"""The ways in which a release can go, for whatever has to hold in all of them: a new way is a row."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.scenario import given
from tests.scenario.documents import deployment, rollout
from tests.scenario.scene import Scene
from tests.scenario.then import ROUTERS

STEPS = "- setWeight: 25\n- pause: {duration: 5s}\n- setWeight: 75\n- pause: {duration: 5s}\n"


@dataclass(frozen=True, slots=True)
class Row:
    """One way.

    Attributes:
        name: in reports.
        text: what is released.
        open: the cluster before it.
        old: the version that serves there.
        new: the version that comes.
        routed: whether a route object carries the split, so that there is a safe write.
    """

    name: str
    text: str
    open: Callable[[], Scene]
    old: str = "1.0.0"
    new: str = "2.0.0"
    routed: bool = True


def _behind(router: str) -> Row:
    return Row(
        router,
        rollout(router, steps=STEPS),
        lambda: given.app(router=router),
        routed=router != "ratio",
    )


def _with_policy() -> Scene:
    """A policy makes the templates of Deployments unequal to those of ReplicaSets, so that only `roll` is left."""
    scene = given.app()
    given.policy_on_deployments(scene)
    scene.before = given.snapshot(scene.sandbox)
    return scene


def _after_a_release() -> Scene:
    """The old ReplicaSet of the version that comes is still there."""
    scene = given.app()
    scene.released(rollout("gateway", steps=STEPS))
    scene.oracle.next_release()
    scene.before = given.snapshot(scene.sandbox)
    scene.before.pop("ConfigMap progressive-ci.web")
    return scene


ROWS = {
    row.name: row
    for row in (
        *map(_behind, ROUTERS),
        Row("roll", rollout("gateway", steps=STEPS), _with_policy),
        Row(
            "an earlier version",
            rollout("gateway", image="web:1.0.0", steps=STEPS),
            _after_a_release,
            old="2.0.0",
            new="1.0.0",
        ),
        Row("in place", deployment(), lambda: given.app(router=""), routed=False),
    )
}
