import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from progressive_ci.errors import ConditionError
from progressive_ci.judging.condition.regex import search


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("b", "abc", True),
        ("^b", "abc", False),
        ("^[a-z]+$", "abc", True),
        ("(?i)ABC", "xabcx", True),
        ("a.b", "a\nb", False),
        ("(?s)a.b", "a\nb", True),
        ("(?m)^b$", "a\nb\nc", True),
        ("b$", "ab\n", False),
        ("a{2,3}c", "aaaac", True),
        ("^a{2,3}c", "aaaac", False),
        ("a{b", "a{b", True),
        ("(?:ab|cd)+e", "abcde", True),
        ("(?P<name>x)y", "xy", True),
        ("[^a-c]", "abc", False),
        ("a[]]b", "a]b", True),
        (r"[a\-b]{3}", "a-b", True),
        ("[[:alpha:]]{3}[[:^digit:]]", "abc!", True),
        (r"\d\D\w\W\s\S", "1a_ \tx", True),
        (r"\pL\PL", "\u00e91", True),
        (r"^\p{Lu}$", "E", True),
        (r"^\w$", "\u00e9", False),
        (r"\bhere\b", "word here", True),
        (r"o\Br", "word", True),
        (r"\Qa+b\E", "a+b", True),
        (r"\x41\x{42}\103", "ABC", True),
        ("", "anything", True),
        ("a|", "b", True),
    ],
)
def test_a_pattern_matches_as_re2_does(pattern: str, text: str, expected: object) -> None:
    assert search(pattern, text) is expected


@pytest.mark.parametrize(
    "pattern",
    ["(a", "a)", "*a", "a**", "[b-a]", "a{2,1}", "a{1001}", r"\y", "a(?=b)", "[a", "\\", r"\p{Nope}"],
)
def test_what_re2_refuses_is_refused(pattern: str) -> None:
    with pytest.raises(ConditionError):
        search(pattern, "a")


def test_a_pattern_that_makes_backtracking_engines_hang_takes_linear_time() -> None:
    looked_at: list[int] = []
    assert not search("(a+)+$", "a" * 2000 + "!", looked_at.append)
    assert sum(looked_at) < 50 * 2000


_ATOMS = st.sampled_from(["a", "b", "ab", ".", "[ab]", "[^a]", "a|b", "(?:a|bb)"])
_PATTERNS = st.lists(
    st.tuples(_ATOMS, st.sampled_from(["", "*", "+", "?", "{2}", "{1,3}"])).map(
        lambda pair: f"(?:{pair[0]}){pair[1]}"
    ),
    max_size=4,
).map("".join)


@given(_PATTERNS, st.text(alphabet="abc", max_size=12))
def test_the_engine_agrees_with_pythons_where_both_speak_the_same(pattern: str, text: str) -> None:
    assert search(pattern, text) == (re.search(pattern, text) is not None)
    assert search(f"^{pattern}$", text) == (re.fullmatch(pattern, text) is not None)
