from typing import Any

import jsonpatch
from hypothesis import given
from hypothesis import strategies as st

from progressive_ci.sandbox import json_patch

LEAVES = st.none() | st.booleans() | st.integers(-5, 5) | st.text("ab/~ ", max_size=3)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab/~", max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(st.text("abc/~", max_size=3), VALUES, max_size=4)


@given(DOCUMENTS, DOCUMENTS)
def test_a_patch_that_another_library_computed_leads_to_the_same_document(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    patch = jsonpatch.make_patch(before, after).patch
    assert json_patch.apply(before, patch) == after


@given(DOCUMENTS)
def test_a_patch_leaves_the_document_it_was_given_alone(document: dict[str, Any]) -> None:
    before = json_patch.clone(document)
    json_patch.apply(document, [{"op": "add", "path": "/new", "value": {"a": [1]}}])
    assert document == before


@given(DOCUMENTS, VALUES)
def test_a_test_holds_for_equal_values_only(document: dict[str, Any], value: object) -> None:
    patch = [{"op": "test", "path": "/value", "value": value}]
    json_patch.apply({**document, "value": value}, patch)
    try:
        json_patch.apply({**document, "value": [value]}, patch)
    except json_patch.PatchRefused:
        return
    raise AssertionError("another value passed the test")


def test_true_is_not_one() -> None:
    try:
        json_patch.apply({"a": 1}, [{"op": "test", "path": "/a", "value": True}])
    except json_patch.PatchRefused:
        return
    raise AssertionError("1 passed for true")


@given(DOCUMENTS, DOCUMENTS)
def test_a_merge_patch_sets_what_it_says_and_removes_its_nulls(
    document: dict[str, Any], patch: dict[str, Any]
) -> None:
    merged = json_patch.merge(document, patch)
    for key, value in patch.items():
        if value is None:
            assert key not in merged
        elif not isinstance(value, dict):
            assert merged[key] == value
    assert {key: merged[key] for key in document.keys() - patch.keys()} == {
        key: document[key] for key in document.keys() - patch.keys()
    }
