"""The guard in the cluster: alone it brings to safety what its run left, and goes when there is nothing to keep."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from progressive_ci.model import kinds
from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Result
from progressive_ci.release.leftover import is_leftover
from progressive_ci.release.rights import rights
from progressive_ci.reports.role import rules
from progressive_ci.sandbox import faults, status
from progressive_ci.sandbox.call import Call
from progressive_ci.sandbox.faults import Exchange, Fault, nth
from progressive_ci.sandbox.json_patch import clone
from tests.scenario import given, guards, then, when
from tests.scenario.documents import IMAGE, MEASURED, metric, rollout, template
from tests.scenario.late import held
from tests.scenario.rows import ROWS, Row
from tests.scenario.scene import NAME, NAMESPACE, Run, Scene, planned
from tests.scenario.test_interrupted import LONGEST, STRIDE, is_whole, offset, rows, version_of

SOON = 30 + 2 * 5
"""Seconds after which a guard has taken over what nobody keeps: the lease, and a look before and after."""

WIDE = 1 if STRIDE == 1 else 2 * STRIDE
"""For cases that take two processes each."""

GOOD, BAD, CRASHING = IMAGE, "web:2.0.0-err40", "web:2.0.0-crash"


def guarded(row: Row) -> Scene:
    """An application whose next release asks for a guard."""
    scene = row.open()
    guards.account(scene, row.text)
    return scene


def dead_at(row: Row, number: int, fault: Fault) -> tuple[Scene, Run, Exchange | None]:
    """A guarded release that dies at a request, counted from 1; no request where it has fewer."""
    scene = guarded(row)
    first = len(scene.sandbox.log)
    scene.sandbox.faults.plan(fault, when=nth(first + number))
    run = scene.released(row.text, guards.ASKED)
    return scene, run, None if run.outcome else scene.sandbox.faults.numbered(first + number)


def orphan(row: Row) -> Scene:
    """A guarded release that died in the middle of its steps."""
    scene, posted = guarded(row), list[int]()

    def in_the_middle(number: int, call: Call) -> bool:
        if call.method == "POST" and call.path.endswith("/jobs"):
            posted.append(number)
        return bool(posted) and number == posted[0] + (30 if row.routed else 12)

    scene.sandbox.faults.plan(faults.kill_after(), when=in_the_middle)
    run = scene.released(row.text, guards.ASKED)
    assert run.outcome is None, run.outcome
    assert guards.is_there(scene)
    return scene


def left(row: Row, fault: Fault, offset: int) -> Iterator[tuple[Scene, Exchange]]:
    """The release dead at a later request each time, from the first at which its guard is there."""
    for number in range(1 + offset, LONGEST, STRIDE):
        scene, _, at_request = dead_at(row, number, fault)
        if at_request is None:
            return
        if guards.is_there(scene):
            yield scene, at_request
    pytest.fail(f"the release has more than {LONGEST} requests")


def kept(scene: Scene, row: Row, watch: Run) -> None:
    """The guard has brought everything to safety, and is gone."""
    assert watch.outcome is not None
    assert watch.outcome.result in (Result.RECOVERED, Result.PROMOTED, Result.NOTHING_TO_DO), watch.outcome
    nothing = watch.outcome.result is Result.NOTHING_TO_DO
    then.nothing_left(scene, but=("the lease's holder",) if nothing else ())
    is_whole(scene, version_of(scene, row))


@rows
@pytest.mark.parametrize("fault", [faults.kill_before(), faults.kill_after()], ids=["before", "after"])
def test_a_guard_alone_brings_a_release_to_safety_that_dies_at_any_request(row: Row, fault: Fault) -> None:
    for scene, at_request in left(row, fault, offset(row, 13)):
        died = scene.sandbox.clock.now()
        watch = guards.watched(scene)
        took_over = next((done.time for done in watch.requests if done.writes), died)
        assert took_over - died < SOON, at_request
        assert scene.sandbox.clock.now() - died < SOON + Options().rollback_budget, at_request
        kept(scene, row, watch)


@rows
def test_a_guard_that_dies_itself_at_any_request_is_replaced_by_its_job(row: Row) -> None:
    for number in range(1 + offset(row, 29), LONGEST, WIDE):
        scene = orphan(row)
        first = len(scene.sandbox.log)
        scene.sandbox.faults.plan(faults.kill_before(), when=nth(first + number))
        watch = guards.watched(scene)
        if watch.outcome is not None:
            return
        if guards.is_there(scene):
            kept(scene, row, guards.watched(scene))
    pytest.fail(f"the guard has more than {LONGEST} requests")


@pytest.mark.parametrize(
    ("image", "cancelled", "result"),
    [
        (GOOD, False, Result.PROMOTED),
        (BAD, False, Result.UNHEALTHY),
        (CRASHING, False, Result.UNREADY),
        (GOOD, True, Result.CANCELLED),
    ],
    ids=["promoted", "unhealthy", "unready", "cancelled"],
)
@pytest.mark.parametrize("router", then.ROUTERS)
def test_a_run_takes_its_guard_away_at_every_end_and_the_guard_has_only_looked(
    router: str, image: str, *, cancelled: bool, result: Result
) -> None:
    text = rollout(router, image=image, steps=MEASURED) + "---\n" + template(metric())
    scene = given.app(router=router)
    guards.account(scene, text)
    ended = guards.beside(scene)
    if cancelled:
        when.later(scene, 40.0, lambda: scene.sandbox.clock.deliver("SIGTERM"))
    run = scene.released(text, guards.ASKED)
    then.ended(run, result)
    assert any(done.call.method == "POST" and done.call.path.endswith("/jobs") for done in run.requests)
    assert not guards.is_there(scene)
    # Whoever sees the end first takes the Job away.
    assert all(done.result is Result.NOTHING_TO_DO for done in ended)
    wrote = [
        f"{done.call.method} {done.call.path}"
        for done in run.requests
        if done.writes and done.call.user == guards.ACCOUNT
    ]
    # Its first word, once.
    assert wrote in ([guards.WORD], [guards.WORD, f"DELETE {guards.JOB.path}"])
    then.nothing_left(scene)
    then.rules_held(scene)


def test_a_guard_that_its_run_may_not_delete_removes_itself_and_writes_nothing_else() -> None:
    row = ROWS["gateway"]
    scene = guarded(row)
    scene.sandbox.faults.plan(
        faults.answer(status.forbidden("ci", "delete", (kinds.JOB, "", NAMESPACE, guards.JOB.name))),
        when=faults.to("DELETE", "/jobs/"),
    )
    then.ended(scene.released(row.text, guards.ASKED), Result.PROMOTED)
    assert guards.is_there(scene)
    watch = guards.watched(scene)
    then.ended(watch, Result.NOTHING_TO_DO)
    assert [f"{done.call.method} {done.call.path}" for done in watch.requests if done.writes] == [
        f"DELETE {guards.JOB.path}"
    ]
    then.nothing_left(scene)


def test_an_outage_of_the_api_server_for_everybody_does_not_let_the_guard_take_a_release_from_its_run() -> (
    None
):
    row = ROWS["gateway"]
    scene = guarded(row)
    ended = guards.beside(scene)
    clock, away = scene.sandbox.clock, list[float]()

    def outage(_: int, call: Call) -> bool:
        if not away and call.method == "PATCH" and "/httproutes/" in call.path and not call.dry:
            away.append(clock.now())
        return bool(away) and away[0] < clock.now() < away[0] + 50

    scene.sandbox.faults.plan(faults.refuse(), when=outage, times=1000)
    run = scene.released(row.text, guards.ASKED)
    assert run.outcome is not None
    assert away
    assert run.outcome.result is not Result.TAKEN_OVER, run.outcome
    assert not ended
    then.nothing_left(scene)
    then.rules_held(scene)


def test_a_guard_bears_an_outage_and_goes_on() -> None:
    row = ROWS["gateway"]
    scene = orphan(row)
    until = scene.sandbox.clock.now() + 300
    scene.sandbox.faults.plan(
        faults.refuse(), when=lambda *_: scene.sandbox.clock.now() < until, times=10_000
    )
    watch = guards.watched(scene)
    kept(scene, row, watch)
    assert until < scene.sandbox.clock.now() < until + 60 + SOON + Options().rollback_budget
    told = [text for text in then.warnings(watch) if "goes on watching" in text]
    assert 0 < len(told) < 5, told


def test_a_drained_node_ends_a_guard_and_its_job_starts_another() -> None:
    row = ROWS["gateway"]
    scene = orphan(row)
    when.later(scene, 7.0, lambda: scene.sandbox.clock.deliver("SIGTERM"))
    watch = guards.watched(scene)
    then.ended(watch, Result.CANCELLED)
    assert guards.is_there(scene)
    kept(scene, row, guards.watched(scene))


def test_a_release_that_waits_for_a_person_is_left_alone() -> None:
    text = rollout("gateway", image=BAD, steps=MEASURED) + "---\n" + template(metric())
    scene = given.app()
    guards.account(scene, text)
    then.ended(scene.released(text, replace(guards.ASKED, on_failure="hold")), Result.HELD)
    when.later(scene, 600.0, lambda: scene.sandbox.clock.deliver("SIGTERM"))
    watch = guards.watched(scene)
    then.ended(watch, Result.CANCELLED)
    then.nothing_was_written(watch, but=())
    then.ended(scene.rescued(), Result.RECOVERED)
    then.nothing_left(scene)


def test_preflight_names_the_account_that_is_missing() -> None:
    row = ROWS["gateway"]
    scene = row.open()
    run = scene.released(row.text, guards.ASKED)
    then.refused(
        run,
        "ServiceAccount shop/progressive-ci-web-guard: it does not exist, and the guard acts with its rights; "
        "apply what `progressive-ci rbac --guard IMAGE` prints for these documents",
    )


def test_the_rights_on_the_job_are_asked_for_with_the_option_alone() -> None:
    row = ROWS["gateway"]
    scene = guarded(row)
    scene.sandbox.world.grant("ci", rules(rights(planned(row.text))), NAMESPACE)
    scene.user = "ci"
    run = scene.released(row.text, guards.ASKED)
    then.ended(run, Result.REFUSED)
    assert run.outcome is not None
    missing = ("create jobs.batch", "get jobs.batch", "delete jobs.batch", "get serviceaccounts")
    assert [line for line in run.outcome.reason.splitlines() if not any(m in line for m in missing)] == []
    then.ended(scene.released(row.text), Result.PROMOTED)


@rows
def test_of_a_guard_and_the_next_run_exactly_one_finishes_the_orphan(row: Row) -> None:
    for number in range(1 + offset(row, 17), LONGEST, WIDE):
        scene = orphan(row)
        first = len(scene.sandbox.log)
        watches = list[Run]()
        scene.sandbox.faults.plan(
            held(lambda: watches.append(guards.watched(scene))),  # noqa: B023 - called within this round
            when=nth(first + number),
        )
        run = scene.released(row.text)
        if not watches:
            return
        assert run.outcome is not None
        assert run.outcome.result in (Result.PROMOTED, Result.UNCHANGED, Result.TAKEN_OVER), run.outcome
        [watch] = watches
        if run.outcome.result is Result.TAKEN_OVER:
            # Its last create may land late; the next release sweeps that.
            for item in scene.sandbox.all(kinds.REPLICA_SET, NAMESPACE):
                if is_leftover(item, NAME):
                    scene.sandbox.store.drop(kinds.REPLICA_SET, item)
        kept(scene, row, watch)
    pytest.fail(f"the next run has more than {LONGEST} requests")


def test_a_release_whose_guard_does_not_come_up_begins_with_nobody() -> None:
    row = ROWS["gateway"]
    scene = guarded(row)
    scene.sandbox.world.jobs.starts = False
    run = scene.released(row.text, guards.ASKED)
    then.ended(run, Result.UNREADY)
    assert run.outcome is not None
    assert run.outcome.reason == "the pod of Job shop/progressive-ci-web-guard does not run after 600 s"
    then.nothing_left(scene)
    is_whole(scene, "1.0.0")


def test_a_resumed_release_gets_a_guard_of_its_own() -> None:
    row = ROWS["gateway"]
    scene = orphan(row)
    before = scene.sandbox.store.find(guards.JOB)
    scene.sandbox.clock.run(60)
    uids = list[str]()
    scene.sandbox.faults.after_each(
        lambda _: uids.extend(item["metadata"]["uid"] for item in scene.sandbox.all(kinds.JOB, NAMESPACE))
    )
    run = scene.released(row.text, replace(guards.ASKED, resume=True))
    then.ended(run, Result.PROMOTED)
    assert before is not None
    assert uids[0] == before["metadata"]["uid"]
    assert len(set(uids)) == 2
    then.nothing_left(scene)
    is_whole(scene, "2.0.0")


def test_a_version_of_somebody_else_is_seen_while_a_resumed_release_waits_for_its_guard() -> None:
    row = ROWS["gateway"]
    scene = orphan(row)
    scene.sandbox.world.jobs.starts = False
    scene.sandbox.clock.run(60)
    when.once(scene, faults.to("POST", "/jobs"), lambda: when.image_set(scene, "web:3.0.0"))
    run = scene.released(row.text, replace(guards.ASKED, resume=True))
    assert run.outcome is not None
    assert run.outcome.reason.startswith("superseded: "), run.outcome
    then.rules_held(scene)


def test_an_earlier_guard_that_does_not_go_is_not_waited_for_for_ever() -> None:
    row = ROWS["gateway"]
    scene = orphan(row)
    job = scene.sandbox.store.find(guards.JOB)
    assert job is not None
    kept = {**clone(job), "metadata": {**clone(job)["metadata"], "finalizers": ["example.com/kept"]}}
    scene.sandbox.store.write(kinds.JOB, kept)
    scene.sandbox.clock.run(60)
    run = scene.released(row.text, replace(guards.ASKED, resume=True))
    then.ended(run, Result.UNREADY)
    assert run.outcome is not None
    assert run.outcome.reason.endswith("-guard was deleted 600 s ago and is still there")
    is_whole(scene, "1.0.0")
