import pytest

from progressive_ci.model.kinds import CONFIG_MAP, DEPLOYMENT, HTTP_ROUTE
from tests.contract.api_cases import objects
from tests.contract.api_cases.target import JSON_PATCH, Target

pytest_plugins = ["tests.contract.api_cases.fixtures"]

SETTINGS = (CONFIG_MAP, "settings")

RED = {"op": "replace", "path": "/data/colour", "value": "red"}
APPLIES = [
    pytest.param(
        [{"op": "add", "path": "/data/shape", "value": "round"}],
        {"colour": "blue", "shape": "round"},
        id="add",
    ),
    pytest.param([{**RED, "op": "add"}], {"colour": "red"}, id="add over"),
    pytest.param([RED], {"colour": "red"}, id="replace"),
    pytest.param([{"op": "move", "from": "/data/colour", "path": "/data/hue"}], {"hue": "blue"}, id="move"),
    pytest.param(
        [{"op": "copy", "from": "/data/colour", "path": "/data/hue"}],
        {"colour": "blue", "hue": "blue"},
        id="copy",
    ),
    pytest.param(
        [{"op": "test", "path": "/data/colour", "value": "blue"}, RED], {"colour": "red"}, id="test"
    ),
    pytest.param(
        [{"op": "test", "path": "/data/absent", "value": None}, RED],
        {"colour": "red"},
        id="test that something is absent",
    ),
]


@pytest.mark.parametrize(("operations", "data"), APPLIES)
def test_a_json_patch_applies(api: Target, operations: object, data: dict[str, str]) -> None:
    api.made(CONFIG_MAP, objects.config_map())
    reply = api.patch(SETTINGS, operations)
    assert (reply.status, reply.body["data"]) == (200, data)


@pytest.mark.parametrize(
    "operation",
    [
        pytest.param({"op": "test", "path": "/data/colour", "value": "red"}, id="test of another value"),
        pytest.param({"op": "test", "path": "/data/absent", "value": "red"}, id="test of an absent field"),
        pytest.param({"op": "test", "path": "/metadata/uid", "value": "x"}, id="test of another uid"),
        pytest.param({"op": "test", "path": "/data/colour"}, id="test without a value"),
        pytest.param({"op": "test", "path": "/absent/field", "value": None}, id="test below an absent field"),
        pytest.param(
            {"op": "replace", "path": "/absent/field", "value": "x"}, id="replace below an absent field"
        ),
        pytest.param(
            {"op": "move", "from": "/data/absent", "path": "/data/colour"}, id="move an absent field"
        ),
        pytest.param({"op": "invent", "path": "/data/x", "value": 1}, id="unknown operation"),
        pytest.param({"op": "add", "value": 1}, id="no path"),
        pytest.param({"op": "remove", "path": "/data/absent"}, id="remove an absent field"),
        pytest.param({"op": "add", "path": "/absent/field", "value": "x"}, id="add below an absent field"),
    ],
)
def test_a_json_patch_that_does_not_apply_is_refused_whole(api: Target, operation: dict[str, object]) -> None:
    made = api.made(CONFIG_MAP, objects.config_map())
    first = {"op": "replace", "path": "/data/colour", "value": "green"}
    reply = api.patch(SETTINGS, [first, operation])
    assert (reply.status, reply.body) == (
        422,
        {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": "the server rejected our request due to an error in our request",
            "reason": "Invalid",
            "details": {},
            "code": 422,
        },
    )
    assert api.found(CONFIG_MAP, "settings") == made


def test_a_json_patch_that_is_no_array_is_a_bad_request(api: Target) -> None:
    api.made(CONFIG_MAP, objects.config_map())
    assert api.patch(SETTINGS, {"op": "add"}).refusal == (400, "BadRequest")


def test_a_replacement_of_an_absent_field_adds_it(api: Target) -> None:
    api.made(CONFIG_MAP, objects.config_map())
    reply = api.patch(SETTINGS, [{"op": "replace", "path": "/data/absent", "value": "x"}])
    assert (reply.status, reply.body["data"]) == (200, {"colour": "blue", "absent": "x"})


def test_a_replacement_beyond_the_end_of_a_list_is_refused(api: Target) -> None:
    api.made(HTTP_ROUTE, objects.http_route())
    operation = {"op": "replace", "path": "/spec/rules/0/backendRefs/7/weight", "value": 1}
    assert api.patch((HTTP_ROUTE, "web"), [operation]).refusal == (422, "Invalid")


def test_list_items_are_tested_replaced_and_appended_by_index(api: Target) -> None:
    api.made(DEPLOYMENT, objects.deployment(paused=True))
    path = "/spec/template/spec/containers/0"
    reply = api.patch(
        (DEPLOYMENT, "web"),
        [
            {"op": "test", "path": f"{path}/name", "value": "app"},
            {"op": "replace", "path": f"{path}/image", "value": objects.NEW},
            {"op": "add", "path": f"{path}/env", "value": []},
            {"op": "add", "path": f"{path}/env/-", "value": {"name": "A", "value": "1"}},
            {"op": "add", "path": f"{path}/env/0", "value": {"name": "B", "value": "2"}},
        ],
    )
    container = reply.body["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == objects.NEW
    assert [each["name"] for each in container["env"]] == ["B", "A"]


def test_a_json_patch_tests_uid_generation_and_status(api: Target) -> None:
    made = api.made(DEPLOYMENT, objects.deployment())
    api.until(lambda: api.found(DEPLOYMENT, "web").get("status", {}).get("availableReplicas") == 3)
    tests = [
        {"op": "test", "path": "/metadata/uid", "value": made["metadata"]["uid"]},
        {"op": "test", "path": "/metadata/generation", "value": 1},
        {"op": "test", "path": "/status/availableReplicas", "value": 3},
    ]
    change = {"op": "add", "path": "/spec/paused", "value": True}
    assert api.patch((DEPLOYMENT, "web"), [*tests, change]).body["spec"]["paused"] is True
    assert api.patch((DEPLOYMENT, "web"), [*tests, change]).refusal == (422, "Invalid")


def test_removing_paused_and_replacing_the_strategy_is_one_patch(api: Target) -> None:
    api.made(DEPLOYMENT, objects.deployment(paused=True))
    operations = [
        {"op": "replace", "path": "/spec/strategy", "value": {"type": "Recreate"}},
        {"op": "remove", "path": "/spec/paused"},
    ]
    spec = api.patch((DEPLOYMENT, "web"), operations).body["spec"]
    assert spec["strategy"] == {"type": "Recreate"}
    assert "paused" not in spec


def test_a_merge_patch_merges_objects_and_removes_what_is_null(api: Target) -> None:
    api.made(CONFIG_MAP, objects.config_map(shape="round"))
    reply = api.merge(SETTINGS, {"data": {"colour": None, "size": "2"}})
    assert (reply.status, reply.body["data"]) == (200, {"shape": "round", "size": "2"})


def test_a_merge_patch_with_an_old_version_conflicts(api: Target) -> None:
    made = api.made(CONFIG_MAP, objects.config_map())
    version = made["metadata"]["resourceVersion"]
    body = {"metadata": {"resourceVersion": version}, "data": {"colour": "red"}}
    assert api.merge(SETTINGS, body).status == 200
    reply = api.merge(SETTINGS, {**body, "data": {"colour": "green"}})
    assert reply.refusal == (409, "Conflict")
    assert reply.body["details"] == {"name": "settings", "kind": "configmaps"}
    assert api.found(CONFIG_MAP, "settings")["data"]["colour"] == "red"


def test_a_json_patch_that_sets_an_old_version_conflicts(api: Target) -> None:
    api.made(CONFIG_MAP, objects.config_map())
    operation = {"op": "replace", "path": "/metadata/resourceVersion", "value": "1"}
    change = {"op": "replace", "path": "/data/colour", "value": "red"}
    assert api.patch(SETTINGS, [operation, change]).refusal == (409, "Conflict")


def test_the_selector_of_a_deployment_cannot_be_patched(api: Target) -> None:
    api.made(DEPLOYMENT, objects.deployment(paused=True))
    labels = {"app": "web", "more": "x"}
    reply = api.merge(
        (DEPLOYMENT, "web"),
        {
            "spec": {
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}},
            }
        },
    )
    assert reply.refusal == (422, "Invalid")
    assert reply.body["details"] == {
        "name": "web",
        "group": "apps",
        "kind": "Deployment",
        "causes": [
            {
                "reason": "FieldValueInvalid",
                "message": 'Invalid value: {"matchLabels":{"app":"web","more":"x"}}: field is immutable',
                "field": "spec.selector",
            }
        ],
    }


def test_a_patch_of_an_unknown_type_is_not_supported(api: Target) -> None:
    api.made(CONFIG_MAP, objects.config_map())
    reply = api.call("PATCH", api.path(*SETTINGS), {}, content_type="application/x-other")
    assert reply.refusal == (415, "UnsupportedMediaType")
    assert reply.body["message"] == "415: Unsupported Media Type"


def test_a_json_patch_without_an_effect_keeps_the_version(api: Target) -> None:
    made = api.made(CONFIG_MAP, objects.config_map())
    reply = api.patch(SETTINGS, [{"op": "replace", "path": "/data/colour", "value": "blue"}])
    assert reply.body["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


def test_the_manager_of_a_changed_field_is_the_one_who_wrote_it_last(api: Target) -> None:
    api.create(CONFIG_MAP, objects.config_map(shape="round"), fieldManager="first")
    reply = api.merge(SETTINGS, {"data": {"colour": "red"}}, fieldManager="second")
    managed = {
        each["manager"]: each["fieldsV1"]["f:data"] for each in reply.body["metadata"]["managedFields"]
    }
    assert "f:shape" in managed["first"]
    assert "f:colour" not in managed["first"]
    assert "f:colour" in managed["second"]


def test_a_manager_can_be_taken_off_and_then_owns_nothing(api: Target) -> None:
    api.create(CONFIG_MAP, objects.config_map(shape="round"), fieldManager="first")
    before = api.merge(SETTINGS, {"data": {"colour": "red"}}, fieldManager="second").body["metadata"]
    index = [each["manager"] for each in before["managedFields"]].index("second")
    path = f"/metadata/managedFields/{index}"
    steps = [{"op": "test", "path": f"{path}/manager", "value": "second"}, {"op": "remove", "path": path}]
    reply = api.patch(SETTINGS, steps)
    assert reply.body["data"]["colour"] == "red"
    assert [each["manager"] for each in reply.body["metadata"]["managedFields"]] == ["first"]
    assert reply.body["metadata"]["resourceVersion"] != before["resourceVersion"]


NOBODY = {
    "the last one removed": {"op": "remove", "path": "/metadata/managedFields/0"},
    "one empty entry": {"op": "replace", "path": "/metadata/managedFields", "value": [{}]},
}


@pytest.mark.parametrize("step", NOBODY.values(), ids=NOBODY)
def test_all_managers_can_be_taken_off(api: Target, step: dict[str, object]) -> None:
    api.create(CONFIG_MAP, objects.config_map(shape="round"), fieldManager="only")
    reply = api.patch(SETTINGS, [step])
    assert not reply.body["metadata"].get("managedFields")


def test_a_manager_can_be_left_with_the_map_of_fields_alone(api: Target) -> None:
    api.create(CONFIG_MAP, objects.config_map(shape="round"), fieldManager="only")
    path = "/metadata/managedFields/0/fieldsV1"
    reply = api.patch(SETTINGS, [{"op": "replace", "path": path, "value": {"f:data": {}}}])
    [entry] = reply.body["metadata"]["managedFields"]
    assert (entry["manager"], entry["fieldsV1"]) == ("only", {"f:data": {}})


def test_an_applied_document_is_created_then_merged(api: Target) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", **objects.config_map()}
    query = {"fieldManager": "tool", "force": "true"}
    path, content_type = api.path(*SETTINGS), "application/apply-patch+yaml"
    assert api.call("PATCH", path, body, query=query, content_type=content_type).status == 201
    api.merge(SETTINGS, {"data": {"shape": "round"}})
    reply = api.call(
        "PATCH", path, {**body, "data": {"colour": "red"}}, query=query, content_type=content_type
    )
    assert (reply.status, reply.body["data"]) == (200, {"colour": "red", "shape": "round"})


def test_an_applied_document_without_a_manager_is_refused(api: Target) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", **objects.config_map()}
    content_type = "application/apply-patch+yaml"
    reply = api.call("PATCH", api.path(*SETTINGS), body, content_type=content_type)
    assert reply.refusal == (422, "Invalid")
    assert reply.body["message"] == (
        'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch'
    )


def test_a_patch_type_is_not_taken_for_another(api: Target) -> None:
    api.made(CONFIG_MAP, objects.config_map())
    reply = api.call("PATCH", api.path(*SETTINGS), {"data": {"colour": "red"}}, content_type=JSON_PATCH)
    assert reply.refusal == (400, "BadRequest")
