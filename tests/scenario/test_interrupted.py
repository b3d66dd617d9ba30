"""Something happens to a release at any of its requests: a signal, the death of the process, a fault.

Every request of every row is one case; a run takes some of them, spread evenly, and all with SWEEP=all.
"""

import os
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from progressive_ci.model import kinds
from progressive_ci.model.outcome import Result
from progressive_ci.sandbox import faults
from progressive_ci.sandbox.faults import Exchange, Fault, nth
from tests.scenario import then
from tests.scenario.rows import ROWS, Row
from tests.scenario.scene import NAMESPACE, Run, Scene
from tests.scenario.struck import doomed

STRIDE = 1 if os.environ.get("SWEEP") == "all" else 89
LONGEST = 400
LEASE_SECONDS = 40
GRACE = 10.0
"""Seconds between SIGTERM and SIGKILL that some runners give."""


rows = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)


def offset(row: Row, number: int) -> int:
    """Where the cases of a row begin, so that those of all of them together lie close."""
    return (number + 11 * list(ROWS).index(row.name)) % STRIDE


def befallen(row: Row, fault: Fault, offset: int) -> Iterator[tuple[Scene, Run, Exchange]]:
    """The release again and again, each time with the fault at a later request, until there is none so late."""
    return befallen_in(row, lambda _: fault, offset)


def befallen_in(
    row: Row, fault: Callable[[Scene], Fault], offset: int
) -> Iterator[tuple[Scene, Run, Exchange]]:
    """The same, for a fault that knows the scene."""
    for number in range(1 + offset, LONGEST, STRIDE):
        scene = row.open()
        before = len(scene.sandbox.log)
        scene.sandbox.faults.plan(fault(scene), when=nth(before + number))
        run = scene.released(row.text)
        if len(scene.sandbox.log) < before + number:
            return
        yield scene, run, scene.sandbox.faults.numbered(before + number)
    pytest.fail(f"the release has more than {LONGEST} requests")


def is_whole(scene: Scene, version: str) -> None:
    then.serves(scene, version)
    then.nobody_was_turned_away(scene)
    then.everything_but_the_version_is_as_before(scene)
    then.rules_held(scene)


def version_of(scene: Scene, row: Row) -> str:
    """What most users get after all."""
    scene.sandbox.clock.run(1)
    return row.new if scene.sandbox.traffic.share(row.new) > 0.5 else row.old


@pytest.mark.acceptance("F02")
@rows
@pytest.mark.parametrize("fault", [faults.signal_before, faults.signal_after], ids=["before", "after"])
def test_a_signal_at_any_request_ends_in_the_old_version_or_finishes_the_promotion(
    row: Row, fault: Callable[[str], Fault]
) -> None:
    for scene, run, at_request in befallen(row, fault("SIGTERM"), offset(row, 0)):
        assert run.outcome is not None
        assert run.outcome.result in (Result.CANCELLED, Result.PROMOTED), f"{at_request}: {run.outcome}"
        then.nothing_left(scene)
        is_whole(scene, row.old if run.outcome.result is Result.CANCELLED else row.new)
        if run.outcome.result is Result.CANCELLED and row.routed:
            then.a_signal_is_answered_by_the_safe_write(scene, at_request)


@pytest.mark.acceptance("F01")
@rows
@pytest.mark.parametrize("fault", [faults.kill_before(), faults.kill_after()], ids=["before", "after"])
def test_a_release_that_dies_at_any_request_is_brought_back_by_the_journal_alone(
    row: Row, fault: Fault
) -> None:
    for scene, run, _ in befallen(row, fault, offset(row, 3)):
        assert run.outcome is None
        scene.sandbox.clock.run(LEASE_SECONDS)
        back = scene.rescued()
        assert back.outcome is not None
        assert back.outcome.result in (Result.RECOVERED, Result.TOO_LATE, Result.NOTHING_TO_DO), back.outcome
        then.nothing_left(
            scene, but=("the lease's holder",) if back.outcome.result is Result.NOTHING_TO_DO else ()
        )
        is_whole(scene, version_of(scene, row))


@pytest.mark.acceptance("F01")
@rows
def test_a_release_that_dies_at_any_request_is_finished_first_by_the_next_run(row: Row) -> None:
    for scene, run, _ in befallen(row, faults.kill_after(), offset(row, 7)):
        assert run.outcome is None
        again = scene.released(row.text)
        assert again.outcome is not None
        assert again.outcome.result in (Result.PROMOTED, Result.UNCHANGED), again.outcome
        then.nothing_left(
            scene, but=("the lease's holder",) if again.outcome.result is Result.UNCHANGED else ()
        )
        is_whole(scene, row.new)


@pytest.mark.acceptance("F02")
@rows
@pytest.mark.parametrize("signal", [faults.signal_before, faults.signal_after], ids=["before", "after"])
def test_a_run_that_is_killed_ten_seconds_after_a_signal_is_brought_back_from_where_it_is_by_then(
    row: Row, signal: Callable[[str], Fault]
) -> None:
    for scene, run, at_request in befallen_in(
        row, partial(doomed, signal("SIGTERM"), grace=GRACE), offset(row, 40)
    ):
        if run.outcome is None:
            assert run.requests[-1].time - at_request.time < GRACE + 0.1
            scene.sandbox.clock.run(LEASE_SECONDS)
        else:
            assert run.outcome.result in (Result.CANCELLED, Result.PROMOTED), f"{at_request}: {run.outcome}"
        back = scene.rescued()
        assert back.outcome is not None
        assert back.outcome.result in (Result.RECOVERED, Result.TOO_LATE, Result.NOTHING_TO_DO), back.outcome
        then.nothing_left(
            scene, but=("the lease's holder",) if back.outcome.result is Result.NOTHING_TO_DO else ()
        )
        is_whole(scene, version_of(scene, row))


CONFLICT = "a conflict"
FAULTS = {
    "its answer is lost": faults.lose_answer(),
    "it never arrives": faults.drop(),
    "the connection is refused": faults.refuse(),
    CONFLICT: faults.conflict(),
    "too many requests": faults.too_many(),
    "the server fails": faults.broken(),
    "it arrives twice": faults.twice(),
}


@pytest.mark.acceptance("F08")
@rows
@pytest.mark.parametrize("kind", FAULTS)
def test_one_bad_answer_at_any_request_changes_nothing_in_the_end(row: Row, kind: str) -> None:
    for scene, run, at_request in befallen(row, FAULTS[kind], offset(row, 5)):
        assert run.outcome is not None
        # To a dry run a conflict is an answer, which is passed on before anything is written.
        passed_on = kind == CONFLICT and at_request.call.dry
        allowed = (Result.PROMOTED, Result.REFUSED) if passed_on else (Result.PROMOTED,)
        assert run.outcome.result in allowed, f"{at_request}: {run.outcome}"
        then.nothing_left(scene, but=("the lease's holder",) if "/leases" in at_request.call.path else ())
        is_whole(scene, row.new if run.outcome.result is Result.PROMOTED else row.old)


@pytest.mark.acceptance("F25")
@rows
def test_a_second_run_on_the_finished_state_writes_nothing(row: Row) -> None:
    scene = row.open()
    then.ended(scene.released(row.text), Result.PROMOTED)
    before = {ref: item["metadata"]["resourceVersion"] for ref, item in versions(scene).items()}
    again = scene.released(row.text)
    then.ended(again, Result.UNCHANGED)
    then.nothing_was_written(again)
    assert {ref: item["metadata"]["resourceVersion"] for ref, item in versions(scene).items()} == before


def versions(scene: Scene) -> dict[str, dict[str, dict[str, str]]]:
    """Every object of the namespace but the lease and the journal."""
    every = (
        kinds.DEPLOYMENT,
        kinds.REPLICA_SET,
        kinds.SERVICE,
        kinds.HTTP_ROUTE,
        kinds.VIRTUAL_SERVICE,
        kinds.INGRESS,
    )
    return {
        f"{kind.name} {item['metadata']['name']}": item
        for kind in every
        for item in scene.sandbox.all(kind, NAMESPACE)
    }
