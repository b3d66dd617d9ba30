import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest

from progressive_ci.errors import ProgressiveError
from progressive_ci.judging.condition import evaluate_time
from progressive_ci.metrics import prometheus
from progressive_ci.metrics.provider import MOST_BYTES
from progressive_ci.metrics.table import PROVIDERS, provider_of
from progressive_ci.model.check import (
    BasicAuth,
    HashOf,
    OAuth2,
    PrometheusQuery,
    RangeWindow,
    SecretKey,
    Text,
)
from progressive_ci.model.sample import Errored, Measured, Sample
from progressive_ci.ports import HttpRequest, HttpResponse, TokenRequest

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
UP = PrometheusQuery(Text("http://prometheus:9090/"), Text("up"))
SECRET = SecretKey("monitoring", "token")


def asked(query: PrometheusQuery, late: Mapping[str, str] | None = None) -> HttpRequest:
    return prometheus.request(query, late or {}, NOW, moment=evaluate_time)


def form(request: HttpRequest) -> dict[str, list[str]]:
    return parse_qs(request.body.decode(), strict_parsing=True)


def sample(body: object, status: int = 200) -> Sample:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return prometheus.sample(UP, HttpResponse(status, {}, raw))


def success(kind: str, result: object, **more: object) -> dict[str, object]:
    return {"status": "success", "data": {"resultType": kind, "result": result}, **more}


def test_the_table_finds_the_provider_of_a_question() -> None:
    assert provider_of(UP) is PROVIDERS["prometheus"]


def test_an_instant_question_is_a_form_without_a_time() -> None:
    request = asked(UP)
    assert (request.method, request.url) == ("POST", "http://prometheus:9090/api/v1/query")
    assert form(request) == {"query": ["up"]}
    assert request.get_on_405


def test_a_range_question_has_start_end_and_step() -> None:
    window = RangeWindow('now() - duration("1h")', "now()", 60.0)
    request = asked(replace(UP, window=window))
    start, end = NOW - timedelta(hours=1), NOW
    assert request.url == "http://prometheus:9090/api/v1/query_range"
    assert form(request) == {
        "query": ["up"],
        "start": [f"{start.timestamp():.3f}"],
        "end": [f"{end.timestamp():.3f}"],
        "step": ["60"],
    }


def test_a_time_that_cannot_be_read_names_its_field() -> None:
    window = RangeWindow("now()", 'now() - duration("??")', 60.0)
    with pytest.raises(ProgressiveError, match=r"failed to parse rangeQuery\.end as time"):
        asked(replace(UP, window=window))


def test_tls_timeout_and_headers_go_with_the_request() -> None:
    headers = (
        ("X-Scope-OrgID", Text("shop")),
        ("authorization", Text("Bearer {{args.t}}", (("t", SECRET),))),
    )
    query = replace(UP, timeout=5.0, insecure=True, ca="PEM", headers=headers)
    request = asked(query, {"t": "s3cret"})
    assert (request.timeout, request.insecure, request.ca) == (5.0, True, "PEM")
    assert ("X-Scope-OrgID", "shop") in request.headers
    assert ("authorization", "Bearer s3cret") in request.headers


def test_basic_auth_is_a_header() -> None:
    auth = BasicAuth(Text("me"), Text("{{args.p}}", (("p", SECRET),)))
    expected = "Basic " + base64.b64encode(b"me:s3cret").decode()
    assert ("Authorization", expected) in asked(replace(UP, auth=auth), {"p": "s3cret"}).headers


def test_credentials_in_the_address_become_a_header() -> None:
    request = asked(replace(UP, address=Text("https://me:p%40ss@prometheus/base/")))
    assert request.url == "https://prometheus/base/api/v1/query"
    assert ("Authorization", "Basic " + base64.b64encode(b"me:p@ss").decode()) in request.headers


def test_oauth2_says_where_to_get_the_token() -> None:
    auth = OAuth2("https://login/token", Text("id"), Text("{{args.s}}", (("s", SECRET),)), ("metrics",))
    token = TokenRequest("https://login/token", "id", "s3cret", ("metrics",))
    assert asked(replace(UP, auth=auth), {"s": "s3cret"}).token == token


def test_late_arguments_are_escaped_for_where_they_stand() -> None:
    query = Text('up{hash="{{args.hash}}"}', (("hash", HashOf("latest")),))
    assert form(asked(replace(UP, query=query), {"hash": 'a"b'})) == {"query": ['up{hash="a\\"b"}']}


def test_a_late_argument_without_a_value_is_an_error() -> None:
    query = Text("up > {{args.limit}}", (("limit", SECRET),))
    with pytest.raises(ProgressiveError, match="the argument limit has no value"):
        asked(replace(UP, query=query))


def test_a_line_break_in_a_header_is_refused() -> None:
    query = replace(UP, headers=(("X-A", Text("{{args.a}}", (("a", SECRET),))),))
    with pytest.raises(ProgressiveError, match="the value of the header X-A has a line break"):
        asked(query, {"a": "x\r\nX-B: y"})


@pytest.mark.parametrize(
    "address", ["prometheus:9090", "ftp://prometheus", "http://", "http://a b", ":invalid::url"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ProgressiveError, match="is no address"):
        asked(replace(UP, address=Text(address)))


@pytest.mark.parametrize(
    ("kind", "result", "value"),
    [
        ("scalar", [1, "10"], 10.0),
        ("scalar", [1, "+Inf"], float("inf")),
        ("vector", [], ()),
        ("vector", [{"metric": {}, "value": [1, "0.5"]}], (0.5,)),
        (
            "matrix",
            [{"metric": {}, "values": [[1, "1"], [2, "2"]]}, {"metric": {}, "values": [[1, "3"]]}],
            (1, 2, 3),
        ),
    ],
)
def test_numbers_come_as_float_or_as_one_tuple(kind: str, result: object, value: object) -> None:
    measured = sample(success(kind, result))
    assert isinstance(measured, Measured)
    assert measured.value == value


def test_series_are_named() -> None:
    rows = [{"metric": {"__name__": "up", "pod": "a"}, "value": [1, "1"]}, {"metric": {}, "value": [1, "0"]}]
    assert sample(success("vector", rows)) == Measured((1.0, 0.0), series=('up{pod="a"}', "{}"))


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        (
            {"status": "error", "errorType": "bad_data", "error": "parse error at char 5"},
            400,
            "HTTP 400: bad_data: parse error at char 5",
        ),
        ({"status": "error", "error": "too slow"}, 200, "too slow"),
        ({"message": "no such tenant"}, 401, "HTTP 401: no such tenant"),
        (success("vector", []), 500, "HTTP 500: the answer calls itself a success"),
        (
            success("vector", [], warnings=["store a is down", "b too"]),
            200,
            "the answer may be incomplete, the server warns: store a is down; b too",
        ),
        (
            b"<html><head><title>Sign in</title></head></html>",
            200,
            "the server answered HTML titled 'Sign in' instead of JSON: a login page, or not Prometheus",
        ),
        (b"upstream connect error", 503, "HTTP 503: the answer is no JSON: upstream connect error"),
        (b'{"status": "succ', 200, 'the answer is broken JSON: {"status": "succ'),
        (b"", 200, "the answer is empty"),
        (b"[" * 100_000, 200, "the answer is broken JSON: " + "[" * 297 + "..."),
        ([], 200, "the answer is no Prometheus answer: []"),
        ({"status": "success"}, 200, "the answer has no data"),
        (
            success("string", [1, "x"]),
            200,
            "a result of type string can't be judged; a number or series of numbers can",
        ),
        (success("vector", [{"value": [1]}]), 200, "the answer's vector is malformed: [{'value': [1]}]"),
        (
            success("vector", [{"metric": {}, "value": [1, 2]}]),
            200,
            "the answer's vector is malformed: [{'metric': {}, 'value': [1, 2]}]",
        ),
        (success("scalar", None), 200, "the answer's scalar is malformed: None"),
        (
            success("vector", [{"metric": {}, "histogram": [1, {}]}]),
            200,
            "native histograms can't be judged; use histogram_quantile or histogram_avg in the query",
        ),
        (b" " * MOST_BYTES, 200, "the answer is longer than 10 MB; aggregate in the query"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_an_unusable_answer_is_an_error_that_quotes_the_server(
    body: object, status: int, sentence: str
) -> None:
    assert sample(body, status) == Errored(sentence)


def test_too_many_values_are_an_error() -> None:
    rows = [{"metric": {}, "values": [[1, "1"]] * 50_001}]
    assert sample(success("matrix", rows)) == Errored(
        "the answer has more than 50000 values; aggregate in the query"
    )
