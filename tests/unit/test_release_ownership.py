from typing import Any

import jsonpatch
from hypothesis import given
from hypothesis import strategies as st

from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.fence import epoch_key
from progressive_ci.model.kinds import Ref
from progressive_ci.release.ownership import absent, changes, freed, look_up, valued, wish

REF = Ref(kinds.SERVICE, "shop", "web")
PIN = "/spec/selector/pod-template-hash"


def service(**selector: str) -> JsonObject:
    return {"metadata": {"name": "web", "uid": "u"}, "spec": {"selector": selector}}


def applied(item: JsonObject, operations: Any) -> JsonObject:  # noqa: ANN401 - JSON Patch
    return dict(jsonpatch.apply_patch(item, list(operations)))


KEYS = st.sampled_from(["a", "b/c", "d~e", "0"])
VALUES = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers(), max_size=2)
TREES: st.SearchStrategy[JsonObject] = st.dictionaries(
    KEYS, VALUES | st.dictionaries(KEYS, VALUES, min_size=1)
)


@given(TREES, st.sampled_from(["/a", "/b~1c", "/d~0e/a"]), VALUES)
def test_a_field_is_given_back_as_it_was(item: JsonObject, path: str, value: object) -> None:
    before = look_up(item, path)
    parent = look_up(item, path.rpartition("/")[0]) if path.count("/") > 1 else valued("", {})
    if not parent.present or isinstance(parent.value, dict):
        changed = applied(item, changes(item, [valued(path, value)]))
        assert look_up(changed, path) == valued(path, value)
        assert look_up(applied(changed, changes(changed, [before])), path) == before


def test_every_overwritten_value_is_tested_first() -> None:
    operations = changes(service(app="web", **{"pod-template-hash": "old"}), [valued(PIN, "new")])
    assert operations == (
        {"op": "test", "path": PIN, "value": "old"},
        {"op": "replace", "path": PIN, "value": "new"},
    )


def test_what_is_as_wished_needs_no_write() -> None:
    assert wish(REF, service(app="web"), [valued("/spec/selector/app", "web"), absent(PIN)]) is None


def test_the_last_write_takes_the_mark_off_and_leaves_those_of_others() -> None:
    item = service(app="web")
    item["metadata"]["annotations"] = {epoch_key("web"): "3", epoch_key("api"): "1", "mine": "x"}
    patch = freed(REF, item, [absent(PIN)], workload="web")
    assert patch is not None
    assert applied(item, patch.operations)["metadata"]["annotations"] == {epoch_key("api"): "1", "mine": "x"}


def test_an_object_without_a_mark_and_with_its_own_values_is_left_alone() -> None:
    assert freed(REF, service(app="web"), [absent(PIN)], workload="web") is None
