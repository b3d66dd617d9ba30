import json
import math
from typing import Any

import pytest

from progressive_ci.model.kinds import HTTP_ROUTE, Ref
from progressive_ci.sandbox.cluster import Sandbox

RATE = 'sum(rate(http_requests_total{service="web-stable"}[1m]))'


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    """Ten minutes of steady traffic, 4 % of it errors."""
    made = Sandbox.with_app(image="web:1.0.0-err4-slow100")
    made.clock.run(600)
    return made


def answer(sandbox: Sandbox, query: str, **more: str) -> dict[str, Any]:
    path = "/api/v1/query_range" if "step" in more else "/api/v1/query"
    response = sandbox.prometheus.answer("GET", path, {"query": query, **more}, None)
    found: dict[str, Any] = json.loads(response.body)
    return {**found, "code": response.status}


def value(sandbox: Sandbox, query: str) -> float:
    data = answer(sandbox, query)["data"]
    if data["resultType"] == "scalar":
        return float(data["result"][1])
    (sample,) = data["result"]
    return float(sample["value"][1])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param(RATE, 200, id="rate"),
        pytest.param('sum(increase(http_requests_total{service="web-stable"}[1m]))', 12000, id="increase"),
        pytest.param(
            'sum(rate(http_requests_total{service="web-stable",status=~"2.."}[5m]))'
            ' / sum(rate(http_requests_total{service="web-stable"}[5m]))',
            0.96,
            id="success rate",
        ),
        pytest.param(
            'sum(rate(http_requests_total{service="web-stable",status!~"5.*"}[2m])) / '
            'sum(rate(http_requests_total{service="web-stable"}[2m])) * 100',
            96,
            id="in percent",
        ),
        pytest.param(
            "histogram_quantile(0.5, sum(rate(http_request_duration_ms_bucket"
            '{service="web-stable"}[5m])) by (le))',
            100,
            id="median latency in ms",
        ),
        pytest.param(
            "histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket[5m]))) < bool 0.3",
            1,
            id="comparison as a number",
        ),
        pytest.param('sum(rate(http_requests_total{service="none"}[5m])) or vector(0)', 0, id="or vector"),
        pytest.param('scalar(count(up{namespace="shop"}))', 4, id="scalar of a count"),
        pytest.param("-(2 + 3) * 4 / 2", -10, id="numbers"),
        pytest.param("absent(nothing)", 1, id="absent"),
        pytest.param(f"clamp_max({RATE}, 50)", 50, id="clamp"),
        pytest.param(f"{RATE} and on() vector(1)", 200, id="and"),
        pytest.param(f"{RATE} > 150", 200, id="comparison that filters"),
        pytest.param("min(http_requests_total) <= bool max(http_requests_total)", 1, id="min and max"),
        pytest.param("avg(up) * 3", 3, id="average"),
        pytest.param("count(topk(2, up))", 2, id="topk"),
    ],
)
def test_a_query_gives_what_the_traffic_says(sandbox: Sandbox, query: str, expected: float) -> None:
    assert value(sandbox, query) == pytest.approx(expected, rel=0.02)


def test_series_carry_the_labels_of_the_pods(sandbox: Sandbox) -> None:
    result = answer(sandbox, 'http_requests_total{service="web-stable",status="200"}')["data"]["result"]
    assert len(result) == 4
    metric = result[0]["metric"]
    assert metric["__name__"] == "http_requests_total"
    assert {key: metric[key] for key in ("app", "namespace", "service", "status", "version")} == {
        "app": "web",
        "namespace": "shop",
        "service": "web-stable",
        "status": "200",
        "version": "1.0.0-err4-slow100",
    }
    assert metric["pod"].startswith(f"web-{metric['pod_template_hash']}-")


@pytest.mark.parametrize(
    "query",
    [
        pytest.param('http_requests_total{service="none"}', id="no such series"),
        pytest.param(f"{RATE} > 300", id="filtered away"),
        pytest.param(f"{RATE} unless vector(1)", id="unless"),
    ],
)
def test_a_query_that_matches_nothing_gives_an_empty_vector(sandbox: Sandbox, query: str) -> None:
    assert answer(sandbox, query)["data"] == {"resultType": "vector", "result": []}


def test_no_requests_divided_by_no_requests_is_not_a_number(sandbox: Sandbox) -> None:
    assert math.isnan(value(sandbox, "sum(up * 0) / sum(up * 0)"))
    assert value(sandbox, "sum(up) / 0") == math.inf


def test_a_range_query_gives_a_value_for_each_step(sandbox: Sandbox) -> None:
    now = sandbox.clock.wall().timestamp()
    data = answer(sandbox, RATE, start=str(now - 120), end=str(now), step="60s")["data"]
    assert data["resultType"] == "matrix"
    (series,) = data["result"]
    assert [float(each[1]) for each in series["values"]] == pytest.approx([200, 200, 200], rel=0.02)


def test_a_form_is_read_like_a_query(sandbox: Sandbox) -> None:
    response = sandbox.prometheus.answer("POST", "/api/v1/query", {}, b"query=vector%281%29")
    assert json.loads(response.body)["data"]["result"][0]["value"][1] == "1"


def test_a_query_that_does_not_parse_is_bad_data(sandbox: Sandbox) -> None:
    found = answer(sandbox, "sum(")
    assert (found["code"], found["status"], found["errorType"]) == (400, "error", "bad_data")


def test_a_query_beyond_the_sandbox_says_so(sandbox: Sandbox) -> None:
    found = answer(sandbox, "holt_winters(up[5m], 0.5, 0.5)")
    assert (found["code"], found["status"]) in {(422, "error"), (400, "error")}
    assert answer(sandbox, "rate(up[5m:1m])")["error"] == "the sandbox does not compute subqueries"


def test_another_path_is_not_found(sandbox: Sandbox) -> None:
    assert sandbox.prometheus.answer("GET", "/graph", {}, None).status == 404


def test_a_service_without_users_has_no_series() -> None:
    sandbox = Sandbox.with_app()
    sandbox.clock.run(60)
    assert answer(sandbox, 'http_requests_total{service="web-canary"}')["data"]["result"] == []


def test_a_version_without_requests_for_a_while_has_a_rate_of_zero() -> None:
    sandbox = Sandbox.with_app()
    sandbox.clock.run(60)
    sandbox.traffic.users("users", Ref(HTTP_ROUTE, "shop", "web"), 0)
    sandbox.clock.run(120)
    assert value(sandbox, RATE) == 0


def test_a_misbehaviour_lasts_as_long_as_planned() -> None:
    sandbox = Sandbox.with_app()
    now = sandbox.clock.now()
    sandbox.prometheus.misbehave("503", since=now + 10, until=now + 20)
    codes = []
    for _ in range(3):
        codes.append(answer(sandbox, "vector(1)")["code"])
        sandbox.clock.run(10)
    assert codes == [200, 503, 200]
    sandbox.prometheus.misbehave("down")
    with pytest.raises(ConnectionError):
        answer(sandbox, "vector(1)")
    sandbox.prometheus.behave()
    assert answer(sandbox, "vector(1)")["code"] == 200
