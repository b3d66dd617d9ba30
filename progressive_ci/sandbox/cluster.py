"""A whole simulated cluster: API server, controllers, nodes, traffic and metrics on one clock."""

from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import Kind, Ref
from progressive_ci.sandbox import app
from progressive_ci.sandbox.access import ADMIN, role_documents
from progressive_ci.sandbox.api import Api
from progressive_ci.sandbox.call import Answer, Call
from progressive_ci.sandbox.clock import VirtualClock
from progressive_ci.sandbox.controllers.deployment import Deployments
from progressive_ci.sandbox.controllers.endpoint_slices import EndpointSlices
from progressive_ci.sandbox.controllers.garbage import Garbage
from progressive_ci.sandbox.controllers.gateway import Gateways
from progressive_ci.sandbox.controllers.pods import Pods
from progressive_ci.sandbox.controllers.replica_set import ReplicaSets
from progressive_ci.sandbox.faults import Exchange, Faults
from progressive_ci.sandbox.prometheus import Prometheus
from progressive_ci.sandbox.resources import NODE, of_document
from progressive_ci.sandbox.series import Database
from progressive_ci.sandbox.store import Store
from progressive_ci.sandbox.traffic import Traffic
from progressive_ci.sandbox.transport import SandboxTransport

USERS, INSIDE = 200.0, 20.0
"""Requests per second from outside, through the route, and from inside, to the plain Service."""

ROOM = 110
"""Pods that a node takes."""


class Sandbox:
    """What tests, `simulate` and the demo hold in their hands.

    Attributes:
        clock: moves everything.
        store: the objects, for a look without a request.
        api: the API server.
        faults: what goes wrong, and the log of all requests.
        pods: the kubelets.
        traffic: the users, and the count of what they saw.
        prometheus: what measures it.
    """

    def __init__(self, clock: VirtualClock | None = None, *, nodes: int = 3) -> None:
        self.clock = clock or VirtualClock()
        self.store = Store(self.clock)
        self.api = Api(self.store)
        self.faults = Faults(self.clock)
        self.deployments = Deployments(self.store)
        self.replica_sets = ReplicaSets(self.store)
        self.pods = Pods(self.store)
        self.endpoint_slices = EndpointSlices(self.store)
        self.gateways = Gateways(self.store)
        self.garbage = Garbage(self.store)
        self.traffic = Traffic(self.store)
        self.database = Database(self.store, self.traffic)
        self.prometheus = Prometheus(self.database, self.clock)
        for name in ("default", "kube-system"):
            self.namespace(name)
        for number in range(1, nodes + 1):
            self.node(f"node-{number}")

    @classmethod
    def with_app(
        cls,
        clock: VirtualClock | None = None,
        *,
        name: str = "web",
        namespace: str = "shop",
        replicas: int = 4,
        router: str = "gateway",
        image: str = "web:1.0.0",
    ) -> "Sandbox":
        """A cluster in which one application serves already, behind a router of the table or `none`.

        Services NAME-stable, NAME-canary and NAME (for callers inside the cluster), the route NAME, users who
        come through the route and through NAME, and a Service monitoring/prometheus.
        """
        sandbox = cls(clock)
        sandbox.serve_prometheus()
        sandbox.apply(*app.documents(name, namespace, replicas=replicas, router=router, image=image))
        sandbox.clock.run(app.STARTED)
        entry, inside = app.entry(router, namespace, name), Ref(kinds.SERVICE, namespace, name)
        sandbox.traffic.users("users", entry, USERS)
        sandbox.traffic.users("inside", inside, INSIDE)
        return sandbox

    def serve_prometheus(self, namespace: str = "monitoring", name: str = "prometheus") -> None:
        """Put a Service in front of Prometheus, for requests through the API server's proxy."""
        ports = [{"name": "web", "port": 9090}]
        metadata = {"name": name, "namespace": namespace}
        self.apply({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": ports}})
        self.api.backends[namespace, name] = self.prometheus

    @property
    def log(self) -> list[Exchange]:
        """Every request that came through a transport."""
        return self.faults.log

    def transport(self, user: str = ADMIN) -> SandboxTransport:
        """A connection with this user's credential; an empty name is a credential nobody knows."""
        return SandboxTransport(self.api, self.clock, self.faults, user)

    def user(self, name: str, rules: list[JsonObject], namespace: str = "") -> SandboxTransport:
        """A connection of a user who has these rules of a Role, in one namespace or in all of them."""
        for kind, document in role_documents(name, namespace, rules):
            self.store.insert(kind, document)
        return self.transport(name)

    def namespace(self, name: str) -> None:
        """Make a namespace, unless it is there."""
        if self.store.get(kinds.NAMESPACE, "", name) is None:
            self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    def node(self, name: str, room: int = ROOM) -> None:
        """Make a node that takes so many pods."""
        self.store.insert(
            NODE,
            {
                "apiVersion": "v1",
                "kind": "Node",
                "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
                "spec": {},
                "status": {
                    "capacity": {"pods": str(room)},
                    "conditions": [{"type": "Ready", "status": "True"}],
                },
            },
        )

    def apply(self, *objects: JsonObject) -> None:
        """Create objects, or replace those that exist, without a request in the log and without taking time.

        Raises:
            ValueError: the API server refuses one.
        """
        for obj in objects:
            kind = of_document(obj["apiVersion"], obj["kind"]).kind
            namespace = obj["metadata"].get("namespace", "default") if kind.namespaced else ""
            if namespace:
                self.namespace(namespace)
            ref = Ref(kind, namespace, obj["metadata"]["name"])
            known = self.store.find(ref)
            method, path = ("PUT", ref.path) if known else ("POST", kinds.collection_path(kind, namespace))
            body = _over(known, obj) if known else obj
            answer = self.api.handle(Call(method, path, {}, body, "application/json", ADMIN, agent="kubectl"))
            if isinstance(answer, Answer) and answer.code >= 400:  # noqa: PLR2004 - HTTP
                raise ValueError(f"{ref}: {answer.body!r}")

    def get(self, kind: Kind, namespace: str, name: str) -> JsonObject | None:
        """The stored object, or None."""
        return self.store.get(kind, namespace, name)

    def all(self, kind: Kind, namespace: str = "") -> list[JsonObject]:
        """The stored objects of a kind."""
        return self.store.all(kind, namespace)


def _over(known: JsonObject, obj: JsonObject) -> JsonObject:
    """A document that replaces a stored object; annotations that only the cluster knows stay."""
    metadata = {**obj["metadata"], "resourceVersion": known["metadata"]["resourceVersion"]}
    annotations = {
        **(known["metadata"].get("annotations") or {}),
        **(obj["metadata"].get("annotations") or {}),
    }
    return {**obj, "metadata": {**metadata, "annotations": annotations}}
