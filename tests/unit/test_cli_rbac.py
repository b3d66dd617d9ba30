"""The Roles that `rbac` prints."""

import pytest
import yaml

from progressive_ci.cli import rbac
from progressive_ci.cli.settings import Settings


def test_seldom_occasions_have_roles_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert rbac.main(Settings(file=("examples/argo/gateway-api",), namespace="default")) == 0
    printed = {
        item["metadata"]["name"]: item["rules"] for item in yaml.safe_load_all(capsys.readouterr().out)
    }
    assert list(printed) == [
        "progressive-ci-my-app",
        "progressive-ci-my-app-first",
        "progressive-ci-my-app-roll",
    ]
    usual = printed.pop("progressive-ci-my-app")
    assert not [rule for rules in printed.values() for rule in rules if rule in usual]


def test_a_guard_gets_an_account_of_its_own_that_can_neither_begin_nor_measure_a_release(
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = Settings(file=("examples/argo/gateway-api",), namespace="default", guard="any")
    assert rbac.main(settings) == 0
    name = "progressive-ci-my-app-guard"
    documents = [item for item in yaml.safe_load_all(capsys.readouterr().out) if item]
    account = {item["kind"]: item for item in documents if item["metadata"]["name"] == name}
    assert list(account) == ["ServiceAccount", "Role", "RoleBinding"]
    assert account["RoleBinding"]["subjects"] == [
        {"kind": "ServiceAccount", "name": name, "namespace": "default"}
    ]
    given = [
        (verb, resource)
        for rule in account["Role"]["rules"]
        for verb in rule["verbs"]
        for resource in rule["resources"]
    ]
    assert [resource for verb, resource in given if verb == "create"] == ["leases"]
    assert not {"secrets", "services/proxy", "pods/log"} & {resource for _, resource in given}
    (usual,) = (item for item in documents if item["metadata"]["name"] == "progressive-ci-my-app")
    jobs = [rule["verbs"] for rule in usual["rules"] if rule["resources"] == ["jobs"]]
    assert jobs == [["create"], ["get", "delete"]]
