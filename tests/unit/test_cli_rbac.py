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
