import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.expressions import JUDGED
from tests.fuzz.targets import TARGETS, tried

EXAMPLES = 20_000 if os.environ.get("SWEEP") == "all" else 100
WORDS = st.lists(
    st.sampled_from(
        [
            *(
                "{",
                "}",
                "[",
                "]",
                ":",
                ",",
                '"',
                "'",
                "`",
                "\\",
                "\n",
                " ",
                "-",
                "0",
                "1e9",
                "NaN",
                "null",
                "true",
            ),
            *(
                "result",
                "[0]",
                ">",
                "==",
                "&&",
                "(",
                ")",
                "sum(",
                "up",
                "{{args.a}}",
                "len(",
                "\x00",
                "é",
                "5m",
            ),
            *("status", "success", "data", "resultType", "vector", "value", "kind", "Status", "format", "is"),
        ]
    ),
    max_size=40,
).map(lambda parts: "".join(parts).encode())
DEEP = st.tuples(
    st.sampled_from([b"[", b'{"a":', b"(", b"!", b"-", b"{{", b"- ", b"a ? b : "]), st.integers(1, 20_000)
).map(lambda pair: pair[0] * pair[1])


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=2000 if os.environ.get("SWEEP") == "all" else 60, deadline=2000)
@given(content=st.binary(max_size=200) | st.text(max_size=80).map(str.encode) | WORDS | DEEP)
def test_any_text_ends_in_a_value_or_in_an_error_of_ours(name: str, content: bytes) -> None:
    tried(TARGETS[name], content)


@settings(max_examples=EXAMPLES, deadline=2000)
@given(JUDGED)
def test_any_condition_judges_any_answer_or_says_why_not(content: bytes) -> None:
    tried(TARGETS["evaluations"], content)
