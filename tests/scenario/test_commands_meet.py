"""Commands against each other and against edited journals: what once went wrong, each as one claim."""

from collections.abc import Callable

import pytest

from progressive_ci.errors import Refused
from progressive_ci.model import kinds
from progressive_ci.model.codec import decode
from progressive_ci.model.document import JsonObject
from progressive_ci.model.journal import Record
from progressive_ci.model.outcome import Result
from progressive_ci.model.seal import seal_of
from progressive_ci.reports.ending import ending
from progressive_ci.sandbox import faults
from progressive_ci.sandbox.call import Call
from progressive_ci.sandbox.json_patch import clone
from tests.scenario import commands, given, then, when
from tests.scenario.documents import rollout
from tests.scenario.rows import ROWS
from tests.scenario.scene import NAMESPACE, Scene
from tests.scenario.struck import LEASE_SECONDS
from tests.scenario.test_hold import held, measured
from tests.security import bystanders, forgery
from tests.security.bystanders import EVIL
from tests.security.forgery import MOMENTS, entry

STEPS = "- setWeight: 25\n- pause: {duration: 5s}\n- setWeight: 75\n"
BEGUN = [name for name in MOMENTS if name != "before its first write"]
SETTINGS = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: shop}\ndata: {a: b}\n"
ENV = "\n          envFrom: [{configMapRef: {name: settings}}]"


def vouched_for_by_hand(scene: Scene, body: JsonObject) -> None:
    """Somebody gives a ConfigMap of his the marks that a release would give it."""
    body["objects"].append(entry("v1/ConfigMap", "planted"))
    marks = {"progressive-ci/epoch.web": "1", "progressive-ci/seal.web": seal_of(decode(Record, body))}
    metadata = {"name": "planted", "namespace": NAMESPACE, "annotations": marks}
    scene.sandbox.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})


@pytest.mark.parametrize("moment", BEGUN)
def test_a_config_map_vouches_for_no_journal(moment: str) -> None:
    scene = given.app()
    forged = clone(forgery.deserted(scene, rollout("gateway", steps=STEPS), MOMENTS[moment]))
    pod = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": EVIL}]}}
    forged["stable"] |= {"name": "gone", "template": pod}
    vouched_for_by_hand(scene, forged)
    others = bystanders.standing(scene)
    forgery.edited(scene, forged)
    with pytest.raises(Refused, match="carries the seal of another one"):
        scene.rescued()
    then.nothing_was_written(scene.runs[-1], but=("/leases",))
    assert bystanders.standing(scene) == others


@pytest.mark.parametrize("moment", BEGUN)
def test_a_journal_that_names_no_object_any_more_is_not_said_to_be_rolled_back(moment: str) -> None:
    scene = given.app()
    forged = clone(forgery.deserted(scene, rollout("gateway", steps=STEPS), MOMENTS[moment]))
    forged["objects"] = []
    forgery.edited(scene, forged)
    with pytest.raises(Refused, match="carries the seal of another one"):
        scene.rescued()
    then.nothing_was_written(scene.runs[-1], but=("/leases",))


def _creates_settings(_: int, call: Call) -> bool:
    body = call.body if isinstance(call.body, dict) else {}
    return call.method == "POST" and not call.dry and body.get("metadata", {}).get("name") == "settings"


def test_config_that_was_all_a_dead_run_had_created_goes_again() -> None:
    scene = given.app()
    text = rollout("gateway", steps=STEPS).replace("image: web:2.0.0", f"image: web:2.0.0{ENV}")
    scene.sandbox.faults.plan(faults.kill_after(), when=_creates_settings)
    assert scene.released(text + "---\n" + SETTINGS).outcome is None
    assert scene.sandbox.get(kinds.CONFIG_MAP, NAMESPACE, "settings") is not None
    scene.sandbox.clock.run(LEASE_SECONDS)
    then.ended(scene.rescued(), Result.RECOVERED)
    then.all_is_as_before(scene)
    then.nothing_left(scene)
    then.rules_held(scene)


def meanwhile(scene: Scene, act: Callable[[], None]) -> None:
    """Something happens after the next command has read the journal, before it has the lease."""
    when.asked(scene, "/leases", act)


def test_a_word_for_a_held_release_promotes_no_other_one() -> None:
    scene, _ = held(ROWS["gateway"])

    def another_dies() -> None:
        then.ended(scene.rescued(), Result.RECOVERED)
        scene.oracle.next_release()
        forgery.dies(scene, MOMENTS["with traffic on the canary"])
        assert scene.released(measured("gateway", "web:3.0.0")).outcome is None

    meanwhile(scene, another_dies)
    run = commands.promote(scene)
    then.ended(run, Result.REFUSED)
    then.ended(commands.recover(scene), Result.RECOVERED)
    then.serves(scene, "1.0.0")
    then.nothing_left(scene)
    then.rules_held(scene)


def test_a_word_for_a_held_release_does_not_promote_it_when_somebody_has_taken_it_up() -> None:
    scene, _ = held(ROWS["gateway"])

    def resumed_and_dead() -> None:
        forgery.dies(scene, MOMENTS["with traffic on the canary"])
        assert scene.rescued().outcome is None

    meanwhile(scene, resumed_and_dead)
    run = commands.promote(scene)
    then.ended(run, Result.REFUSED)
    assert run.outcome is not None
    assert "is not held any more" in run.outcome.reason
    then.ended(commands.recover(scene), Result.RECOVERED)
    then.serves(scene, "1.0.0")


def test_an_undoing_leaves_a_field_alone_that_its_release_did_not_write() -> None:
    scene = given.app()
    then.ended(scene.released(rollout("gateway")), Result.PROMOTED)
    wanted = when.deployment(scene)
    wanted["spec"]["minReadySeconds"] = 3
    scene.sandbox.apply(wanted)
    scene.sandbox.clock.run(30)
    scene.oracle.next_release()
    then.ended(commands.undo_last(scene), Result.PROMOTED)
    assert then.deployment(scene)["spec"]["minReadySeconds"] == 3


def test_an_undoing_that_goes_back_says_which_version_still_serves() -> None:
    scene = given.app()
    then.ended(scene.released(rollout("gateway")), Result.PROMOTED)
    scene.oracle.next_release()
    given.no_more_pods_of(scene, "web:1.0.0")
    run = commands.undo_last(scene)
    then.ended(run, Result.UNREADY)
    assert run.outcome is not None
    assert run.outcome.reason.startswith(
        f"release r1 is not undone, its version {run.outcome.previous_revision}"
    )
    then.serves(scene, "2.0.0")


def test_a_rollback_that_comes_too_late_names_the_command_that_takes_the_release_back() -> None:
    scene = given.app()
    forgery.dies(scene, MOMENTS["in the cleaning up"])
    assert scene.released(rollout("gateway")).outcome is None
    scene.sandbox.clock.run(LEASE_SECONDS)
    run = scene.rescued()
    then.ended(run, Result.TOO_LATE)
    assert run.outcome is not None
    assert "`progressive-ci undo web --namespace shop --reason TEXT`" in run.outcome.advice


def test_a_held_release_is_not_said_to_be_none() -> None:
    scene, _ = held(ROWS["gateway"])
    run = commands.recover(scene)
    assert run.outcome is not None
    assert "no release is unfinished" not in "\n".join(ending(run.outcome))
