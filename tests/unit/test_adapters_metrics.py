import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from progressive_ci.adapters.addresses import Addresses, parse
from progressive_ci.adapters.clock import RealClock
from progressive_ci.adapters.connection import connect
from progressive_ci.adapters.login import Access
from progressive_ci.adapters.metrics import HttpMetrics
from progressive_ci.adapters.wire import Wire
from progressive_ci.model.check import OAuth2, PrometheusQuery, RangeWindow, SecretKey, Text
from progressive_ci.model.sample import Errored, Measured, Sample
from progressive_ci.ports import Pending
from tests.unit.socket_server import Exchange, Script, free_port, serve

FAR = 60.0
VECTOR = {
    "status": "success",
    "data": {"resultType": "vector", "result": [{"metric": {}, "value": [1, "0.25"]}]},
}
LOCAL = "http://prometheus.monitoring:9090"


@pytest.fixture
def clock() -> Iterator[RealClock]:
    real = RealClock()
    yield real
    real.close()


def direct(clock: RealClock, *mappings: str) -> HttpMetrics:
    return HttpMetrics(clock, addresses=Addresses(parse(mappings)), proxy=None)


def proxied(clock: RealClock, folder: Path, server: str) -> HttpMetrics:
    path = folder / "config"
    body = {
        "current-context": "a",
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
        "clusters": [{"name": "a", "cluster": {"server": server}}],
        "users": [{"name": "a", "user": {"token": "ours"}}],
    }
    path.write_text(yaml.safe_dump(body))
    wire = Wire(connect(clock, Access(kubeconfig=str(path)), environ={}))
    return HttpMetrics(clock, addresses=Addresses(namespace="shop"), proxy=wire)


def answered(clock: RealClock, pending: Pending) -> Sample:
    until = clock.now() + FAR
    while not pending.done():
        assert clock.now() < until, "never done"
        clock.wait(until)
    return pending.result()


def up(address: str, **fields: object) -> PrometheusQuery:
    return PrometheusQuery(Text(address), Text('up{app="web"}'), **fields)  # type: ignore[arg-type]  # a test's fields


def test_an_answer_wakes_who_waits_for_it_and_is_measured(clock: RealClock) -> None:
    with serve(lambda exchange: exchange.answer(200, VECTOR)) as server:
        sample = answered(clock, direct(clock).ask(up(server.url), {}))
    assert isinstance(sample, Measured)
    assert sample.value in ([0.25], (0.25,))


def test_questions_are_asked_at_the_same_time(clock: RealClock) -> None:
    together = threading.Barrier(3)

    def script(exchange: Exchange) -> None:
        together.wait(FAR)
        exchange.answer(200, VECTOR)

    with serve(script) as server:
        metrics = direct(clock)
        pending = [metrics.ask(up(server.url), {}) for _ in range(3)]
        assert all(isinstance(answered(clock, each), Measured) for each in pending)


def test_a_mapped_address_is_asked_instead(clock: RealClock) -> None:
    with serve(lambda exchange: exchange.answer(200, VECTOR)) as server:
        metrics = direct(clock, f"{LOCAL}={server.url}/prefix")
        assert isinstance(answered(clock, metrics.ask(up(LOCAL), {})), Measured)
        assert server.seen[0].path == "/prefix/api/v1/query"


@pytest.mark.parametrize(
    "misbehave",
    [Exchange.hang, lambda exchange: exchange.drip(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")],
    ids=["silence", "a byte now and then"],
)
def test_an_answer_that_never_ends_is_an_error_at_its_deadline(clock: RealClock, misbehave: Script) -> None:
    with serve(misbehave) as server:
        sample = answered(clock, direct(clock).ask(up(server.url, timeout=0.2), {}))
        assert sample == Errored(f"no answer within 0.2 s from {server.url}")


def test_what_can_not_be_reached_is_an_error(clock: RealClock) -> None:
    sample = answered(clock, direct(clock).ask(up(f"http://127.0.0.1:{free_port()}"), {}))
    assert isinstance(sample, Errored)
    assert "can't be reached: Connection refused" in sample.reason


def test_a_question_that_can_not_be_asked_is_an_error(clock: RealClock) -> None:
    query = PrometheusQuery(Text(LOCAL), Text("{{args.token}}", (("token", SecretKey("s", "k")),)))
    sample = answered(clock, direct(clock).ask(query, {}))
    assert isinstance(sample, Errored)
    assert "token" in sample.reason


def test_a_question_that_is_cancelled_holds_nobody_up(clock: RealClock) -> None:
    with serve(Exchange.hang) as server:
        direct(clock).ask(up(server.url), {}).cancel()


def test_a_cluster_local_server_is_asked_through_the_api_server(clock: RealClock, tmp_path: Path) -> None:
    with serve(lambda exchange: exchange.answer(200, VECTOR)) as server:
        metrics = proxied(clock, tmp_path, server.url)
        assert isinstance(answered(clock, metrics.ask(up(LOCAL), {})), Measured)
        seen = server.seen[0]
    parts = urlsplit(seen.path)
    assert seen.method == "GET"
    assert parts.path == ("/api/v1/namespaces/monitoring/services/http:prometheus:9090/proxy/api/v1/query")
    assert parse_qs(parts.query) == {"query": ['up{app="web"}']}
    assert seen.headers["authorization"] == "Bearer ours"


def refusal(code: int, reason: str, message: str) -> Script:
    body = {"kind": "Status", "apiVersion": "v1", "reason": reason, "message": message, "code": code}
    return lambda exchange: exchange.answer(code, body)


WHERE = "Service monitoring/http:prometheus:9090: the API server did not pass the question on"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (
            refusal(403, "Forbidden", "no"),
            (f"{WHERE} (403): no; grant `get` on `services/proxy` named `http:prometheus:9090` in monitoring "
            "(`progressive-ci rbac` prints it), or map its address with --address FROM=TO"),
        ),
        (
            refusal(401, "Unauthorized", "Unauthorized"),
            f"{WHERE} (401): Unauthorized; the credential is wrong or has expired: give the job a fresh one",
        ),
        (
            refusal(503, "ServiceUnavailable", "no endpoints available"),
            (f"{WHERE} (503): no endpoints available; check the Service's name, port and pods, "
            "or map its address with --address FROM=TO"),
        ),
    ],
    ids=["403", "401", "503"],
)  # fmt: skip
def test_a_refusal_of_the_api_server_says_what_is_missing(
    clock: RealClock, tmp_path: Path, script: Script, message: str
) -> None:
    with serve(script) as server:
        sample = answered(clock, proxied(clock, tmp_path, server.url).ask(up(LOCAL), {}))
    assert sample == Errored(message)


def test_an_error_of_the_metrics_server_itself_is_its_own(clock: RealClock, tmp_path: Path) -> None:
    with serve(lambda exchange: exchange.answer(403, b"not for you")) as server:
        sample = answered(clock, proxied(clock, tmp_path, server.url).ask(up(LOCAL), {}))
    assert isinstance(sample, Errored)
    assert "not for you" in sample.reason
    assert "API server" not in sample.reason


@pytest.mark.parametrize(
    ("query", "lost"),
    [
        (up(LOCAL, headers=(("X-Scope-OrgID", Text("team")),)), "X-Scope-OrgID"),
        (up(LOCAL, auth=OAuth2("https://id.example", Text("me"), Text("secret"))), "token"),
    ],
    ids=["a header", "a token"],
)
def test_what_the_api_server_would_drop_is_an_error_and_not_sent(
    clock: RealClock, tmp_path: Path, query: PrometheusQuery, lost: str
) -> None:
    with serve(lambda exchange: exchange.answer(200, VECTOR)) as server:
        sample = answered(clock, proxied(clock, tmp_path, server.url).ask(query, {}))
        assert not server.seen
    assert sample == Errored(
        f"http:prometheus:9090: the API server's service proxy passes on no credentials and no headers ({lost}); "
        "give the server an address that this job can reach, with --address FROM=TO"
    )


@pytest.mark.parametrize(
    ("status", "headers", "heeded"),
    [(200, {}, True), (200, {"Age": "600"}, False), (503, {}, False)],
    ids=["its own", "a copy", "something between"],
)
def test_a_range_is_asked_for_by_the_clock_of_the_server_that_has_the_data(
    clock: RealClock, status: int, headers: dict[str, str], *, heeded: bool
) -> None:
    theirs = datetime.now(UTC) - timedelta(minutes=10)
    asked: list[float] = []

    def script(exchange: Exchange) -> None:
        asked.append(float(parse_qs(exchange.body.decode())["end"][0]))
        exchange.handler.date_time_string = lambda *_: format_datetime(theirs, usegmt=True)  # type: ignore[method-assign]
        exchange.answer(status, VECTOR, headers)

    with serve(script) as server:
        metrics = direct(clock)
        window = RangeWindow("now() - duration('5m')", "now()", 15.0)
        for _ in range(2):
            answered(clock, metrics.ask(up(server.url, window=window), {}))
    assert asked[0] == pytest.approx(datetime.now(UTC).timestamp(), abs=60)
    wanted = theirs if heeded else datetime.now(UTC)
    assert asked[1] == pytest.approx(wanted.timestamp(), abs=60)
