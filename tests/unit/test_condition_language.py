import contextlib
import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from progressive_ci.errors import ConditionError
from progressive_ci.judging.condition import compile_condition, complaint, evaluate, evaluate_time

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DOCUMENT = {
    "a": 1,
    "b": True,
    "c": [1, 2, 3, 4],
    "d": None,
    "s": "hello world",
    "items": [{"v": 1}, {"v": 7}],
}


@pytest.mark.parametrize(
    ("text", "result", "expected"),
    [
        ("1 + 2 * 3 == 7", 0.0, True),
        ("-2 ** 2 == -4", 0.0, True),
        ("2 ** 3 ** 2 == 512", 0.0, True),
        ("1 < 2 < 3", 0.0, True),
        ("3 > 2 > 2", 0.0, False),
        ("true || false && false", 0.0, True),
        ("not (true) and false", 0.0, False),
        ("(nil ?? 1) == 1", 0.0, True),
        ("true ? false : true ? true : false", 0.0, False),
        ("1 not in [2, 3]", 0.0, True),
        ("result | filter(# > 1) | len() == 2", (1.0, 2.0, 3.0), True),
        ("let x = result[0]; x == 1", (1.0,), True),
        ("if len(result) > 0 { true } else { false }", (1.0,), True),
        ("all(1..3, {let y = #; y > 0})", 0.0, True),
        ("result.zzz?.b.c == nil", DOCUMENT, True),
        ("result.c[1:3] == [2, 3]", DOCUMENT, True),
        ("any(result.items, .v > 5)", DOCUMENT, True),
        ("reduce(result.c, #acc + #, 10) == 20", DOCUMENT, True),
        ("groupBy(result.c, # > 1)[true][0] == 2", DOCUMENT, True),
        ("string([1, 2.5, 'a']) == '[1 2.5 a]'", 0.0, True),
        ("string(1000000.0) == '1e+06'", 0.0, True),
        ('fromJSON(\'{"a": {"b": 2}}\').a.b == 2', 0.0, True),
        ("int(12.9) == 12 and round(-2.5) == -3", 0.0, True),
        ("1 / 0 > 1", 0.0, True),
        ("-5 % 3 == -2", 0.0, True),
        ("9223372036854775807 + 1 < 0", 0.0, True),
        ("0x1F == 31 && 0b101 == 5 && 1_000 == 1000", 0.0, True),
        ("\"\\u{48}i\" == 'Hi'", 0.0, True),
        ("`a``b` == 'a`b'", 0.0, True),
        ("true // said twice", 0.0, True),
        ("result[5] > 1 || true", (1.0,), True),
        ("duration('1h30m').Minutes() == 90", 0.0, True),
        ("date('2023-08-14') - date('2023-08-13') == duration('24h')", 0.0, True),
        ("now().Year() == 2026", 0.0, True),
        ("default(result, 7) == 7", None, True),
        ("upper('stra\u00dfe') == 'STRA\u00dfE'", 0.0, True),
    ],
)
def test_a_condition_gives_what_upstreams_library_gives(text: str, result: object, expected: object) -> None:
    assert evaluate(compile_condition(text), result, now=NOW) is expected


@pytest.mark.parametrize(
    ("text", "column", "sentence"),
    [
        ("", 1, "unexpected token EOF"),
        ("result[0] >= 0.95 &&", 20, "unexpected token EOF"),
        ("result[0] =< 1", 11, 'unexpected token Operator("=")'),
        ("results[0] > 1", 1, "unknown name results"),
        ("result > 1 && foo(result)", 15, "unknown name foo"),
        ("result ?? 0 == 5", 13, "== and ?? cannot be mixed, put one of them into parentheses"),
        ("len(result, 1) > 1", 1, "invalid number of arguments (expected 1, got 2)"),
        ("isNaN()", 1, "not enough arguments to call isNaN"),
        ('"a" > 1', 5, "invalid operation: > (mismatched types string and int)"),
        ("1 % 0 == 1", 3, "integer divide by zero"),
        ('result matches "("', 16, "error parsing regexp: missing closing ) in `(`"),
        ("'open", 1, "a quoted text is not closed"),
        ("true /* open", 6, "a comment is not closed"),
        ("#index == 0", 1, 'unexpected token Operator("#")'),
        ("let len = 1; true", 5, "cannot redeclare len"),
        ("all(result)", 11, "all needs at least 2 arguments"),
        ("result @ 1", 8, "unrecognized character '@'"),
        ('"\\q" == ""', 3, "invalid char escape"),
    ],
)
def test_a_text_that_is_no_condition_is_refused_with_its_column(
    text: str, column: int, sentence: str
) -> None:
    with pytest.raises(ConditionError) as caught:
        compile_condition(text)
    assert (caught.value.column, caught.value.what) == (column, sentence)
    assert caught.value.stage == "compile"


@pytest.mark.parametrize("text", ["1", "result == 1 ? 'a' : 'b'", "sum([1, 2])", "nil"])
def test_a_text_that_can_never_be_a_bool_is_refused(text: str) -> None:
    with pytest.raises(ConditionError, match="expected bool, but got") as caught:
        compile_condition(text)
    assert caught.value.stage == "outcome"


def test_the_complaint_for_people_names_the_column() -> None:
    assert complaint("results[0] > 1") == "unknown name results (column 1)"
    assert complaint("result[0] > 1") is None


@pytest.mark.parametrize(
    ("text", "result", "stage"),
    [
        ("isNil(result) || result > 1", None, "compile"),
        ("result[0] % 3 == 1", (1.0,), "compile"),
        ("result == '5'", 5.0, "compile"),
        ("result.x > 1", (1.0,), "compile"),
        ("result[0] > 1", (), "run"),
        ("result?.[0] > 1", (), "run"),
        ("result.a.b == 1", {"a": None}, "run"),
        ("result.n > 5", {"n": "12"}, "run"),
        ("asInt(result) == 1", "1.1", "run"),
        ("findIndex(result, # > 5) == 1", (1.0,), "run"),
        ("result.b", {"b": 1}, "outcome"),
    ],
)
def test_an_evaluation_fails_where_upstreams_fails(text: str, result: object, stage: str) -> None:
    with pytest.raises(ConditionError) as caught:
        evaluate(compile_condition(text), result)
    assert caught.value.stage == stage


def test_an_error_of_evaluation_points_into_the_condition() -> None:
    with pytest.raises(ConditionError) as caught:
        evaluate(compile_condition("len(result) > 0 || result[0] > 1"), ())
    expected = (
        "condition `len(result) > 0 || result[0] > 1`, column 26: index out of range: 0 (array length is 0)"
    )
    assert str(caught.value) == expected


@pytest.mark.parametrize(
    "text",
    [
        "1..1000000000 == []",
        "all(1..1000, all(1..1000, # > 0))",
        "reduce(1..60, #acc + #acc, 'aaaa') == ''",
        "reduce(1..60, concat(#acc, #acc), [1]) == []",
        "reduce(1..500, [#acc], 1) == reduce(1..500, [#acc], 1)",
        "toJSON(reduce(1..40, [#acc, #acc], 1)) == ''",
        "repeat(repeat('a', 100000), 100) == ''",
        "replace(repeat('a', 900000), 'a', repeat('b', 9000)) == ''",
        "let r = 1..900000; all(1..1000, (# + 900000) not in r)",
        "let s = repeat('a', 3000); all(1..1000, not (s matches '(a?){500}b'))",
        "'x' matches '((a{100}){100}){100}'",
        "sort(map(1..900000, -#)) == []",
        "uniq(1..100000) == []",
        "(" * 200 + "1" + ")" * 200 + " == 1",
        "!" * 500 + "true",
        "1" + " + 1" * 400 + " > 0",
        "true" + " || true" * 5000,
    ],
)
def test_no_condition_takes_long_or_much(text: str) -> None:
    with pytest.raises(ConditionError):
        evaluate(compile_condition(text), (1.0,))


def test_a_result_that_is_nested_too_deeply_is_an_error() -> None:
    deep: list[object] = []
    for _ in range(500):
        deep = [deep]
    with pytest.raises(ConditionError, match="nested deeper than 100 levels"):
        evaluate(compile_condition("len(result) == 1"), deep)


@given(st.text(alphabet="result[0].><=!&|#()[]{}1 \"'a,;?:+-*/%^lenx\\\n", max_size=40))
def test_any_text_is_a_condition_or_a_complaint(text: str) -> None:
    try:
        condition = compile_condition(text)
    except ConditionError:
        return
    for result in (None, 1.0, (), (math.nan,), {"a": [1]}, "x"):
        with contextlib.suppress(ConditionError):
            assert evaluate(condition, result, now=NOW) in (True, False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now()", NOW),
        ('now() - duration("5m")', NOW - timedelta(minutes=5)),
        ('date("2023-08-14 10:00", "2006-01-02 15:04")', datetime(2023, 8, 14, 10, tzinfo=UTC)),
        ('date("2023-08-14T10:00:00+02:00")', datetime(2023, 8, 14, 8, tzinfo=UTC)),
        ('date("Aug 14 2023 3:04PM", "Jan 2 2006 3:04PM")', datetime(2023, 8, 14, 15, 4, tzinfo=UTC)),
        ('now().Truncate(duration("1h"))', datetime(2026, 1, 2, 3, tzinfo=UTC)),
    ],
)
def test_times_of_a_range_are_written_in_the_same_language(text: str, expected: datetime) -> None:
    assert evaluate_time(text, NOW) == expected


@pytest.mark.parametrize("text", ["1", "result", "now() -- ?", 'duration("??")', 'date("soon")'])
def test_a_text_that_gives_no_time_is_an_error(text: str) -> None:
    with pytest.raises(ConditionError):
        evaluate_time(text, NOW)


@pytest.mark.parametrize("text", ["result.a[abs():] == 1", "result.a[:abs()] == 1", "result.a(abs()) == 1"])
def test_what_stands_within_something_unknown_is_checked_too(text: str) -> None:
    told = complaint(text)
    assert told is not None
    assert told.startswith("invalid number of arguments (expected 1, got 0)")
