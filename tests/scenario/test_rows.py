"""The rows of the sweeps are the product's tables: what is new there joins every sweep, or fails here."""

from typing import get_args

from progressive_ci.model.plan import Mode, Plan, Step
from progressive_ci.routers.table import ROUTERS
from progressive_ci.specs.table import DIALECTS
from tests.scenario import meddling
from tests.scenario.questions import JUDGED
from tests.scenario.rows import ROWS
from tests.scenario.scene import planned


def plans() -> list[Plan]:
    """Of every release that is struck at each of its requests, or at each of its questions."""
    return [planned(row.text, row.analysis) for row in (*ROWS.values(), *JUDGED.values())]


def test_every_router_has_a_row() -> None:
    assert {row.router for row in ROWS.values() if row.router} == set(ROUTERS)
    assert {plan.route.router for plan in plans() if plan.route} == set(ROUTERS)


def test_every_router_with_objects_of_its_own_has_one_that_others_meddle_with() -> None:
    assert set(meddling.ROUTES) == {row.router for row in ROWS.values() if row.routed}


def test_every_dialect_has_a_row() -> None:
    assert {plan.dialect for plan in plans()} == set(DIALECTS)


def test_every_mode_has_a_row() -> None:
    assert {row.mode for row in ROWS.values()} == set(Mode)


def test_every_kind_of_step_is_taken_in_some_row() -> None:
    assert {type(step) for plan in plans() for step in plan.steps} == set(get_args(Step))


def test_every_row_is_struck_at_its_questions_too() -> None:
    assert list(JUDGED) == list(ROWS)
