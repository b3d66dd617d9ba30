"""A Gateway API implementation as far as routes show it: each is accepted a moment after it changed."""

from math import inf

from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import GRPC_ROUTE, HTTP_ROUTE, SERVICE, TCP_ROUTE, TLS_ROUTE, Kind
from progressive_ci.sandbox.controllers.queue import Queue
from progressive_ci.sandbox.json_patch import clone
from progressive_ci.sandbox.store import Change, Store

REACTION = 0.04
CONTROLLER = "sandbox/gateway-controller"
ROUTES = (HTTP_ROUTE, GRPC_ROUTE, TCP_ROUTE, TLS_ROUTE)


class Gateways:
    """Reacts to routes and to Services.

    Attributes:
        lag: further seconds until it looks at a change; infinite where it never does.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.lag = 0.0
        self._queues = {kind: self._queue_of(kind) for kind in ROUTES}
        store.subscribe(self._route_changed, *ROUTES)
        store.subscribe(self._service_changed, SERVICE)

    def _queue_of(self, kind: Kind) -> Queue:
        return Queue(self._store.timers, lambda namespace, name: self._look(kind, namespace, name), REACTION)

    def _route_changed(self, change: Change) -> None:
        metadata = change.object["metadata"]
        key = (metadata["namespace"], metadata["name"])
        if not self.lag:
            self._queues[change.kind].add(*key)
        elif self.lag != inf:
            timers = self._store.timers
            timers.at(timers.now() + self.lag, lambda: self._queues[change.kind].add(*key))

    def _service_changed(self, change: Change) -> None:
        if change.type == "MODIFIED":
            return
        for kind in ROUTES:
            for route in self._store.all(kind, change.object["metadata"]["namespace"]):
                self._queues[kind].add(route["metadata"]["namespace"], route["metadata"]["name"])

    def _look(self, kind: Kind, namespace: str, name: str) -> None:
        route = self._store.get(kind, namespace, name)
        if route is None:
            return
        missing = self._missing(route)
        known = {
            condition["type"]: condition
            for parent in (route.get("status") or {}).get("parents") or ()
            for condition in parent["conditions"]
        }
        accepted = self._condition(route, known, ("Accepted", "True", "Accepted", ""))
        resolved = ("ResolvedRefs", "True", "ResolvedRefs", "")
        if missing:
            resolved = ("ResolvedRefs", "False", "BackendNotFound", f"service {missing} not found")
        conditions = [accepted, self._condition(route, known, resolved)]
        parents = [
            {"parentRef": parent, "controllerName": CONTROLLER, "conditions": conditions}
            for parent in route["spec"].get("parentRefs") or ()
        ]
        if (route.get("status") or {}).get("parents") != parents:
            self._store.write(kind, {**clone(route), "status": {"parents": clone(parents)}})

    def _missing(self, route: JsonObject) -> str:
        namespace = route["metadata"]["namespace"]
        for rule in route["spec"].get("rules") or ():
            for backend in rule.get("backendRefs") or ():
                if self._store.get(SERVICE, backend.get("namespace", namespace), backend["name"]) is None:
                    return str(backend["name"])
        return ""

    def _condition(self, route: JsonObject, known: JsonObject, told: tuple[str, str, str, str]) -> JsonObject:
        type_, word, reason, message = told
        before = known.get(type_, {})
        same = before.get("status") == word
        return {
            "type": type_,
            "status": word,
            "reason": reason,
            "message": message,
            "observedGeneration": route["metadata"]["generation"],
            "lastTransitionTime": before["lastTransitionTime"] if same else self._store.timestamp(),
        }
