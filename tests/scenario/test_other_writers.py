"""Others change or delete what a release works with: put right once, then the safe state, and who did it is named."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from progressive_ci.model import kinds
from progressive_ci.model.outcome import Result
from tests.scenario import given, meddling, then, when
from tests.scenario.documents import rollout
from tests.scenario.scene import NAME, Scene
from tests.scenario.then import ROUTERS

STEPS = """
- setWeight: 20
- pause: {duration: 60s}
- setWeight: 50
- pause: {duration: 60s}
"""
AT, EVERY = 20.0, 5.0
ROUTED = ("gateway", "istio", "nginx")

Act = Callable[[Scene], object]


@dataclass(frozen=True, slots=True)
class Case:
    """What somebody does, and what becomes of the release.

    Attributes:
        act: what.
        once: how the release ends where it is done once.
        again: how it ends where it is done every few seconds.
        told: what the reason names where it is given up.
        routers: where it can be done.
        broken: rules that the act itself breaks, by the oracle's name for them.
    """

    act: Act
    once: Result
    again: Result
    told: str
    routers: tuple[str, ...] = ROUTED
    broken: tuple[str, ...] = ()


CASES = {
    "weights back to 0": Case(
        lambda scene: meddling.set_weight(scene, 0),
        Result.PROMOTED,
        Result.CANCELLED,
        "kubectl keeps changing",
    ),
    "weights to 50": Case(
        lambda scene: meddling.set_weight(scene, 50),
        Result.PROMOTED,
        Result.CANCELLED,
        "kubectl keeps changing",
        broken=("1", "3", "6"),
    ),
    "selectors": Case(
        meddling.unpin,
        Result.PROMOTED,
        Result.CANCELLED,
        "kubectl keeps changing spec.selector",
        broken=("pin", "3"),
    ),
    "paused": Case(meddling.resume, Result.PROMOTED, Result.CANCELLED, "keeps resuming", routers=ROUTERS),
    "restart": Case(
        meddling.restart,
        Result.CANCELLED,
        Result.CANCELLED,
        "superseded: kubectl",
        routers=ROUTERS,
        broken=("3",),
    ),
    "canary's replicas": Case(
        lambda scene: meddling.scale_canary(scene, 0),
        Result.PROMOTED,
        Result.CANCELLED,
        "kubectl keeps changing spec.replicas",
        broken=("3",),
    ),
    "our annotations": Case(meddling.unmark, Result.PROMOTED, Result.PROMOTED, "", routers=ROUTERS),
    "canary Service deleted": Case(
        lambda scene: meddling.delete(scene, kinds.SERVICE, meddling.CANARY),
        Result.CANCELLED,
        Result.CANCELLED,
        "somebody has deleted Service shop/web-canary",
    ),
    "another Service deleted": Case(
        lambda scene: meddling.delete(scene, kinds.SERVICE, NAME),
        Result.CANCELLED,
        Result.CANCELLED,
        "somebody has deleted Service shop/web,",
    ),
    "route deleted": Case(meddling.delete_route, Result.CANCELLED, Result.CANCELLED, "somebody has deleted"),
    "canary deleted": Case(
        lambda scene: meddling.delete_set(scene, "2.0.0"),
        Result.CANCELLED,
        Result.CANCELLED,
        "somebody has deleted ReplicaSet shop/web-",
        routers=ROUTERS,
        broken=("3",),
    ),
    "stable's ReplicaSet deleted": Case(
        lambda scene: meddling.delete_set(scene, "1.0.0"),
        Result.CANCELLED,
        Result.CANCELLED,
        "somebody has deleted ReplicaSet shop/web-",
        routers=ROUTERS,
        broken=("1", "3", "4", "unpause"),
    ),
    "journal deleted": Case(
        lambda scene: meddling.delete(scene, kinds.CONFIG_MAP, f"progressive-ci.{NAME}"),
        Result.PROMOTED,
        Result.PROMOTED,
        "",
        routers=ROUTERS,
        broken=("6",),
    ),
}
ROWS = [
    pytest.param(case, router, id=f"{name}-{router}")
    for name, case in CASES.items()
    for router in case.routers
]


@pytest.mark.acceptance("F18")
@pytest.mark.parametrize(("case", "router"), ROWS)
def test_what_somebody_changes_once_is_put_right_or_ends_the_release(case: Case, router: str) -> None:
    scene = given.app(router=router)
    when.later(scene, AT, lambda: case.act(scene))
    _ends(scene, case, case.once)


@pytest.mark.acceptance("F18")
@pytest.mark.parametrize(("case", "router"), ROWS)
def test_nobody_is_fought_and_who_keeps_changing_is_named(case: Case, router: str) -> None:
    scene = given.app(router=router)

    def act() -> None:
        record = scene.oracle.record
        if scene.sandbox.clock.now() > AT and record is not None and record.weight:
            case.act(scene)

    scene.sandbox.clock.repeat(EVERY, act)
    _ends(scene, case, case.again)


def _ends(scene: Scene, case: Case, result: Result) -> None:
    scene.oracle.excused = case.broken
    run = scene.released(rollout(scene.router, steps=STEPS))
    then.ended(run, result)
    assert run.outcome is not None
    if result is Result.CANCELLED:
        assert case.told in run.outcome.reason
    scene.sandbox.clock.run(10)
    then.runs(scene, "2.0.0" if result is Result.PROMOTED else "1.0.0")
    then.nothing_left(scene)
    then.rules_held(scene)
