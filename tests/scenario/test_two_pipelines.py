"""Two runs at the same time, the second begun at every step of the first: neither disturbs the other (F05)."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from progressive_ci.model import kinds
from progressive_ci.model.journal import Record, Stage, State
from progressive_ci.model.options import IfLocked, Options
from progressive_ci.model.outcome import Result
from progressive_ci.model.position import Position
from progressive_ci.sandbox.call import Call
from progressive_ci.sandbox.faults import Exchange
from progressive_ci.sandbox.store import Change
from tests.scenario import neighbours, then, when
from tests.scenario.beside import Beside
from tests.scenario.rows import ROWS, Row
from tests.scenario.rules import JOURNAL
from tests.scenario.scene import NAME, NAMESPACE, Run, Scene

PIPELINE = "https://ci.example/shop/.ci/deploy.yml"
WAIT = Options(lock_wait=1800)

Moment = Callable[[Record], bool]
MOMENTS: dict[str, Moment] = {
    "when it has the lease": lambda record: record.state is State.ENDED,
    "while pods start": lambda record: record.stage is Stage.PREPARING,
    "with the first weight": lambda record: record.stage is Stage.STEPPING and record.weight > 0,
    "with the last weight": lambda record: record.stage is Stage.STEPPING and record.weight > 25,
    "in the promotion": lambda record: record.stage is Stage.PROMOTING,
    "in the cleaning up": lambda record: record.stage is Stage.COMMITTED,
    "on the way back": lambda record: record.stage is Stage.ROLLING_BACK,
}
"""When the second begins: what stands in the journal of the first."""
PROMOTING = ("in the promotion", "in the cleaning up")
BACK = "on the way back"
SEEN_ALIVE = 15.0
"""Seconds after which a lease that is renewed every ten has been seen to be renewed."""
CASES = [
    pytest.param(row, moment, id=f"{name}, {moment}")
    for name, row in ROWS.items()
    for moment in MOMENTS
    if row.name != "in place" or "weight" not in moment
]
meetings = pytest.mark.parametrize(("row", "moment"), CASES)


@dataclass(frozen=True, slots=True)
class Meeting:
    """Of two runs.

    Attributes:
        scene: where.
        first: it was there before.
        second: it came while the first was at work.
        writes: of the second.
        began: when the second did.
        ended: when the last entry of the first stood.
    """

    scene: Scene
    first: Run
    second: Run
    writes: list[Exchange]
    began: float
    ended: float

    @property
    def changes(self) -> list[Exchange]:
        """What the second wrote but Lease and journal."""
        return [done for done in self.writes if not any(part in done.call.path for part in then.OWN)]

    @property
    def early(self) -> list[str]:
        """What the second changed before the first had come to its end, but to ask it to go back."""
        return [
            f"{done.call.method} {done.call.path}"
            for done in self.writes
            if done.time < self.ended and "recall.json" not in str(done.call.body)
        ]


def met(row: Row, moment: str, text: str, second: Options, first: Options | None = None) -> Meeting:
    """The first releases the row's version; the second begins at a moment of it."""
    scene = row.open()
    starts: list[float] = []
    ends: list[float] = []

    def look(change: Change) -> None:
        record = scene.oracle.record
        if change.object["metadata"]["name"] == JOURNAL and record and record.state is State.ENDED:
            ends.append(scene.sandbox.clock.now())
            scene.oracle.next_release()

    def fits(_: int, call: Call) -> bool:
        lease = scene.sandbox.get(kinds.LEASE, NAMESPACE, JOURNAL)
        holder = lease["spec"].get("holderIdentity") if lease else ""
        record = scene.oracle.record
        if not holder or "/leases" in call.path:
            return False
        return moment == "when it has the lease" if record is None else MOMENTS[moment](record)

    def begins() -> None:
        starts.append(scene.sandbox.clock.now())
        beside.begins()

    beside = Beside(scene, lambda life: scene.released(text, second, life=life))
    scene.sandbox.store.subscribe(look, kinds.CONFIG_MAP)
    when.once(scene, fits, begins)
    if moment == BACK:
        when.later(scene, 12.0 if row.routed else 1.0, lambda: scene.sandbox.clock.deliver("SIGTERM"))
    run = scene.released(row.text, first)
    assert starts, "there is no such moment"
    return Meeting(scene, run, beside.ends(), beside.writes, starts[0], ends[0])


def newer(row: Row) -> str:
    """Another version than the one that the first releases."""
    return row.text.replace(f"web:{row.new}", "web:3.0.0")


def undisturbed(row: Row, moment: str, meeting: Meeting) -> str:
    """The first has come to the end that it would have come to alone; the version that serves then."""
    then.ended(meeting.first, Result.CANCELLED if moment == BACK else Result.PROMOTED)
    return row.old if moment == BACK else row.new


def at_rest(scene: Scene, version: str) -> None:
    then.serves(scene, version)
    then.nobody_was_turned_away(scene)
    then.nothing_left(scene)
    then.rules_held(scene)


@pytest.mark.acceptance("F05")
@meetings
def test_a_newer_commit_writes_nothing_before_the_last_entry_of_the_first(row: Row, moment: str) -> None:
    meeting = met(row, moment, newer(row), WAIT)
    undisturbed(row, moment, meeting)
    then.ended(meeting.second, Result.PROMOTED)
    assert meeting.changes
    assert not meeting.early
    at_rest(meeting.scene, "3.0.0")


@pytest.mark.acceptance("F05")
@meetings
def test_the_same_commit_waits_and_finds_its_work_done(row: Row, moment: str) -> None:
    meeting = met(row, moment, row.text, WAIT)
    undisturbed(row, moment, meeting)
    then.ended(meeting.second, Result.PROMOTED if moment == BACK else Result.UNCHANGED)
    assert not meeting.early
    assert bool(meeting.changes) == (moment == BACK)
    at_rest(meeting.scene, row.new)


@pytest.mark.acceptance("F05")
@meetings
def test_a_run_that_must_not_wait_gives_up_unless_the_first_ends_before_it_is_seen_alive(
    row: Row, moment: str
) -> None:
    meeting = met(row, moment, newer(row), Options(if_locked=IfLocked.REFUSE))
    version = undisturbed(row, moment, meeting)
    if meeting.began + SEEN_ALIVE < meeting.ended:
        then.ended(meeting.second, Result.LOCKED)
    if locked := meeting.second.outcome is not None and meeting.second.outcome.result is Result.LOCKED:
        assert not meeting.writes
    assert not meeting.early
    at_rest(meeting.scene, version if locked else "3.0.0")


@pytest.mark.acceptance("F05")
@meetings
def test_a_run_that_takes_the_place_of_another_begins_when_that_has_gone_back(row: Row, moment: str) -> None:
    meeting = met(row, moment, newer(row), Options(if_locked=IfLocked.SUPERSEDE, lock_wait=600))
    too_late = moment in PROMOTING or (row.name == "in place" and moment == "when it has the lease")
    then.ended(meeting.first, Result.PROMOTED if too_late else Result.CANCELLED)
    then.ended(meeting.second, Result.PROMOTED)
    assert not meeting.early
    at_rest(meeting.scene, "3.0.0")


@pytest.mark.acceptance("F05")
@meetings
def test_an_older_commit_is_refused_whatever_the_newer_one_is_doing(row: Row, moment: str) -> None:
    mine, its = (Options(position=Position(number, PIPELINE), lock_wait=1800) for number in (41, 42))
    meeting = met(row, moment, newer(row), mine, its)
    version = undisturbed(row, moment, meeting)
    assert meeting.second.outcome is not None
    refused = meeting.second.outcome.result is Result.OUTDATED
    if not refused:  # the newer one had gone back before it was seen
        assert moment == BACK
        then.ended(meeting.second, Result.PROMOTED)
    assert not meeting.early
    assert bool(meeting.changes) == (not refused)
    at_rest(meeting.scene, version if refused else "3.0.0")


# Two applications in one namespace.


SEEN = {name: moment for name, moment in MOMENTS.items() if name != "when it has the lease"}


@pytest.mark.acceptance("F05")
@pytest.mark.parametrize("moment", SEEN)
@pytest.mark.parametrize("result", [Result.PROMOTED, Result.UNREADY], ids=["promoted", "rolled back"])
def test_two_applications_of_one_namespace_never_touch_each_other(moment: str, result: Result) -> None:
    scene = neighbours.street("api", NAME)
    image = "2.0.0" if result is Result.PROMOTED else "missing"
    beside = Beside(scene, lambda life: neighbours.released(scene, "api", image=image, life=life))

    def fits(_: int, call: Call) -> bool:
        record = neighbours.record(scene, NAME)
        return record is not None and "/leases" not in call.path and SEEN[moment](record)

    began = when.once(scene, fits, beside.begins)
    if moment == BACK:
        when.later(scene, 12.0, lambda: scene.sandbox.clock.deliver("SIGTERM"))
    first = neighbours.released(scene, NAME)
    assert began, "there is no such moment"
    second = beside.ends()
    then.ended(first, Result.CANCELLED if moment == BACK else Result.PROMOTED)
    then.ended(second, result)
    neighbours.serves(scene, NAME, "1.0.0" if moment == BACK else "2.0.0")
    neighbours.serves(scene, "api", "2.0.0" if result is Result.PROMOTED else "1.0.0")
    for name in ("api", NAME):
        neighbours.nothing_left(scene, name)
    theirs = {done.number for done in beside.writes}
    for done in scene.sandbox.log:
        name, other = ("api", NAME) if done.number in theirs else (NAME, "api")
        if done.writes:
            assert other not in about(done), f"{name}: {done.call.method} {done.call.path}"
    then.nobody_was_turned_away(scene)
    then.rules_held(scene)


def about(done: Exchange) -> str:
    """Name of the object that a request writes."""
    body = done.call.body
    named = body["metadata"]["name"] if done.call.method == "POST" and isinstance(body, dict) else ""
    return str(named or done.call.path.rpartition("/")[2])
