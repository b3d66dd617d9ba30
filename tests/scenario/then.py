"""Then: what a scenario claims."""

import re

from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.event import Sampled, Warned
from progressive_ci.model.fence import RELEASE
from progressive_ci.model.journal import State
from progressive_ci.model.outcome import Result
from progressive_ci.release.ownership import MANAGER
from progressive_ci.release.workload import HASH_LABEL, labels_of, replicas_of
from progressive_ci.routers import table
from progressive_ci.sandbox import managed
from progressive_ci.sandbox.faults import Exchange
from tests.scenario.given import WATCHED, snapshot
from tests.scenario.rules.writes import has_mark
from tests.scenario.scene import NAME, NAMESPACE, Run, Scene

ROUTERS = tuple(table.ROUTERS)
ROUTES = ("/httproutes/", "/virtualservices/", "/ingresses/")
OWN = ("/leases", "/configmaps")
AT_ONCE = 1.0
"""Most seconds between a signal and the request that answers it."""
_SERVERS = ("resourceVersion", "managedFields", "generation", "uid", "creationTimestamp")


def ended(run: Run, result: Result) -> None:
    """The run ended so."""
    assert run.outcome is not None, "it was killed"
    assert run.outcome.result is result, f"{run.outcome.result}: {run.outcome.reason}"


def rules_held(scene: Scene) -> None:
    """Nothing that the tool did broke a rule."""
    assert not scene.oracle.broken, "\n".join(scene.oracle.broken[:10])


def nobody_was_turned_away(scene: Scene) -> None:
    """No request found a closed door."""
    assert scene.sandbox.traffic.failures < 1e-6, f"{scene.sandbox.traffic.failures:.2f} requests failed"


def serves(scene: Scene, version: str) -> None:
    """All users get this version, from a Deployment at rest."""
    scene.sandbox.clock.run(1)
    share = scene.sandbox.traffic.share(version)
    assert share > 0.999, f"{share:.0%} get {version}"
    live = deployment(scene)
    assert live["status"].get("availableReplicas") == replicas_of(live)
    assert live["spec"]["template"]["spec"]["containers"][0]["image"] == f"web:{version}"
    active = [item for item in scene.sandbox.all(kinds.REPLICA_SET, NAMESPACE) if replicas_of(item)]
    assert len(active) == 1, [item["metadata"]["name"] for item in active]


def runs(scene: Scene, version: str) -> None:
    """NAME is at rest with this version alone, whatever leads to it."""
    live = deployment(scene)
    assert live["spec"]["template"]["spec"]["containers"][0]["image"] == f"web:{version}"
    assert live["status"].get("availableReplicas") == replicas_of(live)
    assert not live["spec"].get("paused")
    images = {pod["spec"]["containers"][0]["image"] for pod in scene.sandbox.all(kinds.POD, NAMESPACE)}
    assert images == {f"web:{version}"}


def deployment(scene: Scene) -> JsonObject:
    """NAME as it stands."""
    found = scene.sandbox.get(kinds.DEPLOYMENT, NAMESPACE, NAME)
    assert found is not None
    return found


def image_of(scene: Scene) -> str:
    """What NAME is to run."""
    return str(deployment(scene)["spec"]["template"]["spec"]["containers"][0]["image"])


def nothing_left(scene: Scene, *, but: tuple[str, ...] = ()) -> None:
    """No mark, pin or object of ours is left but the journal and a lease that nobody holds."""
    sandbox = scene.sandbox
    for kind in (*WATCHED, kinds.REPLICA_SET):
        for item in sandbox.all(kind, NAMESPACE):
            name = f"{kind.name} {item['metadata']['name']}"
            if item["metadata"]["name"] == "progressive-ci.web" or name in but:
                continue
            assert not has_mark(item), name
            ours = [entry["fieldsV1"] for entry in managed.of(item) if entry["manager"] == MANAGER]
            assert ours in ([], [{"f:spec": {}}], [{"f:data": {}}]), f"{name} has our name on its fields"
            assert RELEASE not in labels_of(item), name
            assert kind != kinds.SERVICE or HASH_LABEL not in (item["spec"].get("selector") or {}), name
    assert not sandbox.all(kinds.JOB, NAMESPACE), "a guard's Job is left"
    lease = sandbox.get(kinds.LEASE, NAMESPACE, "progressive-ci.web")
    held = lease is not None and bool(lease["spec"].get("holderIdentity"))
    assert not held or "the lease's holder" in but, "the lease has a holder"
    record = scene.oracle.record
    assert record is None or record.state is State.ENDED, "the journal is open"


def promoted_as_if_nothing_had_happened(scene: Scene, run: Run, version: str = "2.0.0") -> None:
    """The new version serves, nobody met an error, and nothing of ours is left."""
    ended(run, Result.PROMOTED)
    serves(scene, version)
    nothing_left(scene)
    everything_but_the_version_is_as_before(scene)
    nobody_was_turned_away(scene)
    rules_held(scene)


def back_as_if_nothing_had_happened(scene: Scene, run: Run, result: Result, version: str) -> None:
    """The release ended so: the old version serves, nobody met an error, and nothing of ours is left."""
    ended(run, result)
    serves(scene, version)
    nothing_left(scene)
    all_is_as_before(scene)
    nobody_was_turned_away(scene)
    rules_held(scene)


def all_is_as_before(scene: Scene, *, but: tuple[str, ...] = (), sets: int = 1) -> None:
    """Every object has its fields back, and there is none more; so many ReplicaSets have pods."""
    now = snapshot(scene.sandbox)
    now.pop("ConfigMap progressive-ci.web", None)
    assert sorted(now) == sorted(scene.before)
    for name, item in now.items():
        if name not in but:
            assert fields(item) == fields(scene.before[name]), name
    left = [
        item["metadata"]["name"]
        for item in scene.sandbox.all(kinds.REPLICA_SET, NAMESPACE)
        if replicas_of(item)
    ]
    assert len(left) == sets


def everything_but_the_version_is_as_before(scene: Scene) -> None:
    """A promotion changes the template of NAME and nothing else."""
    scene.before["Deployment web"]["spec"]["template"]["spec"]["containers"][0]["image"] = image_of(scene)
    all_is_as_before(scene)


def fields(item: JsonObject) -> JsonObject:
    """What a release must give back of an object."""
    metadata = {
        key: (
            {name: text for name, text in value.items() if not name.startswith("deployment.kubernetes.io/")}
            if key == "annotations"
            else value
        )
        for key, value in item["metadata"].items()
        if key not in _SERVERS
    }
    return {**{key: value for key, value in item.items() if key != "status"}, "metadata": metadata}


def the_safe_write_came_first(run: Run) -> None:
    """After the deciding sample nothing was sent before the canary was out of the route."""
    deciding = run.stopped
    assert deciding is not None
    sample = max(
        (told for told in run.told if isinstance(told.event, Sampled) and told.time <= deciding.time),
        key=lambda told: told.sent,
    )
    first = next(done for done in run.scene.sandbox.log[sample.sent :] if not is_lease(done))
    assert is_safe_write(first), f"{first.call.method} {first.call.path}"
    assert first.time - sample.time < 0.001


def a_signal_is_answered_by_the_safe_write(scene: Scene, at_request: Exchange) -> None:
    """Where the canary had weight or was just being given it, the next request, at once, takes it out of the route."""
    later = (done for done in scene.sandbox.log if done.number > at_request.number)
    after = [done for done in later if not is_lease(done)]
    if not after:
        return
    before, now = scene.oracle.weights[at_request.number - 1 : at_request.number + 1]
    if now > before or (before and not is_safe_write(at_request)):
        assert is_safe_write(after[0]), (
            f"{at_request.call.path}, then {after[0].call.method} {after[0].call.path}"
        )
        # The request that the signal meets ends with it: nothing that was on its way is waited for.
        assert after[0].time - at_request.time < AT_ONCE, f"{after[0].time - at_request.time:.1f} s later"


def is_lease(done: Exchange) -> bool:
    """Whether it is a renewal."""
    return "/leases" in done.call.path


def is_safe_write(done: Exchange) -> bool:
    """A write to a route object."""
    return done.call.method in ("PATCH", "DELETE") and any(part in done.call.path for part in ROUTES)


def nothing_was_written(run: Run, *, but: tuple[str, ...] = OWN) -> None:
    """Reads and dry-runs alone."""
    wrote = [f"{done.call.method} {done.call.path}" for done in run.requests if done.writes]
    assert not [each for each in wrote if not any(part in each for part in but)], wrote


def refused(run: Run, *reasons: str) -> None:
    """Preflight said no, in these words, and nothing was written."""
    ended(run, Result.REFUSED)
    assert run.outcome is not None
    assert run.outcome.reason == "\n".join(reasons)
    nothing_was_written(run)


def named_pod(text: str) -> str:
    """The pod that a sentence names."""
    found = re.search(r"\bweb-\w+-\w{5}\b", text)
    assert found is not None, text
    return found[0]


def warnings(run: Run) -> list[str]:
    """What the user was warned of."""
    return [told.event.text for told in run.told if isinstance(told.event, Warned)]


def active_set(scene: Scene) -> str:
    """Name of the one ReplicaSet with pods."""
    [found] = [item for item in scene.sandbox.all(kinds.REPLICA_SET, NAMESPACE) if replicas_of(item)]
    return str(found["metadata"]["name"])


def hash_of_active(scene: Scene) -> str:
    """Hash of the version that serves."""
    [found] = [item for item in scene.sandbox.all(kinds.REPLICA_SET, NAMESPACE) if replicas_of(item)]
    return labels_of(found)[HASH_LABEL]
