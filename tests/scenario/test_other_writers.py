"""Others change or delete what a release works with: put right once, then the safe state, and who did it is named."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pytest

from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.outcome import Result
from progressive_ci.model.plan import Mode
from tests.scenario import meddling, then, when
from tests.scenario.rows import ROWS, Row
from tests.scenario.scene import NAME, NAMESPACE, Scene

STEPS = """
- setWeight: 20
- pause: {duration: 60s}
- setWeight: 50
- pause: {duration: 60s}
"""
AT, EVERY = 20.0, 5.0
SECONDS = 120

Act = Callable[[Scene, Row], object]


def routed(row: Row) -> bool:
    """In place has no route and no canary's Service, the ratio neither."""
    return row.routed


def adopted(row: Row) -> bool:
    """NAME is paused and each version's ReplicaSet is the release's; elsewhere a Deployment of its own keeps it."""
    return row.mode is Mode.ADOPT


def kept(row: Row) -> bool:
    """Deployments that nobody has paused make anew what is deleted under them."""
    return not adopted(row)


def rolled(row: Row) -> bool:
    return row.mode is Mode.ROLL


def in_place(row: Row) -> bool:
    return row.mode is Mode.IN_PLACE


def weighted(row: Row) -> bool:
    return not in_place(row)


def any_row(_: Row) -> bool:
    return True


def as_in_the_repository(scene: Scene, _: Row) -> None:
    """GitOps writes every selector as it was before the release."""
    for name in (meddling.STABLE, meddling.CANARY, NAME):
        selector = scene.before[f"Service {name}"]["spec"]["selector"]
        meddling.edit(
            scene,
            kinds.SERVICE,
            name,
            partial(_select, selector),
        )


def _select(selector: JsonObject, service: JsonObject) -> None:
    service["spec"]["selector"] = dict(selector)


def canary_deployment(scene: Scene) -> str:
    """Where the new version rolls NAME, its pods come from a second Deployment; empty where it is gone."""
    names = [item["metadata"]["name"] for item in scene.sandbox.all(kinds.DEPLOYMENT, NAMESPACE)]
    return next((name for name in names if name != NAME), "")


def scale_canary_deployment(scene: Scene, _: Row) -> None:
    meddling.edit(
        scene, kinds.DEPLOYMENT, canary_deployment(scene), lambda item: item["spec"].update(replicas=0)
    )


@dataclass(frozen=True, slots=True)
class Case:
    """What somebody does, and what becomes of the release.

    Attributes:
        act: what; it is told the row.
        once: how the release ends where it is done once.
        again: how it ends where it is done every few seconds.
        told: what the reason names where it is given up.
        fits: where it can be done.
        broken: rules that the act itself breaks, by the oracle's name for them.
        stays: whether the new version does, although the release has not promoted it.
    """

    act: Act
    once: Result
    again: Result
    told: str
    fits: Callable[[Row], bool] = routed
    broken: tuple[str, ...] = ()
    stays: bool = False


CASES = {
    "weights back to 0": Case(
        lambda scene, _: meddling.set_weight(scene, 0),
        Result.PROMOTED,
        Result.CANCELLED,
        "kubectl keeps changing",
    ),
    "weights to 50": Case(
        lambda scene, _: meddling.set_weight(scene, 50),
        Result.PROMOTED,
        Result.CANCELLED,
        "kubectl keeps changing",
        broken=("1", "3", "6"),
    ),
    "selectors": Case(
        as_in_the_repository,
        Result.PROMOTED,
        Result.CANCELLED,
        "kubectl keeps changing spec.selector",
        broken=("pin", "3"),
    ),
    "paused": Case(
        lambda scene, _: meddling.resume(scene),
        Result.PROMOTED,
        Result.CANCELLED,
        "keeps resuming",
        fits=adopted,
    ),
    "restart": Case(
        lambda scene, _: meddling.restart(scene),
        Result.CANCELLED,
        Result.CANCELLED,
        "superseded: kubectl",
        fits=weighted,
        broken=("3",),
    ),
    "restart in place": Case(
        lambda scene, _: meddling.restart(scene),
        Result.CANCELLED,
        Result.CANCELLED,
        "superseded: kubectl",
        fits=in_place,
        # NAME holds the new version by then, and what is restarted is that.
        stays=True,
    ),
    "canary's replicas": Case(
        lambda scene, row: meddling.scale_canary(scene, 0, row.new),
        Result.PROMOTED,
        Result.CANCELLED,
        "kubectl keeps changing spec.replicas",
        fits=adopted,
        broken=("3",),
    ),
    "canary Deployment's replicas": Case(
        scale_canary_deployment,
        Result.PROMOTED,
        Result.CANCELLED,
        "kubectl keeps changing spec.replicas",
        fits=rolled,
        broken=("3",),
    ),
    "our annotations": Case(
        lambda scene, _: meddling.unmark(scene), Result.PROMOTED, Result.PROMOTED, "", fits=any_row
    ),
    "canary Service deleted": Case(
        lambda scene, _: meddling.delete(scene, kinds.SERVICE, meddling.CANARY),
        Result.CANCELLED,
        Result.CANCELLED,
        "somebody has deleted Service shop/web-canary",
    ),
    "another Service deleted": Case(
        lambda scene, _: meddling.delete(scene, kinds.SERVICE, NAME),
        Result.CANCELLED,
        Result.CANCELLED,
        "somebody has deleted Service shop/web,",
    ),
    "route deleted": Case(
        lambda scene, _: meddling.delete_route(scene),
        Result.CANCELLED,
        Result.CANCELLED,
        "somebody has deleted",
    ),
    "canary deleted": Case(
        lambda scene, row: meddling.delete_set(scene, row.new),
        Result.CANCELLED,
        Result.CANCELLED,
        "somebody has deleted ReplicaSet shop/web-",
        fits=adopted,
        broken=("3",),
    ),
    "canary Deployment deleted": Case(
        lambda scene, _: meddling.delete(scene, kinds.DEPLOYMENT, canary_deployment(scene)),
        Result.CANCELLED,
        Result.CANCELLED,
        "somebody has deleted Deployment shop/web-",
        fits=rolled,
        broken=("3",),
    ),
    "stable's ReplicaSet deleted": Case(
        lambda scene, row: meddling.delete_set(scene, row.old),
        Result.CANCELLED,
        Result.CANCELLED,
        "somebody has deleted ReplicaSet shop/web-",
        fits=adopted,
        broken=("1", "3", "4", "unpause"),
    ),
    "a ReplicaSet deleted that is made anew": Case(
        lambda scene, row: meddling.delete_set(scene, row.new),
        Result.PROMOTED,
        Result.PROMOTED,
        "",
        fits=kept,
        broken=("3",),
    ),
    "stable's ReplicaSet deleted, and made anew": Case(
        lambda scene, row: meddling.delete_set(scene, row.old),
        Result.PROMOTED,
        Result.PROMOTED,
        "",
        fits=kept,
        broken=("1", "3", "4"),
    ),
    "journal deleted": Case(
        lambda scene, _: meddling.delete(scene, kinds.CONFIG_MAP, f"progressive-ci.{NAME}"),
        Result.PROMOTED,
        Result.PROMOTED,
        "",
        fits=any_row,
        broken=("6",),
    ),
}
BEFALLEN = [
    pytest.param(case, row, id=f"{name}-{row.name}")
    for name, case in CASES.items()
    for row in ROWS.values()
    if case.fits(row)
]


@pytest.mark.acceptance("F18")
@pytest.mark.parametrize(("case", "row"), BEFALLEN)
def test_what_somebody_changes_once_is_put_right_or_ends_the_release(case: Case, row: Row) -> None:
    scene = row.open()
    when.later(scene, AT, lambda: case.act(scene, row))
    _ends(scene, row, case, case.once)


@pytest.mark.acceptance("F18")
@pytest.mark.parametrize(("case", "row"), BEFALLEN)
def test_nobody_is_fought_and_who_keeps_changing_is_named(case: Case, row: Row) -> None:
    scene = row.open()
    since = scene.sandbox.clock.now() + AT

    def act() -> None:
        record = scene.oracle.record
        if scene.sandbox.clock.now() > since and record is not None and (record.weight or not row.router):
            case.act(scene, row)

    scene.sandbox.clock.repeat(EVERY, act)
    _ends(scene, row, case, case.again)


def _ends(scene: Scene, row: Row, case: Case, result: Result) -> None:
    scene.oracle.excused = case.broken
    run = row.lasting(STEPS, SECONDS).released(scene)
    then.ended(run, result)
    assert run.outcome is not None
    if result is Result.CANCELLED:
        assert case.told in run.outcome.reason
    scene.sandbox.clock.run(10)
    then.runs(scene, row.new if result is Result.PROMOTED or case.stays else row.old)
    then.nothing_left(scene)
    then.rules_held(scene)
