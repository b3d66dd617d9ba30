import json
from pathlib import Path

import pytest

from tests.conformance.__main__ import main
from tests.conformance.result import Deviated, Deviation, Failed, Passed, Result, by_section, judge
from tests.conformance.runner import run


def test_every_vector_of_a_file_without_code_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "novelty.json").write_text(json.dumps({"sections": {"a": [{}, {}]}, "b": [{"x": 1}]}))
    assert main([str(tmp_path)]) == 1
    assert capsys.readouterr().out == "novelty.json: 0 passed, 3 failed, 0 deviations\n0 passed, 3 failed\n"


def test_the_vectors_here_are_found(capsys: pytest.CaptureFixture[str]) -> None:
    main([str(Path(__file__).parent / "argo" / "durations.json")])
    assert capsys.readouterr().out.startswith("durations.json: 28 passed, 0 failed, 0 deviations\n")


def test_a_section_that_nobody_knows_fails(tmp_path: Path) -> None:
    path = tmp_path / "durations.json"
    path.write_text(json.dumps({"cases": [], "novelty": [{"input": 1}]}))
    assert run(path) == (
        Failed("cases", "never compared"),
        Failed("novelty[0]", "no code for this section"),
    )


def test_a_vector_over_which_our_code_stumbles_fails_alone() -> None:
    results = list(by_section({"a": [{"name": "one"}]}, {"a": lambda vector: vector["absent"]}))
    assert results == [Failed("a[0] one", "KeyError: 'absent'")]


@pytest.mark.parametrize(
    ("expect", "actual", "result"),
    [
        ({"a": 1}, {"a": 1.0, "b": 2}, Passed("v")),
        ({"a": 1}, {"a": True}, Failed("v", ".a: wanted 1, got True")),
        ({"a": 1, "b": 2}, {"a": 1}, Failed("v", ".b: never compared")),
        ({"a": {"b": [1, 2]}}, {"a": {"b": (1, 2)}}, Passed("v")),
        ({"a": [1, 2]}, {"a": [1]}, Failed("v", ".a: 2 wanted, 1 given: [1]")),
        ({"a": "x y"}, {"a": lambda wanted: "x" in wanted}, Passed("v")),
        ({"a": "y"}, {"a": lambda wanted: "x" in wanted}, Failed("v", ".a: 'y' does not hold")),
    ],
)
def test_every_key_of_an_expectation_is_compared(
    expect: dict[str, object], actual: dict[str, object], result: Result
) -> None:
    assert judge("v", expect, actual) == result


def test_only_what_the_decision_makes_of_the_input_deviates() -> None:
    decided = Deviation("We decide so", {"a": 2})
    assert judge("v", {"a": 1, "b": 1}, {"a": 2, "b": 1}, deviation=decided) == Deviated("v", "We decide so")
    assert isinstance(judge("v", {"a": 1, "b": 1}, {"a": 3, "b": 1}, deviation=decided), Failed)
    assert isinstance(judge("v", {"a": 1, "b": 1}, {"a": 2, "b": 3}, deviation=decided), Failed)
