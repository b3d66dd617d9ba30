import http.client
import json
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from progressive_ci.model.kinds import CONFIG_MAP, POD, collection_path
from progressive_ci.sandbox import app, tokens
from progressive_ci.sandbox.server import SandboxServer

HEADERS = {"Authorization": f"Bearer {tokens.ADMIN_TOKEN}", "Content-Type": "application/json"}
PATH = collection_path(CONFIG_MAP, "default")


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    made = SandboxServer(speed=20.0)
    made.start()
    yield made
    made.stop()


def connection(url: str) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)


def test_one_connection_carries_many_requests(server: SandboxServer) -> None:
    with closing(connection(server.url)) as link:
        for number in range(3):
            body = json.dumps({"metadata": {"name": f"c{number}"}})
            link.request("POST", PATH, body, HEADERS)
            reply = link.getresponse()
            assert (reply.status, json.loads(reply.read())["metadata"]["name"]) == (201, f"c{number}")


def test_a_request_without_a_token_is_unauthorized(server: SandboxServer) -> None:
    with closing(connection(server.url)) as link:
        link.request("GET", PATH)
        assert link.getresponse().status == 401


def test_a_watch_streams_events_as_they_happen(server: SandboxServer) -> None:
    with closing(connection(server.url)) as link, closing(connection(server.url)) as other:
        link.request("GET", f"{PATH}?watch=1&timeoutSeconds=200&labelSelector=a%3Db", headers=HEADERS)
        reply = link.getresponse()
        body = json.dumps({"metadata": {"name": "seen", "labels": {"a": "b"}}})
        other.request("POST", PATH, body, HEADERS)
        assert other.getresponse().status == 201
        event = json.loads(reply.readline())
        assert (event["type"], event["object"]["metadata"]["name"]) == ("ADDED", "seen")


def test_the_controllers_work_while_nobody_asks(server: SandboxServer) -> None:
    ready = threading.Event()

    def see(_: object) -> None:
        pods = server.world.store.all(POD, "shop")
        if len(pods) == 2 and all((pod.get("status") or {}).get("phase") == "Running" for pod in pods):
            ready.set()

    with server.clock.changed:
        server.world.store.subscribe(see, POD)
        server.world.apply(app.deployment({"name": "web", "namespace": "shop"}, replicas=2, image="web:1"))
    assert ready.wait(10)


def test_a_kubeconfig_leads_to_the_server(server: SandboxServer, tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    server.write_kubeconfig(path, "token", "shop")
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert config["clusters"][0]["cluster"] == {"server": server.url}
    assert config["users"][0]["user"] == {"token": "token"}
    assert config["contexts"][0]["context"]["namespace"] == "shop"
    assert path.stat().st_mode & 0o077 == 0


def test_prometheus_answers_on_a_port_of_its_own_or_not_at_all(server: SandboxServer) -> None:
    with closing(connection(server.prometheus_url)) as link:
        link.request("GET", "/api/v1/query?query=vector(1)")
        assert json.loads(link.getresponse().read())["status"] == "success"
        with server.clock.changed:
            server.world.prometheus.misbehave("down")
        link.request("GET", "/api/v1/query?query=vector(1)")
        with pytest.raises(http.client.RemoteDisconnected):
            link.getresponse()
        with server.clock.changed:
            server.world.prometheus.behave()


def test_a_client_that_goes_in_the_middle_of_a_watch_is_no_error(
    server: SandboxServer, capfd: pytest.CaptureFixture[str]
) -> None:
    before = set(threading.enumerate())
    link = connection(server.url)
    link.request("GET", f"{PATH}?watch=true&timeoutSeconds=60", headers=HEADERS)
    assert link.getresponse().status == 200
    (serving,) = set(threading.enumerate()) - before
    link.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    link.close()
    with closing(connection(server.url)) as other:
        for number in range(20):
            other.request("POST", PATH, json.dumps({"metadata": {"name": f"gone{number}"}}), HEADERS)
            other.getresponse().read()
            serving.join(timeout=0.1)
    assert not serving.is_alive()
    assert capfd.readouterr().err == ""
