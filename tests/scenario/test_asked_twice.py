"""Several ask a release to go back, or several releases: nobody's request is lost, and who comes second is told."""

import json
from collections.abc import Callable

import pytest

from progressive_ci.adapters.recall_text import outlasting, recalls_in
from progressive_ci.errors import Refused
from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.event import Noted
from progressive_ci.model.journal import Stage
from progressive_ci.model.options import IfLocked, Options
from progressive_ci.model.outcome import Result
from progressive_ci.release.abort import abort
from progressive_ci.sandbox.call import Call
from tests.scenario import given, then, when
from tests.scenario.documents import rollout
from tests.scenario.rival import OBJECT, Rival
from tests.scenario.scene import NAME, NAMESPACE, Run, Scene

STEPS = "- setWeight: 50\n- pause: {duration: 60s}\n"
Ask = Callable[[Scene], Run]


def by(who: str, *, only: str = "") -> Ask:
    """`progressive-ci abort web --wait 0`."""
    options = Options(reason=f"{who} says so")
    return lambda scene: scene.act(lambda hands: abort(NAMESPACE, NAME, options, hands, by=who, only=only))


def in_place_of_it(scene: Scene) -> Run:
    """`progressive-ci run --if-locked supersede`, which does not get its turn."""
    run = scene.released(rollout("gateway"), Options(if_locked=IfLocked.SUPERSEDE, lock_wait=20))
    then.ended(run, Result.LOCKED)
    return run


def being_promoted() -> Scene:
    """Release x1 is alive and goes back for nobody."""
    scene = given.app()
    then.ended(scene.released(rollout("gateway", image="web:1.5.0", steps=STEPS)), Result.PROMOTED)
    Rival(scene, stage=Stage.PROMOTING).begins()
    return scene


def standing(scene: Scene) -> list[tuple[str, str]]:
    """Of which releases it is asked, and by whom."""
    found = scene.sandbox.get(kinds.CONFIG_MAP, NAMESPACE, OBJECT)
    assert found is not None
    there = json.loads(found["data"]["recall.json"])
    recalls: list[JsonObject] = there if isinstance(there, list) else [there]
    return [(recall["release"], recall["by"]) for recall in recalls]


PAIRS: dict[str, tuple[Ask, Ask, str, str]] = {
    "two people": (by("ann"), by("bob"), "ann", "aborted by ann: ann says so"),
    "a person, then a run": (by("ann"), in_place_of_it, "ann", "aborted by ann: ann says so"),
    "a run, then a person": (in_place_of_it, by("bob"), "release r2", "superseded by release r2"),
    "two runs": (in_place_of_it, in_place_of_it, "release r2", "superseded by release r2"),
}


@pytest.mark.parametrize(("first", "second", "who", "told"), PAIRS.values(), ids=PAIRS)
def test_the_first_request_stands_and_the_second_is_told_of_it(
    first: Ask, second: Ask, who: str, told: str
) -> None:
    scene = being_promoted()
    at = scene.sandbox.clock.wall().strftime("%Y-%m-%dT%H:%M:")
    first(scene)
    run = second(scene)
    assert standing(scene) == [("x1", who)]
    [noted] = [
        each.event.text
        for each in run.told
        if isinstance(each.event, Noted) and each.event.text.startswith("release x1 is asked")
    ]
    assert noted.startswith(f"release x1 is asked to go back since {at}")
    assert noted.endswith(f"Z: {told}")


def test_who_does_not_wait_is_told_it_in_the_last_line() -> None:
    scene = being_promoted()
    by("ann")(scene)
    run = by("bob")(scene)
    then.ended(run, Result.ASKED)
    assert run.outcome is not None
    assert run.outcome.reason.endswith(": aborted by ann: ann says so; nobody has waited for that")


def test_a_release_that_is_asked_twice_goes_back_for_the_first_reason() -> None:
    scene = given.app()

    def carries(_: int, call: Call) -> bool:
        record = scene.oracle.record
        return record is not None and record.weight > 0 and "/leases" not in call.path

    when.once(scene, carries, lambda: (by("ann")(scene), by("bob")(scene)))
    run = scene.released(rollout("gateway", steps=STEPS))
    then.ended(run, Result.CANCELLED)
    assert run.outcome is not None
    assert run.outcome.reason == "aborted by ann: ann says so"
    then.nothing_left(scene)
    then.all_is_as_before(scene)
    then.rules_held(scene)


def test_requests_to_several_releases_stand_beside_each_other() -> None:
    scene = being_promoted()
    by("ann")(scene)
    by("bob", only="r8")(scene)
    by("eve", only="r9")(scene)
    by("zoe", only="r8")(scene)
    assert standing(scene) == [("x1", "ann"), ("r8", "bob"), ("r9", "eve")]


def test_of_many_requests_to_runs_that_wait_none_gives_way_and_the_one_too_many_is_refused() -> None:
    scene = being_promoted()
    for number in range(32):
        by("ann", only=f"w{number}")(scene)
    with pytest.raises(Refused, match="32 other releases are asked to go back already, so w32 can't be"):
        by("ann", only="w32")(scene)
    by("bob")(scene)
    asked = [release for release, _ in standing(scene)]
    assert asked == [*(f"w{number}" for number in range(32)), "x1"]


def stepping(scene: Scene) -> Callable[[int, Call], bool]:
    """Requests of the steps."""

    def fits(_: int, call: Call) -> bool:
        record = scene.oracle.record
        return record is not None and record.stage is Stage.STEPPING and "/leases" not in call.path

    return fits


def test_a_run_that_has_not_listened_yet_is_still_asked_when_another_release_has_ended() -> None:
    scene = given.app()
    when.once(scene, stepping(scene), lambda: by("ann", only="r3")(scene))
    then.ended(scene.released(rollout("gateway", image="web:1.5.0", steps=STEPS)), Result.PROMOTED)
    scene.oracle.next_release()
    run = scene.released(rollout("gateway"))
    then.ended(run, Result.CANCELLED)
    assert run.outcome is not None
    assert run.outcome.reason == "aborted by ann: ann says so before the first write"
    then.serves(scene, "1.5.0")


@pytest.mark.parametrize("seconds", [0, 86400])
def test_what_was_asked_of_a_run_that_never_came_goes_a_day_later_with_the_next_end(seconds: int) -> None:
    scene = being_promoted()
    by("ann", only="r9")(scene)
    scene.sandbox.clock.run(seconds)
    found = scene.sandbox.get(kinds.CONFIG_MAP, NAMESPACE, OBJECT)
    assert found is not None
    ended = {"release": "x1", "updated": scene.sandbox.clock.wall().isoformat(), "endings": []}
    assert (outlasting(recalls_in(found), ended) is None) == bool(seconds)


@pytest.mark.parametrize(
    "there",
    [
        "no JSON",
        '"text"',
        "[1, null]",
        '{"purpose": "DANCE", "release": "x1", "by": "eve", "reason": "", "at": ""}',
        '{"release": "x1"}',
        '{"release": ["x1"]}',
        '[{"release": {}}, {"release": null}]',
    ],
)
def test_what_is_no_request_keeps_nobody_from_asking(there: str) -> None:
    scene = being_promoted()
    put(scene, there)
    by("ann")(scene)
    assert standing(scene) == [("x1", "ann")]


@pytest.mark.parametrize("there", ['{"release": ["r1"]}', '[{"release": {}}]', "7"])
def test_what_is_no_request_keeps_no_release_from_its_end(there: str) -> None:
    scene = given.app()
    when.once(scene, stepping(scene), lambda: put(scene, there))
    run = scene.released(rollout("gateway", steps=STEPS))
    then.promoted_as_if_nothing_had_happened(scene, run, "2.0.0")


def put(scene: Scene, there: str) -> None:
    """Somebody writes this under the key of the recalls."""
    found = scene.sandbox.get(kinds.CONFIG_MAP, NAMESPACE, OBJECT)
    assert found is not None
    scene.sandbox.apply({**found, "data": {**found["data"], "recall.json": there}})
