import json

import pytest

from progressive_ci.errors import Interrupted, NoAnswer
from progressive_ci.model.kinds import CONFIG_MAP, collection_path
from progressive_ci.model.outcome import signalled
from progressive_ci.ports import HttpResponse
from progressive_ci.sandbox import faults
from progressive_ci.sandbox.cluster import Sandbox
from progressive_ci.sandbox.faults import Exchange, Killed, nth, to

PATH = collection_path(CONFIG_MAP, "default")


def create(sandbox: Sandbox, name: str = "x") -> HttpResponse:
    body = {"metadata": {"name": name}}
    return sandbox.transport().request(
        "POST", PATH, query={}, body=body, content_type="application/json", timeout=10.0
    )


def exists(sandbox: Sandbox, name: str = "x") -> bool:
    return sandbox.get(CONFIG_MAP, "default", name) is not None


def test_a_request_takes_a_few_milliseconds_and_is_logged() -> None:
    sandbox = Sandbox()
    assert create(sandbox).status == 201
    assert sandbox.clock.now() == pytest.approx(0.004)
    (exchange,) = sandbox.log
    assert (exchange.number, exchange.call.method, exchange.call.path) == (1, "POST", PATH)
    assert (exchange.status, exchange.applied, exchange.writes) == (201, True, True)


def test_a_dropped_request_does_nothing_and_hangs_until_its_timeout() -> None:
    sandbox = Sandbox()
    sandbox.faults.plan(faults.drop(), when=nth(1))
    with pytest.raises(NoAnswer, match="no answer within 10 s"):
        create(sandbox)
    assert (sandbox.clock.now(), exists(sandbox)) == (10.0, False)
    assert (sandbox.log[0].status, sandbox.log[0].applied) == (0, False)
    assert create(sandbox).status == 201


def test_a_lost_answer_leaves_what_was_done() -> None:
    sandbox = Sandbox()
    sandbox.faults.plan(faults.lose_answer(), when=to("POST", "configmaps"))
    with pytest.raises(NoAnswer):
        create(sandbox)
    assert (sandbox.clock.now(), exists(sandbox)) == (10.0, True)
    assert (sandbox.log[0].status, sandbox.log[0].applied) == (0, True)


def test_a_refused_connection_is_known_at_once() -> None:
    sandbox = Sandbox()
    sandbox.faults.plan(faults.refuse(), when=nth(1))
    with pytest.raises(NoAnswer, match="refused"):
        create(sandbox)
    assert sandbox.clock.now() < 0.01


@pytest.mark.parametrize(
    ("fault", "status", "reason"),
    [
        pytest.param(faults.conflict(), 409, "Conflict", id="conflict"),
        pytest.param(faults.too_many(3), 429, "TooManyRequests", id="too many"),
        pytest.param(faults.broken(), 500, "InternalError", id="500"),
        pytest.param(faults.broken(503), 503, "ServiceUnavailable", id="503"),
    ],
)
def test_a_refusal_does_nothing_and_reads_like_the_servers(
    fault: faults.Fault, status: int, reason: str
) -> None:
    sandbox = Sandbox()
    sandbox.faults.plan(fault, when=nth(1), times=1)
    response = create(sandbox)
    assert (response.status, json.loads(response.body)["reason"]) == (status, reason)
    assert response.headers.get("Retry-After") == ("3" if status == 429 else None)
    assert not exists(sandbox)


def test_a_fault_befalls_as_many_requests_as_planned() -> None:
    sandbox = Sandbox()
    sandbox.faults.plan(faults.broken(), when=to("", "configmaps"), times=2)
    assert [create(sandbox).status for _ in range(3)] == [500, 500, 201]


def test_a_delay_within_the_timeout_only_takes_time_and_beyond_it_loses_the_answer() -> None:
    sandbox = Sandbox()
    sandbox.faults.plan(faults.delay(5), when=nth(1))
    sandbox.faults.plan(faults.delay(60), when=nth(2))
    assert create(sandbox).status == 201
    assert sandbox.clock.now() == pytest.approx(5.004)
    with pytest.raises(NoAnswer):
        create(sandbox, "y")
    assert sandbox.clock.now() == pytest.approx(15.004)
    assert exists(sandbox, "y")


@pytest.mark.parametrize(
    ("fault", "done"),
    [
        pytest.param(faults.signal_before("SIGTERM"), False, id="before"),
        pytest.param(faults.signal_after("SIGTERM"), True, id="after"),
    ],
)
def test_a_signal_interrupts_a_request(fault: faults.Fault, *, done: bool) -> None:
    sandbox = Sandbox()
    sandbox.faults.plan(fault, when=nth(1))
    with pytest.raises(Interrupted):
        create(sandbox)
    assert (sandbox.clock.halted(), exists(sandbox)) == (signalled("SIGTERM"), done)


def test_a_signal_in_the_middle_of_a_request_interrupts_it_there() -> None:
    sandbox = Sandbox()
    sandbox.faults.plan(faults.drop(), when=nth(1))
    sandbox.clock.at(3.0, lambda: sandbox.clock.deliver("SIGINT"))
    with pytest.raises(Interrupted):
        create(sandbox)
    assert sandbox.clock.now() == 3.0


@pytest.mark.parametrize(
    ("fault", "done"),
    [
        pytest.param(faults.kill_before(), False, id="before"),
        pytest.param(faults.kill_after(), True, id="after"),
    ],
)
def test_a_killed_process_survives_no_broad_except(fault: faults.Fault, *, done: bool) -> None:
    sandbox = Sandbox()
    sandbox.faults.plan(fault, when=nth(1))
    with pytest.raises(Killed):
        _swallowing(sandbox)
    assert exists(sandbox) is done


def _swallowing(sandbox: Sandbox) -> None:
    try:
        create(sandbox)
    except Exception:  # noqa: BLE001 - the point of the test
        return


def test_hooks_see_every_request_before_and_after_it_and_may_change_the_world() -> None:
    sandbox = Sandbox()
    seen: list[Exchange] = []
    sandbox.faults.after_each(seen.append)
    sandbox.faults.before_each(
        lambda number, _: sandbox.apply(
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"before-{number}"}}
        )
    )
    create(sandbox)
    assert exists(sandbox, "before-1")
    assert [exchange.status for exchange in seen] == [201]
