"""Expressions of the condition language, and answers for them to judge: by grammar, as random text is seldom one."""

import json

from hypothesis import strategies as st

from progressive_ci.judging.condition.names import BUILTINS, ENVIRONMENT, LOOPS
from progressive_ci.judging.condition.tokens import BINARY, UNARY

_LEAVES = st.sampled_from(
    [
        *(
            "result",
            "result[0]",
            "result.a",
            "result?.a.b",
            "nil",
            "true",
            "0",
            "-1",
            "1.5",
            "1e308",
            "9223372036854775807",
        ),
        *(
            "''",
            "'a'",
            "'5m'",
            "'(a+)+$'",
            "'2026-01-01'",
            "[]",
            "[1, 2, 3]",
            "{a: 1}",
            "1..3",
            "now()",
            "#",
            "$env",
        ),
    ]
)
_CALLED = sorted((ENVIRONMENT | BUILTINS) - {"result"} - set(LOOPS))


def _combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pair = st.tuples(inner, inner)
    called = st.tuples(st.sampled_from(_CALLED), st.lists(inner, max_size=3))
    looped = st.tuples(st.sampled_from(sorted(LOOPS)), inner, inner)
    return st.one_of(
        st.tuples(inner, st.sampled_from(sorted(BINARY)), inner).map(
            lambda each: f"({each[0]} {each[1]} {each[2]})"
        ),
        st.tuples(st.sampled_from(sorted(UNARY)), inner).map(lambda each: f"({each[0]} {each[1]})"),
        called.map(lambda each: f"{each[0]}({', '.join(each[1])})"),
        looped.map(lambda each: f"{each[0]}({each[1]}, {each[2]})"),
        pair.map(lambda each: f"{each[0]}[{each[1]}]"),
        pair.map(lambda each: f"({each[0]})[{each[1]}:]"),
        st.tuples(inner, inner, inner).map(lambda each: f"({each[0]} ? {each[1]} : {each[2]})"),
        pair.map(lambda each: f"(let x = {each[0]}; {each[1]} == x)"),
        pair.map(lambda each: f"[{each[0]}, {each[1]}]"),
    )


_EXPRESSIONS = st.recursive(_LEAVES, _combined, max_leaves=12)
_NUMBERS = st.floats() | st.integers(-(2**70), 2**70)
_ANSWERS = st.lists(st.floats(), max_size=5) | st.recursive(
    st.none() | st.booleans() | _NUMBERS | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=8,
)

_CONDITIONS = _EXPRESSIONS | _EXPRESSIONS.map(lambda text: f"{text} == result")
JUDGED = st.tuples(_CONDITIONS, _ANSWERS).map(lambda pair: f"{pair[0]}\n{json.dumps(pair[1])}".encode())
"""What the target `evaluations` takes."""
