import json

import pytest

from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import CONFIG_MAP, DEPLOYMENT, HTTP_ROUTE, POD
from tests.contract.api_cases import objects
from tests.contract.api_cases.target import Target

pytest_plugins = ["tests.contract.api_cases.fixtures"]

OURS = "team in (a, b, c)"
"""Keeps what the cluster itself puts into a namespace out of a list."""


def labelled(name: str, **labels: str) -> JsonObject:
    return {"metadata": {"name": name, "labels": labels}, "data": {}}


@pytest.fixture
def three(api: Target) -> Target:
    api.made(CONFIG_MAP, labelled("one", team="a", tier="front"))
    api.made(CONFIG_MAP, labelled("two", team="a", tier="back"))
    api.made(CONFIG_MAP, labelled("three", team="b"))
    return api


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        pytest.param("team=a", ["one", "two"], id="equal"),
        pytest.param("team==b", ["three"], id="double equal"),
        pytest.param("team,team!=a", ["three"], id="exists and not equal"),
        pytest.param("team=a,tier=back", ["two"], id="both"),
        pytest.param("team in (a,b),tier", ["one", "two"], id="in and exists"),
        pytest.param("team in (a, b),tier notin (front)", ["three", "two"], id="in and not in"),
        pytest.param("team,!tier", ["three"], id="does not exist"),
        pytest.param("team=c", [], id="nothing"),
    ],
)
def test_a_label_selector_finds_what_it_says(three: Target, selector: str, names: list[str]) -> None:
    assert three.names(CONFIG_MAP, labelSelector=selector) == names


@pytest.mark.parametrize(
    ("selector", "message"),
    [
        pytest.param(
            "team a",
            "unable to parse requirement: found 'a', expected: in, notin, =, ==, !=, gt, lt",
            id="no operator",
        ),
    ],
)
def test_a_label_selector_that_cannot_be_read_is_a_bad_request(
    api: Target, selector: str, message: str
) -> None:
    reply = api.listed(CONFIG_MAP, labelSelector=selector)
    assert reply.refusal == (400, "BadRequest")
    assert reply.body["message"] == message


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        pytest.param("metadata.name=two", ["two"], id="by name"),
        pytest.param("metadata.name=none", [], id="no such name"),
    ],
)
def test_a_field_selector_finds_what_it_says(three: Target, selector: str, names: list[str]) -> None:
    assert three.names(CONFIG_MAP, fieldSelector=selector) == names


def test_a_field_selector_finds_pods_by_phase_and_node(api: Target) -> None:
    body = {"metadata": {"name": "one", "labels": {"app": "x"}}, "spec": objects.template()["spec"]}
    api.made(POD, body)
    api.until(lambda: api.names(POD, fieldSelector="status.phase=Running") == ["one"])
    node = api.found(POD, "one")["spec"]["nodeName"]
    assert api.names(POD, fieldSelector=f"spec.nodeName={node}") == ["one"]
    assert api.names(POD, fieldSelector="status.phase=Pending") == []


def test_a_field_that_is_no_field_selector_is_a_bad_request(api: Target) -> None:
    reply = api.listed(DEPLOYMENT, fieldSelector="spec.replicas=1")
    assert reply.refusal == (400, "BadRequest")
    assert reply.body["message"] == (
        '"spec.replicas" is not a known field selector: only "metadata.name", "metadata.namespace"'
    )


def test_a_list_names_its_kind_and_version_and_built_in_items_do_not(three: Target) -> None:
    body = three.listed(CONFIG_MAP, labelSelector=OURS).body
    assert (body["kind"], body["apiVersion"]) == ("ConfigMapList", "v1")
    assert int(body["metadata"]["resourceVersion"]) > 0
    assert "kind" not in body["items"][0]
    three.made(HTTP_ROUTE, objects.http_route())
    routes = three.listed(HTTP_ROUTE).body
    assert routes["kind"] == "HTTPRouteList"
    assert routes["items"][0]["kind"] == "HTTPRoute"


def test_a_list_of_all_namespaces_finds_objects_of_each(api: Target) -> None:
    api.made(CONFIG_MAP, labelled("one", team="a"))
    reply = api.call("GET", "/api/v1/configmaps", query={"labelSelector": "team=a"})
    places = [(each["metadata"]["namespace"], each["metadata"]["name"]) for each in reply.body["items"]]
    assert (api.namespace, "one") in places


def test_a_long_list_comes_in_pages(three: Target) -> None:
    first = three.listed(CONFIG_MAP, limit="2", labelSelector=OURS).body
    token = first["metadata"]["continue"]
    second = three.listed(CONFIG_MAP, limit="2", labelSelector=OURS, **{"continue": token}).body
    names = [item["metadata"]["name"] for page in (first, second) for item in page["items"]]
    assert sorted(names) == ["one", "three", "two"]
    assert "continue" not in second["metadata"]


def test_a_page_token_that_is_none_is_a_bad_request(three: Target) -> None:
    assert three.listed(CONFIG_MAP, limit="2", **{"continue": "!"}).refusal == (400, "BadRequest")


def events(api: Target, since: str, **query: str) -> list[tuple[str, str]]:
    wanted = {"watch": "1", "timeoutSeconds": "1", "resourceVersion": since, **query}
    reply = api.listed(CONFIG_MAP, **wanted)
    found = [json.loads(line) for line in reply.text.splitlines()]
    return [(each["type"], each["object"].get("metadata", {}).get("name", "")) for each in found]


def test_a_watch_tells_every_change_since_a_version(api: Target) -> None:
    since = api.listed(CONFIG_MAP).body["metadata"]["resourceVersion"]
    api.made(CONFIG_MAP, labelled("one", team="a"))
    api.merge((CONFIG_MAP, "one"), {"data": {"x": "1"}})
    api.delete(CONFIG_MAP, "one")
    told = [each for each in events(api, since) if each[1] == "one"]
    assert told == [("ADDED", "one"), ("MODIFIED", "one"), ("DELETED", "one")]


def test_a_watch_with_a_selector_tells_what_comes_to_fit_and_what_no_longer_fits(api: Target) -> None:
    api.made(CONFIG_MAP, labelled("one", team="a"))
    since = api.listed(CONFIG_MAP).body["metadata"]["resourceVersion"]
    api.merge((CONFIG_MAP, "one"), {"metadata": {"labels": {"team": "b"}}})
    api.merge((CONFIG_MAP, "one"), {"metadata": {"labels": {"team": "a"}}})
    told = events(api, since, labelSelector="team=a")
    assert told == [("DELETED", "one"), ("ADDED", "one")]


def test_a_watch_without_a_version_begins_with_what_is_there(three: Target) -> None:
    told = events(three, "", labelSelector=OURS)
    assert sorted(told) == [("ADDED", "one"), ("ADDED", "three"), ("ADDED", "two")]


def test_a_watch_from_a_version_that_is_too_old_ends_with_an_error(api: Target) -> None:
    reply = api.listed(CONFIG_MAP, watch="1", timeoutSeconds="1", resourceVersion="1")
    event = json.loads(reply.text.splitlines()[0])
    assert (event["type"], event["object"]["reason"], event["object"]["code"]) == ("ERROR", "Expired", 410)
    assert event["object"]["message"].startswith("too old resource version: 1 (")


@pytest.mark.parametrize(
    ("path", "resource", "kind", "namespaced"),
    [
        ("/apis/apps/v1", "deployments", "Deployment", True),
        ("/apis/apps/v1", "deployments/scale", "Scale", True),
        ("/apis/rbac.authorization.k8s.io/v1", "clusterroles", "ClusterRole", False),
        ("/api/v1", "configmaps", "ConfigMap", True),
        ("/api/v1", "nodes", "Node", False),
    ],
)
def test_the_server_lists_the_kinds_of_a_group_and_version(
    api: Target, path: str, resource: str, kind: str, *, namespaced: bool
) -> None:
    body = api.call("GET", path).body
    assert (body["kind"], body["groupVersion"]) == (
        "APIResourceList",
        path.partition("/")[2].partition("/")[2],
    )
    [found] = [item for item in body["resources"] if item["name"] == resource]
    assert (found["kind"], found["namespaced"]) == (kind, namespaced)


def test_a_group_that_nobody_has_installed_has_no_list(api: Target) -> None:
    assert api.call("GET", "/apis/nobody.example/v1").status == 404
