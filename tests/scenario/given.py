"""Given: a cluster in which something serves already."""

from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.sandbox.cluster import Sandbox
from progressive_ci.sandbox.json_patch import clone
from tests.scenario.oracle import Oracle
from tests.scenario.scene import NAMESPACE, Scene

WATCHED = (
    kinds.DEPLOYMENT,
    kinds.SERVICE,
    kinds.INGRESS,
    kinds.VIRTUAL_SERVICE,
    kinds.HTTP_ROUTE,
    kinds.HPA,
    kinds.CONFIG_MAP,
)


def app(*, router: str = "gateway", replicas: int = 4, image: str = "web:1.0.0") -> Scene:
    """An application that serves behind a router, users, and Prometheus."""
    row = "none" if router in ("ratio", "") else router
    sandbox = Sandbox.with_app(router=row, replicas=replicas, image=image)
    return scene(sandbox, router)


def nothing(*, router: str = "gateway") -> Scene:
    """A cluster in which nobody has deployed the application yet; its Services and route stand."""
    made = app(router=router)
    sandbox = made.sandbox
    deployment = sandbox.get(kinds.DEPLOYMENT, NAMESPACE, "web")
    assert deployment is not None
    sandbox.traffic.users("users", sandbox.traffic._users["users"].entry, 0)  # noqa: SLF001
    return made


def scene(sandbox: Sandbox, router: str) -> Scene:
    """A scene in a cluster as it is now, watched by the oracle."""
    return Scene(sandbox, router, Oracle(sandbox), snapshot(sandbox))


def snapshot(sandbox: Sandbox) -> dict[str, JsonObject]:
    """Every object that a release must give back as it found it."""
    return {
        f"{kind.name} {item['metadata']['name']}": clone(item)
        for kind in WATCHED
        for item in sandbox.all(kind, NAMESPACE)
    }
