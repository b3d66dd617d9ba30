import pytest
from hypothesis import given
from hypothesis import strategies as st

from progressive_ci.errors import ProgressiveError
from progressive_ci.metrics.promql import check, fill


@pytest.mark.parametrize(
    ("query", "values", "expected"),
    [
        ('up{a="{{args.a}}"}', {"a": 'x"} or vector(1) #'}, 'up{a="x\\"} or vector(1) #"}'),
        ("up{a='{{ args.a }}.*'}", {"a": "it's\\d"}, "up{a='it\\'s\\\\d.*'}"),
        ("up{a=`{{args.a}}`}", {"a": '\\d"'}, 'up{a=`\\d"`}'),
        ('up{a="{{args.a}}"}', {"a": "two\nlines"}, 'up{a="two\\nlines"}'),
        ("rate({{args.m}}_total[{{args.w}}]) > {{args.n}}", {"m": "http", "w": "1h30m", "n": "-0.5"}, None),
        ("sum by ({{args.l}}) (up)", {"l": "pod"}, "sum by (pod) (up)"),
        ("up offset {{args.w}}", {"w": "5m"}, "up offset 5m"),
        ("{{args.q}}", {"q": "sum(up) or vector(0)"}, "sum(up) or vector(0)"),
        ('up{a="{{args.a}}", b="{{args.late}}"}', {"a": "x"}, 'up{a="x", b="{{args.late}}"}'),
        ("up", {"a": "unused"}, "up"),
    ],
)
def test_an_argument_is_put_in_for_where_it_stands(
    query: str, values: dict[str, str], expected: str | None
) -> None:
    assert fill(query, values) == (expected or "rate(http_total[1h30m]) > -0.5")


@pytest.mark.parametrize(
    ("query", "value", "why"),
    [
        ("up > {{args.a}}", "0.5 or vector(1)", "outside of quotes it must be one number"),
        ("up > {{args.a}}", "", "outside of quotes it must be one number"),
        ("up{ {{args.a}} }", 'a="b"', "outside of quotes it must be one number"),
        ("up{a=`{{args.a}}`}", "`", "it stands between backquotes"),
        ("up {{args.a}} down", "or", "it is a word of PromQL's own"),
        ("up > {{args.a}}", "bool", "it is a word of PromQL's own"),
    ],
)
def test_an_argument_that_would_change_the_query_is_refused(query: str, value: str, why: str) -> None:
    with pytest.raises(ProgressiveError) as caught:
        fill(query, {"a": value})
    assert why in caught.value.what
    assert caught.value.advice


@given(st.text(max_size=30), st.sampled_from(['"', "'"]))
def test_no_value_escapes_from_its_quotes(value: str, quote: str) -> None:
    filled = fill(f"up{{a={quote}{{{{args.a}}}}{quote}}} > 1", {"a": value})
    assert check(filled) is None


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("", "the query is empty"),
        ("sum(rate(foo[5m])", "unclosed left parenthesis (( without a partner in column 4)"),
        ("foo)", "unexpected right parenthesis ')' () without a partner in column 4)"),
        ('foo{a="b}', 'unterminated quoted string " (" without a partner in column 7)'),
        (
            "sum(\n  rate(foo)\n)",
            "expected type matrix in call to function 'rate', got vector (line 2, column 3)",
        ),
        ("nosuch(foo)", "unknown function with name 'nosuch' (column 1)"),
        ("foo bar", "invalid promql query"),
        ("(" * 5000, "the query is longer than 20000 characters or nested deeper than 100 brackets"),
    ],
)
def test_what_is_wrong_with_a_query_is_said_with_its_place(query: str, sentence: str) -> None:
    assert check(query) == sentence


@pytest.mark.parametrize(
    "query",
    [
        "up",
        'sum(rate(x{a=~"b|c"}[5m])) / on(a) group_left y > 0.5',
        "max_over_time(foo[5m:1m] @ start())",
        "up{a=~`\\d\"+`} # it's `",
    ],
)
def test_a_good_query_has_no_complaint(query: str) -> None:
    assert check(query) is None
