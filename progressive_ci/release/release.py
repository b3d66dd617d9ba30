"""One release in progress: its record, its fence, and the only way it writes to the cluster."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from progressive_ci import __version__
from progressive_ci.errors import (
    AlreadyExists,
    ApiError,
    Conflict,
    NoAnswer,
    NotFound,
    ServerError,
    TooManyRequests,
    Unprocessable,
)
from progressive_ci.model.codec import encode
from progressive_ci.model.document import JsonObject
from progressive_ci.model.event import Began, Noted, Waiting
from progressive_ci.model.fence import Fence, fenced
from progressive_ci.model.journal import KEPT_SAMPLES, Evidence, Original, Record, Side
from progressive_ci.model.kinds import Ref
from progressive_ci.model.options import Options
from progressive_ci.model.seal import seal_of
from progressive_ci.model.weight import Weight
from progressive_ci.model.write import Create, Delete, Write
from progressive_ci.ports import Hands
from progressive_ci.release.ownership import freed
from progressive_ci.release.stop import Overdue

Decide = Callable[[JsonObject | None], Write | None]
"""Looks at an object as it is now and says what to write; None when it is as it should be."""

_ATTEMPTS = 8
_AGAIN = (Conflict, AlreadyExists, NotFound, Unprocessable, NoAnswer, ServerError, TooManyRequests)
"""Answers after which the object is read again: it is not what the write was made for, or nobody knows."""
_LONGEST_BACKOFF = 2.0
_LAST_WRITES = 3
"""Values back, marks and name off, and once more where somebody had taken the marks off before."""


@dataclass(slots=True)
class Release:
    """What every part of a release acts on.

    Attributes:
        hands: the world.
        options: the user's choices.
        record: what the journal says; change it with `enter`.
        epoch: fence of this holder.
        seen: objects as last read or written.
        serving: stable's ReplicaSet as preflight saw it: the journal mostly has no copy of its template.
        armed: the safe write for the weight that is announced, ready to send.
        stable_ready: ready stable pods, and when they were counted.
        canary_ready: ready canary pods at that count.
        unserved: Services of the route that had no EndpointSlice at that count.
        carries: the weight that the route was last seen to carry by our own write; None while it is changed.
        withdrawn: what the safe write took from the canary, until a read has confirmed it.
        unconfirmed: whether the route's controller has had its time to confirm the way back.
        starved: seconds that were waited for stable's pods before the rollback.
        trouble: what keeps stable from having its pods, for the list of what is left.
        evidence: measurements that the next journal entry carries.
        limit: monotonic time at which a rollback gives up.
        granted: seconds by which pods that finish their requests have put that off.
        outlasted: seconds by which an outage of the API server has.
        back: most pods of a Deployment that were back so far, of all tries; -1 before the first look.
        fenced_off: whether everything that was sent on the way forward comes too late.
        unclear: what was to be created when no clear answer came, and when.
        renewed: stable's ReplicaSet as NAME has made it anew, where somebody has deleted the one of the record.
        seal: of what the record says from its first entry to its last.
    """

    hands: Hands
    options: Options
    record: Record
    epoch: int
    seen: dict[Ref, JsonObject] = field(default_factory=dict)
    serving: JsonObject | None = None
    armed: tuple[Write, ...] = ()
    stable_ready: tuple[int, float] = (0, float("-inf"))
    canary_ready: int = 0
    unserved: tuple[str, ...] = ()
    carries: Weight | None = None
    withdrawn: Weight | None = None
    unconfirmed: bool = False
    starved: float = 0.0
    trouble: str = ""
    evidence: list[Evidence] = field(default_factory=list)
    limit: float = float("inf")
    granted: float = 0.0
    outlasted: float = 0.0
    back: int = -1
    fenced_off: bool = False
    unclear: dict[Ref, float] = field(default_factory=dict)
    renewed: Side | None = None
    seal: str = field(init=False)

    def __post_init__(self) -> None:
        self.seal = seal_of(self.record)

    def enter(self, **changes: Any) -> None:  # noqa: ANN401 - fields of the record
        """Write a journal entry; it stands in the cluster before anything it announces."""
        evidence = (*self.record.evidence, *self.evidence)[-KEPT_SAMPLES:]
        now = self.hands.clock.wall().strftime("%Y-%m-%dT%H:%M:%SZ")
        record = replace(
            self.record, **changes, evidence=evidence, updated=now, tool=__version__, epoch=self.epoch
        )
        self.hands.journal.write(encode(record))
        self.record = record
        self.evidence.clear()

    @property
    def stable(self) -> Side:
        """The version that served before, where it stands now."""
        return self.renewed or self.record.stable

    @property
    def fence(self) -> Fence:
        """Who writes."""
        return Fence(self.record.name, self.epoch, self.record.release, self.seal)

    def read(self, ref: Ref) -> JsonObject | None:
        """A fresh read."""
        found = self.hands.cluster.get(ref)
        if found is None:
            self.seen.pop(ref, None)
        else:
            self.seen[ref] = found
        return found

    def known(self, ref: Ref) -> JsonObject | None:
        """The object as last seen; read if it never was."""
        return self.seen[ref] if ref in self.seen else self.read(ref)

    def must_know(self, ref: Ref) -> JsonObject:
        """An object that must exist, as last seen: good for what does not change, and where a write tests the rest."""
        return self.seen[ref] if ref in self.seen else self.must_read(ref)

    def must_read(self, ref: Ref) -> JsonObject:
        """A fresh read of an object that must exist."""
        found = self.read(ref)
        if found is None:
            raise NotFound(f"{ref} does not exist", where=str(ref), advice="somebody has deleted it")
        return found

    def write(self, ref: Ref, decide: Decide, *, new: bool = False) -> JsonObject | None:
        """Bring one object to where `decide` wants it, and return it as stored.

        Each attempt decides again on what is there: after a conflict, a failed precondition or an answer
        that never came, the object is read afresh, so that nobody's change is overwritten unseen.

        Args:
            ref: which object.
            decide: what to write.
            new: it did not exist in preflight; where it does by now, the server refuses to create it again.
        """
        current = None if new else self.known(ref)
        for attempt in range(_ATTEMPTS):
            wanted = decide(current)
            if wanted is None:
                return current
            try:
                return self.send(wanted, current)
            except _AGAIN as error:
                if attempt == _ATTEMPTS - 1:
                    raise
                self._back_off(error, attempt)
                before, current = current, self.read(ref)
                if isinstance(error, Unprocessable) and _same(before, current):
                    raise
        raise AssertionError("unreachable: the last attempt returns or raises")

    def send(self, write: Write, current: JsonObject | None) -> JsonObject:
        """Send one write with its fence; the caller answers for what a refusal means."""
        guarded = fenced(write, current, self.fence)
        if isinstance(write, Create):
            self.unclear[write.ref] = self.hands.clock.now()
        stored = self.hands.cluster.send(guarded)
        self.unclear.pop(write.ref, None)
        if isinstance(write, Delete):
            self.seen.pop(write.ref, None)
        else:
            self.seen[write.ref] = stored
        return stored

    def free(self, ref: Ref, wishes: Iterable[Original] = ()) -> None:
        """The last write to an object that stays: the wishes, and our marks off."""
        wanted = tuple(wishes)
        last = existing(lambda seen: freed(ref, seen, wanted, workload=self.record.name))
        for _ in range(_LAST_WRITES):
            stored = self.write(ref, last)
            if stored is None or freed(ref, stored, wanted, workload=self.record.name) is None:
                return

    def write_all(self, writes: Sequence[Write]) -> None:
        """Send writes that were decided together on what `seen` holds; the first refusal ends it."""
        for item in writes:
            self.send(item, self.seen.get(item.ref))

    def _back_off(self, error: ApiError, attempt: int) -> None:
        wait = min(0.05 * 2**attempt, _LONGEST_BACKOFF)
        if isinstance(error, TooManyRequests):
            wait = max(wait, error.retry_after)
        self.pause(wait)

    def pause(self, seconds: float) -> None:
        """Wait without looking at anything but signals."""
        clock, until = self.hands.clock, self.hands.clock.now() + seconds
        while clock.now() < until:
            if clock.now() >= self.limit:
                raise Overdue("the rollback has used up its time")
            clock.wait(min(until, self.limit))

    def began(self, phase: str) -> None:
        """Tell that a phase begins."""
        self.hands.reporter.emit(Began(phase))

    def note(self, text: str) -> None:
        """Tell what was done or seen."""
        self.hands.reporter.emit(Noted(text))

    def waiting(self, text: str, elapsed: float, total: float | None) -> None:
        """Tell what is waited for."""
        self.hands.reporter.emit(Waiting(text, elapsed, total, Weight(self.record.weight)))


def if_absent(create: Create) -> Decide:
    """Create what does not exist; what exists is left as it is."""
    return lambda seen: create if seen is None else None


def existing(decide: Callable[[JsonObject], Write | None]) -> Decide:
    """A decision about an object that may be gone: then there is nothing to write."""
    return lambda seen: None if seen is None else decide(seen)


def _same(before: JsonObject | None, after: JsonObject | None) -> bool:
    versions = [(item or {}).get("metadata", {}).get("resourceVersion") for item in (before, after)]
    return bool(versions[0] == versions[1])
