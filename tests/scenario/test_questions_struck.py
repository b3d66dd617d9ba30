"""Something happens to a release at any of its questions to Prometheus: an answer that is none, or the process's death.

Every question of every row is one case; a run takes some of them, spread evenly, and all with SWEEP=all.
"""

import os
from collections.abc import Callable, Iterator

import pytest

from progressive_ci.model.event import Sampled
from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Result
from progressive_ci.sandbox.metrics import Mishap
from tests.scenario import then
from tests.scenario.questions import AWAY, JUDGED, MISHAPS, dies, old_answer, struck
from tests.scenario.rows import Row
from tests.scenario.scene import Run, Scene
from tests.scenario.test_interrupted import is_whole, version_of

STRIDE = 1 if os.environ.get("SWEEP") == "all" else 9
LONGEST = 200
LEASE_SECONDS = 40

rows = pytest.mark.parametrize("row", JUDGED.values(), ids=JUDGED)
routed = pytest.mark.parametrize("row", [JUDGED[name] for name in then.ROUTERS], ids=then.ROUTERS)
mishaps = pytest.mark.parametrize("mishap", MISHAPS.values(), ids=MISHAPS)
moments = pytest.mark.parametrize("moment", ["before", "during", "after"])
Befall = Callable[[Scene, int], None]


def befallen(
    row: Row, befall: Befall, first: int, *, text: str = "", options: Options | None = None
) -> Iterator[tuple[Scene, Run]]:
    """The release again and again, each time with a later question befallen, until there is none so late."""
    for number in range(1 + first % STRIDE, LONGEST, STRIDE):
        scene = row.open()
        before = scene.sandbox.metrics.sent
        befall(scene, number)
        run = released(scene, row, text, options)
        if scene.sandbox.metrics.sent < before + number and run.outcome is not None:
            return
        yield scene, run
    pytest.fail(f"the release has more than {LONGEST} questions")


def released(scene: Scene, row: Row, text: str = "", options: Options | None = None) -> Run:
    return scene.released(text or row.text, options, analysis=row.analysis)


def position(row: Row, number: int) -> int:
    """Where the cases of a row begin, so that those of all of them together lie close."""
    return number + 5 * list(JUDGED).index(row.name)


def by(mishap: Mishap) -> Befall:
    return lambda scene, number: struck(scene, mishap, number)


@pytest.mark.acceptance("F12")
@rows
@mishaps
def test_one_question_that_goes_wrong_changes_nothing_in_the_end(row: Row, mishap: Mishap) -> None:
    count = 0
    for scene, run in befallen(row, by(mishap), position(row, list(MISHAPS.values()).index(mishap))):
        count += 1
        then.ended(run, Result.PROMOTED)
        then.nothing_left(scene)
        is_whole(scene, row.new)
    assert count


@pytest.mark.acceptance("F13")
@rows
def test_an_old_answer_to_one_question_changes_nothing_in_the_end(row: Row) -> None:
    for scene, run in befallen(row, old_answer, position(row, 2)):
        then.ended(run, Result.PROMOTED)
        then.nothing_left(scene)
        is_whole(scene, row.new)


@pytest.mark.acceptance("F12")
@routed
@mishaps
def test_a_bad_version_is_found_out_whichever_question_goes_wrong(row: Row, mishap: Mishap) -> None:
    text = row.text.replace("web:2.0.0", "web:2.0.0-err30")
    first = position(row, list(MISHAPS.values()).index(mishap))
    for scene, run in befallen(row, by(mishap), first % 5, text=text):
        then.ended(run, Result.UNHEALTHY)
        then.nothing_left(scene)
        is_whole(scene, row.old)


@pytest.mark.acceptance("F12")
@rows
def test_who_gets_no_answer_from_some_question_on_promotes_nothing_that_was_not_measured(row: Row) -> None:
    def silence(scene: Scene, number: int) -> None:
        for later in range(number, LONGEST):
            struck(scene, Mishap(seconds=AWAY), later)

    for scene, run in befallen(row, silence, position(row, 0), options=Options(metrics_timeout=30)):
        assert run.outcome is not None
        if any(isinstance(told.event, Sampled) for told in run.told):
            then.ended(run, Result.UNAVAILABLE)
        else:
            assert run.outcome.result in (Result.REFUSED, Result.UNAVAILABLE), run.outcome
        then.nothing_left(scene)
        is_whole(scene, row.old)


@pytest.mark.acceptance("F01")
@rows
@moments
def test_a_release_that_dies_of_a_question_is_finished_first_by_the_next_run(row: Row, moment: str) -> None:
    for scene, run in befallen(row, deadly(moment), position(row, 3)):
        assert run.outcome is None
        scene.asking = lambda metrics, _: metrics
        again = released(scene, row)
        then.ended(again, Result.PROMOTED)
        then.nothing_left(scene)
        is_whole(scene, row.new)


@pytest.mark.acceptance("F01")
@rows
@moments
def test_a_release_that_dies_of_a_question_is_brought_back_by_the_journal_alone(
    row: Row, moment: str
) -> None:
    for scene, run in befallen(row, deadly(moment), position(row, 8)):
        assert run.outcome is None
        scene.asking = lambda metrics, _: metrics
        scene.sandbox.clock.run(LEASE_SECONDS)
        back = scene.rescued()
        assert back.outcome is not None
        assert back.outcome.result in (Result.RECOVERED, Result.NOTHING_TO_DO), back.outcome
        then.nothing_left(
            scene, but=("the lease's holder",) if back.outcome.result is Result.NOTHING_TO_DO else ()
        )
        is_whole(scene, version_of(scene, row))


def deadly(moment: str) -> Befall:
    return lambda scene, number: dies(moment, number)(scene)
