"""Takes some of the cases of scenarios that have many; all of them with SWEEP=all, as `make sweep-sandbox` does."""

import os
from collections import defaultdict
from zlib import crc32

import pytest

KEPT = 3
THINNED = ("tests/scenario/", "tests/security/")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the same few cases of every such test, whatever the order."""
    if os.environ.get("SWEEP") == "all" or config.option.keyword or "::" in "".join(config.args):
        return
    cases: defaultdict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        if item.nodeid.startswith(THINNED):
            cases[item.nodeid.partition("[")[0]].append(item)
    left_out = {
        item
        for each in cases.values()
        for item in sorted(each, key=lambda one: crc32(one.nodeid.encode()))[KEPT:]
    }
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = [item for item in items if item not in left_out]
