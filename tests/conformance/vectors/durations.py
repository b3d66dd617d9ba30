"""Pause durations and metric durations."""

from collections.abc import Iterator, Mapping

from progressive_ci.errors import ProgressiveError
from progressive_ci.model import durations
from tests.conformance.result import Json, Result, by_section, judge


def run(data: Mapping[str, Json]) -> Iterator[Result]:
    """The list `cases`, and the single vector `no_duration`."""
    lists = {key: value for key, value in data.items() if key != "no_duration"}
    yield from by_section(lists, {"cases": _case})
    if "no_duration" in data:
        yield _no_duration(data["no_duration"])


def _no_duration(vector: Mapping[str, Json]) -> Result:
    duration = vector["pause"].get("duration")
    actual = {
        "pauseSeconds": durations.pause_seconds(duration),
        "waitsForPerson": durations.waits_for_person(duration),
    }
    return judge("no_duration", {key: value for key, value in vector.items() if key != "pause"}, actual)


def _case(case: Mapping[str, Json]) -> Result:
    expect = {key: value for key, value in case.items() if key not in ("name", "input")}
    seconds = durations.pause_seconds(case["input"])
    actual = {
        "pauseSeconds": seconds,
        "pauseValid": seconds >= 0,
        "metricDuration": _metric(case["input"]),
    }
    return judge("", expect, actual)


def _metric(text: Json) -> Mapping[str, Json]:
    try:
        return {"valid": True, "seconds": durations.go_duration(str(text))}
    except ProgressiveError:
        return {"valid": False}
