"""The rules that hold always, asked at every request of the tool.

It looks with the eyes of the store, without a request of its own, and collects what breaks a rule;
`then.rules_held` asserts that there is nothing.

Two rules show themselves elsewhere. Rule 8: that a request ends by its deadline and on a signal whatever the other
side does, and by which clock, is asked of real sockets (tests/unit/test_adapters_wire.py, test_adapters_clock.py);
that deadlines are absolute, of pods that flap and of runs that last (test_bad_pods.py, test_time.py). Rule 11: what
is printed, reported and sent to others is searched for secrets in tests/ci/test_secrets.py; here only what is sent
to the API server, for the tokens that opened it.
"""

import json
from dataclasses import dataclass, field

from progressive_ci.model import kinds
from progressive_ci.model.codec import decode
from progressive_ci.model.document import JsonObject
from progressive_ci.model.journal import Record
from progressive_ci.model.kinds import Ref
from progressive_ci.model.outcome import Outcome
from progressive_ci.model.plan import Mode
from progressive_ci.model.route import RatioSettings
from progressive_ci.routers.table import router_of
from progressive_ci.sandbox.call import Call
from progressive_ci.sandbox.cluster import Sandbox
from progressive_ci.sandbox.faults import Exchange
from progressive_ci.sandbox.json_patch import clone
from progressive_ci.sandbox.store import Change
from tests.scenario.rules import (
    JOURNAL,
    NAME,
    NAMESPACE,
    endings,
    fields,
    passes,
    secrets,
    shares,
    traffic,
    versions,
    writes,
)
from tests.scenario.rules.holders import Holders, demand_epoch
from tests.scenario.rules.settling import ROUTES, Settling

FOREIGN_KINDS = (
    kinds.SERVICE,
    kinds.INGRESS,
    kinds.VIRTUAL_SERVICE,
    kinds.HTTP_ROUTE,
    kinds.DEPLOYMENT,
    kinds.HPA,
)


@dataclass(slots=True)
class Oracle:
    """Watches one cluster.

    Attributes:
        sandbox: the cluster.
        broken: what broke a rule, one sentence each.
        meddled: whether others change what the release owns, so that their changes are not ours.
        superseded: whether somebody else has put a version into NAME.
        blind: whether the journal is nothing that can be read.
        excused: rules that somebody else breaks in this scenario.
        neighbours: workloads whose releases are none of its business.
        weights: percent on the canary before each request.
        carried: percent on the canary before this request.
        paused: whether NAME was paused before this request.
        at_first: what the release must give back.
        settling: what the last change of the split still waits for.
    """

    sandbox: Sandbox
    broken: list[str] = field(default_factory=list)
    meddled: bool = False
    superseded: bool = False
    blind: bool = False
    excused: tuple[str, ...] = ()
    neighbours: tuple[str, ...] = ()
    weights: list[int] = field(default_factory=list)
    carried: int = 0
    paused: bool = False
    at_first: dict[Ref, JsonObject] = field(default_factory=dict)
    settling: Settling = field(default_factory=Settling)
    _holders: Holders = field(default_factory=Holders)
    _version: str = ""
    _record: Record | None = None
    _before: Record | None = None

    def __post_init__(self) -> None:
        """Begin to watch."""
        self.next_release()
        self.sandbox.faults.before_each(self._ask_before)
        self.sandbox.faults.after_each(self._ask_after)
        self.sandbox.store.subscribe(self._ask_about_pod, kinds.POD)
        self.sandbox.store.subscribe(self._ask_about_set, kinds.REPLICA_SET)
        self.sandbox.store.subscribe(self._ask_about_route, *ROUTES)
        self.sandbox.store.subscribe(lambda change: self._holders.lease_changed(self, change), kinds.LEASE)

    def next_release(self) -> None:
        """What stands now is what the next release must give back."""
        for kind in FOREIGN_KINDS:
            for item in self.sandbox.all(kind, NAMESPACE):
                self.at_first[Ref(kind, NAMESPACE, item["metadata"]["name"])] = clone(item)

    @property
    def record(self) -> Record | None:
        """The journal as it stands."""
        found = self.sandbox.get(kinds.CONFIG_MAP, NAMESPACE, JOURNAL)
        if found is None or self.blind:
            return None
        if found["metadata"]["resourceVersion"] != self._version:
            self._version = found["metadata"]["resourceVersion"]
            self._record = decode(Record, json.loads(found["data"]["journal.json"]))
        return self._record

    def weight(self, record: Record) -> int:
        """Percent on the canary by the stored route objects; 0 without a router."""
        route = record.route
        if route is None or isinstance(route.settings, RatioSettings):
            return 0
        table = router_of(route)
        found = {
            ref: item for ref in table.objects(route) if (item := self.sandbox.store.find(ref)) is not None
        }
        return table.weight(route, found).percent

    def command_ended(self, outcome: Outcome) -> None:
        """How a command of the tool ended."""
        endings.after(self, outcome)

    def phase_began(self, phase: str) -> None:
        """What a run tells of where it is: nothing forward begins on a change that has not settled."""
        record = self.record
        if record is None or self.meddled or self.neighbours:
            return  # others change the split, or it may be a neighbour's run that tells this
        if phase.startswith(("step ", "promote")):
            self.settling.demand(self, f"{phase} begins", record)

    def say(self, rule: str, what: str) -> None:
        """A rule is broken."""
        if rule not in self.excused:
            now = self.sandbox.clock.now()
            self.broken.append(f"{now:.3f} s, request {len(self.sandbox.log)}: rule {rule}: {what}")

    def _ask_before(self, number: int, call: Call) -> None:
        record = self.record
        self._before = record or self._before  # somebody may have deleted it: its run writes it again
        self.carried = self.weight(record) if record else 0
        self.weights.append(self.carried)
        deployment = self.sandbox.get(kinds.DEPLOYMENT, NAMESPACE, NAME)
        self.paused = bool(deployment and deployment["spec"].get("paused"))
        secrets.before(self, call)
        if call.method != "GET" and not call.dry and "authorization.k8s.io" not in call.path:
            self.settling.before(self, number, call, record)
            writes.before(self, call, record)
            if writes.is_of_the_release(self, call):
                versions.before(self, call, record)
                self._holders.before(self, call, record)

    def _ask_after(self, done: Exchange) -> None:
        self._holders.after(self, done, self._before)
        record = self.record
        self.settling.after(self, done, record)
        if not done.writes or not done.applied or done.status >= 400 or record is None:
            return
        demand_epoch(self, self._before, record)
        passes.after(self, self._before, record)
        fields.after(self, record)
        if record.mode is not Mode.IN_PLACE:
            traffic.after(self, record)
            versions.after(self, record)

    def _ask_about_pod(self, change: Change) -> None:
        record = self.record
        if record is not None and not self.meddled and not self.superseded:
            traffic.pod_changed(self, change, record)

    def _ask_about_set(self, change: Change) -> None:
        record = self.record
        if record is not None and not self.meddled and not self.superseded:
            shares.set_changed(self, change, record)

    def _ask_about_route(self, change: Change) -> None:
        record = self.record
        if record is not None:
            self.settling.route_changed(self, change, record)
