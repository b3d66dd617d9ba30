"""A write that its sender has given up may still arrive: it must not undo what came after it."""

import json

import pytest

from progressive_ci.model.outcome import Result
from progressive_ci.sandbox import faults
from progressive_ci.sandbox.call import Call
from progressive_ci.sandbox.faults import Chooser
from tests.scenario import given, then
from tests.scenario.documents import deployment, rollout
from tests.scenario.late import landing
from tests.scenario.scene import Scene


def write(method: str, end: str, said: str = "") -> Chooser:
    """Writes of one object, with a text in their body."""

    def chosen(_: int, call: Call) -> bool:
        return (
            call.method == method
            and call.path.endswith(end)
            and not call.dry
            and said in json.dumps(call.body).replace("\\", "")
        )

    return chosen


TERMINAL = write("PATCH", "/configmaps/progressive-ci.web", '"state":"ENDED"')


def is_back(scene: Scene, version: str = "1.0.0") -> None:
    scene.sandbox.clock.run(20)
    then.serves(scene, version)
    then.nothing_left(scene)
    then.nobody_was_turned_away(scene)
    then.rules_held(scene)


@pytest.mark.parametrize(
    ("method", "end"),
    [
        ("PATCH", "/deployments/web"),
        ("PATCH", "/services/web-stable"),
        ("PATCH", "/services/web"),
        ("PATCH", "/httproutes/web"),
        ("POST", "/replicasets"),
    ],
    ids=["the pause", "stable's pin", "another pin", "the route", "the canary"],
)
def test_a_first_write_that_a_signal_has_cut_off_may_land_a_second_later(method: str, end: str) -> None:
    scene = given.app()
    scene.sandbox.faults.plan(landing(1.0, after="SIGTERM"), when=write(method, end))
    then.ended(scene.released(rollout("gateway")), Result.CANCELLED)
    is_back(scene)


def raising(scene: Scene) -> Chooser:
    """The write that gives the canary its first traffic: the journal has announced it."""

    def chosen(_: int, call: Call) -> bool:
        record = scene.oracle.record
        routes = any(part in call.path for part in then.ROUTES)
        return call.method == "PATCH" and not call.dry and routes and record is not None and record.weight > 0

    return chosen


@pytest.mark.acceptance("F02")
@pytest.mark.parametrize("router", ["gateway", "istio", "nginx"])
def test_a_signal_while_the_first_raise_is_on_its_way_is_answered_by_the_safe_write(router: str) -> None:
    scene = given.app(router=router)
    scene.sandbox.faults.plan(faults.signal_after("SIGTERM"), when=raising(scene))
    then.ended(scene.released(rollout(router)), Result.CANCELLED)
    weights = scene.oracle.weights
    raised = next(done for done in scene.sandbox.log if weights[done.number] > weights[done.number - 1])
    then.a_signal_is_answered_by_the_safe_write(scene, raised)
    is_back(scene)


@pytest.mark.parametrize("router", ["gateway", "istio", "nginx"])
def test_a_first_raise_that_a_signal_has_cut_off_may_land_after_the_safe_write(router: str) -> None:
    scene = given.app(router=router)
    scene.sandbox.faults.plan(landing(1.0, after="SIGTERM"), when=raising(scene))
    then.ended(scene.released(rollout(router)), Result.CANCELLED)
    is_back(scene)


def test_the_template_of_a_release_in_place_may_land_a_second_after_the_signal() -> None:
    scene = given.app(router="")
    scene.sandbox.faults.plan(landing(1.0, after="SIGTERM"), when=write("PATCH", "/deployments/web"))
    then.ended(scene.released(deployment()), Result.CANCELLED)
    is_back(scene)


def test_the_pause_of_a_dead_run_lands_when_somebody_has_rolled_it_back() -> None:
    scene = given.app()
    scene.sandbox.faults.plan(landing(75.0, after="death"), when=write("PATCH", "/deployments/web"))
    scene.released(rollout("gateway"))
    scene.sandbox.clock.run(5)
    then.ended(scene.rescued(), Result.RECOVERED)
    scene.sandbox.clock.run(80)
    is_back(scene)


@pytest.mark.parametrize("seconds", [0.001, 0.02, 1.0])
def test_a_journal_entry_that_a_signal_has_cut_off_may_land_later(seconds: float) -> None:
    scene = given.app()
    entry = write("PATCH", "/configmaps/progressive-ci.web", '"weight":50')
    scene.sandbox.faults.plan(landing(seconds, after="SIGTERM"), when=entry)
    then.ended(scene.released(rollout("gateway")), Result.CANCELLED)
    is_back(scene)


def test_a_journal_entry_that_needs_three_attempts_lands_once() -> None:
    scene = given.app()
    entry = write("PATCH", "/configmaps/progressive-ci.web", '"weight":50')
    scene.sandbox.faults.plan(landing(8.0, after="time-out"), when=entry, times=3)
    run = scene.released(rollout("gateway"))
    assert run.outcome is not None
    assert run.outcome.result in (Result.PROMOTED, Result.UNAVAILABLE), run.outcome
    is_back(scene, "2.0.0" if run.outcome.result is Result.PROMOTED else "1.0.0")


def test_a_pin_of_the_promotion_lands_when_everything_is_on_its_way_back() -> None:
    scene = given.app()

    def repins(_: int, call: Call) -> bool:
        record = scene.oracle.record
        new = record.canary.hash if record is not None else ""
        return write("PATCH", "/services/web-stable", f'"{new}"')(0, call) if new else False

    scene.sandbox.faults.plan(faults.drop(), when=repins, times=7)
    scene.sandbox.faults.plan(landing(18.0, after="time-out"), when=repins)
    then.ended(scene.released(rollout("gateway")), Result.UNAVAILABLE)
    is_back(scene)


def test_the_terminal_entry_of_a_rollback_may_meet_six_server_errors() -> None:
    scene = given.app()
    half = write("PATCH", "/httproutes/web", "50")
    scene.sandbox.faults.plan(faults.signal_after("SIGTERM"), when=half)
    scene.sandbox.faults.plan(faults.broken(), when=TERMINAL, times=6)
    then.ended(scene.released(rollout("gateway")), Result.CANCELLED)
    is_back(scene)


def test_the_terminal_entry_of_a_first_release_may_meet_six_server_errors() -> None:
    scene = given.nothing()
    scene.sandbox.faults.plan(faults.broken(), when=TERMINAL, times=6)
    then.ended(scene.released(rollout("gateway")), Result.PROMOTED)
    live = then.deployment(scene)
    assert live["status"]["availableReplicas"] == live["spec"]["replicas"]
    then.nothing_left(scene)
