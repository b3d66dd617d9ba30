"""Takes some of the cases of scenarios that have many; all of them with SWEEP=all, as `make sweep-sandbox` does.

No property fails because a machine is slow.
"""

import os
from collections import defaultdict
from zlib import crc32

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

KEPT = 2
THINNED = ("tests/scenario/", "tests/security/")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the same few cases of every such test, whatever the order; CASES=rest keeps all the others instead."""
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
    chosen = [item for item in items if (item in rest) == (os.environ.get("CASES") == "rest")]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(chosen)])
    items[:] = chosen
