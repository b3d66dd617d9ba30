from progressive_ci.model.kinds import CONFIG_MAP, DEPLOYMENT, POD, SERVICE
from tests.contract.api_cases import objects
from tests.contract.api_cases.target import Target

pytest_plugins = ["tests.contract.api_cases.fixtures"]

WEB = (DEPLOYMENT, "web")


def test_a_write_to_the_object_leaves_the_status_alone(api: Target) -> None:
    status = {"collisionCount": 3}
    made = api.made(DEPLOYMENT, {**objects.deployment(paused=True), "status": status})
    assert "collisionCount" not in made["status"]
    reply = api.merge(WEB, {"spec": {"replicas": 2}, "status": status})
    assert reply.status == 200
    assert "collisionCount" not in reply.body["status"]


def test_a_write_to_the_status_leaves_the_rest_alone(api: Target) -> None:
    api.made(DEPLOYMENT, objects.deployment(paused=True, replicas=0))
    api.until(lambda: api.found(DEPLOYMENT, "web").get("status", {}).get("observedGeneration") == 1)
    body = {"spec": {"replicas": 7}, "status": {"collisionCount": 3}}
    reply = api.merge((DEPLOYMENT, "web", "status"), body)
    assert reply.status == 200
    assert (reply.body["spec"]["replicas"], reply.body["status"]["collisionCount"]) == (0, 3)
    assert reply.body["metadata"]["generation"] == 1


def test_the_status_is_no_subresource_of_a_config_map(api: Target) -> None:
    api.made(CONFIG_MAP, objects.config_map())
    assert api.get(CONFIG_MAP, "settings", "status").status == 404


def test_the_scale_shows_and_changes_the_number_of_replicas_alone(api: Target) -> None:
    made = api.made(DEPLOYMENT, objects.deployment(paused=True))
    scale = api.get(DEPLOYMENT, "web", "scale").body
    assert (scale["kind"], scale["apiVersion"]) == ("Scale", "autoscaling/v1")
    assert scale["metadata"]["uid"] == made["metadata"]["uid"]
    assert (scale["spec"], scale["status"]["selector"]) == ({"replicas": 3}, "app=web")
    body = {"spec": {"replicas": 5, "template": {}}, "metadata": {"labels": {"x": "y"}}}
    reply = api.merge((DEPLOYMENT, "web", "scale"), body)
    assert (reply.status, reply.body["kind"], reply.body["spec"]) == (200, "Scale", {"replicas": 5})
    found = api.found(DEPLOYMENT, "web")
    assert (found["spec"]["replicas"], found["metadata"]["generation"]) == (5, 2)
    assert "labels" not in found["metadata"]


def test_a_scale_that_rests_on_an_old_version_conflicts(api: Target) -> None:
    api.made(DEPLOYMENT, objects.deployment(paused=True))
    scale = api.get(DEPLOYMENT, "web", "scale").body
    api.merge(WEB, {"metadata": {"labels": {"x": "y"}}})
    scale["spec"]["replicas"] = 1
    assert api.replace((DEPLOYMENT, "web", "scale"), scale).refusal == (409, "Conflict")


def test_a_scale_can_be_tested_and_replaced(api: Target) -> None:
    api.made(DEPLOYMENT, objects.deployment(paused=True))
    operations = [
        {"op": "test", "path": "/spec/replicas", "value": 3},
        {"op": "replace", "path": "/spec/replicas", "value": 2},
    ]
    assert api.patch((DEPLOYMENT, "web", "scale"), operations).status == 200
    assert api.patch((DEPLOYMENT, "web", "scale"), operations).refusal == (422, "Invalid")


def test_a_service_has_no_scale(api: Target) -> None:
    api.made(SERVICE, objects.service())
    assert api.get(SERVICE, "web", "scale").status == 404


def pod(image: str) -> dict[str, object]:
    return {
        "metadata": {"name": "one", "labels": {"app": "one"}},
        "spec": objects.template(image=image)["spec"],
    }


def test_the_log_of_a_pod_ends_with_the_newest_lines(api: Target) -> None:
    api.made(POD, pod("example/app:1.0.0"))
    lines = api.until(lambda: _log(api))
    assert _log(api, tailLines="1") == lines[-1:]
    assert _log(api, container="app", tailLines="1") == lines[-1:]


def _log(api: Target, **query: str) -> list[str]:
    reply = api.call("GET", api.path(POD, "one", "log"), query=query)
    return reply.text.splitlines() if reply.status == 200 else []


def test_there_is_no_log_of_a_container_that_does_not_exist(api: Target) -> None:
    api.made(POD, pod("example/app:1.0.0"))
    reply = api.call("GET", api.path(POD, "one", "log"), query={"container": "none"})
    assert reply.refusal == (400, "BadRequest")
    assert reply.body["message"] == "container none is not valid for pod one"


def test_a_proxied_request_to_a_service_without_endpoints_is_unavailable(api: Target) -> None:
    api.made(SERVICE, objects.service(selector={"app": "nobody"}))
    reply = api.call("GET", api.path(SERVICE, "http:web:80", "proxy/api/v1/query"))
    assert reply.refusal == (503, "ServiceUnavailable")
    assert reply.body["message"] == 'no endpoints available for service "web"'


def test_a_proxied_request_to_a_service_that_does_not_exist_is_not_found(api: Target) -> None:
    reply = api.call("GET", api.path(SERVICE, "http:none:80", "proxy/x"))
    assert reply.refusal == (404, "NotFound")
    assert reply.body["message"] == 'services "none" not found'
