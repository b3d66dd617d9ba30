import pytest

from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import (
    CONFIG_MAP,
    DEPLOYMENT,
    HTTP_ROUTE,
    LEASE,
    NETWORK_POLICY,
    POD,
    SERVICE,
    Kind,
)
from tests.contract.api_cases import objects
from tests.contract.api_cases.target import Target

pytest_plugins = ["tests.contract.api_cases.fixtures"]


def test_a_created_object_is_found_with_what_the_server_adds(api: Target) -> None:
    made = api.made(CONFIG_MAP, objects.config_map())
    metadata = made["metadata"]
    assert metadata["namespace"] == api.namespace
    assert {"uid", "resourceVersion", "creationTimestamp"} <= metadata.keys()
    assert "generation" not in metadata
    assert api.found(CONFIG_MAP, "settings") == made


def test_an_object_that_exists_cannot_be_created_again(api: Target) -> None:
    api.made(DEPLOYMENT, objects.deployment())
    reply = api.create(DEPLOYMENT, objects.deployment())
    assert (reply.status, reply.body) == (
        409,
        {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": 'deployments.apps "web" already exists',
            "reason": "AlreadyExists",
            "details": {"name": "web", "group": "apps", "kind": "deployments"},
            "code": 409,
        },
    )


@pytest.mark.parametrize(
    ("kind", "message", "details"),
    [
        pytest.param(
            DEPLOYMENT,
            'deployments.apps "none" not found',
            {"name": "none", "group": "apps", "kind": "deployments"},
            id="of a group",
        ),
        pytest.param(
            CONFIG_MAP,
            'configmaps "none" not found',
            {"name": "none", "kind": "configmaps"},
            id="of the core",
        ),
        pytest.param(
            HTTP_ROUTE,
            'httproutes.gateway.networking.k8s.io "none" not found',
            {"name": "none", "group": "gateway.networking.k8s.io", "kind": "httproutes"},
            id="custom",
        ),
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_an_object_that_does_not_exist_is_not_found(
    api: Target, kind: Kind, message: str, details: JsonObject, method: str
) -> None:
    bodies: dict[str, object] = {
        "PATCH": [],
        "PUT": {
            "apiVersion": kind.api_version,
            "kind": kind.name,
            "metadata": {"name": "none", "resourceVersion": "1"},
            "spec": objects.deployment()["spec"] if kind is DEPLOYMENT else {},
        },
    }
    content_type = "application/json-patch+json" if method == "PATCH" else "application/json"
    reply = api.call(method, api.path(kind, "none"), bodies.get(method), content_type=content_type)
    assert reply.refusal == (404, "NotFound")
    assert reply.body["message"] == message
    assert reply.body["details"] == details


def test_a_resource_that_is_not_served_is_not_found(api: Target) -> None:
    kind = Kind("apps", "v1", "Nothing", "nothings")
    reply = api.get(kind, "x")
    assert reply.status == 404


def test_an_object_cannot_be_created_in_a_namespace_that_does_not_exist(api: Target) -> None:
    reply = Target(api.way, "no-such-namespace").create(CONFIG_MAP, objects.config_map())
    assert reply.refusal == (404, "NotFound")
    assert reply.body["message"] == 'namespaces "no-such-namespace" not found'


def test_a_generated_name_is_the_prefix_and_five_letters(api: Target) -> None:
    body = {"metadata": {"generateName": "settings-"}, "data": {}}
    names = {api.made(CONFIG_MAP, body)["metadata"]["name"] for _ in range(2)}
    assert len(names) == 2
    assert all(name.startswith("settings-") and len(name) == 14 for name in names)


def test_a_document_of_another_kind_or_namespace_is_a_bad_request(api: Target) -> None:
    other = api.call("POST", api.path(CONFIG_MAP), {"apiVersion": "v1", "kind": "Secret", "metadata": {}})
    assert other.status == 400
    elsewhere = objects.config_map()
    elsewhere["metadata"]["namespace"] = "default"
    reply = api.create(CONFIG_MAP, elsewhere)
    assert reply.refusal == (400, "BadRequest")
    assert reply.body["message"] == (
        "the namespace of the provided object does not match the namespace sent on the request"
    )


def test_a_replacement_changes_the_version_and_what_rests_on_the_old_one_conflicts(api: Target) -> None:
    first = api.made(DEPLOYMENT, objects.deployment())
    first["spec"]["replicas"] = 5
    api.until(lambda: api.found(DEPLOYMENT, "web")["metadata"].get("annotations"))
    reply = api.replace((DEPLOYMENT, "web"), first)
    assert reply.refusal == (409, "Conflict")
    assert reply.body["message"] == (
        'Operation cannot be fulfilled on deployments.apps "web": the object has been modified; please apply'
        " your changes to the latest version and try again"
    )
    assert reply.body["details"] == {"name": "web", "group": "apps", "kind": "deployments"}
    assert api.found(DEPLOYMENT, "web")["spec"]["replicas"] == 3


def test_a_replacement_without_a_version_overwrites_most_kinds(api: Target) -> None:
    api.made(CONFIG_MAP, objects.config_map())
    body = {"apiVersion": "v1", "kind": "ConfigMap", **objects.config_map(shape="round")}
    reply = api.replace((CONFIG_MAP, "settings"), body)
    assert reply.status == 200
    assert reply.body["data"]["shape"] == "round"


@pytest.mark.parametrize(
    ("kind", "obj"),
    [
        pytest.param(LEASE, objects.lease(), id="lease"),
        pytest.param(HTTP_ROUTE, objects.http_route(), id="custom"),
    ],
)
def test_a_replacement_of_some_kinds_must_name_the_version_it_rests_on(
    api: Target, kind: Kind, obj: JsonObject
) -> None:
    made = api.made(kind, obj)
    del made["metadata"]["resourceVersion"]
    reply = api.replace((kind, made["metadata"]["name"]), made)
    assert reply.refusal == (422, "Invalid")
    assert reply.body["details"]["causes"][0]["field"] == "metadata.resourceVersion"


def test_a_replacement_under_another_name_is_a_bad_request(api: Target) -> None:
    made = api.made(CONFIG_MAP, objects.config_map())
    made["metadata"]["name"] = "other"
    reply = api.replace((CONFIG_MAP, "settings"), made)
    assert reply.refusal == (400, "BadRequest")
    assert reply.body["message"] == (
        "the name of the object (other) does not match the name on the URL (settings)"
    )


def test_a_replacement_of_an_object_with_another_uid_conflicts(api: Target) -> None:
    made = api.made(CONFIG_MAP, objects.config_map())
    uid, made["metadata"]["uid"] = made["metadata"]["uid"], "11111111-1111-4111-8111-111111111111"
    reply = api.replace((CONFIG_MAP, "settings"), made)
    assert reply.refusal == (409, "Conflict")
    assert reply.body["message"] == (
        'Operation cannot be fulfilled on configmaps "settings": StorageError: invalid object, Code: 4, Key:'
        f" /registry/configmaps/{api.namespace}/settings, ResourceVersion: 0, AdditionalErrorMsg: Precondition"
        f" failed: UID in precondition: 11111111-1111-4111-8111-111111111111, UID in object meta: {uid}"
    )


def test_a_write_that_changes_nothing_keeps_the_version(api: Target) -> None:
    made = api.made(CONFIG_MAP, objects.config_map())
    reply = api.replace((CONFIG_MAP, "settings"), made)
    assert reply.body["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


def test_the_generation_of_a_deployment_counts_changes_of_spec_and_annotations_only(api: Target) -> None:
    api.made(DEPLOYMENT, objects.deployment(paused=True))
    assert api.found(DEPLOYMENT, "web")["metadata"]["generation"] == 1
    labelled = api.merge((DEPLOYMENT, "web"), {"metadata": {"labels": {"team": "a"}}})
    assert labelled.body["metadata"]["generation"] == 1
    annotated = api.merge((DEPLOYMENT, "web"), {"metadata": {"annotations": {"note": "a"}}})
    assert annotated.body["metadata"]["generation"] == 2
    scaled = api.merge((DEPLOYMENT, "web"), {"spec": {"replicas": 4}})
    assert scaled.body["metadata"]["generation"] == 3


def test_the_generation_of_a_custom_object_counts_changes_of_its_spec_only(api: Target) -> None:
    made = api.made(HTTP_ROUTE, objects.http_route())
    assert made["metadata"]["generation"] == 1
    annotated = api.merge((HTTP_ROUTE, "web"), {"metadata": {"annotations": {"note": "a"}}})
    assert annotated.body["metadata"]["generation"] == 1
    changed = api.merge((HTTP_ROUTE, "web"), {"spec": {"hostnames": ["a.example"]}})
    assert changed.body["metadata"]["generation"] == 2


def test_a_deleted_object_is_gone_and_the_answer_names_it(api: Target) -> None:
    uid = api.made(CONFIG_MAP, objects.config_map())["metadata"]["uid"]
    reply = api.delete(CONFIG_MAP, "settings")
    assert (reply.status, reply.body) == (
        200,
        {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Success",
            "details": {"name": "settings", "kind": "configmaps", "uid": uid},
        },
    )
    assert not api.exists(CONFIG_MAP, "settings")


def test_the_deletion_of_a_service_answers_the_service(api: Target) -> None:
    api.made(SERVICE, objects.service())
    reply = api.delete(SERVICE, "web")
    assert (reply.status, reply.body["kind"], reply.body["metadata"]["name"]) == (200, "Service", "web")


WRONG_UID = "11111111-1111-4111-8111-111111111111"


@pytest.mark.parametrize(
    ("field", "wrong", "why"),
    [
        pytest.param(
            "uid",
            WRONG_UID,
            "the UID in the precondition ({wrong}) does not match the UID in record ({found})."
            " The object might have been deleted and then recreated",
            id="uid",
        ),
        pytest.param(
            "resourceVersion",
            "1",
            "the ResourceVersion in the precondition ({wrong}) does not match the ResourceVersion in record"
            " ({found}). The object might have been modified",
            id="resourceVersion",
        ),
    ],
)
@pytest.mark.parametrize(
    ("kind", "obj", "title"),
    [
        pytest.param(CONFIG_MAP, objects.config_map("web"), 'ConfigMap "web"', id="of the core"),
        pytest.param(
            NETWORK_POLICY,
            objects.network_policy(),
            'NetworkPolicy.networking.k8s.io "web"',
            id="of a group",
        ),
        pytest.param(
            HTTP_ROUTE,
            objects.http_route(),
            'HTTPRoute.gateway.networking.k8s.io "web"',
            id="custom",
        ),
    ],
)
def test_a_deletion_with_the_precondition_of_another_object_conflicts(
    api: Target, kind: Kind, obj: JsonObject, title: str, field: str, wrong: str, why: str
) -> None:
    # A controller may write the object's status between two requests.
    before = api.made(kind, obj)["metadata"][field]
    reply = api.delete(kind, "web", {"preconditions": {field: wrong}})
    after = api.found(kind, "web")["metadata"][field]
    assert reply.refusal == (409, "Conflict")
    said = "Operation cannot be fulfilled on {title}: " + why
    assert reply.body["message"] in {
        said.format(title=title, wrong=wrong, found=found) for found in (before, after)
    }
    assert reply.body["details"]["kind"] == kind.name


def test_a_deletion_with_the_preconditions_of_this_object_deletes_it(api: Target) -> None:
    made = api.made(CONFIG_MAP, objects.config_map())["metadata"]
    wanted = {"uid": made["uid"], "resourceVersion": made["resourceVersion"]}
    assert api.delete(CONFIG_MAP, "settings", {"preconditions": wanted}).status == 200
    assert not api.exists(CONFIG_MAP, "settings")


def test_a_pod_is_deleted_with_grace_and_at_once_without(api: Target) -> None:
    body = {"metadata": {"name": "one", "labels": {"app": "one"}}, "spec": objects.template()["spec"]}
    api.made(POD, body)
    api.until(lambda: api.found(POD, "one").get("status", {}).get("phase") == "Running")
    reply = api.delete(POD, "one")
    assert (reply.status, reply.body["metadata"]["deletionGracePeriodSeconds"]) == (200, 30)
    api.until(lambda: not api.exists(POD, "one"))
    api.made(POD, body)
    api.delete(POD, "one", {"gracePeriodSeconds": 0})
    assert not api.exists(POD, "one")


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(("POST", ""), id="create"),
        pytest.param(("PUT", "settings"), id="replace"),
        pytest.param(("PATCH", "settings"), id="patch"),
        pytest.param(("DELETE", "settings"), id="delete"),
    ],
)
def test_a_dry_run_answers_like_the_real_one_and_stores_nothing(
    api: Target, request_: tuple[str, str]
) -> None:
    method, name = request_
    before = api.made(CONFIG_MAP, objects.config_map())
    wanted = {"apiVersion": "v1", "kind": "ConfigMap", **objects.config_map(name or "fresh", colour="red")}
    bodies = {"PATCH": {"data": {"colour": "red"}}, "DELETE": None}
    content_type = "application/merge-patch+json" if method == "PATCH" else "application/json"
    reply = api.call(
        method,
        api.path(CONFIG_MAP, name),
        bodies.get(method, wanted),
        query={"dryRun": "All"},
        content_type=content_type,
    )
    assert reply.status == (201 if method == "POST" else 200)
    assert method == "DELETE" or reply.body["data"]["colour"] == "red"
    assert api.found(CONFIG_MAP, "settings") == before
    assert not api.exists(CONFIG_MAP, "fresh")


@pytest.mark.parametrize(
    ("options", "query", "stays"),
    [
        pytest.param({"dryRun": ["All"]}, {}, True, id="in the body"),
        pytest.param(None, {"dryRun": "All"}, True, id="in the query"),
        pytest.param({}, {"dryRun": "All"}, False, id="in the query beside a body"),
    ],
)
def test_the_dry_run_of_a_deletion_stands_in_its_body_if_it_has_one(
    api: Target, options: JsonObject | None, query: dict[str, str], *, stays: bool
) -> None:
    api.made(CONFIG_MAP, objects.config_map())
    assert api.delete(CONFIG_MAP, "settings", options, **query).status == 200
    assert api.exists(CONFIG_MAP, "settings") is stays


def test_a_dry_run_refuses_what_the_real_one_refuses(api: Target) -> None:
    api.made(CONFIG_MAP, objects.config_map())
    assert api.create(CONFIG_MAP, objects.config_map(), dryRun="All").refusal == (409, "AlreadyExists")


def test_a_replacement_of_a_lease_or_service_that_does_not_exist_creates_it(api: Target) -> None:
    for kind, obj in ((LEASE, objects.lease("web")), (SERVICE, objects.service())):
        body = {"apiVersion": kind.api_version, "kind": kind.name, **obj}
        assert api.replace((kind, "web"), body).status == 201


def test_an_object_cannot_be_created_with_a_version(api: Target) -> None:
    body = objects.config_map()
    body["metadata"]["resourceVersion"] = "1"
    reply = api.create(CONFIG_MAP, body)
    assert (reply.status, reply.body["message"]) == (
        500,
        "resourceVersion should not be set on objects to be created",
    )


def test_a_deployment_is_deleted_although_its_status_moves_on(api: Target) -> None:
    """The uid alone is a precondition that a controller does not spoil."""
    made = api.made(DEPLOYMENT, objects.deployment())
    api.until(lambda: api.found(DEPLOYMENT, "web").get("status"))
    assert api.delete(DEPLOYMENT, "web", {"preconditions": {"uid": made["metadata"]["uid"]}}).status == 200
