"""The guard: watches a lease from within the cluster, and brings the release to safety when nobody keeps it.

For the machine that dies with nobody to start the next pipeline. It decides as `recover` does, from the journal
alone, and goes when the release it watches over has come to its end, whoever brought it there.
"""

from dataclasses import dataclass

from progressive_ci.errors import ApiError, Locked, ProgressiveError, Refused
from progressive_ci.model import kinds
from progressive_ci.model.event import Began, Noted, Warned
from progressive_ci.model.journal import Record, State
from progressive_ci.model.kinds import Ref
from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Outcome, Result
from progressive_ci.ports import Cluster, Hands
from progressive_ci.release import guard_word, rescue
from progressive_ci.release.guard_job import guard_name, remove
from progressive_ci.release.records import read_record, unfinished

LOOK = 5.0
"""Seconds between two looks."""

_LONGEST = 60.0


@dataclass(slots=True)
class Watch:
    """One guard at work.

    Attributes:
        namespace: of the workload.
        name: of the workload.
        options: what the rollback may take.
        hands: the world.
        own: writes without the lease: that it watches, and away with its own Job.
        release: id of the release that it watches over; empty until the journal was read.
        told: the last trouble that was told.
        spoken: whether it has said that it watches.
    """

    namespace: str
    name: str
    options: Options
    hands: Hands
    own: Cluster
    release: str = ""
    told: str = ""
    spoken: bool = False

    def keep(self) -> Outcome:
        """Watch until the release has come to its end.

        An outcome that is none (incomplete, taken over) ends this process; its Job starts another.
        """
        wait = LOOK
        while True:
            if (done := self.look()) is not None:
                return done
            wait = min(wait * 2, _LONGEST) if self.told else LOOK
            self._pause(wait)

    def look(self) -> Outcome | None:
        """One look, and what it calls for; what it can't see now it sees later."""
        try:
            done = self._look()
        except (ApiError, Locked, Refused) as error:
            self._tell(error)
            return None
        self.told = ""
        return done

    def _look(self) -> Outcome | None:
        """The lease first: a release that ends between the two looks is seen to have ended."""
        deserted = self.hands.lease.deserted()
        record = read_record(self.hands, namespace=self.namespace, name=self.name)
        if record is not None:
            self.release = self.release or record.release
        if record is None or record.release != self.release or not unfinished(record):
            return self._leave(record)
        if deserted and record.state is State.RUNNING:
            return self._settle(record)
        self._speak(record)
        return None

    def _speak(self, record: Record) -> None:
        """Once: the release gives nobody the new version before."""
        if self.spoken:
            return
        if guard_word.give(self.own, record):
            self.hands.reporter.emit(Noted(f"this guard watches over release {record.release}"))
        self.spoken = True

    def _settle(self, record: Record) -> Outcome | None:
        """Take the release over and finish it on the shortest way to safety; None where somebody was faster."""
        self.hands.reporter.emit(Began("recover"))
        self.hands.reporter.emit(Noted(f"nobody keeps release {record.release} any more"))
        try:
            done = rescue.recover(self.namespace, self.name, self.options, self.hands)
        finally:
            self.hands.lease.release()
        if done.result is Result.NOTHING_TO_DO:
            return None
        if done.result is not Result.INCOMPLETE:
            self._go()
        return done

    def _leave(self, record: Record | None) -> Outcome:
        """Somebody else has brought the release to its end, or it is forgotten: only the own Job goes."""
        reason = f"nothing of {self.name} is left to watch over"
        if record is not None and record.release == self.release and record.result is not None:
            reason = f"release {record.release} ended {record.result.word}"
        self._go()
        return Outcome(Result.NOTHING_TO_DO, reason, release=self.release)

    def _go(self) -> None:
        """Remove the own Job; what keeps it from that leaves the Job to its time to live."""
        try:
            remove(self.own, Ref(kinds.JOB, self.namespace, guard_name(self.name)), self.release)
        except ProgressiveError as error:
            self._tell(error)

    def _tell(self, error: ProgressiveError) -> None:
        text = f"the guard goes on watching after: {error}"
        if text != self.told:
            self.hands.reporter.emit(Warned(text))
        self.told = text

    def _pause(self, seconds: float) -> None:
        clock = self.hands.clock
        until = clock.now() + seconds
        while clock.now() < until:
            clock.wait(until)
