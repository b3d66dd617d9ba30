import pytest

from progressive_ci.model.check import PrometheusQuery, Text
from progressive_ci.model.sample import Errored, Measured, Sample
from progressive_ci.ports import HttpResponse
from progressive_ci.sandbox.cluster import Sandbox
from progressive_ci.sandbox.metrics import AskServer, Mishap

RATE = 'sum(rate(http_requests_total{service="web-stable"}[1m]))'


def asked(sandbox: Sandbox, *, timeout: float = 30.0) -> tuple[float, Sample]:
    query = PrometheusQuery(Text("http://prometheus.monitoring:9090"), Text(RATE), timeout=timeout)
    began = sandbox.clock.now()
    question = sandbox.metrics.ask(query, {})
    assert not question.done()
    sandbox.clock.wait(began + 600)
    return sandbox.clock.now() - began, question.result()


def test_an_answer_arrives_on_virtual_time_and_wakes_whoever_waits() -> None:
    sandbox = Sandbox.with_app()
    sandbox.clock.run(120)
    seconds, sample = asked(sandbox)
    assert seconds == pytest.approx(0.02)
    assert isinstance(sample, Measured)
    assert sample.value == pytest.approx((200,), rel=0.02)


def test_an_answer_that_takes_too_long_is_an_error_at_the_deadline() -> None:
    sandbox = Sandbox.with_app()
    sandbox.prometheus.misbehave("slow", seconds=60)
    seconds, sample = asked(sandbox, timeout=7)
    assert seconds == pytest.approx(7)
    assert sample == Errored("no answer within 7 s from prometheus.monitoring:9090")


def test_a_server_that_is_away_is_an_error() -> None:
    sandbox = Sandbox.with_app()
    sandbox.prometheus.misbehave("down")
    _, sample = asked(sandbox)
    assert sample == Errored("the connection to prometheus.monitoring:9090 was refused")


def test_a_mishap_befalls_one_question_alone() -> None:
    sandbox = Sandbox.with_app()

    def lost(_: AskServer) -> HttpResponse:
        raise ConnectionError

    sandbox.metrics.plan(Mishap(lost, seconds=3.0), number=2)
    found = [asked(sandbox) for _ in range(3)]
    assert [round(seconds, 2) for seconds, _ in found] == [0.02, 3.02, 0.02]
    assert [isinstance(sample, Errored) for _, sample in found] == [False, True, False]


def test_an_address_that_is_none_is_an_error_at_once() -> None:
    sandbox = Sandbox.with_app()
    question = sandbox.metrics.ask(PrometheusQuery(Text("nowhere"), Text("vector(1)")), {})
    assert question.done()
    assert isinstance(question.result(), Errored)
