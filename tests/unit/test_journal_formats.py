"""What a journal says is understood by every later version of the tool."""

import json
from pathlib import Path
from typing import Any

import pytest

from progressive_ci.model.codec import decode, encode
from progressive_ci.model.journal import FORMAT, Record, Stage
from progressive_ci.release.records import MIGRATIONS

RECORDED = sorted((Path(__file__).parent / "journals").glob("*.json"))
"""Journals as the versions wrote them; they are never written again."""


def recorded(path: Path) -> Any:  # noqa: ANN401 - JSON
    return json.loads(path.read_text())


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_a_recorded_journal_is_understood_for_ever(path: Path) -> None:
    body = recorded(path)
    number = body["format"]
    for older in range(number, FORMAT):
        body = MIGRATIONS[older](body)
    record = decode(Record, body)
    again = encode(record)
    assert {key: again[key] for key in body} == body
    assert record.objects


def test_every_older_format_has_a_way_to_the_next() -> None:
    assert set(MIGRATIONS) == set(range(1, FORMAT))


def test_a_field_of_a_later_version_is_passed_over() -> None:
    body = recorded(RECORDED[0])
    body["invented"] = {"later": True}
    body["stable"]["invented"] = 1
    body["objects"][0]["originals"][0]["invented"] = None
    assert decode(Record, body) == decode(Record, recorded(RECORDED[0]))


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("stage", "DANCING", f"Record.stage: 'DANCING' is none of {', '.join(Stage.__members__)}"),
        ("weight", "50", "Record.weight: expected int, found str"),
        ("stable", {}, "Record.stable: missing field hash, name"),
    ],
    ids=["an unknown stage", "another type", "a missing field"],
)
def test_a_value_that_is_not_understood_is_named(field: str, value: object, complaint: str) -> None:
    with pytest.raises(ValueError, match=r"^Record\.") as caught:
        decode(Record, {**recorded(RECORDED[0]), field: value})
    assert str(caught.value) == complaint
