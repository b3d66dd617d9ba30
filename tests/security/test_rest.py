"""Whoever edits the journal of a finished release decides nothing about its undoing."""

from collections.abc import Callable

import pytest

from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.outcome import Result
from progressive_ci.sandbox.json_patch import clone
from tests.scenario import commands, given, then
from tests.scenario.documents import rollout
from tests.scenario.scene import NAMESPACE, Scene
from tests.scenario.struck import LEASE_SECONDS
from tests.security import bystanders, forgery
from tests.security.forgery import MOMENTS
from tests.security.test_journal import original, own, with_field

FIRST = "web:1.0.0"
SECOND = "web:2.0.0"
THIRD = "web:3.0.0"


def two_releases() -> Scene:
    """NAME runs its third version, and the ReplicaSets of both earlier ones are there."""
    scene = given.app()
    for image in (SECOND, THIRD):
        then.ended(scene.released(rollout("gateway", image=image)), Result.PROMOTED)
        scene.oracle.next_release()
    return scene


def the_first_as_predecessor(body: JsonObject) -> None:
    """A version that was taken away long ago, perhaps for a reason."""
    last = body["last"]
    assert last["stable"]["uid"] != body["stable"]["uid"]
    body["stable"] = last["stable"]


def the_release_before(body: JsonObject) -> None:
    """As if the last release had failed."""
    body["result"] = "UNHEALTHY"
    body["last"]["canary"] = body["canary"]


def a_field(path: str, value: object) -> Callable[[JsonObject], None]:
    """As if the release had written a field that had another value before."""

    def attack(body: JsonObject) -> None:
        body["wanted"]["fields"].append([path, "after"])
        original(path, value)(body)

    return attack


def another_route(body: JsonObject) -> None:
    body["route"]["canary_service"] = "other"


ATTACKS: dict[str, Callable[[JsonObject], None]] = {
    "an older version": the_first_as_predecessor,
    "the release before": the_release_before,
    "an annotation": a_field("/metadata/annotations/admission~1skip", "true"),
    "a strategy": a_field("/spec/strategy", {"type": "Recreate"}),
    "another route": another_route,
    "another mode": with_field("IN_PLACE", "mode"),
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_an_edited_journal_of_a_finished_release_undoes_nothing(attack: Callable[[JsonObject], None]) -> None:
    scene = two_releases()
    true = forgery.journal(scene)
    forged = clone(true)
    attack(forged)
    assert forged != true
    forgery.edited(scene, forged)
    at_rest = own(scene)
    run = commands.undo_last(scene)
    then.ended(run, Result.REFUSED)
    assert run.outcome is not None
    assert "the Lease does not vouch for what the journal says of release" in run.outcome.reason
    then.nothing_was_written(run, but=())
    assert own(scene) == at_rest
    forgery.edited(scene, true)
    then.ended(commands.undo_last(scene), Result.PROMOTED)
    then.serves(scene, "2.0.0")


def test_a_lease_that_somebody_has_deleted_vouches_for_nothing() -> None:
    scene = two_releases()
    lease = scene.sandbox.get(kinds.LEASE, NAMESPACE, "progressive-ci.web")
    assert lease is not None
    scene.sandbox.store.drop(kinds.LEASE, lease)
    then.ended(commands.undo_last(scene), Result.REFUSED)
    then.ended(scene.released(rollout("gateway", image=SECOND)), Result.PROMOTED)
    scene.oracle.next_release()
    then.ended(commands.undo_last(scene), Result.PROMOTED)
    then.serves(scene, "3.0.0")


def test_a_finished_release_that_somebody_has_made_up_is_not_sealed_by_its_recovery() -> None:
    scene = two_releases()
    forged = forgery.journal(scene)
    the_first_as_predecessor(forged)
    forgery.edited(scene, {**forged, "state": "RUNNING", "stage": "COMMITTED"})
    scene.sandbox.clock.run(LEASE_SECONDS)
    then.ended(commands.recover(scene), Result.PROMOTED)
    then.ended(commands.undo_last(scene), Result.REFUSED)
    then.serves(scene, "3.0.0")


def test_a_promotion_that_another_run_has_finished_can_be_undone() -> None:
    scene = given.app()
    forgery.dies(scene, MOMENTS["in the cleaning up"])
    assert scene.released(rollout("gateway", image=SECOND)).outcome is None
    scene.sandbox.clock.run(LEASE_SECONDS)
    then.ended(commands.recover(scene), Result.PROMOTED)
    scene.oracle.next_release()
    others = bystanders.standing(scene)
    then.ended(commands.undo_last(scene), Result.PROMOTED)
    then.serves(scene, "1.0.0")
    assert bystanders.standing(scene) == others
