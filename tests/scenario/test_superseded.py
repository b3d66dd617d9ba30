"""Somebody else puts a version into NAME between any two requests of a release: it stays, and nobody takes it for ours.

Every request of every row is one case; a run takes some of them, spread evenly, and all with SWEEP=all.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from progressive_ci.model.journal import Stage
from progressive_ci.model.outcome import Result
from progressive_ci.sandbox.call import Call
from tests.scenario import given, meddling, then, when
from tests.scenario.documents import deployment, metric, template
from tests.scenario.rows import Row
from tests.scenario.scene import Run, Scene
from tests.scenario.test_interrupted import LONGEST, STRIDE, offset, rows

THEIRS = "3.0.0"


@dataclass(slots=True)
class Other:
    """Somebody who puts a version into NAME before one request.

    Attributes:
        scene: where.
        new: the version that is being released.
        number: before which request since the scene began.
        before: the release that the journal was about.
        early: whether it still was by then: NAME is whatever the preflight finds there.
        late: whether the new version had every user by then.
        acted: whether there was such a request.
    """

    scene: Scene
    new: str
    number: int
    before: str = ""
    early: bool = False
    late: bool = False
    acted: bool = False

    def __post_init__(self) -> None:
        """Learn which release the journal is about before this one."""
        self.before = self._release()

    def _release(self) -> str:
        record = self.scene.oracle.record
        return record.release if record else ""

    def look(self, number: int, call: Call) -> None:
        del call
        if self.acted or number < self.number:
            return
        self.acted = True
        self.early = self._release() == self.before
        self.late = self.scene.sandbox.traffic.share(self.new) == 1
        meddling.put(self.scene, THEIRS)


def overtaken(row: Row) -> Iterator[tuple[Other, Run]]:
    """The release again and again, each time overtaken before a later request, until there is none so late."""
    for number in range(1 + offset(row, 29), LONGEST, STRIDE):
        scene = row.open()
        other = Other(scene, row.new, len(scene.sandbox.log) + number)
        scene.sandbox.faults.before_each(other.look)
        run = scene.released(row.text)
        if not other.acted:
            return
        scene.sandbox.clock.run(60)
        yield other, run
    pytest.fail(f"the release has more than {LONGEST} requests")


@pytest.mark.acceptance("F18")
@rows
def test_a_version_that_somebody_puts_in_at_any_request_stays_and_is_never_promoted_as_ours(row: Row) -> None:
    for other, run in overtaken(row):
        scene, where = other.scene, f"before request {other.number}"
        assert run.outcome is not None
        replaced = other.early and run.outcome.result is Result.PROMOTED
        then.serves(scene, row.new if replaced else THEIRS)
        if run.outcome.result is Result.CANCELLED:
            assert "superseded: kubectl" in run.outcome.reason, where
        else:
            assert run.outcome.result is Result.PROMOTED, f"{where}: {run.outcome}"
            assert other.early or other.late, where
        then.nothing_left(scene)
        then.nobody_was_turned_away(scene)
        then.rules_held(scene)


JUDGED = (
    deployment()
    + "---\n"
    + template(metric(count="12", interval="10s", query="vector(1)")).replace(
        "args: [{name: hash}]", "args: []"
    )
)


@pytest.mark.acceptance("F18")
@pytest.mark.parametrize("version", [THEIRS, "1.0.0"], ids=["another", "the one before"])
@pytest.mark.parametrize("seconds", [30, 60, 90])
def test_what_somebody_puts_in_place_while_it_is_judged_is_not_taken_for_ours(
    version: str, seconds: float
) -> None:
    scene = given.app(router="")
    when.later(scene, seconds, lambda: meddling.put(scene, version))
    run = scene.released(JUDGED, analysis="healthy")
    then.ended(run, Result.CANCELLED)
    assert run.outcome is not None
    assert "superseded: kubectl" in run.outcome.reason
    scene.sandbox.clock.run(60)
    then.serves(scene, version)
    then.nothing_left(scene)
    then.nobody_was_turned_away(scene)
    then.rules_held(scene)


def test_what_somebody_puts_in_place_after_the_last_look_is_seen_before_the_last_entry() -> None:
    scene = given.app(router="")
    record = scene.oracle

    def look(number: int, call: Call) -> None:
        del number, call
        if record.record is not None and record.record.stage is Stage.PROMOTING and not record.superseded:
            meddling.put(scene, THEIRS)

    scene.sandbox.faults.before_each(look)
    then.ended(scene.released(JUDGED, analysis="healthy"), Result.CANCELLED)
    scene.sandbox.clock.run(60)
    then.serves(scene, THEIRS)
    then.nothing_left(scene)
