import pytest

from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import (
    CONFIG_MAP,
    DEPLOYMENT,
    SELF_SUBJECT_ACCESS_REVIEW,
    SERVICE,
    Kind,
    collection_path,
)
from tests.contract.api_cases import objects
from tests.contract.api_cases.target import MERGE_PATCH, Target

pytest_plugins = ["tests.contract.api_cases.fixtures"]

RULES: list[JsonObject] = [
    {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create"]},
    {
        "apiGroups": [""],
        "resources": ["configmaps"],
        "resourceNames": ["settings"],
        "verbs": ["get", "list", "watch", "patch"],
    },
    {"apiGroups": ["apps"], "resources": ["deployments", "deployments/scale"], "verbs": ["get"]},
    {"apiGroups": [""], "resources": ["services/proxy"], "resourceNames": ["http:web:80"], "verbs": ["get"]},
]


@pytest.fixture
def limited(api: Target) -> Target:
    """A user with few rights."""
    api.made(CONFIG_MAP, objects.config_map())
    api.made(CONFIG_MAP, objects.config_map("other"))
    api.made(DEPLOYMENT, objects.deployment(paused=True))
    user = api.user("ci", RULES)
    api.until(lambda: user.get(CONFIG_MAP, "settings").status == 200)
    return user


def test_a_user_may_do_what_a_rule_grants(limited: Target) -> None:
    assert limited.create(CONFIG_MAP, objects.config_map("fresh")).status == 201
    assert limited.get(CONFIG_MAP, "settings").status == 200
    assert limited.merge((CONFIG_MAP, "settings"), {"data": {"colour": "red"}}).status == 200
    assert limited.get(DEPLOYMENT, "web").status == 200
    assert limited.get(DEPLOYMENT, "web", "scale").status == 200


def test_a_list_by_name_is_granted_by_the_name(limited: Target) -> None:
    assert limited.names(CONFIG_MAP, fieldSelector="metadata.name=settings") == ["settings"]
    assert limited.listed(CONFIG_MAP, fieldSelector="metadata.name=other").status == 403


@pytest.mark.parametrize(
    ("request_", "message", "details"),
    [
        pytest.param(
            ("GET", CONFIG_MAP, "other"),
            'configmaps "other" is forbidden: {user} cannot get resource "configmaps" in API group "" in the'
            ' namespace "{namespace}"',
            {"name": "other", "kind": "configmaps"},
            id="another name",
        ),
        pytest.param(
            ("GET", CONFIG_MAP, ""),
            'configmaps is forbidden: {user} cannot list resource "configmaps" in API group "" in the namespace'
            ' "{namespace}"',
            {"kind": "configmaps"},
            id="list",
        ),
        pytest.param(
            ("PATCH", DEPLOYMENT, "web"),
            'deployments.apps "web" is forbidden: {user} cannot patch resource "deployments" in API group "apps"'
            ' in the namespace "{namespace}"',
            {"name": "web", "group": "apps", "kind": "deployments"},
            id="another verb",
        ),
        pytest.param(
            ("PATCH", DEPLOYMENT, "web/scale"),
            'deployments.apps "web" is forbidden: {user} cannot patch resource "deployments/scale" in API group'
            ' "apps" in the namespace "{namespace}"',
            {"name": "web", "group": "apps", "kind": "deployments"},
            id="subresource",
        ),
        pytest.param(
            ("GET", SERVICE, "none"),
            'services "none" is forbidden: {user} cannot get resource "services" in API group "" in the namespace'
            ' "{namespace}"',
            {"name": "none", "kind": "services"},
            id="what does not exist",
        ),
    ],
)
def test_a_user_may_not_do_what_no_rule_grants(
    limited: Target, request_: tuple[str, Kind, str], message: str, details: JsonObject
) -> None:
    method, kind, name = request_
    body: JsonObject | None = {} if method == "PATCH" else None
    reply = limited.call(method, limited.path(kind, name), body, content_type=MERGE_PATCH)
    assert reply.refusal == (403, "Forbidden")
    user = f'User "system:serviceaccount:{limited.namespace}:ci"'
    assert reply.body["message"] == message.format(user=user, namespace=limited.namespace)
    assert reply.body["details"] == details


def test_a_cluster_wide_list_needs_a_cluster_wide_right(limited: Target) -> None:
    reply = limited.call("GET", "/api/v1/configmaps")
    assert reply.refusal == (403, "Forbidden")
    assert reply.body["message"].endswith("at the cluster scope")


@pytest.mark.parametrize(
    ("wish", "allowed"),
    [
        pytest.param({"verb": "create", "resource": "configmaps"}, True, id="granted"),
        pytest.param({"verb": "delete", "resource": "configmaps"}, False, id="not granted"),
        pytest.param({"verb": "get", "resource": "configmaps"}, False, id="any name"),
        pytest.param({"verb": "get", "resource": "configmaps", "name": "settings"}, True, id="by name"),
        pytest.param({"verb": "get", "resource": "configmaps", "name": "other"}, False, id="another name"),
        pytest.param({"verb": "get", "group": "apps", "resource": "deployments"}, True, id="of a group"),
        pytest.param({"verb": "get", "resource": "deployments"}, False, id="of another group"),
        pytest.param(
            {"verb": "get", "group": "apps", "resource": "deployments", "subresource": "scale"},
            True,
            id="subresource",
        ),
        pytest.param(
            {"verb": "get", "group": "apps", "resource": "deployments", "subresource": "status"},
            False,
            id="another subresource",
        ),
        pytest.param(
            {"verb": "get", "resource": "services", "subresource": "proxy", "name": "http:web:80"},
            True,
            id="proxy with scheme and port",
        ),
        pytest.param(
            {"verb": "get", "resource": "services", "subresource": "proxy", "name": "web"},
            False,
            id="proxy without",
        ),
    ],
)
def test_an_access_review_answers_as_the_rules_do(
    limited: Target, wish: JsonObject, *, allowed: bool
) -> None:
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {"namespace": limited.namespace, **wish}},
    }
    reply = limited.call("POST", collection_path(SELF_SUBJECT_ACCESS_REVIEW, ""), body)
    assert reply.status == 201
    assert reply.body["kind"] == "SelfSubjectAccessReview"
    assert reply.body["status"]["allowed"] is allowed


def test_an_administrator_is_told_that_everything_is_allowed(api: Target) -> None:
    wish = {"namespace": api.namespace, "verb": "delete", "group": "apps", "resource": "deployments"}
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": wish},
    }
    reply = api.call("POST", collection_path(SELF_SUBJECT_ACCESS_REVIEW, ""), body)
    assert reply.body["status"]["allowed"] is True


def test_a_token_that_nobody_knows_is_unauthorized(api: Target) -> None:
    stranger = Target(api.way, api.namespace, "unknown-token")
    reply = stranger.get(CONFIG_MAP, "settings")
    assert (reply.status, reply.body) == (
        401,
        {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": "Unauthorized",
            "reason": "Unauthorized",
            "code": 401,
        },
    )
