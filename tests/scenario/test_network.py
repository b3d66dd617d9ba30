"""The network and the servers misbehave: what befalls single requests, what lasts, and what lags (F06 to F10)."""

import os
import random
from collections.abc import Callable

import pytest

from progressive_ci.model import kinds
from progressive_ci.model.event import Began
from progressive_ci.model.kinds import Kind
from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Result
from progressive_ci.sandbox import faults, mishaps, status
from progressive_ci.sandbox.call import Call
from progressive_ci.sandbox.faults import Chooser, Exchange, Fault, during
from progressive_ci.sandbox.json_patch import clone
from progressive_ci.sandbox.replica import stale_reads
from tests.scenario import given, then, when
from tests.scenario.rows import Input, Row, every
from tests.scenario.scene import NAME, NAMESPACE, Run, Scene

STEPS = "- setWeight: 25\n- pause: {duration: 20s}\n- setWeight: 75\n- pause: {duration: 20s}\n"
SEEDS = range(20 if os.environ.get("SWEEP") == "all" else 1)
EDIT = "example.com/edit"
ANNOTATED = (*given.WATCHED, kinds.REPLICA_SET)


def lasting(row: Row) -> Input:
    return row.lasting(STEPS, 60)


def now_and_then(seed: int, share: float, *, since: int = 0, method: str = "") -> Chooser:
    """So many of the requests from one on, by dice."""
    dice = random.Random(seed)  # noqa: S311 - a fault's dice
    return lambda number, call: number > since and method in ("", call.method) and dice.random() < share


def as_usual(row: Row, scene: Scene, run: Run) -> None:
    """It took no longer than without faults, but for some requests that were sent again."""
    usual = lasting(row).released(row.open())
    assert run.told[-1].time - run.told[0].time < usual.told[-1].time - usual.told[0].time + 10
    then.promoted_as_if_nothing_had_happened(scene, run, row.new)


@pytest.mark.acceptance("F06")
@every()
@pytest.mark.parametrize("seed", SEEDS)
def test_a_storm_of_conflicts_ends_no_release_and_overwrites_nobody(row: Row, seed: int) -> None:
    scene, strikes = row.open(), now_and_then(seed, 0.3)
    edits: dict[tuple[Kind, str], str] = {}
    scene.oracle.meddled = True

    def somebody_annotates(number: int, call: Call) -> None:
        name = call.path.rpartition("/")[2]
        for kind in ANNOTATED:
            found = scene.sandbox.get(kind, NAMESPACE, name) if f"/{kind.plural}/" in call.path else None
            if found is None or call.method != "PATCH" or call.dry or not strikes(number, call):
                continue
            wanted = clone(found)
            annotations = wanted["metadata"].get("annotations") or {}
            wanted["metadata"]["annotations"] = {**annotations, EDIT: str(number)}
            scene.sandbox.apply(wanted)
            edits[kind, name] = str(number)

    scene.sandbox.faults.before_each(somebody_annotates)
    run = lasting(row).released(scene)
    assert edits
    are_kept(scene, edits)
    as_usual(row, scene, run)


def are_kept(scene: Scene, edits: dict[tuple[Kind, str], str]) -> None:
    """What others wrote last stands there, and is what a release gives back."""
    # The Deployment's controller copies the Deployment's annotations to the ReplicaSet of its template.
    copied = edits.get((kinds.DEPLOYMENT, NAME), "")
    for (kind, name), edit in edits.items():
        left = scene.sandbox.get(kind, NAMESPACE, name)
        kept = {edit, copied} if kind == kinds.REPLICA_SET else {edit}
        assert left is None or left["metadata"]["annotations"][EDIT] in kept, name
        if known := scene.before.get(f"{kind.name} {name}"):
            known["metadata"].setdefault("annotations", {})[EDIT] = edit


@pytest.mark.acceptance("F06")
@every()
@pytest.mark.parametrize("seed", SEEDS)
def test_every_third_write_may_meet_a_conflict(row: Row, seed: int) -> None:
    scene = row.open()
    storm = now_and_then(seed, 0.3, method="PATCH")
    scene.sandbox.faults.plan(
        faults.conflict(), when=lambda number, call: not call.dry and storm(number, call), times=1000
    )
    as_usual(row, scene, lasting(row).released(scene))


RESTS = {"forward": None, "on the way back": "SIGTERM"}


@pytest.mark.acceptance("F07")
@every()
@pytest.mark.parametrize("signal", RESTS.values(), ids=RESTS)
def test_a_server_that_asks_for_rest_gets_it_and_then_the_rollback(row: Row, signal: str | None) -> None:
    scene = row.open()
    clock = scene.sandbox.clock
    since, until = clock.now() + 20, clock.now() + 320
    scene.sandbox.faults.plan(faults.too_many(30), when=during(clock, since, until), times=10_000)
    if signal:
        when.later(scene, 19.9, lambda: clock.deliver(signal))
    run = lasting(row).released(scene)
    result = Result.CANCELLED if signal else Result.UNAVAILABLE
    then.back_as_if_nothing_had_happened(scene, run, result, row.old)
    asked = [done for done in scene.sandbox.log if since <= done.time < until]
    assert len(asked) <= 3 * 10, "the three who ask may do so every 30 s"
    if not signal:
        after = next(done for done in scene.sandbox.log if done.time >= until and not then.is_lease(done))
        assert after.writes, f"{after.call.method} {after.call.path}"


@pytest.mark.acceptance("F07")
@every()
@pytest.mark.parametrize("at", [6, 20, 60])
def test_a_server_that_asks_for_rest_for_a_moment_costs_no_step(row: Row, at: int) -> None:
    scene = row.open()
    clock = scene.sandbox.clock
    busy = during(clock, clock.now() + at, clock.now() + at + 15)
    scene.sandbox.faults.plan(faults.too_many(5), when=busy, times=10_000)
    run = lasting(row).released(scene)
    then.promoted_as_if_nothing_had_happened(scene, run, row.new)
    assert steps(run) == steps(lasting(row).released(row.open()))


def steps(run: Run) -> list[str]:
    """What a run did, phase by phase."""
    return [told.event.phase for told in run.told if isinstance(told.event, Began)]


MISHAPS: dict[str, tuple[Fault, str]] = {
    "reset after it was done": (mishaps.reset(), ""),
    "half an answer": (mishaps.cut_short(), ""),
    "a page with 200": (mishaps.page(200), ""),
    "a page with 404": (mishaps.page(404), ""),
    "a page with 502": (mishaps.page(502), ""),
    "500": (faults.broken(500), ""),
    "503": (faults.broken(503), ""),
    "504": (faults.broken(504), ""),
    "an untrusted certificate": (mishaps.untrusted(), ""),
    "no such name": (faults.refuse("name or service not known"), ""),
    "slow": (faults.delay(3.0), ""),
    "sent twice": (mishaps.repeat(), "PATCH"),
    "sent again later": (mishaps.repeat(5.0), "PATCH"),
    "arrives late": (mishaps.late(15.0), "PATCH"),
}
PREFLIGHT = 20
"""Requests before the first write; a server that is unclear then may be refused."""


@pytest.mark.acceptance("F08")
@every()
@pytest.mark.parametrize(("fault", "method"), MISHAPS.values(), ids=MISHAPS)
@pytest.mark.parametrize("seed", SEEDS)
def test_every_tenth_request_may_go_wrong_and_each_effect_comes_once(
    row: Row, fault: Fault, method: str, seed: int
) -> None:
    scene = row.open()
    since = len(scene.sandbox.log) + PREFLIGHT
    scene.sandbox.faults.plan(fault, when=now_and_then(seed, 0.1, since=since, method=method), times=1000)
    then.promoted_as_if_nothing_had_happened(scene, lasting(row).released(scene), row.new)


AWAY: dict[str, Callable[[], Fault]] = {"hangs": faults.drop, "refuses": faults.refuse}


@pytest.mark.acceptance("F09")
@every()
@pytest.mark.parametrize("fault", AWAY.values(), ids=AWAY)
def test_after_ten_minutes_without_the_server_everything_is_looked_at_afresh(
    row: Row, fault: Callable[[], Fault]
) -> None:
    scene = row.open()
    clock = scene.sandbox.clock
    since, until = clock.now() + 20, clock.now() + 620
    scene.sandbox.faults.plan(fault(), when=during(clock, since, until), times=100_000)
    if row.router != "ratio":
        given.autoscaler(scene, "web")
        when.later(scene, 200, lambda: when.scaled(scene, 6))
    run = lasting(row).released(scene, Options(rollback_budget=900))
    then.ended(run, Result.UNAVAILABLE)
    then.serves(scene, row.old)
    then.nothing_left(scene)
    then.nobody_was_turned_away(scene)
    then.rules_held(scene)
    first = next(done for done in scene.sandbox.log if done.time >= until and not is_own(done))
    assert not first.writes, "the first thing on its return is a look"


def is_own(done: Exchange) -> bool:
    """Whether it is about lease or journal, of which every write tests what was read: none of them is blind."""
    return any(part in done.call.path for part in then.OWN)


@pytest.mark.acceptance("F09")
@every()
def test_a_server_that_is_away_for_less_than_the_reads_are_repeated_costs_nothing(row: Row) -> None:
    scene = row.open()
    clock = scene.sandbox.clock
    away = during(clock, clock.now() + 20, clock.now() + 35)
    scene.sandbox.faults.plan(faults.refuse(), when=away, times=10_000)
    then.promoted_as_if_nothing_had_happened(scene, lasting(row).released(scene), row.new)


@pytest.mark.acceptance("F09")
@every()
@pytest.mark.parametrize("begins", range(20, 60, 5))
def test_a_server_that_knows_no_roles_for_some_seconds_after_its_start_costs_nothing(
    row: Row, begins: int
) -> None:
    scene = row.open()
    clock = scene.sandbox.clock
    started = during(clock, clock.now() + begins, clock.now() + begins + 3)
    refusal = faults.answer(status.forbidden("ci", "list", (kinds.POD, "", "shop", "")))
    scene.sandbox.faults.plan(refusal, when=started, times=10_000)
    then.promoted_as_if_nothing_had_happened(scene, lasting(row).released(scene), row.new)


@pytest.mark.acceptance("F10")
@every()
@pytest.mark.parametrize("seconds", [1.0, 8.0])
def test_reads_that_lag_behind_lead_to_no_wrong_step(row: Row, seconds: float) -> None:
    scene = row.open()
    scene.sandbox.faults.plan(stale_reads(scene.sandbox.store, seconds), when=lambda *_: True, times=100_000)
    then.promoted_as_if_nothing_had_happened(scene, lasting(row).released(scene), row.new)


@pytest.mark.acceptance("F10")
@every()
@pytest.mark.parametrize("seed", SEEDS)
def test_one_of_two_servers_may_lag_behind_while_a_release_is_rolled_back(row: Row, seed: int) -> None:
    scene = row.open()
    scene.sandbox.faults.plan(
        stale_reads(scene.sandbox.store, 4.0), when=now_and_then(seed, 0.5), times=100_000
    )
    when.later(scene, 25.0, lambda: scene.sandbox.clock.deliver("SIGTERM"))
    run = lasting(row).released(scene)
    then.back_as_if_nothing_had_happened(scene, run, Result.CANCELLED, row.old)
