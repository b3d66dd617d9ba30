"""Jobs (batch/v1), as far as a guard's goes: it belongs to a ConfigMap, and is deleted in the version that was seen."""

import pytest

from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import CONFIG_MAP, JOB, SERVICE_ACCOUNT
from tests.contract.api_cases import objects
from tests.contract.api_cases.target import Target

pytest_plugins = ["tests.contract.api_cases.fixtures"]


def job(**metadata: object) -> JsonObject:
    """A Job whose pod can't start, so that nobody writes its status for long."""
    template = objects.template("guard", image="example/app:missing")
    template["spec"]["restartPolicy"] = "OnFailure"
    spec = {"backoffLimit": 20, "activeDeadlineSeconds": 600, "template": template}
    return {"metadata": {"name": "guard", **metadata}, "spec": spec}


def test_a_job_goes_at_once_when_it_is_deleted_in_the_background_in_the_version_that_was_seen(
    api: Target,
) -> None:
    api.made(JOB, job())

    def deleted() -> bool:
        seen = api.found(JOB, "guard")["metadata"]
        preconditions = {"uid": seen["uid"], "resourceVersion": seen["resourceVersion"]}
        options = {"propagationPolicy": "Background", "preconditions": preconditions}
        return api.delete(JOB, "guard", options).status == 200

    api.until(deleted)
    assert not api.exists(JOB, "guard")


@pytest.mark.parametrize("field", ["uid", "resourceVersion"])
def test_a_job_that_is_another_than_the_one_seen_stays(api: Target, field: str) -> None:
    api.made(JOB, job())
    options = {"propagationPolicy": "Background", "preconditions": {field: "1"}}
    assert api.delete(JOB, "guard", options).refusal == (409, "Conflict")
    assert api.exists(JOB, "guard")


def test_a_job_goes_with_the_config_map_that_it_belongs_to(api: Target) -> None:
    owner = api.made(CONFIG_MAP, objects.config_map())["metadata"]
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": owner["name"], "uid": owner["uid"]}
    api.made(JOB, job(ownerReferences=[reference]))
    api.delete(CONFIG_MAP, "settings", {"propagationPolicy": "Background"})
    api.until(lambda: not api.exists(JOB, "guard"))


def test_a_service_account_is_found_by_its_name_or_not_at_all(api: Target) -> None:
    assert not api.exists(SERVICE_ACCOUNT, "guard")
    api.made(SERVICE_ACCOUNT, {"metadata": {"name": "guard"}})
    assert api.exists(SERVICE_ACCOUNT, "guard")


def test_a_job_tells_how_many_of_its_pods_are_ready(api: Target) -> None:
    template = objects.template("guard")
    template["spec"]["restartPolicy"] = "OnFailure"
    made = api.made(JOB, {"metadata": {"name": "guard"}, "spec": {"template": template}})
    assert not made.get("status", {}).get("ready")
    assert api.until(lambda: api.found(JOB, "guard").get("status", {}).get("ready")) == 1
