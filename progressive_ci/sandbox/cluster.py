"""A whole simulated cluster in process, on virtual time."""

from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import Kind
from progressive_ci.sandbox import app
from progressive_ci.sandbox.access import ADMIN
from progressive_ci.sandbox.clock import VirtualClock
from progressive_ci.sandbox.faults import Exchange, Faults
from progressive_ci.sandbox.metrics import SandboxMetrics
from progressive_ci.sandbox.transport import SandboxTransport
from progressive_ci.sandbox.world import World


class Sandbox:
    """What tests and `simulate` hold in their hands.

    Attributes:
        clock: moves everything.
        world: the cluster itself.
        store: its objects, for a look without a request.
        api: its API server.
        pods: its kubelets.
        traffic: its users, and the count of what they saw.
        prometheus: what measures them.
        metrics: `ports.Metrics` that asks it.
        faults: what goes wrong, and the log of all requests.
    """

    def __init__(self, clock: VirtualClock | None = None, *, nodes: int = 3) -> None:
        self.clock = clock or VirtualClock()
        self.world = World(self.clock, nodes=nodes)
        self.store = self.world.store
        self.api = self.world.api
        self.pods = self.world.pods
        self.traffic = self.world.traffic
        self.prometheus = self.world.prometheus
        self.metrics = SandboxMetrics(self.prometheus, self.clock)
        self.faults = Faults(self.clock)

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
        """A cluster in which one application serves already, behind `gateway`, `istio`, `nginx` or `none`.

        Services NAME-stable, NAME-canary and NAME (for callers inside the cluster), the route NAME, users who
        come through the route and through NAME, and a Service monitoring/prometheus.
        """
        sandbox = cls(clock)
        sandbox.world.serve_prometheus()
        sandbox.apply(*app.documents(name, namespace, replicas=replicas, router=router, image=image))
        sandbox.clock.run(app.STARTED)
        sandbox.world.send_users(router, namespace, name)
        return sandbox

    @property
    def log(self) -> list[Exchange]:
        """Every request that came through a transport."""
        return self.faults.log

    def transport(self, user: str = ADMIN) -> SandboxTransport:
        """A connection with this user's credential; an empty name is a credential nobody knows."""
        return SandboxTransport(self.api, self.clock, self.faults, user)

    def user(self, name: str, rules: list[JsonObject], namespace: str = "") -> SandboxTransport:
        """A connection of a user who has these rules of a Role, in one namespace or in all of them."""
        self.world.grant(name, rules, namespace)
        return self.transport(name)

    def apply(self, *objects: JsonObject) -> None:
        """Create objects, or replace those that exist, without a request in the log and without taking time.

        Raises:
            ValueError: the API server refuses one.
        """
        self.world.apply(*objects)

    def get(self, kind: Kind, namespace: str, name: str) -> JsonObject | None:
        """The stored object, or None."""
        return self.store.get(kind, namespace, name)

    def all(self, kind: Kind, namespace: str = "") -> list[JsonObject]:
        """The stored objects of a kind."""
        return self.store.all(kind, namespace)
