"""Several workloads in one namespace, each behind a route of its own with users of its own."""

import json
from collections.abc import Callable, Iterable

from progressive_ci.model import kinds
from progressive_ci.model.codec import decode
from progressive_ci.model.document import JsonObject
from progressive_ci.model.journal import Record, State
from progressive_ci.model.kinds import Kind
from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Outcome
from progressive_ci.release import conductor, roundup
from progressive_ci.release.workload import HASH_LABEL, labels_of, replicas_of
from progressive_ci.sandbox import app, faults
from progressive_ci.sandbox.call import Call
from progressive_ci.sandbox.cluster import Sandbox
from progressive_ci.sandbox.json_patch import clone
from tests.scenario import given, then
from tests.scenario.documents import rollout
from tests.scenario.rules.writes import has_mark
from tests.scenario.scene import NAME, NAMESPACE, Life, Reach, Run, Scene, planned
from tests.scenario.struck import LEASE_SECONDS

_RATE = 100.0
_RENEWAL = 10.0


def street(*names: str) -> Scene:
    """These workloads serve version 1.0.0; the oracle watches the one called `NAME`."""
    sandbox = Sandbox()
    for name in names:
        sandbox.apply(*app.documents(name, NAMESPACE, replicas=4, router="gateway", image=f"{name}:1.0.0"))
    sandbox.clock.run(app.STARTED)
    for name in names:
        sandbox.traffic.users(name, app.entry("gateway", NAMESPACE, name), _RATE)
    scene = given.scene(sandbox, "gateway")
    scene.oracle.neighbours = tuple(name for name in names if name != NAME)
    return scene


# What happens to each.


def released(scene: Scene, name: str, *, image: str = "2.0.0", life: Life | None = None) -> Run:
    """`progressive-ci run` with another version of one of them."""
    plan = planned(rollout("gateway", image=f"{NAME}:{image}").replace(NAME, name))
    release = f"r{len(scene.runs) + 1}"
    return scene.act_on_several(
        lambda reach: conductor.run(plan, Options(), reach(name), release=release), life
    )


def orphan(scene: Scene, name: str) -> None:
    """A release of this workload dies while the new version has 50 %."""

    def at_step(_: int, call: Call) -> bool:
        found = record(scene, name)
        return found is not None and found.weight == 50 and call.method == "GET"

    dies(scene, name, at_step)


def dies(scene: Scene, name: str, when: Callable[[int, Call], bool]) -> None:
    """A release of this workload dies, and its lease runs out."""
    scene.sandbox.faults.plan(faults.kill_after(), when=when)
    assert released(scene, name).outcome is None
    scene.sandbox.clock.run(LEASE_SECONDS)


def spoil(scene: Scene, name: str) -> None:
    """Somebody makes the journal of this workload unreadable."""
    found = clone(_own(scene, kinds.CONFIG_MAP, name))
    found["data"]["journal.json"] = "{"
    scene.sandbox.store.write(kinds.CONFIG_MAP, found)


def overfill(scene: Scene, name: str) -> None:
    """Somebody makes the journal of this workload so long that no entry can be written any more."""
    found = clone(_own(scene, kinds.CONFIG_MAP, name))
    body = json.loads(found["data"]["journal.json"])
    body["passed"] = [{"is": "PassedStep", "step": 1, "at": "x" * 1000}] * 300
    found["data"]["journal.json"] = json.dumps(body)
    scene.sandbox.store.write(kinds.CONFIG_MAP, found)


def keep_alive(scene: Scene, name: str) -> Callable[[], None]:
    """The release's run renews its lease on and on, until the answer is called."""

    def renew() -> None:
        found = clone(_own(scene, kinds.LEASE, name))
        found["spec"]["renewTime"] = scene.sandbox.clock.wall().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        scene.sandbox.store.write(kinds.LEASE, found)

    renew()
    return scene.sandbox.clock.repeat(_RENEWAL, renew)


def recovered(scene: Scene) -> Run:
    """`progressive-ci recover` without a name."""

    def work(reach: Reach) -> Outcome:
        names = roundup.workloads(NAMESPACE, reach(""))
        return roundup.recover_all(NAMESPACE, names, Options(), reach)

    return scene.act_on_several(work)


# What is asked of each.


def record(scene: Scene, name: str) -> Record | None:
    """The journal of this workload."""
    found = scene.sandbox.get(kinds.CONFIG_MAP, NAMESPACE, f"progressive-ci.{name}")
    return None if found is None else decode(Record, json.loads(found["data"]["journal.json"]))


def serves(scene: Scene, name: str, version: str) -> None:
    """All users of this workload get the version, from a Deployment at rest with no other pods."""
    scene.sandbox.clock.run(1)
    assert scene.sandbox.traffic.share(version, users=name) > 0.999
    live = scene.sandbox.get(kinds.DEPLOYMENT, NAMESPACE, name)
    assert live is not None
    assert live["spec"]["template"]["spec"]["containers"][0]["image"] == f"{name}:{version}"
    assert live["status"].get("availableReplicas") == replicas_of(live)
    assert not live["spec"].get("paused")
    images = {
        pod["spec"]["containers"][0]["image"]
        for pod in scene.sandbox.all(kinds.POD, NAMESPACE)
        if labels_of(pod)["app"] == name
    }
    assert images == {f"{name}:{version}"}


def nothing_left(scene: Scene, name: str) -> None:
    """No mark or pin of ours is on this workload's objects, its journal is ended, and nobody holds its lease."""
    for kind, item in _objects(scene, name, (*given.WATCHED, kinds.REPLICA_SET)):
        assert not has_mark(item), f"{kind.name} {item['metadata']['name']}"
        assert kind != kinds.SERVICE or HASH_LABEL not in item["spec"]["selector"]
    found = record(scene, name)
    assert found is None or found.state is State.ENDED
    assert not _own(scene, kinds.LEASE, name)["spec"].get("holderIdentity")


def is_as_before(scene: Scene, name: str) -> None:
    """Every object of this workload has its fields back, and there is none more."""
    now = {f"{kind.name} {item['metadata']['name']}": item for kind, item in _objects(scene, name)}
    before = {key: item for key, item in scene.before.items() if _belongs(item, name)}
    assert sorted(now) == sorted(before)
    for key, item in now.items():
        assert then.fields(item) == then.fields(before[key]), key


def standing(scene: Scene, name: str) -> dict[str, JsonObject]:
    """Everything of this workload as it stands, journal included, to be compared later."""
    every = (*given.WATCHED, kinds.REPLICA_SET, kinds.POD)
    own = {
        f"{kind.name} {item['metadata']['name']}": clone(item) for kind, item in _objects(scene, name, every)
    }
    return {**own, "journal": clone(_own(scene, kinds.CONFIG_MAP, name))}


def _objects(scene: Scene, name: str, of: Iterable[Kind] = given.WATCHED) -> list[tuple[Kind, JsonObject]]:
    return [
        (kind, item) for kind in of for item in scene.sandbox.all(kind, NAMESPACE) if _belongs(item, name)
    ]


def _belongs(item: JsonObject, name: str) -> bool:
    own = str(item["metadata"]["name"])
    return own == name or own.startswith(f"{name}-")


def _own(scene: Scene, kind: Kind, name: str) -> JsonObject:
    found = scene.sandbox.get(kind, NAMESPACE, f"progressive-ci.{name}")
    assert found is not None
    return found
