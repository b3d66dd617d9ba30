"""Credentials that end, are revoked or lose their rights while a release runs; F11."""

import pytest

from progressive_ci.errors import ApiError
from progressive_ci.model.journal import State
from progressive_ci.model.outcome import Result
from progressive_ci.ports import HttpResponse
from progressive_ci.sandbox import faults
from progressive_ci.sandbox.access import ADMIN
from progressive_ci.sandbox.call import Call
from progressive_ci.sandbox.clock import VirtualClock
from progressive_ci.sandbox.faults import Exchange, Send
from progressive_ci.sandbox.resources import CLUSTER_ROLE_BINDING
from tests.scenario import given, login, then, when
from tests.scenario.documents import metric, rollout
from tests.scenario.rows import Input, Row, every
from tests.scenario.scene import Scene

MINUTE = 60.0
QUARTER = 15 * MINUTE
STEPS = "- setWeight: 20\n- pause: {duration: 30m}\n- setWeight: 60\n- pause: {duration: 30m}\n"
READY = "progressDeadlineSeconds: 60"


def text(router: str, steps: str = STEPS) -> str:
    return rollout(router, steps=steps, spec=READY)


def hour(row: Row) -> Input:
    """A release that takes one: by its steps, or by the analysis after it where it has none."""
    if row.router:
        return Input(row.written(steps=STEPS, spec=READY))
    return row.judged(metric(interval="60s", count="61"), spec=READY)


def refusals(scene: Scene) -> int:
    return sum(done.status == 401 for done in scene.sandbox.log)


@pytest.mark.acceptance("F11")
@every()
def test_a_release_of_an_hour_goes_on_with_tokens_of_a_quarter(row: Row) -> None:
    scene = row.open()
    scene.login = login.renewed(scene.sandbox, ADMIN, seconds=QUARTER)
    run = hour(row).released(scene)
    then.ended(run, Result.PROMOTED)
    assert not [told for told in then.warnings(run) if "credential" in told]
    assert not refusals(scene)
    then.nobody_was_turned_away(scene)
    then.rules_held(scene)


@pytest.mark.acceptance("F11")
@every()
def test_a_release_is_at_rest_before_a_token_ends_that_nobody_renews(row: Row) -> None:
    scene = row.open()
    began = scene.sandbox.clock.now()
    scene.login = login.fixed(scene.sandbox, ADMIN, seconds=QUARTER)
    run = hour(row).released(scene)
    then.ended(run, Result.CANCELLED)
    assert run.outcome is not None
    assert "the token of the kubeconfig ends in" in run.outcome.reason
    assert any("is rolled back; use a credential that is renewed" in each for each in then.warnings(run))
    assert not refusals(scene)
    assert QUARTER / 2 < scene.sandbox.clock.now() - began < QUARTER
    record = scene.oracle.record
    assert record is not None
    assert record.state is State.ENDED
    then.serves(scene, row.old)
    then.nothing_left(scene)
    then.all_is_as_before(scene)
    then.nobody_was_turned_away(scene)
    then.rules_held(scene)


@pytest.mark.acceptance("F11")
@every(lambda row: bool(row.router))
@pytest.mark.parametrize("after", [660, 680, 780])
def test_a_token_outlasts_the_two_minutes_after_an_outage_on_the_way_back(row: Row, after: int) -> None:
    scene = row.open()
    clock = scene.sandbox.clock
    scene.login = login.fixed(scene.sandbox, ADMIN, seconds=QUARTER)
    away = clock.now() + after
    scene.sandbox.faults.plan(faults.refuse(), when=lambda *_: away <= clock.now() < away + 10, times=10_000)
    run = hour(row).released(scene)
    then.ended(run, Result.CANCELLED)
    assert not refusals(scene)
    then.serves(scene, row.old)
    then.nothing_left(scene)


def test_a_plugin_that_fails_later_ends_the_release_before_its_last_token() -> None:
    scene = given.app()
    scene.login = login.renewed(scene.sandbox, ADMIN, seconds=QUARTER, asks=2)
    run = scene.released(text("gateway"))
    then.ended(run, Result.CANCELLED)
    assert run.outcome is not None
    assert "the credential plugin `login` ends in" in run.outcome.reason
    assert not refusals(scene)
    then.serves(scene, "1.0.0")
    then.nothing_left(scene)
    then.rules_held(scene)


def test_a_token_that_lasts_long_enough_is_no_matter() -> None:
    scene = given.app()
    scene.login = login.fixed(scene.sandbox, ADMIN, seconds=2 * QUARTER)
    run = scene.released(text("gateway", "- setWeight: 20\n- pause: {duration: 1m}\n"))
    then.ended(run, Result.PROMOTED)
    assert not then.warnings(run)


def test_a_token_that_would_not_last_for_the_way_back_is_refused() -> None:
    scene = given.app()
    scene.login = login.fixed(scene.sandbox, ADMIN, seconds=90)
    run = scene.released(text("gateway"))
    then.ended(run, Result.REFUSED)
    assert run.outcome is not None
    assert "the token of the kubeconfig: it ends in" in run.outcome.reason
    then.nothing_was_written(run, but=())


def test_a_short_token_is_enough_to_finish_what_an_earlier_run_left() -> None:
    scene = given.app()
    scene.sandbox.faults.plan(faults.kill_after(), when=faults.to("PATCH", "/httproutes/"))
    scene.released(text("gateway"))
    scene.sandbox.clock.run(MINUTE)
    scene.login = login.fixed(scene.sandbox, ADMIN, seconds=120)
    run = scene.released(text("gateway"))
    then.ended(run, Result.REFUSED)
    then.serves(scene, "1.0.0")
    then.nothing_left(scene)
    then.rules_held(scene)


def test_a_short_token_is_enough_where_nothing_has_to_be_written() -> None:
    scene = given.app()
    scene.login = login.fixed(scene.sandbox, ADMIN, seconds=90)
    run = scene.released(rollout("gateway", steps=STEPS, image="web:1.0.0"))
    then.ended(run, Result.UNCHANGED)


@every()
@pytest.mark.parametrize("number", range(0, 400, 37))
def test_a_token_that_is_refused_once_is_replaced_and_the_same_request_sent_again(
    row: Row, number: int
) -> None:
    scene = row.open()
    since = len(scene.sandbox.log)
    scene.login = login.renewed(scene.sandbox, ADMIN, seconds=QUARTER)

    def revoke(index: int, _: Call) -> None:
        if index == since + number:
            scene.sandbox.api.tokens.known.clear()

    scene.sandbox.faults.before_each(revoke)
    run = row.lasting("- setWeight: 20\n- pause: {duration: 1m}\n", 60).released(scene)
    then.ended(run, Result.PROMOTED)
    assert refusals(scene) <= 2
    then.nobody_was_turned_away(scene)
    then.rules_held(scene)


def everything_but_the_lease(scene: Scene) -> list[Exchange]:
    return [done for done in scene.sandbox.log if not then.is_lease(done)]


@every()
def test_a_token_revoked_for_good_ends_in_a_list_for_a_person_and_no_endless_loop(row: Row) -> None:
    scene = row.open()
    scene.login = login.fixed(scene.sandbox, ADMIN, seconds=24 * 60 * MINUTE)
    when.later(scene, 5 * MINUTE, scene.sandbox.api.tokens.known.clear)
    run = hour(row).released(scene)
    then.ended(run, Result.INCOMPLETE)
    assert run.outcome is not None
    assert "401 Unauthorized" in run.outcome.reason
    assert "Deployment shop/web: set /spec/paused" in run.outcome.left[0]
    refused = [done for done in everything_but_the_lease(scene) if done.status == 401]
    assert any(then.is_safe_write(done) for done in refused) == row.routed
    assert len(refused) < 80
    then.nobody_was_turned_away(scene)
    then.rules_held(scene)


@pytest.mark.acceptance("F11")
@every()
def test_a_run_that_loses_its_rights_tries_the_safe_write_and_names_what_is_left(row: Row) -> None:
    scene = row.open()
    scene.user = "ci"
    scene.sandbox.world.grant("ci", [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}])

    def unbind() -> None:
        [binding] = scene.sandbox.all(CLUSTER_ROLE_BINDING)
        scene.sandbox.store.drop(CLUSTER_ROLE_BINDING, binding)

    when.later(scene, 5 * MINUTE, unbind)
    run = hour(row).released(scene)
    then.ended(run, Result.INCOMPLETE)
    assert run.outcome is not None
    assert "403 Forbidden" in run.outcome.reason
    assert run.outcome.left
    refused = [done for done in everything_but_the_lease(scene) if done.status == 403]
    assert any(then.is_safe_write(done) for done in refused) == row.routed
    assert len(refused) < 80
    then.nobody_was_turned_away(scene)
    then.rules_held(scene)


@pytest.mark.acceptance("F11")
def test_a_run_that_no_longer_trusts_the_server_says_so() -> None:
    scene = given.app()
    lost = ApiError("the certificate of https://shop can't be trusted", reason="Certificate")

    def befall(_: Call, __: float, ___: Send, clock: VirtualClock) -> HttpResponse:
        clock.advance(0.004)
        raise lost

    def replaced() -> None:
        scene.sandbox.faults.plan(befall, when=faults.to("", ""), times=1_000_000)

    when.later(scene, 5 * MINUTE, replaced)
    run = scene.released(text("gateway"))
    then.ended(run, Result.INCOMPLETE)
    assert run.outcome is not None
    assert "the certificate of https://shop can't be trusted" in run.outcome.reason
    assert run.outcome.left
    then.nobody_was_turned_away(scene)
    then.rules_held(scene)
