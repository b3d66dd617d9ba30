"""The Role that `rbac` prints is the smallest: without any one right preflight refuses, and names it.

But for what is welcome and never demanded: to watch the journal, and to list quotas.
"""

import copy
from collections.abc import Callable, Iterator

import yaml

from tests.e2e import then, when
from tests.e2e.cluster.client import Document
from tests.e2e.cluster.waiting import wait_until
from tests.e2e.given import NEW, OLD, Shop

pytest_plugins = ["tests.e2e.cluster.fixtures", "tests.e2e.opening"]


def test_each_right_is_needed_and_named_when_it_is_missing(shop: Callable[..., Shop]) -> None:
    place = shop()
    place.releases(NEW)
    usual = list(yaml.safe_load_all(place.role()))
    wrong = []
    for rest, taken in _without_each(usual):
        with when.start(place, role=yaml.safe_dump_all(rest), lacking=taken) as tool:
            wait_until("it is refused, or begins", lambda: _decided(tool), every=0.05)
            begun = tool.process.poll() is None
            if begun:
                tool.terminate()
            run = tool.end()
        if begun or run.exit != 3 or not _named(taken, run.log):
            wrong.append(f"{taken}: exit {run.exit}\n{run.log}")
    assert not wrong, "\n".join(wrong)
    then.only_serves(place, OLD)
    assert not place.cluster.admin.list("Lease", place.namespace)


def _decided(tool: when.Tool) -> bool:
    return tool.process.poll() is not None or "== prepare" in tool.log


def _without_each(roles: list[Document]) -> Iterator[tuple[list[Document], Document]]:
    """The roles without one verb of one rule, and what is missing then."""
    for number, role in enumerate(roles):
        for index, rule in enumerate(role["rules"]):
            for verb in (verb for verb in rule["verbs"] if not _welcome(rule, verb)):
                rest = copy.deepcopy(roles)
                rest[number]["rules"][index]["verbs"].remove(verb)
                if not rest[number]["rules"][index]["verbs"]:
                    del rest[number]["rules"][index]
                yield rest, {**rule, "verbs": [verb], "namespace": role["metadata"]["namespace"]}


def _welcome(rule: Document, verb: str) -> bool:
    return verb == "watch" or rule["resources"] == ["resourcequotas"]


def _named(rule: Document, log: str) -> bool:
    """Whether a log names a right: in preflight's words, or in the API server's where it was needed to look."""
    (group,), (resource,), (verb,) = rule["apiGroups"], rule["resources"], rule["verbs"]
    bare, _, part = resource.partition("/")
    name = (rule.get("resourceNames") or [""])[0]
    ours = f"may not {verb} {bare}{'.' + group if group else ''}{'/' + part if part else ''} {name}".strip()
    return ours in log or f'cannot {verb} resource "{resource}" in API group "{group}"' in log
