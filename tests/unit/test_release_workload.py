import pytest
from hypothesis import given
from hypothesis import strategies as st

from progressive_ci.model.document import JsonObject
from progressive_ci.release.workload import (
    complete,
    hash_of,
    part_of,
    ready_pods,
    same_template,
    selector_text,
    selects,
    set_name,
    surge_of,
    unavailable_of,
    with_hash,
    without_hash,
)

TEMPLATE: JsonObject = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web"}]}}


@pytest.mark.parametrize(
    ("value", "size", "surge", "unavailable"),
    [("25%", 10, 3, 2), (None, 4, 1, 1), ("0%", 5, 0, 0), (2, 5, 2, 2), ("100%", 3, 3, 3), ("1%", 50, 1, 0)],
)
def test_a_share_of_pods_is_rounded_up_for_surge_and_down_for_missing_ones(
    value: int | str | None, size: int, surge: int, unavailable: int
) -> None:
    assert part_of(value, size, up=True) == surge
    assert part_of(value, size, up=False) == unavailable


def test_where_both_limits_are_zero_one_pod_may_be_missing() -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "0%", "maxUnavailable": "10%"}}
    assert (surge_of(strategy, 5), unavailable_of(strategy, 5)) == (0, 1)


def test_recreate_may_miss_every_pod() -> None:
    assert (surge_of({"type": "Recreate"}, 5), unavailable_of({"type": "Recreate"}, 5)) == (0, 5)


@given(st.dictionaries(st.text(min_size=1), st.text()))
def test_the_hash_label_changes_neither_template_nor_hash(annotations: dict[str, str]) -> None:
    template = {**TEMPLATE, "metadata": {**TEMPLATE["metadata"], "annotations": annotations}}
    marked = with_hash(template, "abc")
    assert same_template(template, marked)
    assert hash_of(template) == hash_of(marked)
    assert without_hash(marked)["metadata"] == template["metadata"]


def test_another_image_gives_another_hash_that_is_a_valid_label() -> None:
    other = {**TEMPLATE, "spec": {"containers": [{"name": "web", "image": "web:2"}]}}
    assert hash_of(other) != hash_of(TEMPLATE)
    assert hash_of(other).isalnum()
    assert len(hash_of(other)) == 10


def test_a_long_name_is_cut_so_that_the_hash_fits() -> None:
    name = set_name("w" * 253, "abcdefghij")
    assert len(name) == 253
    assert name.endswith("w-abcdefghij")


@pytest.mark.parametrize(
    ("selector", "text"),
    [
        ({"matchLabels": {"app": "web", "tier": "a"}}, "app=web,tier=a"),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["a", "b"]}]}, "app in (a,b)"),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["a"]}]}, "app notin (a)"),
        ({"matchExpressions": [{"key": "app", "operator": "Exists"}]}, "app"),
        ({"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}, "!app"),
    ],
)
def test_selectors_are_written_as_query_parameters(selector: JsonObject, text: str) -> None:
    assert selector_text(selector) == text


@pytest.mark.parametrize(
    ("selector", "fits"),
    [({"app": "web"}, True), ({"app": "web", "x": "y"}, False), ({}, False), (None, False)],
)
def test_a_service_without_a_selector_selects_nothing(selector: dict[str, str] | None, fits: bool) -> None:  # noqa: FBT001 - a column of the table
    assert selects({"spec": {"selector": selector}}, {"app": "web"}) is fits


def endpoint(uid: str, **conditions: bool) -> JsonObject:
    return {"conditions": conditions, "targetRef": {"kind": "Pod", "uid": uid}}


def test_a_pod_counts_once_over_all_slices_and_only_while_it_is_ready_and_stays() -> None:
    labels = {"kubernetes.io/service-name": "web"}
    slices: list[JsonObject] = [
        {
            "metadata": {"labels": labels},
            "endpoints": [endpoint("a", ready=True), endpoint("b", ready=False)],
        },
        {
            "metadata": {"labels": labels},
            "endpoints": [endpoint("a"), endpoint("c", ready=True, terminating=True)],
        },
        {"metadata": {"labels": {"kubernetes.io/service-name": "other"}}, "endpoints": [endpoint("d")]},
        {"metadata": {"labels": labels}, "endpoints": None},
    ]
    assert ready_pods(slices, "web") == {"a"}


@pytest.mark.parametrize(
    ("status", "is_complete"),
    [
        ({"updatedReplicas": 3, "replicas": 3, "availableReplicas": 3, "observedGeneration": 2}, True),
        ({"updatedReplicas": 3, "replicas": 3, "availableReplicas": 3, "observedGeneration": 1}, False),
        ({"updatedReplicas": 3, "replicas": 4, "availableReplicas": 3, "observedGeneration": 2}, False),
        ({"updatedReplicas": 3, "replicas": 3, "availableReplicas": 2, "observedGeneration": 2}, False),
        ({}, False),
    ],
    ids=["all there", "not looked at yet", "an old pod left", "one not available", "no status"],
)
def test_a_deployment_is_complete_when_its_controller_says_so(status: JsonObject, is_complete: bool) -> None:  # noqa: FBT001 - a column of the table
    assert complete({"metadata": {"generation": 2}, "spec": {"replicas": 3}, "status": status}) is is_complete
