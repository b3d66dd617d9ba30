"""The controllers: what a release relies on, held to the real ones (reference: adoption while paused)."""

import pytest

from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import DEPLOYMENT, ENDPOINT_SLICE, POD, REPLICA_SET, SERVICE
from tests.contract.api_cases import objects
from tests.contract.api_cases.target import Target

pytest_plugins = ["tests.contract.api_cases.fixtures"]

WEB = (DEPLOYMENT, "web")
CANARY = (REPLICA_SET, "web-canary1")
DESIRED = "deployment.kubernetes.io/desired-replicas"
REVISION = "deployment.kubernetes.io/revision"
PAUSE = {"op": "add", "path": "/spec/paused", "value": True}
RECREATE = {"op": "replace", "path": "/spec/strategy", "value": {"type": "Recreate"}}
TEMPLATE = {"op": "replace", "path": "/spec/template", "value": objects.template(image=objects.NEW)}
OLD = {"op": "replace", "path": "/spec/template", "value": objects.template()}
RESUME = {"op": "remove", "path": "/spec/paused"}
ROLL = {"op": "replace", "path": "/spec/strategy", "value": {"type": "RollingUpdate"}}


def available(api: Target, ref: tuple = WEB, count: int = 3) -> bool:  # type: ignore[type-arg]
    found = api.found(*ref)
    status = found.get("status", {})
    return bool(
        status.get("availableReplicas", 0) == status.get("replicas", 0) == count
        and status.get("observedGeneration") == found["metadata"]["generation"]
    )


def observed(api: Target) -> bool:
    found = api.found(*WEB)
    return bool(found["status"].get("observedGeneration") == found["metadata"]["generation"])


def sizes(api: Target) -> dict[str, int]:
    """Wished pods by image."""
    items = api.listed(REPLICA_SET).body["items"]
    return {
        item["spec"]["template"]["spec"]["containers"][0]["image"]: item["spec"]["replicas"] for item in items
    }


def owner(obj: JsonObject) -> str:
    owners = [each["name"] for each in obj["metadata"].get("ownerReferences") or () if each.get("controller")]
    return owners[0] if owners else ""


def condition(api: Target, type_: str) -> tuple[str, str]:
    for each in api.found(*WEB)["status"].get("conditions") or ():
        if each["type"] == type_:
            return each["status"], each["reason"]
    return "", ""


@pytest.fixture
def web(api: Target) -> Target:
    """Three pods of the old version run."""
    api.made(DEPLOYMENT, objects.deployment())
    api.until(lambda: available(api))
    return api


@pytest.fixture
def canary(web: Target) -> Target:
    """Three pods of the new one as well, in a ReplicaSet of which the Deployment knows nothing."""
    web.made(REPLICA_SET, objects.replica_set("web-canary1", replicas=3))
    web.until(lambda: available(web, CANARY))
    return web


@pytest.fixture
def paused(canary: Target) -> Target:
    """The Deployment is paused, holds the new template, and can only recreate."""
    assert canary.patch(WEB, [PAUSE, TEMPLATE, RECREATE]).status == 200
    canary.until(lambda: observed(canary))
    return canary


def label(api: Target, *, desired: int | None) -> None:
    annotations = {} if desired is None else {DESIRED: str(desired)}
    metadata = {"labels": {"app": "web", "pod-template-hash": "canary1"}, "annotations": annotations}
    assert api.merge(CANARY, {"metadata": metadata}).status == 200


def test_a_deployment_makes_a_replica_set_named_and_labelled_by_its_hash(web: Target) -> None:
    (found,) = web.listed(REPLICA_SET).body["items"]
    hashed = found["metadata"]["labels"]["pod-template-hash"]
    assert found["metadata"]["name"] == f"web-{hashed}"
    assert found["spec"]["selector"] == {"matchLabels": {"app": "web", "pod-template-hash": hashed}}
    assert found["spec"]["template"]["metadata"]["labels"] == {"app": "web", "pod-template-hash": hashed}
    assert found["metadata"]["annotations"] == {
        DESIRED: "3",
        "deployment.kubernetes.io/max-replicas": "4",
        REVISION: "1",
    }
    assert owner(found) == "web"
    deployment = web.found(*WEB)
    assert deployment["metadata"]["annotations"] == {REVISION: "1"}
    assert deployment["metadata"]["generation"] == 1
    assert condition(web, "Progressing") == ("True", "NewReplicaSetAvailable")
    assert condition(web, "Available") == ("True", "MinimumReplicasAvailable")
    for pod in web.listed(POD).body["items"]:
        assert pod["metadata"]["generateName"] == f"web-{hashed}-"
        assert owner(pod) == f"web-{hashed}"


def test_a_new_template_rolls_out_and_an_old_one_back_under_new_revisions(web: Target) -> None:
    web.patch(WEB, [TEMPLATE])
    web.until(lambda: sizes(web) == {objects.OLD: 0, objects.NEW: 3})
    web.until(lambda: available(web))
    assert web.found(*WEB)["metadata"]["annotations"] == {REVISION: "2"}
    web.patch(WEB, [OLD])
    web.until(lambda: sizes(web) == {objects.OLD: 3, objects.NEW: 0})
    web.until(lambda: web.found(*WEB)["metadata"]["annotations"] == {REVISION: "3"})
    (old,) = (
        each
        for each in web.listed(REPLICA_SET).body["items"]
        if each["metadata"]["annotations"][REVISION] == "3"
    )
    assert old["metadata"]["annotations"]["deployment.kubernetes.io/revision-history"] == "1"


def test_annotations_of_a_deployment_go_down_to_its_new_replica_set(web: Target) -> None:
    web.merge(WEB, {"metadata": {"annotations": {"note": "x"}}})
    web.until(lambda: web.listed(REPLICA_SET).body["items"][0]["metadata"]["annotations"].get("note") == "x")


def test_recreate_ends_the_old_pods_before_it_makes_new_ones(api: Target) -> None:
    api.made(DEPLOYMENT, objects.deployment(strategy={"type": "Recreate"}))
    api.until(lambda: available(api))
    api.patch(WEB, [TEMPLATE])

    def new_pods() -> bool:
        images = {
            pod["spec"]["containers"][0]["image"]
            for pod in api.listed(POD).body["items"]
            if pod["status"]["phase"] != "Succeeded"
        }
        assert images != {objects.OLD, objects.NEW}
        return images == {objects.NEW}

    api.until(new_pods)


def test_a_rollout_that_does_not_progress_passes_its_deadline(api: Target) -> None:
    api.made(DEPLOYMENT, objects.deployment(image="example/app:missing", progressDeadlineSeconds=2))
    api.until(lambda: condition(api, "Progressing") == ("False", "ProgressDeadlineExceeded"))
    assert condition(api, "Available") == ("False", "MinimumReplicasUnavailable")


def test_pods_are_available_only_after_min_ready_seconds(api: Target) -> None:
    api.made(DEPLOYMENT, objects.deployment(minReadySeconds=4))
    api.until(lambda: api.found(*WEB)["status"].get("readyReplicas") == 3)
    assert "availableReplicas" not in api.found(*WEB)["status"]
    api.until(lambda: available(api))


def test_history_beyond_its_limit_is_deleted(api: Target) -> None:
    api.made(DEPLOYMENT, objects.deployment(revisionHistoryLimit=0))
    api.until(lambda: available(api))
    api.patch(WEB, [TEMPLATE])
    api.until(lambda: sizes(api) == {objects.NEW: 3})


def test_a_paused_deployment_notes_it_and_starts_no_pods_of_a_new_template(web: Target) -> None:
    web.patch(WEB, [PAUSE, TEMPLATE])
    web.until(lambda: condition(web, "Progressing") == ("Unknown", "DeploymentPaused"))
    web.until(lambda: observed(web))
    web.way.rest(0.5)
    assert sizes(web) == {objects.OLD: 3}
    web.patch(WEB, [OLD, RESUME])
    web.until(lambda: observed(web))
    web.way.rest(0.5)
    assert sizes(web) == {objects.OLD: 3}


def test_a_paused_deployment_still_scales_its_only_set_and_replaces_its_pods(web: Target) -> None:
    web.patch(WEB, [PAUSE])
    web.merge((DEPLOYMENT, "web", "scale"), {"spec": {"replicas": 5}})
    web.until(lambda: available(web, count=5))
    first = web.names(POD)[0]
    web.delete(POD, first)
    web.until(lambda: first not in web.names(POD) and available(web, count=5))


def test_a_replica_set_without_the_selectors_labels_is_not_claimed(canary: Target) -> None:
    canary.way.rest(0.5)
    assert owner(canary.found(*CANARY)) == ""
    assert canary.found(*WEB)["status"]["replicas"] == 3
    assert len(canary.names(POD)) == 6


def test_while_paused_nothing_moves_before_the_labels_come(paused: Target) -> None:
    paused.way.rest(0.5)
    assert sizes(paused) == {objects.OLD: 3, objects.NEW: 3}


def test_a_labelled_set_with_its_annotation_is_taken_over_and_the_old_one_ends(paused: Target) -> None:
    pods = paused.names(POD, labelSelector="pod-template-hash=canary1")
    label(paused, desired=3)
    paused.until(lambda: sizes(paused) == {objects.OLD: 0, objects.NEW: 3})
    found = paused.found(*CANARY)
    assert owner(found) == "web"
    assert found["metadata"]["annotations"][REVISION] == "2"
    paused.patch(WEB, [ROLL, RESUME])
    paused.until(lambda: available(paused))
    paused.until(lambda: paused.names(POD) == pods)
    paused.way.rest(0.5)
    assert sizes(paused) == {objects.OLD: 0, objects.NEW: 3}
    assert paused.found(*WEB)["metadata"]["annotations"][REVISION] == "2"


def test_a_labelled_set_without_its_annotation_waits_beside_the_old_one(paused: Target) -> None:
    label(paused, desired=None)
    paused.until(lambda: owner(paused.found(*CANARY)) == "web")
    paused.way.rest(0.5)
    assert sizes(paused) == {objects.OLD: 3, objects.NEW: 3}


def test_a_set_of_another_size_than_wished_waits_until_both_agree(paused: Target) -> None:
    paused.merge((DEPLOYMENT, "web", "scale"), {"spec": {"replicas": 4}})
    paused.until(lambda: sizes(paused) == {objects.OLD: 4, objects.NEW: 3})
    label(paused, desired=3)
    paused.until(lambda: owner(paused.found(*CANARY)) == "web")
    paused.way.rest(0.5)
    assert sizes(paused) == {objects.OLD: 4, objects.NEW: 3}
    paused.merge(CANARY, {"spec": {"replicas": 4}, "metadata": {"annotations": {DESIRED: "4"}}})
    paused.until(lambda: sizes(paused) == {objects.OLD: 0, objects.NEW: 4})


def test_labels_taken_off_release_the_set_and_bring_the_old_one_back(paused: Target) -> None:
    label(paused, desired=3)
    paused.until(lambda: sizes(paused) == {objects.OLD: 0, objects.NEW: 3})
    paused.merge(CANARY, {"metadata": {"labels": {"app": None}}})
    paused.until(lambda: owner(paused.found(*CANARY)) == "")
    paused.until(lambda: sizes(paused) == {objects.OLD: 3, objects.NEW: 3})
    paused.patch(WEB, [OLD, ROLL, RESUME])
    paused.until(lambda: available(paused))
    assert sizes(paused) == {objects.OLD: 3, objects.NEW: 3}
    assert paused.found(*WEB)["metadata"]["annotations"][REVISION] == "1"


def test_a_set_of_another_template_is_taken_for_an_old_one(paused: Target) -> None:
    paused.patch(WEB, [{**TEMPLATE, "value": objects.template(image="example/app:3.0.0")}])
    paused.until(lambda: observed(paused))
    label(paused, desired=3)
    paused.until(lambda: owner(paused.found(*CANARY)) == "web")
    paused.way.rest(0.5)
    assert REVISION not in paused.found(*CANARY)["metadata"]["annotations"]
    assert sizes(paused) == {objects.OLD: 3, objects.NEW: 3}


def test_a_rolling_update_scales_both_sides_in_proportion_while_paused(canary: Target) -> None:
    """Two active sets, the new one without its annotations: six pods where four are allowed."""
    canary.patch(WEB, [PAUSE, TEMPLATE])
    canary.until(lambda: observed(canary))
    label(canary, desired=None)
    canary.until(lambda: owner(canary.found(*CANARY)) == "web")
    canary.until(
        lambda: sum(sizes(canary).values()) == 4 or sizes(canary) == {objects.OLD: 0, objects.NEW: 3}
    )


def test_unpaused_with_another_template_a_deployment_makes_its_own_set(canary: Target) -> None:
    canary.patch(WEB, [TEMPLATE])
    canary.until(lambda: len(canary.listed(REPLICA_SET).body["items"]) == 3)
    canary.until(lambda: available(canary))
    assert owner(canary.found(*CANARY)) == ""
    assert canary.found(*CANARY)["spec"]["replicas"] == 3


def test_a_replica_set_adopts_matching_pods_and_replaces_those_that_stop_to_match(api: Target) -> None:
    labels = {"app": "web", "pod-template-hash": "canary1"}
    api.made(POD, {"metadata": {"name": "stray", "labels": labels}, "spec": objects.template()["spec"]})
    api.made(REPLICA_SET, objects.replica_set("web-canary1", replicas=2))
    api.until(lambda: available(api, CANARY, 2))
    assert owner(api.found(POD, "stray")) == "web-canary1"
    api.merge((POD, "stray"), {"metadata": {"labels": {"app": "other"}}})
    api.until(lambda: owner(api.found(POD, "stray")) == "")
    api.until(lambda: len(api.names(POD)) == 3)


def slices(api: Target, service: str = "web") -> list[JsonObject]:
    found: list[JsonObject] = api.listed(
        ENDPOINT_SLICE, labelSelector=f"kubernetes.io/service-name={service}"
    ).body["items"]
    return found


def ready(api: Target) -> list[str]:
    return sorted(
        endpoint["targetRef"]["name"]
        for each in slices(api)
        for endpoint in each["endpoints"] or ()
        if endpoint["conditions"]["ready"]
    )


def test_a_slice_names_the_pods_behind_a_service(web: Target) -> None:
    web.made(SERVICE, objects.service())
    web.until(lambda: ready(web) == web.names(POD))
    (found,) = slices(web)
    pods = {pod["metadata"]["name"]: pod for pod in web.listed(POD).body["items"]}
    assert found["addressType"] == "IPv4"
    assert found["ports"] == [{"name": "", "port": 80, "protocol": "TCP"}]
    assert found["metadata"]["ownerReferences"][0]["name"] == "web"
    labels = found["metadata"]["labels"]
    assert labels["endpointslice.kubernetes.io/managed-by"] == "endpointslice-controller.k8s.io"
    for endpoint in found["endpoints"]:
        pod = pods[endpoint["targetRef"]["name"]]
        assert endpoint == {
            "addresses": [pod["status"]["podIP"]],
            "conditions": {"ready": True, "serving": True, "terminating": False},
            "nodeName": pod["spec"]["nodeName"],
            "targetRef": {
                "kind": "Pod",
                "namespace": web.namespace,
                "name": pod["metadata"]["name"],
                "uid": pod["metadata"]["uid"],
            },
        }


def test_a_service_pinned_to_a_hash_names_the_pods_of_that_version_alone(canary: Target) -> None:
    canary.made(SERVICE, objects.service())
    canary.until(lambda: len(ready(canary)) == 6)
    pin = {"op": "add", "path": "/spec/selector/pod-template-hash", "value": "canary1"}
    canary.patch((SERVICE, "web"), [pin])
    pods = canary.names(POD, labelSelector="pod-template-hash=canary1")
    canary.until(lambda: ready(canary) == pods)
    canary.patch((SERVICE, "web"), [{"op": "remove", "path": "/spec/selector/pod-template-hash"}])
    canary.until(lambda: len(ready(canary)) == 6)


def test_a_slice_without_pods_holds_null(api: Target) -> None:
    api.made(SERVICE, objects.service(selector={"app": "nobody"}))
    (found,) = api.until(lambda: slices(api))
    assert (found["endpoints"], found["ports"]) == (None, None)


def test_a_service_without_a_selector_gets_no_slice(api: Target) -> None:
    body = objects.service()
    del body["spec"]["selector"]
    api.made(SERVICE, body)
    api.way.rest(0.5)
    assert slices(api) == []


def test_pods_that_are_not_ready_are_named_as_such(api: Target) -> None:
    api.made(SERVICE, objects.service())
    api.made(DEPLOYMENT, objects.deployment(image="example/app:1.0.0-neverready", replicas=1))

    def conditions() -> list[JsonObject]:
        return [endpoint["conditions"] for each in slices(api) for endpoint in each["endpoints"] or ()]

    api.until(lambda: conditions() == [{"ready": False, "serving": False, "terminating": False}])


def test_pods_that_end_are_no_longer_ready_and_then_gone(web: Target) -> None:
    web.made(SERVICE, objects.service())
    web.until(lambda: len(ready(web)) == 3)
    web.merge((DEPLOYMENT, "web", "scale"), {"spec": {"replicas": 1}})
    web.until(lambda: len(ready(web)) == 1)
    web.until(lambda: len([each for part in slices(web) for each in part["endpoints"]]) == 1)


def test_a_deleted_service_takes_its_slices_along(web: Target) -> None:
    web.made(SERVICE, objects.service())
    web.until(lambda: slices(web))
    web.delete(SERVICE, "web")
    web.until(lambda: not slices(web))
