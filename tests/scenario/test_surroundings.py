"""What both versions would share, and what would hold for one of them alone, is told before a release begins."""

from dataclasses import dataclass

import pytest

from progressive_ci.model.document import JsonObject
from progressive_ci.model.outcome import Result
from tests.scenario import given, then
from tests.scenario.documents import deployment, rollout
from tests.scenario.rows import ROWS, STEPS
from tests.scenario.scene import NAMESPACE, Scene

TRACKED = "{app: web, track: canary}"
LABELLED = rollout("gateway", steps=STEPS).replace("labels: {app: web}", f"labels: {TRACKED}")
PICKY = {"matchExpressions": [{"key": "track", "operator": "DoesNotExist"}]}
NEW_ONLY = {"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "track", "operator": "Exists"}]}
OTHERS = {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}


def budget(name: str, selector: JsonObject) -> JsonObject:
    metadata = {"name": name, "namespace": NAMESPACE}
    spec = {"minAvailable": 1, "selector": selector}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": metadata, "spec": spec}


def policy(name: str, selector: JsonObject) -> JsonObject:
    metadata = {"name": name, "namespace": NAMESPACE}
    spec = {"podSelector": selector, "policyTypes": ["Ingress"]}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata,
        "spec": spec,
    }


@dataclass(frozen=True, slots=True)
class Case:
    """Which policies there are, what is released, and what is told of them."""

    policies: tuple[JsonObject, ...]
    text: str
    told: tuple[str, ...]
    row: str = "gateway"


ALL: JsonObject = {}
APP: JsonObject = {"matchLabels": {"app": "web"}}
CASES = {
    "both versions": Case((budget("both", APP), policy("all", ALL)), LABELLED, ()),
    "other pods": Case((budget("others", OTHERS), policy("others", OTHERS)), LABELLED, ()),
    "stable alone": Case(
        (budget("old", PICKY), policy("old", PICKY)),
        LABELLED,
        (
            "NetworkPolicy old selects only stable: !track",
            "PodDisruptionBudget old selects only stable: !track",
        ),
    ),
    "the new version alone": Case(
        (budget("new", NEW_ONLY), policy("new", {"matchLabels": {"track": "canary"}})),
        LABELLED,
        (
            "NetworkPolicy new selects only the new version: track=canary",
            "PodDisruptionBudget new selects only the new version: app=web,track",
        ),
    ),
    "not a canary of its own": Case(
        (budget("both", APP), policy("all", ALL), policy("web", APP)),
        rollout("gateway", steps=STEPS),
        (
            "NetworkPolicy web selects only stable: app=web",
            "PodDisruptionBudget both selects only stable: app=web",
        ),
        row="roll",
    ),
    "a release in place": Case(
        (budget("old", PICKY), policy("old", PICKY)),
        deployment().replace("labels: {app: web}", f"labels: {TRACKED}"),
        (),
        row="in place",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_policy_that_holds_for_one_version_alone_is_told_and_ends_nothing(case: Case) -> None:
    scene = ROWS[case.row].open()
    scene.sandbox.apply(*case.policies)
    run = scene.released(case.text)
    then.ended(run, Result.PROMOTED)
    told = [text for text in then.warnings(run) if "selects only" in text]
    assert told == list(case.told)


SHARED = rollout("gateway", steps=STEPS).replace(
    "containerPort: 8080}]",
    "containerPort: 8080, hostPort: 8080}]\n      volumes: [{name: data, persistentVolumeClaim: {claimName: web}}]",
)
IN_PLACE = deployment().replace("containerPort: 8080}]", "containerPort: 8080, hostPort: 8080}]")


def test_what_two_versions_can_not_share_is_told() -> None:
    scene = given.app()
    run = scene.released(SHARED)
    then.ended(run, Result.PROMOTED)
    assert then.warnings(run) == [
        "container web takes hostPort 8080: new pods need other nodes",
        "both versions mount PersistentVolumeClaim web: with ReadWriteOnce they need the same node",
    ]


def test_a_release_in_place_shares_nothing_for_long() -> None:
    scene: Scene = given.app(router="")
    run = scene.released(IN_PLACE)
    then.ended(run, Result.PROMOTED)
    assert then.warnings(run) == []
