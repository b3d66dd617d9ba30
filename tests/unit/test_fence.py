"""What the fence lets through."""

from copy import deepcopy

import jsonpatch
import pytest

from progressive_ci.errors import LeaseLost
from progressive_ci.model.document import JsonObject
from progressive_ci.model.fence import (
    RELEASE,
    Fence,
    epoch_key,
    epoch_of,
    fenced,
    is_marked,
    unfenced_operations,
)
from progressive_ci.model.kinds import SERVICE, Ref
from progressive_ci.model.write import Create, Delete, Merge, Patch, Write, add, remove, replace

WEB = Ref(SERVICE, "shop", "web")
EPOCH = epoch_key("web")
CHANGE = Patch(WEB, (replace("/spec/type", "ClusterIP"),))


def service(annotations: JsonObject | None = None, **metadata: object) -> JsonObject:
    seen: JsonObject = {
        "metadata": {"name": "web", "uid": "u-1", "resourceVersion": "7", **metadata},
        "spec": {"type": "NodePort"},
    }
    if annotations is not None:
        seen["metadata"]["annotations"] = annotations
    return seen


def fence(write: Write, seen: JsonObject | None, epoch: int = 3) -> Write:
    return fenced(write, seen, Fence("web", epoch, "web"))


def applied(write: Write, current: JsonObject) -> JsonObject:
    assert isinstance(write, Patch)
    result: JsonObject = jsonpatch.apply_patch(current, list(write.operations))
    return result


def newer(seen: JsonObject) -> JsonObject:
    changed = deepcopy(seen)
    changed["metadata"]["resourceVersion"] = "8"
    return changed


@pytest.mark.parametrize(
    "annotations",
    [None, {}, {"team": "a"}, {EPOCH: "2"}, {EPOCH: "not ours"}, {EPOCH: 9}],
    ids=["no map", "empty map", "foreign", "lower epoch", "unreadable epoch", "no text"],
)
def test_the_first_write_rests_on_the_version_seen_and_claims_the_object(
    annotations: JsonObject | None,
) -> None:
    seen = service(annotations)
    write = fence(CHANGE, seen)
    result = applied(write, seen)
    assert result["spec"]["type"] == "ClusterIP"
    assert result["metadata"]["annotations"] == {**(annotations or {}), EPOCH: "3"}
    with pytest.raises(jsonpatch.JsonPatchTestFailed):
        applied(write, newer(seen))


def test_a_later_write_rests_on_the_epoch_and_not_on_the_version() -> None:
    seen = service({EPOCH: "3", "team": "a"})
    write = fence(CHANGE, seen)
    assert applied(write, newer(seen))["spec"]["type"] == "ClusterIP"


@pytest.mark.parametrize(
    "current",
    [service({EPOCH: "4"}), service({EPOCH: "3"}, uid="u-2"), service({})],
    ids=["taken over", "recreated", "mark removed"],
)
def test_a_later_write_is_refused_by_the_server(current: JsonObject) -> None:
    write = fence(CHANGE, service({EPOCH: "3"}))
    with pytest.raises((jsonpatch.JsonPatchTestFailed, jsonpatch.JsonPointerException)):
        applied(write, current)


def test_a_patch_without_operations_only_claims() -> None:
    seen = service()
    assert epoch_of(applied(fence(Patch(WEB, ()), seen), seen), "web") == 3


def test_a_map_that_the_write_itself_creates_is_not_overwritten() -> None:
    seen = service()
    write = fence(Patch(WEB, (add("/metadata/annotations", {"a": "b"}),)), seen)
    assert applied(write, seen)["metadata"]["annotations"] == {"a": "b", EPOCH: "3"}


@pytest.mark.parametrize(
    "write",
    [CHANGE, Delete(WEB, "u-1", "7"), Create(WEB, {}), Merge(WEB, {})],
    ids=["patch", "delete", "create", "merge"],
)
def test_an_object_with_a_higher_epoch_ends_every_write(write: Write) -> None:
    with pytest.raises(LeaseLost) as caught:
        fence(write, service({EPOCH: "4"}))
    assert str(caught.value) == (
        "Service shop/web metadata.annotations[progressive-ci/epoch.web]: it carries epoch 4, this run holds "
        "epoch 3: another run has taken the release over; "
        "follow the run that holds the lease now; this one writes nothing more"
    )


def test_a_create_carries_epoch_and_owner_beside_its_own_metadata() -> None:
    body = {"kind": "Service", "metadata": {"name": "web", "labels": {"app": "web"}}}
    write = fence(Create(WEB, body), None)
    assert write == Create(
        WEB,
        {
            "kind": "Service",
            "metadata": {
                "name": "web",
                "labels": {"app": "web", RELEASE: "web"},
                "annotations": {EPOCH: "3"},
            },
        },
    )
    assert body["metadata"] == {"name": "web", "labels": {"app": "web"}}


def test_a_delete_stays_as_it_is() -> None:
    assert fence(Delete(WEB, "u-1", "7"), service()) == Delete(WEB, "u-1", "7")


def test_a_merge_patch_states_uid_version_and_epoch() -> None:
    assert fence(Merge(WEB, {"data": {"a": "b"}}), service()) == Merge(
        WEB,
        {"data": {"a": "b"}, "metadata": {"uid": "u-1", "resourceVersion": "7", "annotations": {EPOCH: "3"}}},
    )


def test_a_change_of_an_object_never_seen_is_a_bug() -> None:
    with pytest.raises(ValueError, match="Service shop/web needs the object"):
        fence(CHANGE, None)


@pytest.mark.parametrize(
    "before",
    [service(), service({"team": "a"}), service(labels={"app": "web"})],
    ids=["bare", "foreign annotation", "foreign label"],
)
def test_taking_the_marks_off_gives_back_what_was_there(before: JsonObject) -> None:
    marked = applied(fence(Patch(WEB, (*labelled(before),)), before), before)
    last = fence(Patch(WEB, unfenced_operations(marked, "web")), marked)
    assert applied(last, marked) == before


def test_taking_a_former_holders_mark_off_does_not_put_ours_on() -> None:
    seen = service({EPOCH: "2"})
    last = fence(Patch(WEB, unfenced_operations(seen, "web")), seen)
    assert "annotations" not in applied(last, seen)["metadata"]


def test_nothing_is_taken_off_an_object_that_carries_no_mark() -> None:
    assert unfenced_operations(service({"team": "a"}), "web") == ()


def test_a_write_that_removes_the_map_does_not_claim() -> None:
    seen = service({"team": "a"})
    write = fence(Patch(WEB, (remove("/metadata/annotations"),)), seen)
    assert "annotations" not in applied(write, seen)["metadata"]


def labelled(seen: JsonObject) -> tuple[JsonObject, ...]:
    if "labels" in seen["metadata"]:
        return (add(f"/metadata/labels/{RELEASE.replace('/', '~1')}", "web"),)
    return (add("/metadata/labels", {RELEASE: "web"}),)


def test_a_route_that_two_workloads_share_has_a_fence_for_each() -> None:
    seen = applied(fence(Patch(WEB, ()), service()), service())
    other = Fence("api", 1, "api")
    both = applied(fenced(Patch(WEB, ()), seen, other), seen)
    assert (epoch_of(both, "web"), epoch_of(both, "api")) == (3, 1)
    assert is_marked(both)


def test_the_annotation_of_a_long_name_is_one_the_server_takes() -> None:
    one, other = epoch_key("w" * 100), epoch_key("w" * 99 + "x")
    assert one != other
    assert all(len(key.rpartition("/")[2]) == 63 for key in (one, other))
