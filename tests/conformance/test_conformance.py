"""The vectors that must hold; a module may name which of its sections are built (`BUILT`)."""

import pytest

from tests.conformance.result import Deviated, Failed
from tests.conformance.runner import HERE, module_of, run

FILES = ("conditions", "durations", "prometheus", "analysis_assess", "args_templates", "canary_replicas")
PARTLY = ("rollout_validation", "routers")


@pytest.mark.parametrize("name", FILES)
def test_no_vector_of_the_file_fails(name: str) -> None:
    failed = [result for result in run(HERE / "argo" / f"{name}.json") if isinstance(result, Failed)]
    assert failed == []


@pytest.mark.parametrize("name", PARTLY)
def test_no_vector_of_the_built_sections_fails(name: str) -> None:
    path = HERE / "argo" / f"{name}.json"
    built: tuple[str, ...] = getattr(module_of(path), "BUILT", ())
    failed = [
        result for result in run(path) if isinstance(result, Failed) and result.name.startswith(tuple(built))
    ]
    assert built
    assert failed == []


@pytest.mark.parametrize("name", [*FILES, *PARTLY])
def test_every_deviation_is_a_row_of_the_compatibility_page(name: str) -> None:
    page = (HERE.parent.parent / "docs" / "compatibility.md").read_text(encoding="utf-8")
    results = run(HERE / "argo" / f"{name}.json")
    decisions = {result.decision for result in results if isinstance(result, Deviated)}
    assert [decision for decision in decisions if f"\n| {decision} |" not in page] == []
