"""Requests of whole releases, recorded on a real cluster, get the same answers from the sandbox."""

import pytest

from tests.contract.api_cases.replay import RECORDED, Replay


@pytest.mark.parametrize("name", sorted(path.name.removesuffix(".json.gz") for path in RECORDED.glob("*.gz")))
def test_the_sandbox_answers_a_release_as_the_real_cluster_did(name: str) -> None:
    assert list(Replay(name).differences()) == []
