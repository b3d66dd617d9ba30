"""Every wait of the forward path: guards are served in it, deadlines looked at, signals obeyed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from progressive_ci.model.check import Analysis
from progressive_ci.release.analysis import AnalysisRun
from progressive_ci.release.capacity import count_stable
from progressive_ci.release.others import serve
from progressive_ci.release.patience import Progress, next_look
from progressive_ci.release.release import Release
from progressive_ci.release.stop import Stop, cancelled, unavailable

T = TypeVar("T")

_CAPACITY_AGE = 5.0
_HEARTBEAT = 1.0
_POD_GAP = 0.5


@dataclass(slots=True)
class Vigil:
    """Waits on behalf of a release.

    Attributes:
        release: whose.
        deadline: monotonic time of the hard end (`--max-duration`).
        guards: analyses that run beside the steps.
        keep_up: grows the canary where an autoscaler asks for more meanwhile.
        changed_at: monotonic time of the last weight change.
        looked: monotonic time of the last look at what others may have changed.
        losses: how often the new pods were too few for their share.
        serving: whether such a look is going on, so that its own waits don't begin another.
        needed: new pods that are waited for in it.
    """

    release: Release
    deadline: float
    guards: list[AnalysisRun] = field(default_factory=list)
    keep_up: Callable[[], None] = lambda: None
    changed_at: float = float("-inf")
    looked: float = 0.0
    losses: int = 0
    serving: bool = False
    needed: int = 0

    def __post_init__(self) -> None:
        """Preflight has looked at everything just now."""
        self.looked = self.release.hands.clock.now()

    def watch(self, analysis: Analysis) -> None:
        """Run an analysis in the background from now on."""
        self.guards.append(AnalysisRun.begin(self.release, analysis))

    def pause(self, seconds: float) -> None:
        """Wait, and serve the guards meanwhile."""
        self.until(self.release.hands.clock.now() + seconds)

    def until(self, moment: float) -> None:
        """Wait up to a moment, and serve the guards meanwhile."""
        self.look()
        while self.release.hands.clock.now() < moment:
            self.glance(moment)

    def glance(self, moment: float) -> None:
        """Wait up to a moment or for the next thing that happens, and look."""
        self.release.hands.clock.wait(min(moment, self.deadline, self._next_wake()))
        self.look()

    def poll(
        self,
        check: Callable[[], T | None],
        *,
        seconds: float,
        text: str,
        late: Callable[[], Stop],
        after: float = 0.0,
        progress: Progress | None = None,
    ) -> T:
        """Ask until there is an answer.

        Args:
            check: gives the answer, or None as long as there is none.
            seconds: how long to ask.
            text: what is waited for.
            late: makes the reason to stop when the time is over.
            after: seconds before the first question, where there can be no answer at once.
            progress: what the check keeps up to date, where the time is for the next part of it and not for all.
        """
        clock = self.release.hands.clock
        began = clock.now()
        last = progress or Progress(began)
        self.pause(after)
        while (found := check()) is None:
            elapsed = clock.now() - last.since
            if elapsed >= seconds:
                raise late()
            self.release.waiting(text, elapsed, seconds)
            self.pause(min(next_look(clock.now() - began, _POD_GAP), seconds - elapsed))
        return found

    def look(self) -> None:
        """Serve the guards, and stop where the time is over or a verdict says so."""
        for guard in self.guards:
            guard.serve()
            guard.judge()
        clock = self.release.hands.clock
        if clock.now() >= self.deadline:
            raise cancelled(
                "the release takes longer than --max-duration",
                advice="raise --max-duration, or shorten the steps",
            )
        if clock.now() >= self._count_due():
            count_stable(self.release)
            self.keep_up()
        serve(self)

    def hold_while_blind(self) -> None:
        """No weight rises while a guard has errors or no data."""
        while blind := [guard for guard in self.guards if guard.blind()]:
            self.release.waiting(
                f"{blind[0].analysis.name} has no usable answer; the weight is held", 0, None
            )
            self.pause(_HEARTBEAT)

    def fresh_values(self, since: float) -> None:
        """Promotion waits, bounded, until every guard has a value that was taken after `since`."""
        clock = self.release.hands.clock
        longest = max((guard.longest_round() for guard in self.guards), default=0.0)
        limit = clock.now() + max(self.release.options.metrics_timeout, longest)
        while stale := [guard for guard in self.guards if not guard.fresh(since)]:
            if clock.now() >= limit:
                raise unavailable(
                    f"{stale[0].analysis.name} gave no value after the last weight change",
                    source=stale[0].analysis.source,
                    advice="see why the query has no answer: `progressive-ci plan` shows what it answers now",
                )
            self.release.waiting(f"{stale[0].analysis.name} is measured once more", 0, None)
            self.glance(limit)

    def dismiss(self) -> None:
        """The steps are done: end the guards, and stop where one of them never said anything."""
        for guard in self.guards:
            guard.finish()
        self.guards.clear()

    def _next_wake(self) -> float:
        return min([self._count_due(), *(guard.next_wake() for guard in self.guards)])

    def _count_due(self) -> float:
        """When stable has to be counted again for the safe write."""
        return self.release.stable_ready[1] + _CAPACITY_AGE if self.release.record.weight else float("inf")
