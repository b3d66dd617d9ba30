"""Watches that end, err, fall silent, lag, repeat or reorder what they tell, in a whole release (F10)."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from progressive_ci.adapters.watch import GAP, SECONDS
from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import Ref
from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Result
from progressive_ci.ports import Watch
from progressive_ci.sandbox.clock import VirtualClock
from tests.scenario import then, when
from tests.scenario.rows import ROWS, Row
from tests.scenario.scene import Scene
from tests.scenario.test_abort import asked

Deliver = Callable[[JsonObject | None], None]
Told = Callable[[VirtualClock, JsonObject | None, Deliver], None]
SERVED = 5.0
SILENCE = 360.0
"""Seconds in which a watch that hangs tells nothing: six times as long as one is kept."""


@dataclass(frozen=True, slots=True)
class Spoiled:
    """A watch whose deliveries go through somebody's hands."""

    clock: VirtualClock
    watch: Watch
    told: Told

    def follow(self, ref: Ref, deliver: Deliver) -> Callable[[], None]:
        """`ports.Watch`."""
        return self.watch.follow(ref, lambda found: self.told(self.clock, found, deliver))


def later(seconds: float) -> Told:
    """It is heard so much later: the connection had ended, and another one tells the present state first."""
    return lambda clock, found, deliver: _plan(clock, seconds, lambda: deliver(found))


def repeated(clock: VirtualClock, found: JsonObject | None, deliver: Deliver) -> None:
    """Each state comes five times, and long afterwards once more."""
    for seconds in (0, 0, 0, 1, 2, 40):
        _plan(clock, seconds, lambda: deliver(found))


def deleted_first(_: VirtualClock, found: JsonObject | None, deliver: Deliver) -> None:
    """The object is said to be gone, and to be there again."""
    deliver(None)
    deliver(found)


def reordered() -> Told:
    """What came before is told again after what came next."""
    before: list[JsonObject | None] = []

    def told(_: VirtualClock, found: JsonObject | None, deliver: Deliver) -> None:
        deliver(found)
        for older in before[-3:]:
            deliver(older)
        before.append(found)

    return told


def empty(_: VirtualClock, found: JsonObject | None, deliver: Deliver) -> None:
    """Between states come objects without any content."""
    deliver({})
    deliver({"data": None})
    deliver(found)


FAULTS: dict[str, tuple[Callable[[], Told], float]] = {
    "a connection that ended and was made again": (lambda: later(GAP), GAP),
    "silence until the watch's own end": (lambda: later(SECONDS), SECONDS),
    "six minutes of silence": (lambda: later(SILENCE), SILENCE),
    "repetitions": (lambda: repeated, 0.0),
    "said to be deleted": (lambda: deleted_first, 0.0),
    "another order": (reordered, 0.0),
    "objects without content": (lambda: empty, 0.0),
}
faults = pytest.mark.parametrize(("fault", "late"), FAULTS.values(), ids=FAULTS)
rows = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)

RECALLED = [
    pytest.param(row, *fault, id=f"{name}, {row.name}")
    for row in ROWS.values()
    for name, fault in FAULTS.items()
    if row.name != "in place" or not fault[1]  # which has no pause, and is promoted meanwhile
]


def _plan(clock: VirtualClock, seconds: float, act: Callable[[], None]) -> None:
    clock.at(clock.now() + seconds, act)


def spoiled(scene: Scene, fault: Callable[[], Told]) -> None:
    clock = scene.sandbox.clock
    scene.spoil = lambda watch: Spoiled(clock, watch, fault())


@pytest.mark.acceptance("F10")
@rows
@faults
def test_a_release_goes_its_way_whatever_a_watch_tells(
    row: Row, fault: Callable[[], Told], late: float
) -> None:
    del late
    scene = row.open()
    spoiled(scene, fault)
    run = scene.released(row.text, Options())
    then.ended(run, Result.PROMOTED)
    then.serves(scene, row.new)
    then.nothing_left(scene)
    then.nobody_was_turned_away(scene)
    then.rules_held(scene)


@pytest.mark.acceptance("F10")
@pytest.mark.parametrize(("row", "fault", "late"), RECALLED)
def test_a_recall_is_heard_once_the_watch_tells_of_it_and_the_release_goes_back(
    row: Row, fault: Callable[[], Told], late: float
) -> None:
    scene = row.open()
    spoiled(scene, fault)
    text = row.text.replace("duration: 5s", "duration: 10m")
    began: list[float] = []

    def recalls() -> None:
        began.append(scene.sandbox.clock.now())
        assert asked(scene).result is Result.ASKED

    waits = 12.0 if row.routed else 1.0
    when.later(scene, waits, lambda: when.once(scene, lambda _, call: "/leases" not in call.path, recalls))
    run = scene.released(text)
    then.ended(run, Result.CANCELLED)
    assert run.stopped is not None
    assert run.stopped.time - began[0] < late + SERVED
    then.serves(scene, row.old)
    then.nothing_left(scene)
    then.nobody_was_turned_away(scene)
    then.rules_held(scene)
