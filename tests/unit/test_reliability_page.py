import re
from pathlib import Path

from tests.acceptance import SCENARIOS, marked, table

PAGE = (Path(__file__).parents[2] / "docs" / "reliability.md").read_text()


def test_every_acceptance_scenario_has_a_test() -> None:
    found = marked()
    assert set(found) == set(SCENARIOS)
    assert not [name for name, tests in found.items() if not tests]


def test_the_page_lists_the_tests_of_every_scenario() -> None:
    missing = [row for row in table().splitlines() if row not in PAGE]
    assert not missing, "python -m tests.acceptance prints the table; missing:\n" + "\n".join(missing)


def test_the_page_has_a_figure_and_a_command_for_every_scenario() -> None:
    found = re.findall(
        r"^\| (F\d\d) \| [^|]+ \| ([\d,]+) passed: `pytest --acceptance (F\d\d)`", PAGE, re.MULTILINE
    )
    assert [name for name, _, _ in found] == sorted(SCENARIOS)
    assert not [name for name, figure, command in found if figure == "0" or command != name]
