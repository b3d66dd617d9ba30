import json
from pathlib import Path
from typing import Any

import pytest

from progressive_ci.errors import ProgressiveError
from progressive_ci.model.durations import go_duration, pause_seconds, shown

VECTORS = Path(__file__).parents[1] / "conformance" / "argo" / "durations.json"
CASES = json.loads(VECTORS.read_text(encoding="utf-8"))["cases"]


@pytest.mark.parametrize("case", CASES, ids=[repr(case["input"]) for case in CASES])
def test_durations_read_as_upstream_reads_them(case: dict[str, Any]) -> None:
    assert pause_seconds(case["input"]) == case["pauseSeconds"]
    expected = case.get("metricDuration")
    if expected and expected["valid"]:
        assert go_duration(case["input"]) == expected["seconds"]
    elif expected:
        with pytest.raises(ProgressiveError):
            go_duration(case["input"])


def test_a_text_of_thousands_of_digits_is_no_duration() -> None:
    assert pause_seconds("9" * 5000) == -1
    with pytest.raises(ProgressiveError):
        go_duration("9" * 5000 + "s")


@pytest.mark.parametrize(("seconds", "text"), [(5400, "1h30m"), (45, "45s"), (0.5, "0.5s"), (0, "0s")])
def test_seconds_are_shown_as_people_write_them(seconds: float, text: str) -> None:
    assert shown(seconds) == text
