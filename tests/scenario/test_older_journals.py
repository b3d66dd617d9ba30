"""Journals as earlier versions wrote them, in the cluster of a release that died: the commands of today finish it."""

import json
from pathlib import Path

import pytest

from progressive_ci.model import kinds
from progressive_ci.model.codec import decode
from progressive_ci.model.document import JsonObject
from progressive_ci.model.journal import FORMAT, Record, State
from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Result
from progressive_ci.model.seal import seal_of
from progressive_ci.release import records
from progressive_ci.sandbox.call import Call
from progressive_ci.sandbox.json_patch import clone
from tests.scenario import commands, given, orphans, then
from tests.scenario.documents import deployment, rollout
from tests.scenario.rows import ROWS, Row
from tests.scenario.scene import NAMESPACE, Scene

JOURNALS = Path(__file__).parents[1] / "unit" / "journals"
PASSES = ("5",)
"""The rule that the first versions break: they noted no passes, for nobody resumed by them."""

SEALS = {
    "gateway": "e2c8c77a8c6b1b6227e874fcc8e9a18a",
    "in-place": "3a686259ef120a56098b7ed5e481769e",
    "istio": "55245494df031fc94cd851fd5c7ade70",
    "nginx": "73f44330bf70aad40737b8627cc6de46",
    "ratio": "270b042f4a81bad65038482029189043",
}
"""What the version that wrote the journal put on every object: whoever reckons it otherwise believes no journal."""

WAYS = {
    "in-place": Row("in place", deployment(), lambda: given.app(router=""), routed=False),
    **{
        router: Row(router, rollout(router), lambda router=router: given.app(router=router))  # type: ignore[misc]
        for router in then.ROUTERS
    },
}


def recorded(name: str) -> JsonObject:
    body: JsonObject = json.loads((JOURNALS / f"format-1-{name}.json").read_text())
    return body


def dead_where(name: str) -> Scene:
    """A release that died where the recorded one stood, with the journal as it was recorded."""
    old = decode(Record, recorded(name))
    where = (old.stage, old.weight)

    def stands_there(scene: Scene, call: Call) -> bool:
        now = scene.oracle.record
        own = "/leases" in call.path or "/configmaps" in call.path
        begun = any(each.writes and "/deployments/" in each.call.path for each in scene.sandbox.log)
        return now is not None and not own and begun and (now.stage, now.weight) == where

    scene = orphans.died(WAYS[name], stands_there)
    put(scene, name)
    scene.oracle.excused = PASSES
    return scene


def put(scene: Scene, name: str) -> None:
    """The recorded journal."""
    written(scene, recorded(name))


def written(scene: Scene, body: JsonObject) -> None:
    """A journal with the uids of this cluster: they are all that differs from one to another."""
    found = scene.sandbox.get(kinds.CONFIG_MAP, NAMESPACE, "progressive-ci.web")
    assert found is not None
    today, text = json.loads(found["data"]["journal.json"]), json.dumps(body)
    for old, new in zip(uids(body), uids(today), strict=True):
        text = text.replace(old, new) if old else text
    wanted = clone(found)
    wanted["data"]["journal.json"] = text
    scene.sandbox.apply(wanted)


def uids(body: JsonObject) -> list[str]:
    objects = sorted(body["objects"], key=lambda each: (each["ref"]["kind"], each["ref"]["name"]))
    return [body["stable"]["uid"], body["canary"]["uid"], *(each["uid"] for each in objects)]


@pytest.mark.parametrize("name", WAYS)
def test_a_release_of_an_earlier_version_is_brought_to_its_end(name: str) -> None:
    scene = dead_where(name)
    done = commands.recover(scene)
    assert done.outcome is not None
    promoted = done.outcome.result is Result.PROMOTED
    assert promoted is (name == "in-place" and then.image_of(scene) == "web:2.0.0"), done.outcome
    assert promoted or done.outcome.result is Result.RECOVERED, done.outcome
    then.serves(scene, "2.0.0" if promoted else "1.0.0")
    then.nothing_left(scene)
    then.everything_but_the_version_is_as_before(scene)
    then.nobody_was_turned_away(scene)
    then.rules_held(scene)
    record = scene.oracle.record
    assert record is not None
    assert record.state is State.ENDED


@pytest.mark.parametrize("name", WAYS)
def test_what_an_earlier_version_has_sealed_is_vouched_for(name: str) -> None:
    assert seal_of(decode(Record, recorded(name))) == SEALS[name]


def test_a_release_that_an_earlier_version_finished_is_undone() -> None:
    row = ROWS["roll"]
    scene = row.open()
    then.ended(scene.released(row.text), Result.PROMOTED)
    put(scene, "roll-promoted")
    scene.oracle.next_release()
    scene.oracle.excused = PASSES
    then.ended(commands.undo_last(scene), Result.PROMOTED)
    then.serves(scene, row.old)
    then.nothing_left(scene)
    then.nobody_was_turned_away(scene)
    then.rules_held(scene)


@pytest.mark.parametrize("name", WAYS)
def test_a_release_of_an_earlier_version_is_rolled_back_by_command(name: str) -> None:
    scene = dead_where(name)
    then.ended(scene.rescued(), Result.RECOVERED)
    then.serves(scene, "1.0.0")
    then.nothing_left(scene)
    then.all_is_as_before(scene)
    then.nobody_was_turned_away(scene)
    then.rules_held(scene)


@pytest.mark.parametrize("name", WAYS)
def test_a_release_of_an_earlier_version_is_not_resumed_but_finished_first(name: str) -> None:
    """It noted none of its passed steps, so the new run takes them all; in place the version has come already."""
    scene = dead_where(name)
    run = scene.released(WAYS[name].text, Options(resume=True))
    in_place = name == "in-place"
    then.ended(run, Result.UNCHANGED if in_place else Result.PROMOTED)
    assert any(told.startswith("release r1 is not resumed") for told in then.warnings(run)) is not in_place
    then.serves(scene, "2.0.0")
    then.nothing_left(scene)
    then.everything_but_the_version_is_as_before(scene)
    then.nobody_was_turned_away(scene)
    then.rules_held(scene)


def test_a_journal_of_an_earlier_format_is_migrated_format_by_format(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As if two formats had come since: one gave the reason another name, the next one marks what it has read."""

    def renamed(body: JsonObject) -> JsonObject:
        return {**body, "why": body["because"], "format": FORMAT + 1}

    def marked(body: JsonObject) -> JsonObject:
        return {**body, "why": f"{body['why']}, migrated", "format": FORMAT + 2}

    scene = dead_where("gateway")
    written(scene, {**recorded("gateway"), "because": commands.WHY})
    monkeypatch.setattr(records, "FORMAT", FORMAT + 2)
    monkeypatch.setattr(records, "MIGRATIONS", {FORMAT: renamed, FORMAT + 1: marked})
    then.ended(commands.recover(scene), Result.RECOVERED)
    record = scene.oracle.record
    assert record is not None
    assert record.why == f"{commands.WHY}, migrated"
    assert record.format == FORMAT + 2
    then.serves(scene, "1.0.0")
    then.nothing_left(scene)
    then.rules_held(scene)
