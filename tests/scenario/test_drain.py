"""Pods that had users finish what they were asked, however long that takes and whoever has to wait for it.

The times are longer than a lease: whoever takes a release over in the middle of one has nobody's word for how
much of it is over, so it begins anew.
"""

from collections.abc import Callable, Iterator
from functools import partial

import pytest

from progressive_ci.model import kinds
from progressive_ci.model.event import Noted
from progressive_ci.model.journal import Stage
from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Outcome, Result
from progressive_ci.ports import Hands
from progressive_ci.release import rescue
from progressive_ci.sandbox import faults
from progressive_ci.sandbox.call import Call
from progressive_ci.sandbox.faults import nth
from tests.scenario import meddling, then, when
from tests.scenario.documents import rollout
from tests.scenario.rows import ROWS, STEPS, Row
from tests.scenario.scene import NAME, NAMESPACE, Run, Scene
from tests.scenario.struck import LEASE_SECONDS

_DRAIN = 300.0
_LONG = f"scaleDownDelaySeconds: {_DRAIN:.0f}\nabortScaleDownDelaySeconds: {_DRAIN:.0f}\n"
_RENEWED = 10.0
"""Seconds between two renewals of the lease: nothing else says how long a wait lasts already."""

_BACK = 42
"""The request at which a release is cancelled in which one version has users already, and the other still has."""

_TEXTS = {
    name: rollout(
        name if name in {"gateway", "istio", "nginx"} else "gateway",
        image=f"web:{row.new}",
        steps=STEPS,
        canary=_LONG,
    )
    for name, row in ROWS.items()
    if row.routed
}
rows = pytest.mark.parametrize("row", [ROWS[name] for name in _TEXTS], ids=list(_TEXTS))


def _opened(row: Row, *, back: bool) -> Scene:
    """What is there before the release, which is cancelled in its middle where it is to go back."""
    scene = row.open()
    if back:
        number = len(scene.sandbox.log) + _BACK
        scene.sandbox.faults.plan(faults.signal_before("SIGTERM"), when=nth(number))
    return scene


@pytest.mark.acceptance("F01")
@rows
@pytest.mark.parametrize("back", [False, True], ids=["forwards", "back"])
def test_pods_that_had_users_finish_their_requests(row: Row, *, back: bool) -> None:
    scene = _opened(row, back=back)
    run = scene.released(_TEXTS[row.name])
    then.ended(run, Result.CANCELLED if back else Result.PROMOTED)
    then.rules_held(scene)
    then.nobody_was_turned_away(scene)
    then.serves(scene, row.old if back else row.new)


@rows
@pytest.mark.parametrize("back", [False, True], ids=["forwards", "back"])
def test_time_that_pods_are_given_is_beside_the_budget_of_a_rollback(row: Row, *, back: bool) -> None:
    scene = _opened(row, back=back)
    run = scene.released(_TEXTS[row.name], Options(rollback_budget=_DRAIN / 2))
    then.ended(run, Result.CANCELLED if back else Result.PROMOTED)
    then.rules_held(scene)
    then.nothing_left(scene)


@pytest.mark.acceptance("F01")
@rows
@pytest.mark.parametrize("back", [False, True], ids=["forwards", "back"])
@pytest.mark.parametrize("command", [rescue.rollback, rescue.recover], ids=["rollback", "recover"])
def test_pods_that_had_users_finish_their_requests_whoever_takes_the_release_over(
    row: Row, command: Callable[[str, str, Options, Hands], Outcome], *, back: bool
) -> None:
    for scene in _killed_while_pods_finish(row, back=back):
        scene.sandbox.clock.run(LEASE_SECONDS)
        run = scene.act(lambda hands: command(NAMESPACE, NAME, Options(), hands))
        forwards = command is rescue.recover and not back
        then.ended(run, Result.PROMOTED if forwards else Result.RECOVERED)
        then.rules_held(scene)
        then.nobody_was_turned_away(scene)
        then.serves(scene, row.new if forwards else row.old)
        then.nothing_left(scene)


def _killed_while_pods_finish(row: Row, *, back: bool) -> Iterator[Scene]:
    """Scenes in which the run died early, in the middle and late in its wait for pods."""
    whole = _opened(row, back=back)
    waits = _in_the_wait(whole.released(_TEXTS[row.name]))
    for number in (waits[0], waits[len(waits) // 2], waits[-1]):
        scene = _opened(row, back=back)
        scene.sandbox.faults.plan(faults.kill_after(), when=nth(number))
        assert scene.released(_TEXTS[row.name]).outcome is None
        yield scene


def _in_the_wait(run: Run) -> list[int]:
    """Numbers of the requests sent while pods of one version finish theirs."""
    begun = next(
        told.time
        for told in run.told
        if isinstance(told.event, Noted) and "finish their requests" in told.event.text
    )
    return [one.number for one in run.requests if begun < one.time < begun + _DRAIN - 1.0]


@pytest.mark.acceptance("F18")
def test_users_whom_somebody_leads_to_old_pods_meanwhile_are_led_away_again_and_the_time_begins_anew() -> (
    None
):
    scene = ROWS["roll"].open()
    acted = _meanwhile(scene, partial(meddling.set_weight, scene, 50))
    run = scene.released(_TEXTS["roll"])
    assert acted
    then.ended(run, Result.PROMOTED)
    assert [told for told in then.warnings(run) if "the weights (from 100 % to 50 %)" in told]
    then.rules_held(scene)
    then.nobody_was_turned_away(scene)
    then.nothing_left(scene)


@pytest.mark.acceptance("F18")
@pytest.mark.parametrize(
    ("act", "result", "reason", "serves"),
    [
        (
            partial(meddling.delete, kind=kinds.DEPLOYMENT, name="web-canary"),
            Result.CANCELLED,
            "deleted",
            "1.0.0",
        ),
        (partial(meddling.scale, replicas=6), Result.PROMOTED, "serves all traffic", "2.0.0"),
        (
            partial(meddling.put, version="3.0.0"),
            Result.CANCELLED,
            "superseded: kubectl has changed",
            "3.0.0",
        ),
    ],
    ids=["the canary deleted", "more pods asked for", "a third version"],
)
def test_what_others_do_meanwhile_is_seen_before_name_rolls(
    act: Callable[[Scene], object], result: Result, reason: str, serves: str
) -> None:
    scene = ROWS["roll"].open()
    scene.oracle.excused = ("1", "3") if result is Result.CANCELLED else ()
    acted = _meanwhile(scene, partial(act, scene))
    run = scene.released(_TEXTS["roll"])
    assert acted
    then.ended(run, result)
    assert run.outcome is not None
    assert reason in run.outcome.reason
    then.runs(scene, serves)
    then.nothing_left(scene)
    then.rules_held(scene)


def _meanwhile(scene: Scene, act: Callable[[], object]) -> list[int]:
    """Something happens once, in the middle of the time that old pods have; see `when.once`."""
    renewals = 0

    def in_the_middle(_: int, call: Call) -> bool:
        nonlocal renewals
        record = scene.oracle.record
        renewals += record is not None and record.stage is Stage.PROMOTING and "/leases/" in call.path
        return renewals > _DRAIN / 2 / _RENEWED

    return when.once(scene, in_the_middle, act)
