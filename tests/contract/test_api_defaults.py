from typing import Any

import pytest

from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import CONFIG_MAP, DEPLOYMENT, HTTP_ROUTE, POD, REPLICA_SET, SERVICE, Kind
from tests.contract.api_cases import objects
from tests.contract.api_cases.target import Target

pytest_plugins = ["tests.contract.api_cases.fixtures"]


def test_a_deployment_gets_its_defaults(api: Target) -> None:
    body = objects.deployment()
    body["spec"]["template"]["spec"]["containers"][0]["readinessProbe"] = {"httpGet": {"port": 8080}}
    del body["spec"]["replicas"]
    spec = api.made(DEPLOYMENT, body)["spec"]
    assert spec == {
        "replicas": 1,
        "revisionHistoryLimit": 10,
        "progressDeadlineSeconds": 600,
        "selector": {"matchLabels": {"app": "web"}},
        "strategy": {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"},
        },
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {
                "restartPolicy": "Always",
                "terminationGracePeriodSeconds": 30,
                "dnsPolicy": "ClusterFirst",
                "securityContext": {},
                "schedulerName": "default-scheduler",
                "containers": [
                    {
                        "name": "app",
                        "image": objects.OLD,
                        "imagePullPolicy": "IfNotPresent",
                        "resources": {},
                        "terminationMessagePath": "/dev/termination-log",
                        "terminationMessagePolicy": "File",
                        "ports": [{"containerPort": 8080, "protocol": "TCP"}],
                        "readinessProbe": {
                            "httpGet": {"path": "/", "port": 8080, "scheme": "HTTP"},
                            "timeoutSeconds": 1,
                            "periodSeconds": 10,
                            "successThreshold": 1,
                            "failureThreshold": 3,
                        },
                    }
                ],
            },
        },
    }


def test_a_replica_set_gets_its_defaults(api: Target) -> None:
    body = objects.replica_set("web-abc")
    spec = api.made(REPLICA_SET, body)["spec"]
    assert spec["selector"] == body["spec"]["selector"]
    assert spec["template"]["spec"]["containers"][0]["imagePullPolicy"] == "IfNotPresent"
    assert spec["template"]["spec"]["terminationGracePeriodSeconds"] == 30
    assert "minReadySeconds" not in spec


def test_environment_and_volumes_get_their_defaults(api: Target) -> None:
    body = objects.deployment(paused=True)
    pod = body["spec"]["template"]["spec"]
    pod["containers"][0]["image"] = "example/app"
    pod["containers"][0]["env"] = [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]
    pod["containers"][0]["resources"] = {"limits": {"cpu": "1"}}
    pod["volumes"] = [{"name": "a", "configMap": {"name": "x"}}, {"name": "b", "emptyDir": {}}]
    pod["serviceAccountName"] = "default"
    stored = api.made(DEPLOYMENT, body)["spec"]["template"]["spec"]
    container = stored["containers"][0]
    assert container["imagePullPolicy"] == "Always"
    assert container["env"][0]["valueFrom"]["fieldRef"] == {"apiVersion": "v1", "fieldPath": "metadata.name"}
    assert container["resources"] == {"limits": {"cpu": "1"}}
    assert stored["volumes"] == [
        {"name": "a", "configMap": {"name": "x", "defaultMode": 420}},
        {"name": "b", "emptyDir": {}},
    ]
    assert stored["serviceAccount"] == "default"


def test_a_service_gets_its_defaults_and_an_address(api: Target) -> None:
    spec = api.made(SERVICE, objects.service())["spec"]
    address = spec.pop("clusterIP")
    assert address.count(".") == 3
    assert spec == {
        "clusterIPs": [address],
        "internalTrafficPolicy": "Cluster",
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}],
        "selector": {"app": "web"},
        "sessionAffinity": "None",
        "type": "ClusterIP",
    }


def test_a_headless_service_keeps_its_address_none(api: Target) -> None:
    body = objects.service()
    body["spec"]["clusterIP"] = "None"
    spec = api.made(SERVICE, body)["spec"]
    assert (spec["clusterIP"], spec["clusterIPs"]) == ("None", ["None"])


def test_a_route_gets_its_defaults(api: Target) -> None:
    spec = api.made(HTTP_ROUTE, objects.http_route())["spec"]
    assert spec == {
        "parentRefs": [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "gateway"}],
        "rules": [
            {
                "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                "backendRefs": [
                    {"group": "", "kind": "Service", "name": "web-stable", "port": 80, "weight": 1},
                    {"group": "", "kind": "Service", "name": "web-canary", "port": 80, "weight": 0},
                ],
            }
        ],
    }


def test_what_is_null_in_a_document_is_not_stored(api: Target) -> None:
    body = objects.deployment(paused=True)
    body["spec"]["template"]["metadata"]["creationTimestamp"] = None
    body["metadata"]["annotations"] = None
    made = api.made(DEPLOYMENT, body)
    assert made["spec"]["template"]["metadata"] == {"labels": {"app": "web"}}
    assert "annotations" not in made["metadata"]


def changed(body: JsonObject, path: str, value: object) -> JsonObject:
    """The body with another value at a dotted path."""
    *parents, last = path.split(".")
    place: Any = body
    for part in parents:
        place = place[int(part)] if isinstance(place, list) else place[part]
    place[last] = value
    return body


FAULTS = [
    pytest.param(
        CONFIG_MAP,
        objects.config_map("Upper"),
        "metadata.name",
        "FieldValueInvalid",
        id="a name in capital letters",
    ),
    pytest.param(
        SERVICE, objects.service("web.shop"), "metadata.name", "FieldValueInvalid", id="a Service with a dot"
    ),
    pytest.param(
        CONFIG_MAP,
        changed(objects.config_map(), "metadata.labels", {"a": "b c"}),
        "metadata.labels",
        "FieldValueInvalid",
        id="a label with a blank",
    ),
    pytest.param(
        DEPLOYMENT,
        changed(objects.deployment(), "spec.template.metadata.labels", {"app": "other"}),
        "spec.template.metadata.labels",
        "FieldValueInvalid",
        id="a selector that does not fit",
    ),
    pytest.param(
        DEPLOYMENT,
        changed(objects.deployment(), "spec.template.spec.containers", []),
        "spec.template.spec.containers",
        "FieldValueRequired",
        id="no container",
    ),
    pytest.param(
        DEPLOYMENT,
        changed(objects.deployment(), "spec.template.spec.containers.0.image", ""),
        "spec.template.spec.containers[0].image",
        "FieldValueRequired",
        id="no image",
    ),
    pytest.param(
        DEPLOYMENT,
        objects.deployment(strategy={"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}),
        "spec.strategy.rollingUpdate",
        "FieldValueForbidden",
        id="Recreate with numbers of the other strategy",
    ),
    pytest.param(
        DEPLOYMENT,
        objects.deployment(strategy={"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}),
        "spec.strategy.rollingUpdate.maxUnavailable",
        "FieldValueInvalid",
        id="a strategy that cannot move",
    ),
    pytest.param(
        DEPLOYMENT,
        objects.deployment(progressDeadlineSeconds=5, minReadySeconds=5),
        "spec.progressDeadlineSeconds",
        "FieldValueInvalid",
        id="a deadline within minReadySeconds",
    ),
    pytest.param(
        DEPLOYMENT,
        objects.deployment(replicas=-1),
        "spec.replicas",
        "FieldValueInvalid",
        id="negative replicas",
    ),
    pytest.param(
        SERVICE,
        changed(objects.service(), "spec.ports", []),
        "spec.ports",
        "FieldValueRequired",
        id="a Service without ports",
    ),
    pytest.param(
        HTTP_ROUTE,
        changed(objects.http_route(), "spec.rules.0.backendRefs.0.weight", -1),
        "spec.rules[0].backendRefs[0].weight",
        "FieldValueInvalid",
        id="a negative weight",
    ),
    pytest.param(
        POD,
        {"metadata": {"name": "x"}, "spec": {}},
        "spec.containers",
        "FieldValueRequired",
        id="an empty pod",
    ),
]


@pytest.mark.parametrize(("kind", "obj", "field", "reason"), FAULTS)
def test_an_object_that_is_not_valid_is_refused_with_its_field(
    api: Target, kind: Kind, obj: JsonObject, field: str, reason: str
) -> None:
    reply = api.create(kind, obj)
    assert reply.refusal == (422, "Invalid")
    causes = reply.body["details"]["causes"]
    assert (field, reason) in [(cause["field"], cause["reason"]) for cause in causes], causes
    assert (reply.body["details"]["kind"], reply.body["details"]["name"]) == (
        kind.name,
        obj["metadata"]["name"],
    )
    text = next(cause for cause in causes if cause["field"] == field)
    assert f"{field}: {text['message']}" in reply.body["message"]
    assert not api.exists(kind, obj["metadata"]["name"])


def test_a_fault_reads_like_the_real_servers(api: Target) -> None:
    body = objects.deployment()
    body["spec"]["template"]["metadata"]["labels"] = {"app": "other"}
    assert api.create(DEPLOYMENT, body).body["message"] == (
        'Deployment.apps "web" is invalid: spec.template.metadata.labels: Invalid value: {"app":"other"}:'
        " `selector` does not match template `labels`"
    )


def test_a_number_that_is_a_text_is_a_bad_request(api: Target) -> None:
    reply = api.create(DEPLOYMENT, objects.deployment(replicas="three"))  # type: ignore[arg-type]
    assert reply.refusal == (400, "BadRequest")


def test_what_is_empty_or_zero_in_a_built_in_kind_is_not_stored(api: Target) -> None:
    body = objects.deployment(paused=False, minReadySeconds=0)
    body["spec"]["template"]["spec"]["containers"][0]["env"] = []
    body["metadata"]["labels"] = {}
    made = api.made(DEPLOYMENT, body)
    assert {"paused", "minReadySeconds"} & made["spec"].keys() == set()
    assert "env" not in made["spec"]["template"]["spec"]["containers"][0]
    assert "labels" not in made["metadata"]
    operation = {"op": "test", "path": "/spec/paused", "value": False}
    assert api.patch((DEPLOYMENT, "web"), [operation]).refusal == (422, "Invalid")


def test_a_replica_set_without_labels_gets_none(api: Target) -> None:
    body = objects.replica_set("web-abc")
    del body["metadata"]["labels"]
    assert "labels" not in api.made(REPLICA_SET, body)["metadata"]


def test_a_dry_run_tells_the_generation_that_would_be(api: Target) -> None:
    made = api.create(DEPLOYMENT, objects.deployment(paused=True), dryRun="All")
    assert made.body["metadata"]["generation"] == 1
    api.made(DEPLOYMENT, objects.deployment(paused=True))
    reply = api.merge((DEPLOYMENT, "web"), {"spec": {"replicas": 7}}, dryRun="All")
    assert reply.body["metadata"]["generation"] == 2
    assert api.found(DEPLOYMENT, "web")["metadata"]["generation"] == 1
