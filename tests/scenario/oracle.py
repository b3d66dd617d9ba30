"""The rules that hold always (weights, pods, the journal before its writes, preconditions, foreign fields).

It looks at every request of the tool with the eyes of the store, without a request of its own, and collects what
breaks a rule; `then.rules_held` asserts that there is nothing.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import ceil, floor
from typing import Any

from progressive_ci.model import kinds
from progressive_ci.model.codec import decode
from progressive_ci.model.document import JsonObject
from progressive_ci.model.fence import RELEASE
from progressive_ci.model.journal import Record, Stage, State
from progressive_ci.model.kinds import Ref
from progressive_ci.model.plan import Mode
from progressive_ci.model.route import RatioSettings
from progressive_ci.release.guard_job import guard_name
from progressive_ci.release.workload import (
    HASH_LABEL,
    controller_uid,
    labels_of,
    ready_pods,
    replicas_of,
    selects,
    uid_of,
    without_hash,
)
from progressive_ci.routers.table import router_of
from progressive_ci.sandbox.call import Call
from progressive_ci.sandbox.cluster import Sandbox
from progressive_ci.sandbox.faults import Exchange
from progressive_ci.sandbox.json_patch import clone
from progressive_ci.sandbox.store import Change

NAMESPACE, NAME = "shop", "web"
JOURNAL = "progressive-ci.web"
MARK = "progressive-ci/"
"""How the annotations begin that fence our writes."""
FOREIGN_KINDS = (kinds.SERVICE, kinds.INGRESS, kinds.VIRTUAL_SERVICE, kinds.HTTP_ROUTE, kinds.DEPLOYMENT)
_CONTROLLERS = "deployment.kubernetes.io/"
_PROGRESS = "rollouts.argoproj.io/gatewayapi-canary"


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
        weights: percent on the canary before each request.
    """

    sandbox: Sandbox
    broken: list[str] = field(default_factory=list)
    meddled: bool = False
    superseded: bool = False
    blind: bool = False
    excused: tuple[str, ...] = ()
    weights: list[int] = field(default_factory=list)
    _version: str = ""
    _record: Record | None = None
    _carried: int = 0
    _paused: bool = False
    _at_first: dict[Ref, JsonObject] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin to watch."""
        self.next_release()
        self.sandbox.faults.before_each(self._before)
        self.sandbox.faults.after_each(self._after)
        self.sandbox.store.subscribe(self._pod_changed, kinds.POD)

    def next_release(self) -> None:
        """What stands now is what the next release must give back."""
        for kind in FOREIGN_KINDS:
            for item in self.sandbox.all(kind, NAMESPACE):
                self._at_first[Ref(kind, NAMESPACE, item["metadata"]["name"])] = clone(item)

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

    def _say(self, rule: str, what: str) -> None:
        if rule in self.excused:
            return
        self.broken.append(
            f"{self.sandbox.clock.now():.3f} s, request {len(self.sandbox.log)}: rule {rule}: {what}"
        )

    def _before(self, number: int, call: Call) -> None:
        del number
        record = self.record
        self._carried = self.weight(record) if record else 0
        self.weights.append(self._carried)
        deployment = self.sandbox.get(kinds.DEPLOYMENT, NAMESPACE, NAME)
        self._paused = bool(deployment and deployment["spec"].get("paused"))
        if call.method != "GET" and not call.dry and "authorization.k8s.io" not in call.path:
            self._demand_precondition(call)
            self._demand_announcement(call, record)

    def _after(self, done: Exchange) -> None:
        if not done.writes or not done.applied or done.status >= 400:
            return
        record = self.record
        if record is None or record.mode is Mode.IN_PLACE:
            return
        self._demand_capacity(record)
        self._demand_sum(record)
        self._demand_last_known_good(record)
        self._demand_foreign_fields(record)
        if record.mode is Mode.ADOPT:
            self._demand_one_version_each(record)
            self._demand_one_active_set()

    # Rule 6: the journal entry comes first; every write carries a precondition.

    def _demand_precondition(self, call: Call) -> None:
        body: Any = call.body
        place = call.path.rpartition("/")[2]
        match call.method, call.content_type:
            case "POST", _:
                own = place in ("leases", "configmaps")
                marked = has_mark(body)
                held = own or (marked and RELEASE in (body["metadata"].get("labels") or {}))
            case "PATCH", "application/json-patch+json":
                tested = {step["path"] for step in body if step["op"] == "test"}
                fences = [path for path in tested if path == "/metadata/resourceVersion" or _is_mark(path)]
                held = "/metadata/uid" in tested and bool(fences)
            case "PATCH", _:
                held = bool(body["metadata"].get("resourceVersion"))
            case "DELETE", _:
                held = bool(body["preconditions"].get("uid") and body["preconditions"].get("resourceVersion"))
            case _:
                held = False
        if not held:
            self._say("6", f"{call.method} {call.path} carries no precondition: {body}")

    def _demand_announcement(self, call: Call, record: Record | None) -> None:
        if JOURNAL in call.path or call.path.endswith(("/leases", "/configmaps")):
            return
        if (
            record is not None
            and record.guarded
            and f"/jobs/{guard_name(NAME)}" in f"{call.path}/{_named(call)}"
        ):
            return
        if record is None or record.state is State.ENDED:
            self._say("6", f"{call.method} {call.path} without a running journal")
            return
        name = _named(call)
        known = {entry.ref.name for entry in record.objects}
        if name not in known and not self._is_history(call):
            self._say("6", f"{call.method} {call.path} is not in the journal")

    def _is_history(self, call: Call) -> bool:
        """Marks that a controller has copied to older ReplicaSets, and who wrote them, go without an entry."""
        steps: Any = call.body or []
        written = "/metadata/managedFields/"
        marks = (
            step["op"] == "test" or _is_mark(step["path"]) or step["path"].startswith(written)
            for step in steps
        )
        return "/replicasets/" in call.path and call.method == "PATCH" and all(marks)

    # Rules 1 and 2: weights and the pods behind them.

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

    def _size(self, record: Record) -> int:
        live = self.sandbox.get(kinds.DEPLOYMENT, NAMESPACE, NAME)
        return max(record.size, replicas_of(live) if live else 0)

    def _ready(self, service: str) -> int:
        return len(ready_pods(self.sandbox.all(kinds.ENDPOINT_SLICE, NAMESPACE), service))

    def _demand_capacity(self, record: Record) -> None:
        now = self.weight(record)
        if record.route is None or now == self._carried:
            return
        if now > record.weight:
            self._say("6", f"the canary carries {now} %, the journal announces {record.weight} %")
        if now > self._carried:
            needed, ready = (
                max(1, ceil(now * self._size(record) / 100)),
                self._ready(record.route.canary_service),
            )
            if ready < needed:
                self._say("1", f"raised to {now} % with {ready} of {needed} ready pods")
            return
        full = max(1, record.size - record.unavailable)
        ready = self._ready(record.route.stable_service)
        if not self.meddled and 100 - now > min(100, floor(100 * ready / full)):
            self._say("1", f"stable was given {100 - now} % with {ready} of {full} ready pods")

    def _demand_sum(self, record: Record) -> None:
        if record.route is None:
            return
        for ref in router_of(record.route).objects(record.route):
            item = self.sandbox.store.find(ref)
            for weights in _weights(item or {}):
                if sum(weights) != 100:
                    self._say("2", f"the weights of {ref} are {weights}")

    # Rules 3 and 4: old pods, and the way back.

    def _pod_changed(self, change: Change) -> None:
        """A pod that begins to go had its last request long ago."""
        pod, before = change.object, change.before
        going = bool(pod["metadata"].get("deletionTimestamp"))
        was = bool(before and before["metadata"].get("deletionTimestamp"))
        record = self.record
        if not going or was or self.meddled or self.superseded or record is None or record.route is None:
            return
        if isinstance(record.route.settings, RatioSettings) or record.mode is not Mode.ADOPT:
            return
        stable = labels_of(pod).get(HASH_LABEL) == record.stable.hash
        if stable and self._asked_away(record):
            return
        drain = record.drain_seconds if stable else record.abort_drain_seconds
        now, name = self.sandbox.clock.now(), pod["metadata"]["name"]
        for cell, line in self.sandbox.traffic.lines.items():
            if cell.pod == name and line.times:
                quiet = now - line.times[-1] if line.rates[-1] == 0 else 0.0
                if quiet < drain - 1.0:
                    self._say("3", f"{name} goes {quiet:.1f} s after its last request, not {drain:.0f} s")
                    return

    def _asked_away(self, record: Record) -> bool:
        """Whether an autoscaler or a person asks NAME for fewer pods: its controller takes them, not the tool."""
        live = self.sandbox.get(kinds.DEPLOYMENT, NAMESPACE, NAME)
        own = self.sandbox.get(kinds.REPLICA_SET, NAMESPACE, record.stable.name)
        if live is None or own is None or record.stage in (Stage.PROMOTING, Stage.COMMITTED):
            return False
        return replicas_of(own) == replicas_of(live) < record.size

    def _demand_last_known_good(self, record: Record) -> None:
        if record.stage not in (Stage.PREPARING, Stage.STEPPING) or not record.stable.hash:
            return
        if record.mode is not Mode.ADOPT:
            return
        found = self.sandbox.get(kinds.REPLICA_SET, NAMESPACE, record.stable.name)
        if found is None:
            self._say("4", f"ReplicaSet {record.stable.name} is gone before the commit point")
            return
        owner = self._at_first[Ref(kinds.DEPLOYMENT, NAMESPACE, NAME)]
        if not self.superseded and without_hash(found["spec"]["template"]) != without_hash(
            owner["spec"]["template"]
        ):
            self._say("4", f"the template of {record.stable.name} has changed")

    # Rule 9: foreign fields.

    def _demand_foreign_fields(self, record: Record) -> None:
        if self.meddled or record.state is State.ENDED:
            return
        for entry in record.objects:
            then, now = self._at_first.get(entry.ref), self.sandbox.store.find(entry.ref)
            if then is None or now is None:
                continue
            ours = {item.path for item in entry.originals}
            if entry.ref.kind == kinds.DEPLOYMENT:
                ours |= {"/spec/template", "/spec/replicas"}
            one, other = _foreign(then, ours), _foreign(now, ours)
            if one != other:
                self._say("9", f"{entry.ref}: {one} became {other}")

    # Services and ReplicaSets in adopt.

    def _demand_one_version_each(self, record: Record) -> None:
        """No Service of the release ever selects pods of both versions."""
        if not record.pinned or self.superseded:
            return
        pods = [
            pod
            for pod in self.sandbox.all(kinds.POD, NAMESPACE)
            if not pod["metadata"].get("deletionTimestamp")
        ]
        for name in record.pinned:
            service = self.sandbox.get(kinds.SERVICE, NAMESPACE, name)
            if service is None:
                continue
            versions = {labels_of(pod).get(HASH_LABEL) for pod in pods if selects(service, labels_of(pod))}
            if len(versions) > 1:
                self._say("pin", f"Service {name} selects both versions")

    def _demand_one_active_set(self) -> None:
        """NAME is never unpaused while two of its ReplicaSets have pods."""
        found = self.sandbox.get(kinds.DEPLOYMENT, NAMESPACE, NAME)
        if found is None or not self._paused or found["spec"].get("paused") or self.superseded:
            return
        sets = [item for item in self.sandbox.all(kinds.REPLICA_SET, NAMESPACE) if replicas_of(item)]
        mine = [item for item in sets if controller_uid(item) == uid_of(found)]
        if len(mine) != 1:
            self._say("unpause", f"unpaused with {len(mine)} active ReplicaSets")


def has_mark(item: JsonObject) -> bool:
    """Whether an object carries a fence of ours."""
    return any(key.startswith(MARK) for key in item["metadata"].get("annotations") or {})


def _named(call: Call) -> str:
    """Name of the object that a write is about."""
    body: Any = call.body
    return str(body["metadata"]["name"]) if call.method == "POST" else call.path.rpartition("/")[2]


def _is_mark(path: str) -> bool:
    return path.replace("~1", "/").startswith(f"/metadata/annotations/{MARK}")


def _weights(item: JsonObject) -> Iterable[list[int]]:
    """The weights of every rule of a route object that has more than one destination."""
    rules = (item.get("spec") or {}).get("rules") or (item.get("spec") or {}).get("http") or ()
    for rule in rules:
        if not isinstance(rule, dict):
            continue
        found = rule.get("backendRefs") or rule.get("route") or []
        if len(found) > 1:
            yield [each.get("weight", 0) for each in found]


def _foreign(item: JsonObject, ours: set[str]) -> JsonObject:
    """What no release owns."""
    metadata = item["metadata"]
    annotations = {
        key: value
        for key, value in (metadata.get("annotations") or {}).items()
        if not key.startswith(MARK) and not key.startswith(_CONTROLLERS)
    }
    rest = {key: value for key, value in item.items() if key not in ("metadata", "status")}
    labels = {key: value for key, value in labels_of(item).items() if not key.startswith(_PROGRESS)}
    kept: JsonObject = {**clone(rest), "metadata": {"labels": labels, "annotations": annotations}}
    for path in ours:
        _cut(kept, path)
    return kept


def _cut(item: Any, path: str) -> None:  # noqa: ANN401 - any JSON value
    parts = [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]
    for part in parts[:-1]:
        item = item[int(part)] if isinstance(item, list) else (item or {}).get(part)
        if item is None:
            return
    if isinstance(item, dict):
        item.pop(parts[-1], None)
