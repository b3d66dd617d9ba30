"""Rule 2 in time: one write of the route at a time, read back, confirmed and settled before anything rests on it.

Nothing rests on a change before it has come to every proxy: no step and no promotion begins, no weight rises
further, and no pod goes of the side that lost the traffic. The write of the way back itself waits for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

from progressive_ci.model import kinds
from progressive_ci.model.journal import Record, Stage
from progressive_ci.model.kinds import Ref
from progressive_ci.model.route import RatioSettings, Route
from progressive_ci.model.weight import Weight
from progressive_ci.routers.table import router_of
from progressive_ci.sandbox.call import Call
from progressive_ci.sandbox.faults import Exchange
from progressive_ci.sandbox.store import Change
from tests.scenario.rules.holders import epoch_said
from tests.scenario.rules.traffic import same_pods

if TYPE_CHECKING:
    from tests.scenario.oracle import Oracle

ROUTES = (
    kinds.INGRESS,
    kinds.VIRTUAL_SERVICE,
    kinds.HTTP_ROUTE,
    kinds.GRPC_ROUTE,
    kinds.TCP_ROUTE,
    kinds.TLS_ROUTE,
)
_GIVEN_UP = 30.0
"""A way back waits at least so long for a controller that confirms nothing: half of the least time that it has."""
_READ = (200, 404)
"""What is read back of a route object that stands, or of one whose weight went with it."""
_SLACK = 0.01


@dataclass(slots=True)
class Settling:
    """The tool's last change of the split, by the stored route objects; what others change is theirs.

    Attributes:
        weight: percent on the canary.
        rose: whether the canary got more by it.
        changed: when it was stored.
        confirmed: when the route's controller had taken it up, where it says so; infinite until then.
        early: whether it came before the one before it had settled.
        unread: route objects that nobody has read since.
        sending: writes of the route that are on their way, by their requests' numbers.
    """

    weight: int = 0
    rose: bool = False
    changed: float = -inf
    confirmed: float = -inf
    early: str = ""
    unread: set[str] = field(default_factory=set)
    sending: dict[int, Call] = field(default_factory=dict)

    def before(self, oracle: Oracle, number: int, call: Call, record: Record | None) -> None:
        """One write of the route is on its way: another process's belongs to another epoch."""
        if record is None or not _is_about(record, call):
            return
        if any(epoch_said(call) == epoch_said(other) for other in self.sending.values()):
            oracle.say("2", f"{call.method} {call.path} while another write of the route is on its way")
        self.sending[number] = call

    def after(self, oracle: Oracle, done: Exchange, record: Record | None) -> None:
        """What has come of a request."""
        if done.call.method == "GET" and done.status in _READ:
            self.unread.discard(done.call.path)
        if self.sending.pop(done.number, None) is None or record is None:
            return
        if self.early and oracle.weight(record) > oracle.weights[done.number - 1]:
            oracle.say("2", f"raised to {self.weight} % {self.early}")
        self.early = ""

    def route_changed(self, oracle: Oracle, change: Change, record: Record) -> None:
        """A route object is written, by the tool, by its controller, or by others."""
        route, now = record.route, oracle.sandbox.clock.now()
        if route is None or isinstance(route.settings, RatioSettings):
            return
        carried = oracle.weight(record)
        if carried != self.weight:
            # The last write of an adoption moves nobody: both Services select the same pods by then.
            if self.sending and not same_pods(oracle, route):
                self.early = self.missing(oracle, record)
                self.rose, self.changed, self.confirmed = carried > self.weight, now, inf
                metadata = change.object["metadata"]
                self.unread = {Ref(change.kind, metadata["namespace"], metadata["name"]).path}
            self.weight = carried
        if self.confirmed == inf and _confirms(oracle, route, carried):
            self.confirmed = now

    def demand(self, oracle: Oracle, what: str, record: Record, *, rule: str = "2") -> None:
        """Nothing is missing when this begins."""
        if missing := self.missing(oracle, record):
            oracle.say(rule, f"{what} {missing}")
        elif self.unread:
            oracle.say(rule, f"{what} before anybody has read {sorted(self.unread)} back")

    def missing(self, oracle: Oracle, record: Record) -> str:
        """What the last change still waits for; empty for nothing."""
        now, seconds = oracle.sandbox.clock.now(), settle_seconds(record)
        if self.confirmed == inf:
            given_up = record.stage is Stage.ROLLING_BACK and now - self.changed > _GIVEN_UP
            return "" if given_up else f"before {self.weight} % were confirmed"
        if (passed := now - self.confirmed) < seconds - _SLACK:
            return f"{passed:.1f} s after {self.weight} % were confirmed, not {seconds:g} s"
        return ""


def settle_seconds(record: Record) -> float:
    """What the user asked for, or else what the router's row says."""
    if record.settle_seconds is not None or record.route is None:
        return record.settle_seconds or 0.0
    return router_of(record.route).SETTLE


def _confirms(oracle: Oracle, route: Route, carried: int) -> bool:
    table = router_of(route)
    found = {
        ref: item for ref in table.objects(route) if (item := oracle.sandbox.store.find(ref)) is not None
    }
    return not table.ACKNOWLEDGES or table.reached(route, found, Weight(carried))


def _is_about(record: Record, call: Call) -> bool:
    """Whether it writes an object of the route."""
    if record.route is None or isinstance(record.route.settings, RatioSettings):
        return False
    paths = {ref.path for ref in router_of(record.route).objects(record.route)}
    return any(call.path in (path, path.rpartition("/")[0]) for path in paths)
