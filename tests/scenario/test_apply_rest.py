"""`--apply-rest`: the other documents of an input come before the canary, and stay."""

import pytest

from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Result
from progressive_ci.sandbox.resources import SERVICE_MONITOR
from tests.scenario import given, then
from tests.scenario.documents import rollout
from tests.scenario.scene import NAMESPACE, Run, Scene

REST = Options(apply_rest=True)
DOCUMENTS = """---
apiVersion: v1
kind: ConfigMap
metadata: {name: fresh}
data: {a: b}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: changed, namespace: shop}
data: {a: new}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: equal}
data: {a: b}
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: web}
spec: {selector: {matchLabels: {app: web}}, endpoints: [{port: http}]}
"""


def standing() -> Scene:
    """An application beside which two of the documents have been applied before, by an earlier pipeline."""
    scene = given.app()
    for name, data in (("changed", {"a": "old", "theirs": "kept"}), ("equal", {"a": "b"})):
        metadata = {"name": name, "namespace": NAMESPACE}
        scene.sandbox.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})
    return scene


def config(scene: Scene, name: str) -> JsonObject:
    found = scene.sandbox.get(kinds.CONFIG_MAP, NAMESPACE, name)
    assert found is not None
    return found


def positions(run: Run, fragment: str, *methods: str) -> list[int]:
    """Which of its requests were writes to such a path."""
    return [
        number
        for number, done in enumerate(run.requests)
        if done.writes and fragment in done.call.path and done.call.method in methods
    ]


def all_applied(scene: Scene) -> None:
    assert config(scene, "fresh")["data"] == {"a": "b"}
    assert config(scene, "changed")["data"] == {"a": "new", "theirs": "kept"}
    assert scene.sandbox.get(SERVICE_MONITOR, NAMESPACE, "web") is not None


def test_the_rest_is_created_changed_or_left_alone_before_the_canary() -> None:
    scene = standing()
    before = config(scene, "equal")["metadata"]["resourceVersion"]
    run = scene.released(rollout("gateway") + DOCUMENTS, REST)
    then.ended(run, Result.PROMOTED)
    all_applied(scene)
    assert config(scene, "equal")["metadata"]["resourceVersion"] == before
    paths = ("configmaps/fresh", "configmaps/changed", "configmaps/equal", "servicemonitors/web")
    applied = [positions(run, path, "PATCH") for path in paths]
    assert [len(each) for each in applied] == [1, 1, 1, 1], "once each"
    in_turn = [number for [number] in applied]
    assert in_turn == sorted(in_turn), "in the order of the input"
    assert in_turn[-1] < min(positions(run, "/replicasets", "POST"))
    then.serves(scene, "2.0.0")
    then.rules_held(scene)


@pytest.mark.parametrize("image", ["web:2.0.0-crash", "web:missing"])
def test_a_rollback_leaves_the_rest_applied(image: str) -> None:
    scene = standing()
    run = scene.released(rollout("gateway", image=image) + DOCUMENTS, REST)
    then.ended(run, Result.UNREADY)
    then.serves(scene, "1.0.0")
    all_applied(scene)
    then.nobody_was_turned_away(scene)
    then.rules_held(scene)


def test_a_namespace_that_does_not_exist_is_named_and_the_version_goes_back() -> None:
    scene = given.app()
    strayed = DOCUMENTS.replace("{name: fresh}", "{name: fresh, namespace: nowhere}")
    run = scene.released(
        rollout("gateway") + strayed, Options(apply_rest=True, allowed_namespaces=("nowhere",))
    )
    then.ended(run, Result.UNAVAILABLE)
    assert run.outcome is not None
    assert run.outcome.reason == (
        "--apply-rest can't write ConfigMap nowhere/fresh: there is no namespace nowhere"
    )
    assert run.outcome.advice == "create it before this step: kubectl create namespace nowhere"
    assert str(run.outcome.source).startswith("spec.yaml:")
    then.serves(scene, "1.0.0")
    then.nothing_left(scene)
    then.rules_held(scene)


def test_a_namespace_itself_is_refused_with_what_to_do() -> None:
    scene = given.app()
    namespace = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: nowhere}\n"
    run = scene.released(rollout("gateway") + namespace, REST)
    then.ended(run, Result.INVALID)
    assert run.outcome is not None
    assert run.outcome.reason.endswith(
        "create it before this step (kubectl create namespace nowhere), and leave it out of this input"
    )
    then.nothing_was_written(run, but=())


def test_without_the_option_the_rest_is_not_touched() -> None:
    scene = standing()
    run = scene.released(rollout("gateway") + DOCUMENTS)
    then.ended(run, Result.PROMOTED)
    assert scene.sandbox.get(kinds.CONFIG_MAP, NAMESPACE, "fresh") is None
    assert config(scene, "changed")["data"]["a"] == "old"
    assert not positions(run, "configmaps/changed", "PATCH", "PUT")
