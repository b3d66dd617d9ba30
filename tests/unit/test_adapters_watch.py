"""A watch by a thread of its own, on the simulated API server over HTTP and on scripted connections."""

import json
import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from progressive_ci.adapters.clock import ThreadClock
from progressive_ci.adapters.cluster import KubeCluster
from progressive_ci.adapters.connection import connect
from progressive_ci.adapters.login import Access
from progressive_ci.adapters.transport import KubeTransport
from progressive_ci.adapters.watch import GAP, Lines, ThreadWatch
from progressive_ci.adapters.wire import Wire
from progressive_ci.errors import NoAnswer
from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import Ref
from progressive_ci.ports import HttpResponse
from progressive_ci.sandbox import tokens
from progressive_ci.sandbox.cluster import Sandbox
from progressive_ci.sandbox.server import SandboxServer

JOURNAL = Ref(kinds.CONFIG_MAP, "shop", "progressive-ci.web")
SECONDS = 10.0
OBEYED = 5.0
"""Seconds in which a release obeys."""
FORBIDDEN = {
    "kind": "Status",
    "code": 403,
    "reason": "Forbidden",
    "message": "you cannot watch resource configmaps",
}
EXPIRED = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"}


class Heard:
    """What was delivered and told, in order; waiting for it has an end."""

    def __init__(self) -> None:
        self._found: queue.SimpleQueue[JsonObject | None] = queue.SimpleQueue()
        self.told: list[str] = []

    def deliver(self, found: JsonObject | None) -> None:
        self._found.put(found)

    def next(self) -> str | None:
        found = self._found.get(timeout=SECONDS)
        return None if found is None else str(found["data"]["a"])

    def until(self, wanted: str | None) -> None:
        while self.next() != wanted:
            pass


def config(value: str) -> JsonObject:
    metadata = {"name": JOURNAL.name, "namespace": "shop"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": value}}


@pytest.fixture
def server() -> Iterator[SandboxServer]:
    made = SandboxServer(speed=100.0)
    made.start()
    with made.clock.changed:
        made.world.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    yield made
    made.stop()


def put(server: SandboxServer, value: str) -> None:
    with server.clock.changed:
        server.world.apply(config(value))
        server.clock.changed.notify_all()


def watch(
    server: SandboxServer, folder: Path, heard: Heard, token: str = tokens.ADMIN_TOKEN
) -> Callable[[], None]:
    server.write_kubeconfig(folder / "kubeconfig", token)
    clock = ThreadClock()
    wire = Wire(connect(clock, Access(kubeconfig=str(folder / "kubeconfig"))))
    cluster = KubeCluster(KubeTransport(wire, clock), clock)
    return ThreadWatch(wire, cluster, tell=heard.told.append, gap=0.05).follow(JOURNAL, heard.deliver)


def test_it_tells_the_present_state_and_every_later_one_over_many_connections(
    server: SandboxServer, tmp_path: Path
) -> None:
    heard = Heard()
    put(server, "0")
    stop = watch(server, tmp_path, heard)
    for value in ("0", "1", "2"):
        put(server, value)
        heard.until(value)
    heard.until("2")  # the server has ended the watch after a minute, 0.6 s here, and another one began
    put(server, "3")
    heard.until("3")
    with server.clock.changed:
        store = server.world.store
        store.drop(JOURNAL.kind, store.find(JOURNAL) or {})
        server.clock.changed.notify_all()
    heard.until(None)
    stop()
    assert heard.told == []


class Script:
    """Connections of which each ends as it says."""

    def __init__(self, *answers: HttpResponse | list[object] | Exception) -> None:
        self._answers = list(answers)
        self.asked: list[dict[str, str]] = []

    def lines(self, path: str, *, query: Mapping[str, str], seconds: float) -> HttpResponse | Iterator[bytes]:
        assert path == "/api/v1/namespaces/shop/configmaps"
        assert seconds > float(query["timeoutSeconds"])
        self.asked.append(dict(query))
        answer = self._answers.pop(0) if self._answers else event("ADDED", config("last"))
        match answer:
            case Exception():
                raise answer
            case HttpResponse():
                return answer
            case list():
                return iter(
                    [line if isinstance(line, bytes) else json.dumps(line).encode() for line in answer]
                )


class Dead:
    """A connection that is open and tells nothing any more, as behind a balancer that has lost its server."""

    def __init__(self, *first: object) -> None:
        self._first = first
        self.over = threading.Event()
        self.asked = 0

    def lines(self, path: str, *, query: Mapping[str, str], seconds: float) -> Iterator[bytes]:
        assert path == "/api/v1/namespaces/shop/configmaps"
        assert seconds > float(query["timeoutSeconds"])
        self.asked += 1
        for item in self._first:
            yield json.dumps(item).encode()
        self.over.wait(SECONDS)


def event(kind: str, found: JsonObject) -> list[object]:
    return [{"type": kind, "object": found}]


def status(code: int, body: JsonObject, **headers: str) -> HttpResponse:
    return HttpResponse(code, headers, json.dumps(body).encode())


def scripted(script: Lines, heard: Heard, *, gap: float = 0.05) -> Callable[[], None]:
    sandbox = Sandbox()
    sandbox.apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}, config("looked at")
    )
    cluster = KubeCluster(sandbox.transport(), sandbox.clock)
    return ThreadWatch(script, cluster, tell=heard.told.append, gap=gap).follow(JOURNAL, heard.deliver)


TROUBLES: dict[str, HttpResponse | list[object] | Exception] = {
    "the version is too old": event("ERROR", EXPIRED),
    "an error without words": [{"type": "ERROR", "object": None}],
    "a line that is no event": [b"<html>"],
    "an event without an object": [{"type": "ADDED"}],
    "an unknown event": event("NEWS", {}),
    "the connection breaks": NoAnswer("reset by peer"),
    "the server fails": status(503, {}),
    "it is too busy": status(429, {}, **{"Retry-After": "0"}),
    "one object": status(200, config("odd")),
    "nothing": [],
    "a bookmark": event("BOOKMARK", {"metadata": {"resourceVersion": "9"}}),
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
def test_whatever_ends_a_connection_the_next_one_begins_with_the_present_state(
    trouble: HttpResponse | list[object] | Exception,
) -> None:
    heard, script = Heard(), Script(trouble)
    stop = scripted(script, heard)
    heard.until("last")
    stop()
    assert all("resourceVersion" not in query for query in script.asked)
    assert {query["fieldSelector"] for query in script.asked} == {"metadata.name=progressive-ci.web"}
    assert heard.told == []


def test_where_watching_is_forbidden_it_looks_again_and_again_and_says_so_once() -> None:
    heard, script = Heard(), Script(status(403, FORBIDDEN))
    stop = scripted(script, heard)
    assert [heard.next(), heard.next(), heard.next()] == ["looked at"] * 3
    stop()
    assert len(script.asked) == 1
    (told,) = heard.told
    assert told == (
        "the API server refused `watch` (403 Forbidden): you cannot watch resource configmaps; "
        "ConfigMap shop/progressive-ci.web is looked at every 0.05 s instead"
    )


def test_a_server_that_ends_every_watch_at_once_is_not_flooded() -> None:
    heard, script = Heard(), Script()
    stop = scripted(script, heard)
    for _ in range(5):
        heard.until("last")
    stop()
    assert len(script.asked) <= 7


def test_a_watch_that_dies_without_a_word_is_made_up_for_by_looks() -> None:
    heard, dead = Heard(), Dead(*event("ADDED", config("told")))
    stop = scripted(dead, heard)
    assert [heard.next() for _ in range(4)] == ["told", *["looked at"] * 3]
    stop()
    dead.over.set()
    assert dead.asked == 1
    assert heard.told == []
    assert GAP < OBEYED
