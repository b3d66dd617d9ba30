"""docs/security.md promises a test for every threat."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
HEAD = "| threat | rule | test |"
THERE = {
    name
    for path in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"^ *def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
}


def threats() -> list[tuple[str, str]]:
    """Each threat of every table, and what stands in its column of tests."""
    found = []
    for table in PAGE.split(HEAD)[1:]:
        rows = table.partition("\n\n")[0].strip().splitlines()[1:]
        cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
        assert all(len(each) == HEAD.count("|") - 1 for each in cells), cells
        found += [(threat, tests) for threat, _, tests in cells]
    return found


THREATS = threats()


def test_every_section_of_threats_has_its_table() -> None:
    sections = PAGE.partition("## Threats and rules")[2].partition("\n## ")[0].split("\n### ")[1:]
    assert [section.splitlines()[0] for section in sections if section.count(HEAD) != 1] == []
    assert len(THREATS) > len(sections)


@pytest.mark.parametrize(("threat", "tests"), THREATS, ids=[threat for threat, _ in THREATS])
def test_every_threat_names_tests_that_exist(threat: str, tests: str) -> None:
    named = re.findall(r"`(test_\w+)`", tests)
    assert named, f"no test for: {threat}"
    assert set(named) <= THERE
