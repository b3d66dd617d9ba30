"""Takes some of the cases of scenarios that have many; all of them with SWEEP=all, as `make sweep-sandbox` does.

`--acceptance F06` takes every case of that scenario, and counts them. No property fails because a machine is slow.
"""

import os
from collections import Counter, defaultdict
from zlib import crc32

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

SCENARIO = "acceptance"
KEPT = 1
THINNED = ("tests/scenario/", "tests/security/")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the choice of an acceptance scenario."""
    parser.addoption(
        "--acceptance", metavar="F01", default="", help="cases of this scenario alone, or of `all`"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the same case of every such test, whatever the order; CASES=rest keeps all the others instead."""
    if asked := config.option.acceptance:
        _keep(
            config, items, {item for item in items if _scenario(item) and asked in ("all", _scenario(item))}
        )
        return
    if os.environ.get("SWEEP") == "all" or config.option.keyword or "::" in "".join(config.args):
        return
    cases: defaultdict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        if item.nodeid.startswith(THINNED):
            cases[item.nodeid.partition("[")[0]].append(item)
    rest = {
        item
        for each in cases.values()
        for item in sorted(each, key=lambda one: crc32(one.nodeid.encode()))[KEPT:]
    }
    wanted_rest = os.environ.get("CASES") == "rest"
    _keep(config, items, {item for item in items if (item in rest) == wanted_rest})


def _keep(config: pytest.Config, items: list[pytest.Item], chosen: set[pytest.Item]) -> None:
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = [item for item in items if item in chosen]


def _scenario(item: pytest.Item) -> str:
    """The acceptance scenario that a case belongs to, noted for the summary; empty for none."""
    mark = item.get_closest_marker("acceptance")
    if mark is None:
        return ""
    item.user_properties[:] = [(SCENARIO, str(mark.args[0]))]
    return str(mark.args[0])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Count the cases of each acceptance scenario."""
    if not config.option.acceptance:
        return
    seconds: defaultdict[str, float] = defaultdict(float)
    ended: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, ()):
            if scenario := dict(report.user_properties).get(SCENARIO):
                seconds[scenario] += report.duration
                ended[scenario][outcome] += 1
    for scenario, counts in sorted(ended.items()):
        terminalreporter.write_line(
            f"| {scenario} | `pytest --acceptance {scenario}` | {counts['passed']} passed, {counts['failed']} failed "
            f"| {seconds[scenario]:.0f} |"
        )
