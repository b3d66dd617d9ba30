"""What others do to the objects of a release: people, GitOps, autoscalers, nodes. It takes no request of the tool's."""

from collections.abc import Callable
from functools import partial

from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import Kind
from progressive_ci.release.workload import HASH_LABEL, labels_of
from progressive_ci.sandbox import deletion
from progressive_ci.sandbox.json_patch import clone
from tests.scenario.rules.writes import has_mark
from tests.scenario.scene import NAME, NAMESPACE, Scene

ROUTES = {"gateway": kinds.HTTP_ROUTE, "istio": kinds.VIRTUAL_SERVICE, "nginx": kinds.INGRESS}
STABLE, CANARY = "web-stable", "web-canary"
_NGINX_WEIGHT = "nginx.ingress.kubernetes.io/canary-weight"


def edit(scene: Scene, kind: Kind, name: str, change: Callable[[JsonObject], object]) -> None:
    """Somebody changes an object with kubectl, if it is there."""
    found = scene.sandbox.get(kind, NAMESPACE, name)
    if found is not None:
        wanted = clone(found)
        wanted.pop("status", None)
        change(wanted)
        scene.sandbox.apply(wanted)


def delete(scene: Scene, kind: Kind, name: str) -> None:
    """Somebody deletes an object, if it is there."""
    found = scene.sandbox.get(kind, NAMESPACE, name)
    if found is not None:
        scene.sandbox.store.drop(kind, found)


def set_weight(scene: Scene, percent: int) -> None:
    """Somebody writes the split."""
    match scene.router:
        case "gateway":
            edit(scene, kinds.HTTP_ROUTE, NAME, lambda item: _split(item["spec"]["rules"], percent))
        case "istio":
            edit(scene, kinds.VIRTUAL_SERVICE, NAME, lambda item: _split(item["spec"]["http"], percent))
        case "nginx":
            for item in scene.sandbox.all(kinds.INGRESS, NAMESPACE):
                if _NGINX_WEIGHT in (item["metadata"].get("annotations") or {}):
                    edit(scene, kinds.INGRESS, item["metadata"]["name"], partial(_weigh, percent))
        case _:
            pass


def _split(rules: list[JsonObject], percent: int) -> None:
    for target in rules[0].get("backendRefs") or rules[0]["route"]:
        name = target.get("name") or target["destination"]["host"]
        target["weight"] = percent if name == CANARY else 100 - percent


def unpin(scene: Scene) -> None:
    """GitOps writes every Service as it stands in the repository."""
    for name in (STABLE, CANARY, NAME):
        edit(scene, kinds.SERVICE, name, lambda item: item["spec"]["selector"].pop(HASH_LABEL, None))


def reapply(scene: Scene) -> None:
    """GitOps writes everything as it was before the release."""
    scene.oracle.superseded = True
    for item in scene.before.values():
        if item["kind"] != "ConfigMap":
            wanted = {key: value for key, value in clone(item).items() if key != "status"}
            for key in ("resourceVersion", "managedFields", "generation", "uid", "creationTimestamp"):
                wanted["metadata"].pop(key, None)
            scene.sandbox.apply(wanted)


def pause(scene: Scene) -> None:
    """`kubectl rollout pause`."""
    edit(scene, kinds.DEPLOYMENT, NAME, lambda item: item["spec"].update(paused=True))


def resume(scene: Scene) -> None:
    """`kubectl rollout resume`."""
    edit(scene, kinds.DEPLOYMENT, NAME, lambda item: item["spec"].pop("paused", None))


def restart(scene: Scene) -> None:
    """What `kubectl rollout restart` writes, where kubectl does not refuse it because NAME is paused."""
    scene.oracle.superseded = True
    mark = {"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"}
    edit(
        scene,
        kinds.DEPLOYMENT,
        NAME,
        lambda item: item["spec"]["template"]["metadata"].update(annotations=mark),
    )


def put(scene: Scene, version: str) -> None:
    """`kubectl set image deployment/web web=web:VERSION`."""
    scene.oracle.superseded = True
    edit(scene, kinds.DEPLOYMENT, NAME, lambda item: _containers(item)[0].update(image=f"web:{version}"))


def _containers(item: JsonObject) -> list[JsonObject]:
    found: list[JsonObject] = item["spec"]["template"]["spec"]["containers"]
    return found


def scale(scene: Scene, replicas: int) -> None:
    """`kubectl scale deployment/web`, or an autoscaler."""
    edit(scene, kinds.DEPLOYMENT, NAME, lambda item: item["spec"].update(replicas=replicas))


def set_of(scene: Scene, version: str) -> JsonObject | None:
    """The ReplicaSet of a version."""
    found = scene.sandbox.all(kinds.REPLICA_SET, NAMESPACE)
    return next((item for item in found if _image(item).startswith(f"web:{version}")), None)


def _image(item: JsonObject) -> str:
    return str(_containers(item)[0]["image"])


def scale_canary(scene: Scene, replicas: int, version: str = "2.0.0") -> None:
    """Somebody scales the new version's ReplicaSet."""
    if found := set_of(scene, version):
        edit(
            scene,
            kinds.REPLICA_SET,
            found["metadata"]["name"],
            lambda item: item["spec"].update(replicas=replicas),
        )


def delete_set(scene: Scene, version: str) -> None:
    """Somebody deletes the ReplicaSet of a version."""
    if found := set_of(scene, version):
        delete(scene, kinds.REPLICA_SET, found["metadata"]["name"])


def delete_route(scene: Scene) -> None:
    """Somebody deletes what splits the traffic."""
    if scene.router in ROUTES:
        delete(scene, ROUTES[scene.router], NAME)


def unmark(scene: Scene) -> None:
    """Somebody takes our annotations off every object."""
    for kind in (kinds.DEPLOYMENT, kinds.REPLICA_SET, kinds.SERVICE, *ROUTES.values()):
        for item in scene.sandbox.all(kind, NAMESPACE):
            if has_mark(item):
                plain = clone(item)
                annotations = plain["metadata"]["annotations"]
                for key in [key for key in annotations if key.startswith("progressive-ci/")]:
                    del annotations[key]
                scene.sandbox.store.write(kind, plain)


def lose_pods(scene: Scene, version: str, count: int) -> None:
    """A node goes, and pods with it."""
    pods = [item for item in scene.sandbox.all(kinds.POD, NAMESPACE) if _of(item, version)]
    for pod in pods[:count]:
        scene.sandbox.store.drop(kinds.POD, pod)


def drain_pods(scene: Scene, version: str, count: int) -> None:
    """A node is drained: its pods are evicted, and finish their requests."""
    for pod in [item for item in scene.sandbox.all(kinds.POD, NAMESPACE) if _of(item, version)][:count]:
        evicted = clone(pod)
        told = {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}
        evicted["status"].setdefault("conditions", []).append(told)
        deletion.begin(scene.sandbox.store, kinds.POD, scene.sandbox.store.write(kinds.POD, evicted), {})


def sicken(scene: Scene, version: str, count: int) -> None:
    """Pods lose their readiness, and nothing heals them."""
    for pod in [item for item in scene.sandbox.all(kinds.POD, NAMESPACE) if _of(item, version)][:count]:
        _ready(scene, pod, "False")


def heal(scene: Scene, version: str) -> None:
    """Every pod of a version is ready again."""
    for pod in scene.sandbox.all(kinds.POD, NAMESPACE):
        if _of(pod, version):
            _ready(scene, pod, "True")


def _of(pod: JsonObject, version: str) -> bool:
    return bool(labels_of(pod).get(HASH_LABEL)) and f"web:{version}" in str(
        pod["spec"]["containers"][0]["image"]
    )


def _ready(scene: Scene, pod: JsonObject, word: str) -> None:
    changed = clone(pod)
    for condition in changed["status"]["conditions"]:
        if condition["type"] in ("Ready", "ContainersReady"):
            condition["status"] = word
    scene.sandbox.store.write(kinds.POD, changed)


def _weigh(percent: int, ingress: JsonObject) -> None:
    ingress["metadata"]["annotations"][_NGINX_WEIGHT] = str(percent)
