"""A watch on one object by name: what a run listens on."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import CONFIG_MAP
from tests.contract.api_cases.target import InProcess, Reply, Target

pytest_plugins = ["tests.contract.api_cases.fixtures"]

NAME = "progressive-ci.web"


def watched(api: Target, name: str = NAME, **query: str) -> Reply:
    """A watch of a second, as text."""
    asked = {"watch": "true", "timeoutSeconds": "1", "fieldSelector": f"metadata.name={name}", **query}
    return api.call("GET", api.path(CONFIG_MAP), query=asked)


def events(reply: Reply) -> list[tuple[str, JsonObject]]:
    assert reply.status == 200, reply.text
    lines = [json.loads(line) for line in reply.text.splitlines()]
    return [(event["type"], event["object"]) for event in lines]


def config(name: str, **data: str) -> JsonObject:
    return {"metadata": {"name": name}, "data": data}


def test_without_a_version_it_begins_with_the_present_state_and_ends_by_itself(api: Target) -> None:
    api.made(CONFIG_MAP, config(NAME, a="1"))
    api.made(CONFIG_MAP, config("other", a="1"))
    api.merge((CONFIG_MAP, NAME), {"data": {"a": "2"}})
    ((kind, found),) = events(watched(api))
    assert (kind, found["metadata"]["name"], found["data"]) == ("ADDED", NAME, {"a": "2"})
    assert (found["kind"], found["apiVersion"]) == ("ConfigMap", "v1")


def test_of_what_does_not_exist_it_tells_nothing(api: Target) -> None:
    api.made(CONFIG_MAP, config("other"))
    assert events(watched(api)) == []


@contextmanager
def soon(api: Target, number: int) -> Iterator[None]:
    """Meanwhile somebody makes, changes and deletes the object, in that order, as far as the number says."""
    acts = (
        lambda: api.made(CONFIG_MAP, config(NAME, a="1")),
        lambda: api.merge((CONFIG_MAP, NAME), {"data": {"a": "2"}}),
        lambda: api.delete(CONFIG_MAP, NAME),
    )
    timers = [threading.Timer(0.1 * (place + 1), act) for place, act in enumerate(acts[:number])]
    for timer in timers:
        timer.start()
    try:
        yield
    finally:
        for timer in timers:
            timer.join()


def test_it_tells_what_happens_while_it_lasts(api: Target) -> None:
    if isinstance(api.way, InProcess):
        return in_process(api)
    with soon(api, 3):
        reply = watched(api, timeoutSeconds="8")
    assert [kind for kind, _ in events(reply)] == ["ADDED", "MODIFIED", "DELETED"]
    return None


def in_process(api: Target) -> None:
    """There nothing happens beside a request, so it begins at an older version."""
    version = api.listed(CONFIG_MAP).body["metadata"]["resourceVersion"]
    api.made(CONFIG_MAP, config(NAME, a="1"))
    api.merge((CONFIG_MAP, NAME), {"data": {"a": "2"}})
    api.delete(CONFIG_MAP, NAME)
    found = events(watched(api, resourceVersion=version))
    assert [kind for kind, _ in found] == ["ADDED", "MODIFIED", "DELETED"]


def test_from_a_version_on_it_tells_every_change_after_it(api: Target) -> None:
    made = api.made(CONFIG_MAP, config(NAME, a="1"))
    api.merge((CONFIG_MAP, NAME), {"data": {"a": "2"}})
    api.merge((CONFIG_MAP, NAME), {"data": {"a": "3"}})
    found = events(watched(api, resourceVersion=made["metadata"]["resourceVersion"]))
    assert [(kind, item["data"]["a"]) for kind, item in found] == [("MODIFIED", "2"), ("MODIFIED", "3")]


@pytest.mark.parametrize(
    ("rule", "allowed"),
    [
        ({"verbs": ["watch"], "resourceNames": [NAME]}, True),
        ({"verbs": ["watch"], "resourceNames": ["other"]}, False),
        ({"verbs": ["get", "patch"], "resourceNames": [NAME]}, False),
    ],
    ids=["by name", "of another name", "without the verb"],
)
def test_a_role_can_allow_it_by_name(api: Target, rule: JsonObject, *, allowed: bool) -> None:
    api.made(CONFIG_MAP, config(NAME))
    user = api.user("listener", [{"apiGroups": [""], "resources": ["configmaps"], **rule}])
    reply = watched(user)
    if allowed:
        assert len(events(reply)) == 1
    else:
        assert reply.refusal == (403, "Forbidden")
        assert "cannot watch resource" in reply.body["message"]


def test_a_right_by_name_does_not_allow_a_watch_of_all(api: Target) -> None:
    rule = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["watch"], "resourceNames": [NAME]}
    user = api.user("listener", [rule])
    reply = user.call("GET", user.path(CONFIG_MAP), query={"watch": "true", "timeoutSeconds": "1"})
    assert reply.refusal == (403, "Forbidden")
