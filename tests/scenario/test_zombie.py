"""A zombie: stopped for longer than its lease with a request on the wire, while somebody takes its release over.

Every writing request of every row is one case; a run takes some of them, spread evenly, and all with SWEEP=all.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from progressive_ci.model import kinds
from progressive_ci.model.fence import annotations_of
from progressive_ci.model.outcome import Result
from progressive_ci.release.leftover import is_leftover
from progressive_ci.sandbox.call import Call
from progressive_ci.sandbox.faults import Exchange
from tests.scenario import then, when
from tests.scenario.late import held, on_the_wire
from tests.scenario.rows import ROWS, Row
from tests.scenario.scene import NAME, NAMESPACE, Run, Scene
from tests.scenario.struck import LEASE_SECONDS
from tests.scenario.test_interrupted import LONGEST, STRIDE, is_whole, offset, rows, version_of

CLOSE = max(1, STRIDE // 3)
"""One request in three writes."""
APART = min(CLOSE, 7)
"""Requests of a take-over between two at which a late write lands."""


CREATED = {"replicasets": kinds.REPLICA_SET, "deployments": kinds.DEPLOYMENT, "ingresses": kinds.INGRESS}
"""What a release creates for its canary."""

WEIGHT = "nginx.ingress.kubernetes.io/canary-weight"


@dataclass(frozen=True, slots=True)
class Case:
    """A release that was stopped at one of its writes, and what went on meanwhile.

    Attributes:
        scene: where.
        zombie: the run that was stopped.
        other: what took over.
        late: what the zombie sent afterwards, the held request first.
    """

    scene: Scene
    zombie: Run
    other: Run
    late: list[Exchange]

    @property
    def effects(self) -> list[Exchange]:
        """What of it the server did."""
        return [done for done in self.late if done.writes and done.applied and done.status < 300]


def stopped(
    row: Row, offset: int, take_over: Callable[[Scene], Run], *, cancelled: bool = False
) -> Iterator[Case]:
    """The release again and again, each time held at a later write, until there is none so late."""
    for number in range(offset % CLOSE, LONGEST, CLOSE):
        scene, others, ends, seen = row.open(), list[Run](), list[int](), 0

        def is_it(_: int, call: Call) -> bool:
            nonlocal seen
            seen += writes(call)
            return writes(call) and seen == number + 1  # noqa: B023 - asked within this round

        def others_work() -> None:
            others.append(take_over(scene))  # noqa: B023 - called within this round
            ends.append(len(scene.sandbox.log))  # noqa: B023

        scene.sandbox.faults.plan(held(others_work), when=is_it)
        if cancelled:
            when.later(scene, 30.0, lambda: scene.sandbox.clock.deliver("SIGTERM"))  # noqa: B023
        zombie = scene.released(row.text)
        if not others:
            return
        yield Case(scene, zombie, others[0], scene.sandbox.log[ends[0] :])
    pytest.fail(f"the release has more than {LONGEST} writes")


def writes(call: Call) -> bool:
    return call.method != "GET" and not call.dry and "selfsubject" not in call.path and not _renews(call)


def _renews(call: Call) -> bool:
    """Sent by the lease's own thread, whose requests nothing waits for."""
    body = call.body
    return (
        "/leases/" in call.path and isinstance(body, dict) and list(body.get("spec") or {}) == ["renewTime"]
    )


def changed_nothing(case: Case) -> None:
    """It noticed, said so, and nothing that it still sent took effect but what nobody uses."""
    then.ended(case.zombie, Result.TAKEN_OVER)
    assert [
        f"{done.call.method} {done.call.path}" for done in case.effects if done.call.method != "POST"
    ] == []
    assert [done.call.path.rpartition("/")[2] for done in case.effects] in ([], *([kind] for kind in CREATED))


@pytest.mark.acceptance("F04")
@rows
@pytest.mark.parametrize("cancelled", [False, True], ids=["going forward", "on its way back"])
def test_a_zombie_changes_nothing_after_a_rollback_has_taken_its_release_over(
    row: Row, *, cancelled: bool
) -> None:
    for case in stopped(row, offset(row, 31), Scene.rescued, cancelled=cancelled):
        assert case.other.outcome is not None
        if case.other.outcome.result is Result.NOTHING_TO_DO:
            assert case.zombie.outcome is not None
            assert case.zombie.outcome.result is not Result.INCOMPLETE, case.zombie.outcome
        else:
            changed_nothing(case)
            if case.effects:
                # What a zombie creates costs nobody anything, and is swept by the next release.
                then.serves(case.scene, row.old)
                then.ended(case.scene.released(row.text), Result.PROMOTED)
        then.nothing_left(case.scene)
        is_whole(case.scene, version_of(case.scene, row))


@pytest.mark.acceptance("F04")
@rows
def test_a_zombie_changes_nothing_after_the_next_run_has_released_its_version(row: Row) -> None:
    for case in stopped(row, offset(row, 37), lambda scene: scene.released(row.text)):
        assert case.other.outcome is not None
        assert case.other.outcome.result in (Result.PROMOTED, Result.UNCHANGED), case.other.outcome
        assert case.zombie.outcome is not None
        if case.zombie.outcome.result is not Result.TAKEN_OVER:
            # It had not begun yet, or it had come to its end.
            assert case.zombie.outcome.result in (Result.PROMOTED, Result.UNCHANGED, Result.REFUSED)
        else:
            changed_nothing(case)
            # Nothing is released any more that could sweep it.
            for landed in case.effects:
                then.serves(case.scene, row.new)
                goes(case.scene, landed)
        is_whole(case.scene, row.new)


def goes(scene: Scene, landed: Exchange) -> None:
    """Somebody takes away what a zombie has created: a canary without pods, or its Ingress without weight."""
    body: Any = landed.call.body
    kind = CREATED[landed.call.path.rpartition("/")[2]]
    found = scene.sandbox.get(kind, NAMESPACE, body["metadata"]["name"])
    assert found is not None
    weightless = kind == kinds.INGRESS and annotations_of(found)[WEIGHT] == "0"
    assert weightless or is_leftover(found, NAME)
    scene.sandbox.store.drop(kind, found)


def inside(row: Row, offset: int) -> Iterator[tuple[Scene, Run, str]]:
    """A dying run's last write, landing at a request of the take-over: the marks are going up, nothing is changed yet.

    Every write at every such request is one case; what is landed is told too.
    """
    for number in range(offset % CLOSE, LONGEST, CLOSE):
        moment = 1 + number % APART
        while True:
            scene, seen, kept = row.open(), 0, list[Callable[[], object]]()

            def is_it(_: int, call: Call) -> bool:
                nonlocal seen
                seen += writes(call)
                return writes(call) and seen == number + 1  # noqa: B023 - asked within this round

            scene.sandbox.faults.plan(on_the_wire(kept), when=is_it)
            scene.released(row.text)
            if not kept:
                return
            died = scene.sandbox.log[-1]
            scene.sandbox.clock.run(LEASE_SECONDS)
            first = len(scene.sandbox.log)
            # What lands stands outside a journal that says that nothing was written; in the end all is as before.
            scene.oracle.excused = ("9",)
            landed = when.once(scene, _takes_over(scene, moment), kept[0])
            rescue = scene.rescued()
            if not landed:
                break
            yield (
                scene,
                rescue,
                f"{died.call.method} {died.call.path} before {landed[0] - first} of the rescue",
            )
            moment += APART


def _epoch(scene: Scene) -> int:
    lease = scene.sandbox.get(kinds.LEASE, NAMESPACE, "progressive-ci.web")
    return int(lease["spec"].get("leaseTransitions") or 0) if lease else 0


def _takes_over(scene: Scene, moment: int) -> Callable[[int, Call], bool]:
    """The request with this number, counted from the first after the Lease has been taken, until all marks are up."""
    seen, before = 0, _epoch(scene)

    def fits(_: int, call: Call) -> bool:
        nonlocal seen
        record = scene.oracle.record
        if record is None or "/leases/" in call.path or _epoch(scene) == before:
            return False
        seen += 1
        return seen == moment <= 3 * len(record.objects) + 3

    return fits


@pytest.mark.acceptance("F04")
@rows
def test_a_late_write_that_lands_inside_a_take_over_is_taken_back_or_refused(row: Row) -> None:
    for scene, rescue, landed in inside(row, offset(row, 41)):
        assert rescue.outcome is not None
        assert rescue.outcome.result in (Result.RECOVERED, Result.TOO_LATE, Result.NOTHING_TO_DO), landed
        scene.sandbox.clock.run(LEASE_SECONDS)
        if any(is_leftover(found, NAME) for found in scene.sandbox.all(kinds.REPLICA_SET, NAMESPACE)):
            then.ended(scene.released(row.text), Result.PROMOTED)
        then.nothing_left(scene)
        is_whole(scene, version_of(scene, row))


@pytest.mark.parametrize("moment", range(1, 16, 2))
def test_the_pause_of_a_dead_run_that_lands_while_the_marks_go_up_is_taken_back(moment: int) -> None:
    scene, kept = ROWS["gateway"].open(), list[Callable[[], object]]()
    scene.sandbox.faults.plan(
        on_the_wire(kept), when=lambda _, call: writes(call) and call.path.endswith("/deployments/web")
    )
    scene.released(ROWS["gateway"].text)
    scene.sandbox.clock.run(LEASE_SECONDS)
    scene.oracle.excused = ("9",)
    landed = when.once(scene, _takes_over(scene, moment), kept[0])
    then.ended(scene.rescued(), Result.RECOVERED)
    assert landed
    then.nothing_left(scene)
    is_whole(scene, "1.0.0")
