"""The Roles that `rbac` prints are enough for a whole release of whatever the documents hold, and for its guard."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Result
from progressive_ci.model.plan import Mode
from progressive_ci.release.rights import posting_rights, rights
from progressive_ci.reports.role import rules
from tests.scenario import given, guards, then
from tests.scenario.documents import rollout
from tests.scenario.rows import ROWS, STEPS
from tests.scenario.scene import NAME, NAMESPACE, Scene, planned


def _with_document(kind: str, source: str, field: str) -> str:
    """A release whose template takes its environment from an object that comes with it."""
    text = rollout("gateway", steps=STEPS)
    indent = text.split("image: web:2.0.0")[0].rpartition("\n")[2]
    named = f"image: web:2.0.0\n{' ' * len(indent)}envFrom: [{{{source}: {{name: settings}}}}]"
    document = (
        f"apiVersion: v1\nkind: {kind}\nmetadata: {{name: settings, namespace: shop}}\n{field}: {{A: b}}\n"
    )
    return text.replace("image: web:2.0.0", named) + "---\n" + document


def _scaled() -> Scene:
    scene = ROWS["roll"].open()
    given.autoscaler(scene, NAME, floor=1)
    return scene


@dataclass(frozen=True, slots=True)
class _Shape:
    """Documents, and the cluster that they come to."""

    text: str
    open: Callable[[], Scene] = given.app


SHAPES = {
    "a ConfigMap": _Shape(_with_document("ConfigMap", "configMapRef", "data")),
    "a Secret": _Shape(_with_document("Secret", "secretRef", "stringData")),
    "an autoscaler beside a roll": _Shape(rollout("gateway", steps=STEPS), _scaled),
}
shapes = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)


@shapes
@pytest.mark.parametrize("guarded", [False, True], ids=["alone", "with a guard"])
def test_a_release_needs_no_right_that_is_not_printed(shape: _Shape, *, guarded: bool) -> None:
    scene, plan = shape.open(), planned(shape.text)
    if guarded:
        guards.account(scene, shape.text)
    printed = (*rights(plan), *rights(plan, mode=Mode.ROLL), *(posting_rights(plan) if guarded else ()))
    scene.sandbox.world.grant("ci", rules(printed), NAMESPACE)
    scene.user = "ci"
    then.ended(scene.released(shape.text, guards.ASKED if guarded else Options()), Result.PROMOTED)
    then.serves(scene, "2.0.0")
