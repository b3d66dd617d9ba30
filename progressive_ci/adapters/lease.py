"""The Lease of a workload: taking it, keeping it, losing it, giving it up.

No clock of another machine is trusted. A holder's time runs from before its renewal was sent; an observer's
from after it first read the record. So the observer's ends later, however late the messages were.
"""

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace

from progressive_ci.adapters import lease_record
from progressive_ci.adapters.clock import Ticker
from progressive_ci.errors import (
    NOT_SENT,
    AlreadyExists,
    ApiError,
    Conflict,
    LeaseLost,
    Locked,
    NoAnswer,
    NotFound,
    ProgressiveError,
    ServerError,
    TooManyRequests,
)
from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import LEASE, Ref
from progressive_ci.ports import Clock, Cluster, Tenure

SECONDS = 30.0

_LONGEST = 600.0
"""Seconds for which a silent holder is waited out at the most, unless more is asked for: it may claim years."""

_ATTEMPTS = 5
"""Writes without a clear answer, after which taking or clearing the lease is given up."""

_CLEARING = 10.0
"""Seconds after which clearing is tried no more: the next run waits a lease's length then, which does no harm."""

_UNCLEAR = (NoAnswer, ServerError, Conflict, AlreadyExists)
"""Answers after which the record must be read again: it may be ours by now."""


@dataclass(frozen=True, slots=True)
class _Watch:
    """What somebody else's record looked like when it was first read, and whether it has changed since."""

    spec: JsonObject
    since: float
    alive: bool = False


@dataclass(frozen=True, slots=True)
class _Held:
    version: str
    sent: float


class ClusterLease:
    """`ports.Lease`, and the guard that `KubeCluster` asks before every write.

    Args:
        name: of the workload.
        namespace: of the workload.
        front: for the main thread: ends on a signal.
        back: for the renewals, without repeats (`cluster.ONCE`) and on a clock that no signal ends.
        clock: the main thread's.
        ticker: calls for renewals.
        seconds: how long it lasts without one.
        run: page of this CI run, for whoever finds the lease taken.
        tell: hears what is waited for.
    """

    def __init__(  # noqa: PLR0913 - wiring, by keyword
        self,
        name: str,
        namespace: str,
        *,
        front: Cluster,
        back: Cluster,
        clock: Clock,
        ticker: Ticker,
        seconds: float = SECONDS,
        run: str = "",
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._ref = Ref(LEASE, namespace, f"progressive-ci.{name}")
        self._front = front
        self._back = back
        self._clock = clock
        self._ticker = ticker
        self._seconds = seconds
        self._run = run
        self._tell = tell
        self._process = str(uuid.uuid4())
        self._holder = ""
        self._epoch = 0
        self._held: _Held | None = None
        self._watch: _Watch | None = None
        self._lost = False
        self._lock = threading.Lock()
        self._stop: Callable[[], None] = lambda: None

    def acquire(self, release: str, *, wait: float) -> Tenure:
        """Take it: see `ports.Lease`.

        A holder that renews the record while we look is alive, and after `wait` seconds that is Locked. One
        that doesn't is waited out: it is dead once the record has stood unchanged for its whole duration. A duration
        that ends neither within `wait` nor within ten minutes is Locked too.
        """
        self._holder = f"{release} {self._process}"
        until = self._clock.now() + wait
        problem: ApiError | None = None
        first, seen = None, self._watch
        for _ in range(_ATTEMPTS):
            record = self._vacant(until)
            first = self._clock.now() if first is None else first
            if record is None or not self._ours(record):
                try:
                    record = self._take(record)
                except (*_UNCLEAR, NotFound) as error:
                    problem = error
                    continue
            return replace(self._begin(record, first), waited=self._watch is not seen)
        raise problem or Locked("it can't be taken", where=str(self._ref))

    def release(self, *, seal: str = "") -> None:
        """Give it up: clears the holder if it is still ours. Never raises."""
        self.stop()
        held, self._held = self._held, None
        if self._lost or not self._holder:
            return
        try:
            self._clear(held.version if held else "", seal)
        except ProgressiveError:
            return  # it runs out by itself

    def stop(self) -> None:
        """Renew it no longer, as if the process had died."""
        self._stop()

    def valid_for(self) -> float:
        """Seconds for which it is surely ours."""
        held = self._held
        if held is None or self._lost:
            return 0.0
        return max(0.0, held.sent + self._seconds - self._clock.now())

    def secure(self, seconds: float) -> None:
        """Make sure that it lasts so long; one that ran out and that nobody took is renewed first.

        Raises:
            LeaseLost: it isn't ours any more.
            NoAnswer: it can't be renewed now, so nothing may be sent.
        """
        if self.valid_for() >= seconds:
            return
        try:
            self._renew(self._front)
        except (NoAnswer, ServerError) as error:
            what = f"the lease can't be renewed before a write: {error.what}"
            raise NoAnswer(what, where=str(self._ref), advice=error.advice, reason=NOT_SENT) from error
        if self.valid_for() < seconds:
            raise LeaseLost(
                "another run has taken this release over",
                where=str(self._ref),
                advice="see how that run ends; this one writes nothing more",
            )

    def deserted(self) -> bool:
        """Whether nobody keeps it: see `ports.Lease`."""
        return self._look()[1]

    def _look(self) -> tuple[JsonObject | None, bool]:
        """The record, and whether it may be taken: absent, without a holder, ours, or expired."""
        asked = self._clock.now()
        try:
            record = self._front.get(self._ref)
        except ApiError:
            # Whoever could not reach the API server meanwhile could not renew it either: the count begins anew.
            self._watch = None
            raise
        if record is None or not lease_record.holder(record) or self._ours(record):
            return record, True
        spec = lease_record.spec(record)
        if self._watch is None:
            self._watch = _Watch(spec, self._clock.now())
            self._tell(f"{self._ref} is held by {lease_record.describe(record)}; waiting for its end")
        elif spec != self._watch.spec:
            self._watch = _Watch(spec, self._clock.now(), alive=True)
        return record, asked - self._watch.since >= lease_record.duration(record, self._seconds)

    def _vacant(self, until: float) -> JsonObject | None:
        """Wait until the record may be taken."""
        while True:
            asked = self._clock.now()
            record, free = self._look()
            if free or record is None:
                return record
            if self._watch is not None and self._watch.alive and asked >= until:
                raise Locked(
                    f"it is held by {lease_record.describe(record)}, which renews it",
                    where=str(self._ref),
                    advice="start again when that run has ended, or let this one wait with --lock-wait",
                )
            if self._watch is not None and asked >= max(until, self._watch.since + _LONGEST):
                claimed = lease_record.duration(record, self._seconds)
                raise Locked(
                    f"it is held by {lease_record.describe(record)}, which claims {claimed:.0f} s and is silent",
                    where=str(self._ref),
                    advice="delete the Lease if that run is dead, or wait longer with --lock-wait",
                )
            self._pause(self._seconds / 15)

    def _take(self, record: JsonObject | None) -> JsonObject:
        wall = self._clock.wall()
        return self._front.send(
            lease_record.take(
                self._ref, record, by=self._holder, at=wall, seconds=self._seconds, run=self._run
            )
        )

    def _begin(self, stored: JsonObject, sent: float) -> Tenure:
        self._lost = False
        self._held = _Held(lease_record.version(stored), sent)
        self._epoch = lease_record.epoch(stored)
        self._stop()
        self._stop = self._ticker.repeat(self._seconds / 15, self._tick)
        return Tenure(self._epoch, self._holder)

    def _tick(self) -> None:
        """On the renewing thread: renew when a third of the time is over, and soon again if that fails."""
        if self.valid_for() > self._seconds * 2 / 3:
            return
        try:
            self._renew(self._back)
        except ProgressiveError:
            return  # until it runs out there are more attempts

    def _renew(self, cluster: Cluster) -> None:
        """Renew it once. A conflict may be our own renewal whose answer was lost: then once more."""
        held = self._held
        if held is None or self._lost:
            return
        try:
            self._extend(cluster, held.version)
        except (Conflict, NotFound):
            record = cluster.get(self._ref)
            if record is None:
                self._restore(cluster)
            elif self._ours(record):
                self._extend(cluster, lease_record.version(record))
            else:
                self._lost = True

    def _extend(self, cluster: Cluster, version: str) -> None:
        sent = self._clock.now()
        self._keep(cluster.send(lease_record.renew(self._ref, version, self._clock.wall())), sent)

    def _restore(self, cluster: Cluster) -> None:
        """Somebody has deleted it: make it again, with its epoch, unless another run is quicker.

        Whoever has taken a new one meanwhile has written a higher epoch into the journal and on every object,
        so nothing of ours takes effect any more, whatever becomes of this object.
        """
        sent = self._clock.now()
        wanted = lease_record.again(
            self._ref,
            by=self._holder,
            at=self._clock.wall(),
            seconds=self._seconds,
            run=self._run,
            epoch=self._epoch,
        )
        try:
            stored = cluster.send(wanted)
        except AlreadyExists:
            stored = cluster.get(self._ref) or {}
            if not self._ours(stored):
                self._lost = True
                return
        self._keep(stored, sent)

    def _keep(self, stored: JsonObject, sent: float) -> None:
        with self._lock:
            if self._held is not None and sent >= self._held.sent:
                self._held = _Held(lease_record.version(stored), sent)

    def _clear(self, version: str, seal: str) -> None:
        """Clear it on top of the last renewal; where that is not what stands there, look what does."""
        until = self._clock.now() + _CLEARING
        for _ in range(_ATTEMPTS):
            try:
                if not version:
                    record = self._back.get(self._ref)
                    if record is None or not self._ours(record):
                        return
                    version = lease_record.version(record)
                self._back.send(lease_record.clear(self._ref, version, seal))
            except TooManyRequests as error:
                if self._clock.now() + error.retry_after >= until:
                    return
                self._pause(error.retry_after)
            except (*_UNCLEAR, NotFound):
                version = ""
                if self._clock.now() >= until:
                    return
            else:
                return

    def _ours(self, record: JsonObject) -> bool:
        return lease_record.holder(record) == self._holder

    def _pause(self, seconds: float) -> None:
        end = self._clock.now() + seconds
        while self._clock.now() < end:
            self._clock.wait(end)
