"""A second process at the same time as the first: in turns, on the one virtual clock."""

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from progressive_ci.sandbox.call import Call
from progressive_ci.sandbox.clock import Process
from progressive_ci.sandbox.faults import Exchange
from tests.scenario.scene import Life, Run, Scene

_LONGEST = 3600


@dataclass(slots=True)
class Beside:
    """It has a thread of its own, of which none runs while another does: whoever waits gives the turn away.

    Attributes:
        scene: where.
        work: what it does, with a life of its own.
        run: of it, once it has ended.
    """

    scene: Scene
    work: Callable[[Life], Run]
    run: Run | None = None
    _process: Process = field(default_factory=Process)
    _turn: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    _back: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    _sent: set[int] = field(default_factory=set)
    _error: BaseException | None = None
    _over: bool = False

    def begins(self) -> None:
        """It lives up to its first wait."""
        self._process.pause = self._pause
        self.scene.sandbox.faults.before_each(self._count)
        threading.Thread(target=self._live, daemon=True).start()
        self._has_turn()

    def ends(self) -> Run:
        """It has come to its end, however long that takes."""
        clock = self.scene.sandbox.clock
        until = clock.now() + _LONGEST
        while not self._over:
            assert clock.now() < until, "it never ends"
            clock.run(1.0)
        if self._error is not None:
            raise self._error
        assert self.run is not None
        return self.run

    @property
    def writes(self) -> list[Exchange]:
        """What it changed, or tried to."""
        return [done for done in self.scene.sandbox.log if done.number in self._sent and done.writes]

    def _count(self, number: int, _: Call) -> None:
        if self.scene.sandbox.clock.process is self._process:
            self._sent.add(number)

    def _live(self) -> None:
        self._turn.acquire()
        try:
            self.run = self.work(Life(self._process))
        except BaseException as error:  # noqa: BLE001 - the test raises it in its own thread
            self._error = error
        self._over = True
        self._back.release()

    def _has_turn(self) -> None:
        """Called by the others' thread: it goes on until it waits again."""
        self._process.rouse = lambda: None
        self.scene.sandbox.clock.take_turn(self._process, self._goes_on)

    def _goes_on(self) -> None:
        self._turn.release()
        self._back.acquire()

    def _pause(self, until: float) -> None:
        """Called by its own thread: the others go on until its time has come, or somebody calls it."""
        clock = self.scene.sandbox.clock
        cancel = None if math.isinf(until) else clock.at(until, self._has_turn)

        def rouse() -> None:
            if cancel is not None:
                cancel()
            self._process.rouse = lambda: None
            clock.at(clock.now(), self._has_turn)

        self._process.rouse = rouse
        self._back.release()
        self._turn.acquire()
