"""Synthetic users: a steady flow of requests through routes, Services and endpoints to the pods.

The flow is a fluid: between two changes of the cluster its rates are constant, so that even a gap of ten
milliseconds shows, and hours cost nothing. The data plane learns of every change a moment later.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial

from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import Ref
from progressive_ci.sandbox import behaviour
from progressive_ci.sandbox.controllers.endpoint_slices import NAME_LABEL
from progressive_ci.sandbox.controllers.replica_set import ready_condition
from progressive_ci.sandbox.selectors import labels_of
from progressive_ci.sandbox.split import Shares, shares
from progressive_ci.sandbox.store import Change, Store

PROPAGATION = 0.05
"""Seconds from a change in the cluster to its effect in the data plane."""

ROUTES = (
    kinds.SERVICE,
    kinds.ENDPOINT_SLICE,
    kinds.INGRESS,
    kinds.VIRTUAL_SERVICE,
    kinds.HTTP_ROUTE,
    kinds.GRPC_ROUTE,
    kinds.TCP_ROUTE,
    kinds.TLS_ROUTE,
)


@dataclass(frozen=True, slots=True)
class Users:
    """A steady flow of requests.

    Attributes:
        name: in questions to the log.
        entry: route object, Ingress or Service at which they enter.
        rate: requests per second.
    """

    name: str
    entry: Ref
    rate: float


@dataclass(frozen=True, slots=True)
class Cell:
    """One kind of request: who asked, which Service and pod it came to, and how it was answered."""

    users: str
    namespace: str
    service: str
    pod: str
    version: str
    status: int


@dataclass(frozen=True, slots=True)
class Segment:
    """A span of time with constant rates, in requests per second."""

    start: float
    end: float
    rates: dict[Cell, float]


@dataclass(slots=True)
class Line:
    """A counter over time: straight between the points at which its rate changed."""

    times: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)

    def turn(self, time: float, rate: float) -> None:
        """Go on at another rate from now on."""
        if not self.rates or self.rates[-1] != rate:
            value = self.at(time)
            self.times.append(time)
            self.values.append(value)
            self.rates.append(rate)

    def at(self, time: float) -> float:
        """The counter's value."""
        index = bisect_right(self.times, time) - 1
        if index < 0:
            return 0.0
        return self.values[index] + self.rates[index] * (time - self.times[index])


Target = tuple[str, str, str]
"""Namespace, Service and uid of a pod; an empty uid where no endpoint is ready."""

View = dict[Target, float]
"""Where a data plane sends which share of the requests."""


class Traffic:
    """Counts every request of all users.

    Attributes:
        lines: counters by kind of request.
        segments: spans of constant rates, oldest first, without the one that is going on.
        route_lag: further seconds until a route object's change shows; endpoints come another way, without it.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._users: dict[str, Users] = {}
        self._views: dict[str, View] = {}
        self._coming: dict[str, View] = {}
        self._rates: dict[Cell, float] = {}
        self._since = store.timers.now()
        self._slices: tuple[JsonObject, ...] | None = None
        self._slices_from = self._routes_from = self._since
        self._shares: dict[str, Shares] = {}
        self._learned, self.route_lag = self._since, 0.0
        self.lines: dict[Cell, Line] = {}
        self.segments: list[Segment] = []
        store.subscribe(self._routes_changed, *ROUTES)
        store.subscribe(self._pod_changed, kinds.POD)

    def users(self, name: str, entry: Ref, rate: float) -> None:
        """Let users come, or change how many; 0 sends them away."""
        self._users[name] = Users(name, entry, rate)
        self._shares[name] = shares(self._store, entry)
        self._coming[name] = self._views[name] = self._view(name)
        self._turn()

    def lag(self, until: float, *, routes: bool) -> None:
        """The data plane hears of nothing until then, as after an outage of the API server, or another meanwhile.

        Args:
            until: time at which it knows everything again.
            routes: whether it misses changes of routes, too, and not only of endpoints.
        """
        if self._slices is None:
            self._slices = tuple(self._store.all(kinds.ENDPOINT_SLICE))
        self._slices_from = until
        self._routes_from = until if routes else self._routes_from
        self._store.timers.at(until, self._caught_up)

    def _caught_up(self) -> None:
        if self._store.timers.now() < self._slices_from:
            return
        self._slices = None
        for name, users in self._users.items():
            self._shares[name] = shares(self._store, users.entry)
            self._coming[name] = self._views[name] = self._view(name)
        self._turn()

    def count(
        self,
        *,
        since: float = 0.0,
        until: float | None = None,
        status: int | None = None,
        version: str | None = None,
        users: str | None = None,
    ) -> float:
        """How many requests fit."""
        end = self._store.timers.now() if until is None else until
        return sum(
            line.at(end) - line.at(since)
            for cell, line in self.lines.items()
            if status in (None, cell.status)
            and version in (None, cell.version)
            and users in (None, cell.users)
        )

    @property
    def failures(self) -> float:
        """Requests that no pod answered (503): no endpoint, or a pod that was gone."""
        return self.count(status=503)

    @property
    def errors(self) -> float:
        """Requests that a pod answered with 500."""
        return self.count(status=500)

    def rates(self, users: str | None = None) -> dict[Cell, float]:
        """Requests per second right now, by kind."""
        return {cell: rate for cell, rate in self._rates.items() if users in (None, cell.users)}

    def share(self, version: str, *, users: str | None = None) -> float:
        """The version's part of the requests that come right now, 0 to 1."""
        rates = self.rates(users)
        whole = sum(rates.values())
        return sum(rate for cell, rate in rates.items() if cell.version == version) / whole if whole else 0.0

    def last(self, *, status: int, version: str | None = None) -> float | None:
        """When the last request with this status ended; None when there was none."""
        for segment in reversed(self._all()):
            if any(
                cell.status == status and version in (None, cell.version) and rate > 0
                for cell, rate in segment.rates.items()
            ):
                return segment.end
        return None

    def buckets(self, seconds: float, *, since: float = 0.0) -> Iterator[tuple[float, dict[Cell, float]]]:
        """Requests by kind in equal spans of time, oldest first; spans without any are left out."""
        start, now = since, self._store.timers.now()
        while start < now:
            end = min(start + seconds, now)
            counts = {cell: line.at(end) - line.at(start) for cell, line in self.lines.items()}
            found = {cell: count for cell, count in counts.items() if count > 0}
            if found:
                yield start, found
            start = end

    def _all(self) -> list[Segment]:
        return [*self.segments, Segment(self._since, self._store.timers.now(), self._rates)]

    def _routes_changed(self, change: Change) -> None:
        for name, users in self._users.items():
            if change.kind != users.entry.kind:
                self._look(name)
            elif change.kind == kinds.SERVICE or not self.route_lag:
                self._learn(name, shares(self._store, users.entry))
            else:
                self._learned = max(self._learned, self._store.timers.now() + self.route_lag)
                told = partial(self._learn, name, shares(self._store, users.entry))
                self._store.timers.at(self._learned, told)

    def _learn(self, name: str, told: Shares) -> None:
        self._shares[name] = told
        self._look(name)

    def _look(self, name: str) -> None:
        view = self._view(name)
        if view != self._coming[name]:
            self._coming[name] = view
            self._later(name, view)

    def _later(self, name: str, view: View) -> None:
        def arrive() -> None:
            self._views[name] = view
            self._turn()

        self._store.timers.at(max(self._store.timers.now() + PROPAGATION, self._routes_from), arrive)

    def _pod_changed(self, change: Change) -> None:
        before = change.before is not None and ready_condition(change.before) is not None
        now = change.type != "DELETED" and ready_condition(change.object) is not None
        if before != now:
            self._turn()

    def _view(self, name: str) -> View:
        view: View = {}
        for (namespace, service), share in self._shares[name].items():
            ready = self._ready(namespace, service)
            for uid in ready or [""]:
                view[namespace, service, uid] = share / max(len(ready), 1)
        return view or {(self._users[name].entry.namespace, "", ""): 1.0}

    def _ready(self, namespace: str, service: str) -> list[str]:
        found = {
            endpoint["targetRef"]["uid"]: None
            for each in self._known_slices()
            if each["metadata"]["namespace"] == namespace and labels_of(each).get(NAME_LABEL) == service
            for endpoint in each.get("endpoints") or ()
            if endpoint["conditions"].get("ready") is not False and endpoint.get("targetRef")
        }
        return list(found)

    def _known_slices(self) -> Iterable[JsonObject]:
        return self._store.all(kinds.ENDPOINT_SLICE) if self._slices is None else self._slices

    def _turn(self) -> None:
        """Close the span of constant rates and begin the next one."""
        now = self._store.timers.now()
        rates: dict[Cell, float] = {}
        for users in self._users.values():
            for target, share in self._views[users.name].items():
                for cell, part in self._answers(users.name, target):
                    rates[cell] = rates.get(cell, 0.0) + users.rate * share * part
        rates = {cell: rate for cell, rate in rates.items() if rate > 0}
        if rates == self._rates:
            return
        if now > self._since:
            self.segments.append(Segment(self._since, now, self._rates))
        for cell in {**self._rates, **rates}:
            self.lines.setdefault(cell, Line()).turn(now, rates.get(cell, 0.0))
        self._rates, self._since = rates, now

    def _answers(self, users: str, target: Target) -> Iterator[tuple[Cell, float]]:
        namespace, service, uid = target
        found = self._store.by_uid(uid) if uid else None
        if found is None or ready_condition(found[1]) is None:
            yield Cell(users, namespace, service, "", "", 503), 1.0
            return
        pod = found[1]
        version = behaviour.of_pod(pod)
        name = pod["metadata"]["name"]
        yield Cell(users, namespace, service, name, version.version, 200), 1.0 - version.error_rate
        yield Cell(users, namespace, service, name, version.version, 500), version.error_rate
