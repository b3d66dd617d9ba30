"""When: what others do while the tool works. What they do takes no time and no request of the tool's."""

from collections.abc import Callable

from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.journal import Stage
from progressive_ci.release.workload import HASH_LABEL
from progressive_ci.sandbox.call import Call
from progressive_ci.sandbox.json_patch import clone
from tests.scenario.scene import NAME, NAMESPACE, Scene


def later(scene: Scene, seconds: float, act: Callable[[], object]) -> None:
    """Something happens so long from now."""
    scene.sandbox.clock.at(scene.sandbox.clock.now() + seconds, lambda: _done(act))


def once(scene: Scene, fits: Callable[[int, Call], bool], act: Callable[[], object]) -> list[int]:
    """Something happens once, before the first request from now on that fits; tells before which, when it has."""
    acted: list[int] = []

    def look(sent: int, call: Call) -> None:
        if not acted and fits(sent, call):
            acted.append(sent)
            act()

    scene.sandbox.faults.before_each(look)
    return acted


def before(scene: Scene, number: int, act: Callable[[], object]) -> list[int]:
    """Something happens once, before the request with this number; see `once`."""
    return once(scene, lambda sent, _: sent >= number, act)


def asked(scene: Scene, fragment: str, act: Callable[[], None]) -> None:
    """Something happens once, before the next request to such a path."""
    once(scene, lambda _, call: fragment in call.path, act)


def _done(act: Callable[[], object]) -> None:
    act()


def promoting(scene: Scene, number: int, act: Callable[[], object]) -> Callable[[], bool]:
    """Something happens before the promotion's request with this number, counted from 0; tells whether it has."""
    seen = 0

    def look(_: int, call: Call) -> None:
        nonlocal seen
        record = scene.oracle.record
        if record is None or record.stage not in (Stage.PROMOTING, Stage.COMMITTED) or "/leases" in call.path:
            return
        if seen == number:
            act()
        seen += 1

    scene.sandbox.faults.before_each(look)
    return lambda: seen > number


def deployment(scene: Scene) -> JsonObject:
    """NAME, to be changed."""
    found = scene.sandbox.get(kinds.DEPLOYMENT, NAMESPACE, NAME)
    assert found is not None
    changed: JsonObject = clone(found)
    changed.pop("status", None)
    return changed


def scaled(scene: Scene, replicas: int) -> None:
    """An autoscaler writes the size of NAME."""
    scene.oracle.meddled = True
    wanted = deployment(scene)
    wanted["spec"]["replicas"] = replicas
    scene.sandbox.apply(wanted)


def image_set(scene: Scene, image: str) -> None:
    """`kubectl set image deployment/web web=...`."""
    scene.oracle.superseded = True
    wanted = deployment(scene)
    wanted["spec"]["template"]["spec"]["containers"][0]["image"] = image
    scene.sandbox.apply(wanted)


def unpinned(scene: Scene, name: str) -> None:
    """Somebody applies a Service as it is written in a repository."""
    found = scene.sandbox.get(kinds.SERVICE, NAMESPACE, name)
    assert found is not None
    if HASH_LABEL in found["spec"]["selector"]:
        wanted = clone(found)
        del wanted["spec"]["selector"][HASH_LABEL]
        scene.sandbox.apply(wanted)
