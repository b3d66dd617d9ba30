"""Given: a cluster in which something serves already."""

from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.sandbox.app import documents
from progressive_ci.sandbox.behaviour import of_image, of_pod
from progressive_ci.sandbox.call import Call
from progressive_ci.sandbox.cluster import Sandbox
from progressive_ci.sandbox.json_patch import clone
from progressive_ci.sandbox.resources import NODE
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
    """A cluster with the application's Services and route, but nobody has deployed it yet."""
    sandbox = Sandbox()
    row = "none" if router in ("ratio", "") else router
    _, *rest = documents("web", NAMESPACE, replicas=1, router=row, image="")
    sandbox.apply(*rest)
    return scene(sandbox, router)


def no_more_room(scene: Scene) -> None:
    """No node takes another pod."""
    for node in scene.sandbox.all(NODE):
        full = clone(node)
        full["spec"]["unschedulable"] = True
        scene.sandbox.store.write(NODE, full)


def room(scene: Scene) -> None:
    """Every node takes pods."""
    for node in scene.sandbox.all(NODE):
        free = clone(node)
        free["spec"].pop("unschedulable", None)
        scene.sandbox.store.write(NODE, free)


def exceeded_quota(scene: Scene) -> None:
    """The namespace may have no more pods."""
    refused_pods(scene, "pods are forbidden: exceeded quota: pods")


def refused_pods(scene: Scene, message: str) -> None:
    """No pod is made any more: so a quota, a LimitRange or a webhook answers."""
    scene.sandbox.world.replica_sets.refusal = lambda _: message


def no_more_pods_of(scene: Scene, image: str) -> None:
    """No pod of this version can be made any more."""
    scene.sandbox.world.replica_sets.refusal = lambda pod: (
        "the image is gone" if pod["spec"]["containers"][0]["image"] == image else ""
    )


def turned(scene: Scene, version: str, tag: str) -> None:
    """From now on whatever pod of this version starts behaves as a tag with this end says."""
    theirs = of_image(f"web:{version}-{tag}")
    scene.sandbox.world.pods.behaves = lambda pod: theirs if _image(pod) == f"web:{version}" else of_pod(pod)


def not_led_to(scene: Scene, version: str) -> None:
    """No Service leads to a pod of this version, as ready as it may be."""
    scene.sandbox.world.endpoint_slices.omits = lambda pod: _image(pod) == f"web:{version}"


def _image(pod: JsonObject) -> str:
    return str(pod["spec"]["containers"][0]["image"])


def room_again(scene: Scene, *, seconds: float) -> None:
    """The namespace may have pods again, so long from now."""
    sets, clock = scene.sandbox.world.replica_sets, scene.sandbox.clock
    clock.at(clock.now() + seconds, lambda: setattr(sets, "refusal", lambda _: ""))


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


def autoscaler(scene: Scene, name: str, *, floor: int | None = 1, most: int = 20) -> None:
    """A HorizontalPodAutoscaler that writes the size of NAME; its document may leave the floor to the server."""
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    bounds = {"maxReplicas": most} if floor is None else {"minReplicas": floor, "maxReplicas": most}
    spec = {"scaleTargetRef": target, **bounds}
    metadata = {"name": name, "namespace": NAMESPACE}
    hpa = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": metadata,
        "spec": spec,
    }
    scene.sandbox.apply(hpa)
    scene.oracle.next_release()
    scene.before = snapshot(scene.sandbox)


def policy_on_deployments(scene: Scene) -> None:
    """A policy that has put an annotation into the pod template of every Deployment, but into no ReplicaSet."""
    mark = ("policy.example/checked", "yes")

    def marked(template: JsonObject) -> JsonObject:
        metadata = template.get("metadata") or {}
        annotations = {**(metadata.get("annotations") or {}), mark[0]: mark[1]}
        return {**template, "metadata": {**metadata, "annotations": annotations}}

    def change(_: int, call: Call) -> None:
        if "/deployments" not in call.path:
            return
        match call.method, call.body:
            case "POST", dict() as body:
                body["spec"] = {**body["spec"], "template": marked(body["spec"]["template"])}
            case "PATCH", list() as steps:
                for index, step in enumerate(steps):
                    if step["op"] != "test" and step["path"] == "/spec/template":
                        steps[index] = {**step, "value": marked(step["value"])}
            case _:
                pass

    live = scene.sandbox.get(kinds.DEPLOYMENT, NAMESPACE, "web")
    assert live is not None
    wanted = {**clone(live), "spec": {**clone(live["spec"]), "template": marked(live["spec"]["template"])}}
    scene.sandbox.apply(wanted)
    scene.sandbox.clock.run(30)
    scene.sandbox.faults.before_each(change)
    scene.oracle.next_release()
