"""The time series that the simulated Prometheus has scraped: counters and histograms of the pods."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.sandbox import behaviour
from progressive_ci.sandbox.selectors import labels_of
from progressive_ci.sandbox.store import Change, Store
from progressive_ci.sandbox.traffic import Cell, Traffic

LOOKBACK = 300.0
"""Seconds for which an instant value stays known."""

SPREAD = 0.5
"""Of the logarithm of the latency."""

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, math.inf)

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Series:
    """One scraped series.

    Attributes:
        labels: name and value, sorted, `__name__` included.
        start: time of its first sample.
        end: time of its last one; infinite while it lives.
        at: value at a time.
    """

    labels: Labels
    start: float
    end: float
    at: Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Target:
    """A pod that is or was scraped."""

    name: str
    namespace: str
    labels: tuple[tuple[str, str], ...]
    latency: float
    born: float


class Database:
    """Every series of the cluster.

    Attributes:
        interval: seconds between two scrapes.
        extra: series that a test adds.
    """

    def __init__(self, store: Store, traffic: Traffic, *, interval: float = 1.0) -> None:
        self._store = store
        self._traffic = traffic
        self._targets: dict[str, Target] = {}
        self._gone: dict[str, float] = {}
        self.interval = interval
        self.extra: list[Series] = []
        store.subscribe(self._pod_changed, kinds.POD)

    def _pod_changed(self, change: Change) -> None:
        pod, now = change.object, self._store.timers.now()
        name = pod["metadata"]["name"]
        if change.type == "DELETED":
            self._gone[name] = now
        elif (pod.get("status") or {}).get("phase") == "Running" and name not in self._targets:
            self._targets[name] = _target(pod, now)

    def named(self, name: str) -> Iterator[Series]:
        """Every series of this name that was ever scraped; an empty name means all of them."""
        yield from (each for each in self.extra if name in ("", dict(each.labels).get("__name__")))
        for target in self._targets.values():
            if name in ("", "up"):
                yield self._series(target, {"__name__": "up", "job": target.name}, lambda _: 1.0)
        for cell, line in list(self._traffic.lines.items()):
            target_of = self._targets.get(cell.pod)
            if target_of is not None:
                yield from self._counters(target_of, cell, line.at, name)

    def _counters(
        self, target: Target, cell: Cell, at: Callable[[float], float], name: str
    ) -> Iterator[Series]:
        if name in ("", "http_requests_total"):
            yield self._series(target, _labels("http_requests_total", cell), at)
        for family, unit in (("http_request_duration_seconds", 1.0), ("http_request_duration_ms", 1000.0)):
            if name in ("", f"{family}_bucket"):
                for bound in BOUNDS:
                    label = "+Inf" if math.isinf(bound) else f"{bound * unit:g}"
                    labels = {**_labels(f"{family}_bucket", cell), "le": label}
                    yield self._series(target, labels, _times(at, _share_below(bound, target.latency)))
            if name in ("", f"{family}_sum"):
                mean = target.latency * unit * math.exp(SPREAD**2 / 2)
                yield self._series(target, _labels(f"{family}_sum", cell), _times(at, mean))
            if name in ("", f"{family}_count"):
                yield self._series(target, _labels(f"{family}_count", cell), at)

    def _series(self, target: Target, labels: dict[str, str], at: Callable[[float], float]) -> Series:
        end = self._gone.get(target.name, math.inf)
        every = {**dict(target.labels), "pod": target.name, "namespace": target.namespace, **labels}
        return Series(tuple(sorted(every.items())), target.born, end, at)


def _target(pod: JsonObject, now: float) -> Target:
    version = behaviour.of_pod(pod)
    labels = labels_of(pod)
    shown = {
        "app": labels.get("app", ""),
        "version": version.version,
        "pod_template_hash": labels.get("pod-template-hash", ""),
    }
    metadata = pod["metadata"]
    return Target(metadata["name"], metadata["namespace"], tuple(shown.items()), version.latency, now)


def _labels(name: str, cell: Cell) -> dict[str, str]:
    return {
        "__name__": name,
        "service": cell.service,
        "job": cell.service,
        "status": str(cell.status),
        "method": "GET",
    }


def _times(at: Callable[[float], float], factor: float) -> Callable[[float], float]:
    return lambda time: at(time) * factor


def _share_below(bound: float, latency: float) -> float:
    """Part of the answers that are at most this slow; latencies are log-normal around their median."""
    if math.isinf(bound):
        return 1.0
    return 0.5 * (1.0 + math.erf(math.log(bound / latency) / (SPREAD * math.sqrt(2.0))))
