"""A simulated cluster on any clock: API server, controllers, nodes, users and Prometheus."""

from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import Ref
from progressive_ci.sandbox import app
from progressive_ci.sandbox.access import ADMIN, role_documents
from progressive_ci.sandbox.api import Api
from progressive_ci.sandbox.call import Answer, Call
from progressive_ci.sandbox.clock import Timers
from progressive_ci.sandbox.controllers.deployment import Deployments
from progressive_ci.sandbox.controllers.endpoint_slices import EndpointSlices
from progressive_ci.sandbox.controllers.garbage import Garbage
from progressive_ci.sandbox.controllers.gateway import Gateways
from progressive_ci.sandbox.controllers.jobs import Jobs
from progressive_ci.sandbox.controllers.pods import Pods
from progressive_ci.sandbox.controllers.replica_set import ReplicaSets
from progressive_ci.sandbox.prometheus import Prometheus
from progressive_ci.sandbox.resources import NODE, of_document
from progressive_ci.sandbox.series import Database
from progressive_ci.sandbox.store import Store
from progressive_ci.sandbox.traffic import Traffic

USERS, INSIDE = 200.0, 20.0
"""Requests per second from outside, through the route, and from inside, to the plain Service."""

ROOM = 110
"""Pods that a node takes."""


class World:
    """Everything that stands on the other side of the seam.

    Attributes:
        store: the objects, for a look without a request.
        api: the API server.
        replica_sets: their controller, for what it may not create.
        jobs: their controller, for what does not start.
        pods: the kubelets.
        endpoint_slices: what leads Services to pods.
        gateways: what takes up changes of Gateway API routes.
        traffic: the users, and the count of what they saw.
        prometheus: what measures it.
    """

    def __init__(self, timers: Timers, *, nodes: int = 3) -> None:
        self.store = Store(timers)
        self.api = Api(self.store)
        Deployments(self.store)
        self.replica_sets = ReplicaSets(self.store)
        self.pods = Pods(self.store)
        self.endpoint_slices = EndpointSlices(self.store)
        self.gateways = Gateways(self.store)
        self.jobs = Jobs(self.store)
        Garbage(self.store)
        self.traffic = Traffic(self.store)
        self.database = Database(self.store, self.traffic)
        self.prometheus = Prometheus(self.database, timers)
        for name in ("default", "kube-system"):
            self.namespace(name)
        for number in range(1, nodes + 1):
            self.node(f"node-{number}")

    def serve_prometheus(self, namespace: str = "monitoring", name: str = "prometheus") -> None:
        """Put a Service in front of Prometheus, for requests through the API server's proxy."""
        ports = [{"name": "web", "port": 9090}]
        metadata = {"name": name, "namespace": namespace}
        self.apply({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": ports}})
        self.api.backends[namespace, name] = self.prometheus

    def send_users(self, router: str, namespace: str, name: str) -> None:
        """Let users come through the application's route, and callers through its plain Service."""
        self.traffic.users("users", app.entry(router, namespace, name), USERS)
        self.traffic.users("inside", Ref(kinds.SERVICE, namespace, name), INSIDE)

    def grant(self, user: str, rules: list[JsonObject], namespace: str = "") -> None:
        """Give a user these rules of a Role, in one namespace or in all of them."""
        for kind, document in role_documents(user, namespace, rules):
            self.store.insert(kind, document)

    def namespace(self, name: str) -> None:
        """Make a namespace, unless it is there."""
        if self.store.get(kinds.NAMESPACE, "", name) is None:
            self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    def node(self, name: str, room: int = ROOM) -> None:
        """Make a node that takes so many pods."""
        state = {"capacity": {"pods": str(room)}, "conditions": [{"type": "Ready", "status": "True"}]}
        metadata = {"name": name, "labels": {"kubernetes.io/hostname": name}}
        node = {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "spec": {}, "status": state}
        self.store.insert(NODE, node)

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


def _over(known: JsonObject, obj: JsonObject) -> JsonObject:
    """A document that replaces a stored object; annotations that only the cluster knows stay."""
    metadata = {**obj["metadata"], "resourceVersion": known["metadata"]["resourceVersion"]}
    stored = known["metadata"].get("annotations") or {}
    annotations = {**stored, **(metadata.get("annotations") or {})}
    return {**obj, "metadata": {**metadata, "annotations": annotations}}
