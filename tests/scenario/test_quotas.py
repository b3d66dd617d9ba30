"""A quota that leaves too little for the new pods is told before a release begins; nobody is refused for it."""

from dataclasses import dataclass, field
from textwrap import indent

import pytest

from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.outcome import Result
from progressive_ci.ports import Access
from progressive_ci.release.rights import rights, welcome
from progressive_ci.reports.role import rules
from tests.scenario import given, then
from tests.scenario.documents import deployment, rollout
from tests.scenario.rows import ROWS, STEPS
from tests.scenario.scene import NAMESPACE, Run, planned

ENDS = ": raise it for the release, or pods are missing and the release goes back"


def asking(text: str, resources: str, rest: str = "") -> str:
    """A document whose container asks for something."""
    port = "ports: [{name: http, containerPort: 8080}]"
    [line] = [line for line in text.splitlines() if port in line]
    wanted = f"{line}\n{indent(f'resources: {resources}', line[: line.index('ports')])}"
    return text.replace(line, wanted + (f"\n{indent(rest, line[: line.index('ports') - 4])}" if rest else ""))


def quota(hard: dict[str, str], used: dict[str, str], **spec: object) -> JsonObject:
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "team", "namespace": NAMESPACE},
        "spec": {"hard": hard, **spec},
        "status": {"hard": hard, "used": used},
    }


GATEWAY = rollout("gateway", steps=STEPS)
PLAN = planned(GATEWAY)
SMALL = "{requests: {cpu: 250m, memory: 64Mi}, limits: {cpu: 1, memory: 128Mi}}"


@dataclass(frozen=True, slots=True)
class Case:
    """What a quota has and what is used, what is released, and what is told."""

    hard: dict[str, str]
    used: dict[str, str]
    told: tuple[str, ...]
    text: str = GATEWAY
    row: str = "gateway"
    spec: dict[str, object] = field(default_factory=dict)


CASES = {
    "pods": Case(
        {"pods": "6"},
        {"pods": "4"},
        ("ResourceQuota team leaves 2 of 6 pods, and 4 new pods of this release need 4" + ENDS,),
    ),
    "pods by their count": Case(
        {"count/pods": "7"},
        {"count/pods": "4"},
        ("ResourceQuota team leaves 3 of 7 count/pods, and 4 new pods of this release need 4" + ENDS,),
    ),
    "just enough": Case(
        {"pods": "8", "requests.cpu": "2", "memory": "1Gi"},
        {"pods": "4", "requests.cpu": "1", "memory": "512Mi"},
        (),
        asking(GATEWAY, SMALL),
    ),
    "requests": Case(
        {"requests.cpu": "1500m", "memory": "500Mi"},
        {"requests.cpu": "1", "memory": "256Mi"},
        (
            "ResourceQuota team leaves 0.5 of 1.5 requests.cpu, and 4 new pods of this release need 1" + ENDS,
            "ResourceQuota team leaves 244Mi of 500Mi memory, and 4 new pods of this release need 256Mi"
            + ENDS,
        ),
        asking(GATEWAY, SMALL),
    ),
    "limits": Case(
        {"limits.cpu": "6", "limits.memory": "2Gi"},
        {"limits.cpu": "4", "limits.memory": "1Gi"},
        ("ResourceQuota team leaves 2 of 6 limits.cpu, and 4 new pods of this release need 4" + ENDS,),
        asking(GATEWAY, SMALL),
    ),
    "a limit is a request where there is none": Case(
        {"cpu": "4"},
        {"cpu": "2"},
        ("ResourceQuota team leaves 2 of 4 cpu, and 4 new pods of this release need 4" + ENDS,),
        asking(GATEWAY, "{limits: {cpu: 1}}"),
    ),
    "what starts first counts where it needs more": Case(
        {"requests.cpu": "10"},
        {"requests.cpu": "4"},
        ("ResourceQuota team leaves 6 of 10 requests.cpu, and 4 new pods of this release need 8" + ENDS,),
        asking(GATEWAY, SMALL, "initContainers: [{name: init, image: i, resources: {requests: {cpu: 2}}}]"),
    ),
    "more used than there is": Case(
        {"pods": "3"},
        {"pods": "4"},
        ("ResourceQuota team leaves 0 of 3 pods, and 4 new pods of this release need 4" + ENDS,),
    ),
    "what pods do not take": Case({"services": "1", "requests.cpu": "1"}, {"services": "1"}, ()),
    "no figures yet": Case({}, {}, ()),
    "other pods": Case({"pods": "4"}, {"pods": "4"}, (), spec={"scopes": ["Terminating"]}),
    "pods that ask for nothing": Case(
        {"pods": "4"},
        {"pods": "4"},
        ("ResourceQuota team leaves 0 of 4 pods, and 4 new pods of this release need 4" + ENDS,),
        spec={"scopes": ["BestEffort", "NotTerminating"]},
    ),
    "pods that ask for something": Case(
        {"pods": "4"}, {"pods": "4"}, (), asking(GATEWAY, SMALL), spec={"scopes": ["BestEffort"]}
    ),
    "pods of a priority": Case(
        {"pods": "4"},
        {"pods": "4"},
        (),
        spec={
            "scopeSelector": {
                "matchExpressions": [{"scopeName": "PriorityClass", "operator": "In", "values": ["high"]}]
            }
        },
    ),
    "a canary of its own": Case(
        {"pods": "7"},
        {"pods": "4"},
        ("ResourceQuota team leaves 3 of 7 pods, and 4 new pods of this release need 4" + ENDS,),
        row="roll",
    ),
    "the surge without a router": Case(
        {"pods": "4"},
        {"pods": "4"},
        ("ResourceQuota team leaves 0 of 4 pods, and the new pod of this release needs 1" + ENDS,),
        rollout("ratio", steps=STEPS),
        row="ratio",
    ),
    "old pods that may go first": Case({"pods": "4"}, {"pods": "4"}, (), deployment(), row="in place"),
    "a larger size": Case(
        {"pods": "6"},
        {"pods": "4"},
        ("ResourceQuota team leaves 2 of 6 pods, and 7 new pods of this release need 7" + ENDS,),
        rollout("gateway", steps=STEPS, replicas=7),
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_a_quota_does_not_leave_is_told_and_refuses_nothing(case: Case) -> None:
    scene = ROWS[case.row].open()
    scene.sandbox.store.insert(kinds.RESOURCE_QUOTA, quota(case.hard, case.used, **case.spec))
    run = scene.released(case.text)
    then.ended(run, Result.PROMOTED)
    assert told(run) == list(case.told)


def told(run: Run) -> list[str]:
    return [text for text in then.warnings(run) if "ResourceQuota" in text]


def test_a_first_release_is_told_too() -> None:
    scene = given.nothing()
    scene.sandbox.store.insert(kinds.RESOURCE_QUOTA, quota({"pods": "2"}, {}))
    run = scene.released(rollout("gateway", replicas=3))
    then.ended(run, Result.PROMOTED)
    assert told(run) == [
        "ResourceQuota team leaves 2 of 2 pods, and 3 new pods of this release need 3" + ENDS
    ]


@pytest.mark.parametrize("extra", [(), welcome(PLAN)], ids=["may not", "may list"])
def test_whoever_may_not_look_at_quotas_releases_without(extra: tuple[Access, ...]) -> None:
    scene = given.app()
    scene.sandbox.world.grant("ci", rules((*rights(PLAN), *extra)), NAMESPACE)
    scene.user = "ci"
    scene.sandbox.store.insert(kinds.RESOURCE_QUOTA, quota({"pods": "4"}, {"pods": "4"}))
    run = scene.released(GATEWAY)
    then.ended(run, Result.PROMOTED)
    assert bool(told(run)) is bool(extra)
