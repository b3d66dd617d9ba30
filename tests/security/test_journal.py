"""Whoever may edit the journal gets nothing out of it but a release that is refused."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from progressive_ci.errors import ProgressiveError, Refused
from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.journal import Begun
from progressive_ci.model.outcome import Result
from progressive_ci.release.workload import without_hash
from progressive_ci.sandbox.json_patch import clone
from tests.scenario import given as given_scene
from tests.scenario import then
from tests.scenario.documents import rollout
from tests.scenario.scene import NAMESPACE, Scene
from tests.scenario.then import ROUTERS
from tests.security import bystanders, forgery
from tests.security.bystanders import ELSEWHERE, EVIL
from tests.security.forgery import MOMENTS, entry

STEPS = "- setWeight: 25\n- pause: {duration: 5s}\n- setWeight: 75\n"
POD = {
    "metadata": {"labels": {"app": "web"}},
    "spec": {"containers": [{"name": "web", "image": EVIL}]},
}
MINE = "mine-5d7b9c"

Attack = Callable[[JsonObject], None]


def with_entry(new: JsonObject) -> Attack:
    return lambda body: body["objects"].append(new)


def with_field(value: Any, *path: str) -> Attack:  # noqa: ANN401 - JSON
    def attack(body: JsonObject) -> None:
        for name in path[:-1]:
            body = body[name]
        body[path[-1]] = value

    return attack


def original(path: str, value: Any) -> Attack:  # noqa: ANN401 - JSON
    """Another value for a field of NAME."""

    def attack(body: JsonObject) -> None:
        [name] = [
            item
            for item in body["objects"]
            if item["ref"]["kind"] == "apps/v1/Deployment" and not item["created"]
        ]
        name["originals"] = [item for item in name["originals"] if item["path"] != path]
        name["originals"].append({"is": "Original", "path": path, "present": True, "value": value})

    return attack


def all_of(*attacks: Attack) -> Attack:
    def attack(body: JsonObject) -> None:
        for each in attacks:
            each(body)

    return attack


WANTED = {"is": "Wanted", "fields": [["/spec/template", POD]], "replicas": None}
ATTACKS: dict[str, Attack] = {
    "a copy of a template": all_of(
        with_field("gone", "stable", "name"), with_field(POD, "stable", "template"), with_field("x", "held")
    ),
    "another workload's ReplicaSet as stable": all_of(
        with_field(MINE, "stable", "name"), with_field("x", "held")
    ),
    "another workload's ReplicaSet as canary": with_field(MINE, "canary", "name"),
    "a template among the wishes": with_field(WANTED, "wanted"),
    "a template among the originals": original("/spec/template", POD),
    "an image among the originals": original("/spec/template/spec/containers/0/image", EVIL),
    "no pods": original("/spec/replicas", 0),
    "another strategy": original("/spec/strategy", {"type": "Recreate"}),
    "a foreign Service's selector": with_entry(entry("v1/Service", "other", __spec__selector__app="mine")),
    "a foreign Service's pin": with_field(["other"], "pinned"),
    "a foreign Deployment": with_entry(entry("apps/v1/Deployment", "other", __spec__paused=True)),
    "a foreign ReplicaSet to be deleted": with_entry(entry("apps/v1/ReplicaSet", MINE, created=True)),
    "a foreign Service to be deleted": with_entry(entry("v1/Service", "other", created=True)),
    "a Secret to be deleted": with_entry(entry("v1/Secret", "other", created=True)),
    "a Secret to be written": with_entry(entry("v1/Secret", "other", __data__a="eA==")),
    "another namespace's Service": with_entry(
        entry("v1/Service", "vault", namespace=ELSEWHERE, created=True)
    ),
    "a foreign autoscaler's floor": with_entry(
        entry("autoscaling/v2/HorizontalPodAutoscaler", "other", __spec__minReplicas=3)
    ),
    "a foreign route": with_entry(entry("gateway.networking.k8s.io/v1/HTTPRoute", "other", __spec__rules=[])),
    "a path instead of a name": with_entry(entry("v1/Service", "../../bank/services/vault", created=True)),
    "a query instead of a name": with_entry(entry("v1/Service", "other?dryRun=All", created=True)),
    "a far epoch": with_field(10**30, "epoch"),
}


def text(router: str = "gateway") -> str:
    return rollout(router, steps=STEPS)


def templates(scene: Scene) -> list[JsonObject]:
    """What the workload's own ReplicaSets hold."""
    return [without_hash(item["spec"]["template"]) for item in bystanders.own_sets(scene)]


def held(scene: Scene, others: dict[str, Any], known: list[JsonObject]) -> None:
    """Nobody else was touched, and NAME runs nothing that none of its ReplicaSets had."""
    scene.sandbox.clock.run(30)
    assert bystanders.standing(scene) == others
    live = then.deployment(scene)
    assert without_hash(live["spec"]["template"]) in known
    for item in bystanders.own_sets(scene):
        assert EVIL not in json.dumps(item)


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
@pytest.mark.parametrize("moment", [name for name in MOMENTS if name != "before its first write"])
def test_a_forged_journal_of_a_release_under_way_is_refused_and_the_true_one_still_works(
    moment: str, attack: Attack
) -> None:
    scene = given_scene.app()
    true = forgery.deserted(scene, text(), MOMENTS[moment])
    others, known = bystanders.standing(scene), templates(scene)
    forged = clone(true)
    attack(forged)
    forgery.edited(scene, forged)
    with pytest.raises(Refused) as refused:
        scene.rescued()
    assert "progressive-ci.web" in str(refused.value)
    then.nothing_was_written(scene.runs[-1], but=("/leases",))
    held(scene, others, known)
    forgery.edited(scene, true)
    done = scene.rescued()
    assert done.outcome is not None
    assert done.outcome.result in (Result.RECOVERED, Result.TOO_LATE)
    then.nothing_left(scene)
    held(scene, others, known)


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_a_journal_forged_where_no_release_is_under_way_changes_nothing(attack: Attack) -> None:
    scene = given_scene.app()
    true = forgery.deserted(scene, text(), MOMENTS["before its first write"])
    at_rest = {**bystanders.standing(scene), **own(scene)}
    forged = {**clone(true), "stage": "PROMOTING"}
    attack(forged)
    forgery.edited(scene, forged)
    tried(scene)
    scene.sandbox.clock.run(30)
    assert {**bystanders.standing(scene), **own(scene)} == at_rest


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
@pytest.mark.parametrize("moment", MOMENTS)
def test_what_somebody_sets_aside_in_a_journal_is_followed_by_nobody(moment: str, attack: Attack) -> None:
    scene = given_scene.app()
    true = forgery.deserted(scene, text(), MOMENTS[moment])
    others, known = bystanders.standing(scene), templates(scene)
    forged = clone(true)
    attack(forged)
    aside = {item.name: forged[item.name] for item in fields(Begun)}
    forgery.edited(scene, {**true, "begun": {"is": "Begun", **aside}})
    tried(scene)
    held(scene, others, known)


def tried(scene: Scene) -> None:
    """A rollback that ends in whatever outcome, or in an error of ours."""
    with suppress(ProgressiveError):
        scene.rescued()


def own(scene: Scene) -> dict[str, JsonObject]:
    """Specs of the workload's own objects."""
    every = (kinds.DEPLOYMENT, kinds.REPLICA_SET, kinds.SERVICE, kinds.HTTP_ROUTE)
    return {
        f"own {kind.name} {item['metadata']['name']}": clone(item["spec"])
        for kind in every
        for item in scene.sandbox.all(kind, NAMESPACE)
    }


@pytest.mark.parametrize("router", ROUTERS)
@pytest.mark.parametrize("moment", MOMENTS)
def test_an_honest_journal_is_followed_at_every_moment(router: str, moment: str) -> None:
    scene = given_scene.app(router=router)
    forgery.deserted(scene, text(router), MOMENTS[moment])
    others, known = bystanders.standing(scene), templates(scene)
    done = scene.rescued()
    assert done.outcome is not None
    assert done.outcome.result in (Result.RECOVERED, Result.TOO_LATE), done.outcome
    then.nothing_left(scene)
    held(scene, others, known)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:  # noqa: ANN401 - JSON
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(each for key, item in items for each in places(item, (*path, key)))]


VALUES = st.sampled_from(
    [
        *(
            "other",
            "mine",
            MINE,
            "web",
            "web-stable",
            "../x",
            "",
            "progressive-ci.web",
            "bank",
            "vault",
            "ENDED",
        ),
        *("v1/Secret", "v1/Service", "apps/v1/Deployment", "apps/v1/ReplicaSet", "ROLL", "IN_PLACE", "ADOPT"),
        *(
            "PREPARING",
            "STEPPING",
            "PROMOTING",
            "COMMITTED",
            "/spec/template",
            "/spec/replicas",
            "/spec/paused",
        ),
        *(None, True, False, 0, -1, 1, 10**30, 0.5, float("nan"), float("inf"), [], {}, [POD], POD),
    ]
)


def changed(body: JsonObject, path: tuple[Any, ...], value: Any) -> JsonObject:  # noqa: ANN401 - JSON
    copy: Any = clone(body)
    here = copy
    for key in path[:-1]:
        here = here[key]
    here[path[-1]] = value
    found: JsonObject = copy
    return found


@pytest.mark.parametrize("moment", MOMENTS)
@settings(
    max_examples=12,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_any_change_of_a_journal_touches_nobody_else_and_brings_no_foreign_template(
    moment: str, data: st.DataObject
) -> None:
    scene = given_scene.app(replicas=2)
    body = forgery.deserted(scene, text(), MOMENTS[moment])
    others, known = bystanders.standing(scene), templates(scene)
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from([each for each in places(body) if each]))
        body = changed(body, path, data.draw(VALUES))
    forgery.edited(scene, body)
    for _ in range(2):
        tried(scene)
        held(scene, others, known)


UNREADABLE = {
    "no JSON": "{",
    "deep brackets": "[" * 100_000,
    "deep braces": '{"a":' * 100_000,
    "a long number": '{"format": 1' + "0" * 5000 + "}",
    "a number": "1",
    "nothing": "",
    "a deep value": '{"format": 1, "wanted": ' + '{"a":' * 900 + "1" + "}" * 901,
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_a_journal_that_is_none_is_refused_and_can_be_forgotten(body: str) -> None:
    scene = given_scene.app(replicas=1)
    forgery.deserted(scene, text(), MOMENTS["with traffic on the canary"])
    forgery.edited(scene, body)
    with pytest.raises(Refused, match="progressive-ci forget web"):
        scene.rescued()
