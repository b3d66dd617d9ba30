"""One way to three API servers: the sandbox in process, the sandbox over HTTP, and a real one."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import requests
import yaml

from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import Kind
from progressive_ci.sandbox.access import ADMIN
from progressive_ci.sandbox.cluster import Sandbox
from progressive_ci.sandbox.server import SandboxServer
from progressive_ci.sandbox.tokens import ADMIN_TOKEN

REAL = "PROGRESSIVE_CI_CONTRACT_KUBECONFIG"
"""Names the kubeconfig file of a real cluster to run the suite against as well."""

PATIENCE = 15.0

SPEED = 10.0
"""Of the sandbox over HTTP, so that its pods start in a tenth of a second."""

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: its status, its object where it is one, and its text."""

    status: int
    body: JsonObject
    text: str

    @property
    def refusal(self) -> tuple[int, str]:
        """Status and reason."""
        return self.status, str(self.body.get("reason", ""))


class Way(Protocol):
    """How requests get to an API server."""

    def send(
        self, method: str, path: str, query: Mapping[str, str], body: object, content_type: str, token: str
    ) -> Reply:
        """Send one request; an empty token is the administrator's."""

    def rest(self, seconds: float) -> None:
        """Let time pass."""


@dataclass(frozen=True, slots=True)
class Target:
    """One API server, one namespace of its own, one user."""

    way: Way
    namespace: str
    token: str = ""

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Reply:
        """Send one request to a path."""
        return self.way.send(method, path, query or {}, body, content_type, self.token)

    def path(self, kind: Kind, name: str = "", subresource: str = "") -> str:
        """The path of an object, a collection or a subresource in this target's namespace."""
        parts = [kinds.collection_path(kind, self.namespace), name, subresource]
        return "/".join(part for part in parts if part)

    def create(self, kind: Kind, obj: JsonObject, **query: str) -> Reply:
        """POST."""
        body = {"apiVersion": kind.api_version, "kind": kind.name, **obj}
        return self.call("POST", self.path(kind), body, query=query)

    def made(self, kind: Kind, obj: JsonObject) -> JsonObject:
        """POST that must succeed."""
        reply = self.create(kind, obj)
        assert reply.status == 201, reply.text
        return reply.body

    def get(self, kind: Kind, name: str, subresource: str = "") -> Reply:
        """GET of one object."""
        return self.call("GET", self.path(kind, name, subresource))

    def found(self, kind: Kind, name: str) -> JsonObject:
        """GET that must succeed."""
        reply = self.get(kind, name)
        assert reply.status == 200, reply.text
        return reply.body

    def exists(self, kind: Kind, name: str) -> bool:
        """Whether GET finds it."""
        return self.get(kind, name).status == 200

    def listed(self, kind: Kind, **query: str) -> Reply:
        """GET of a collection."""
        return self.call("GET", self.path(kind), query=query)

    def names(self, kind: Kind, **query: str) -> list[str]:
        """Names of what a list finds, sorted."""
        reply = self.listed(kind, **query)
        assert reply.status == 200, reply.text
        return sorted(item["metadata"]["name"] for item in reply.body["items"])

    def patch(self, ref: tuple[Kind, str] | tuple[Kind, str, str], operations: object, **query: str) -> Reply:
        """JSON patch."""
        return self.call("PATCH", self.path(*ref), operations, query=query, content_type=JSON_PATCH)

    def merge(self, ref: tuple[Kind, str] | tuple[Kind, str, str], body: object, **query: str) -> Reply:
        """Merge patch."""
        return self.call("PATCH", self.path(*ref), body, query=query, content_type=MERGE_PATCH)

    def replace(self, ref: tuple[Kind, str] | tuple[Kind, str, str], body: object, **query: str) -> Reply:
        """PUT."""
        return self.call("PUT", self.path(*ref), body, query=query)

    def delete(self, kind: Kind, name: str, options: object = None, **query: str) -> Reply:
        """DELETE."""
        return self.call("DELETE", self.path(kind, name), options, query=query)

    def until(self, claim: Callable[[], Any]) -> Any:  # noqa: ANN401 - what the claim found
        """Let time pass until a claim holds."""
        for _ in range(int(PATIENCE / 0.1)):
            if found := claim():
                return found
            self.way.rest(0.1)
        raise AssertionError(f"not so within {PATIENCE:g} s: {claim()!r}")

    def user(self, name: str, rules: list[JsonObject]) -> Target:
        """The same cluster with the rights of a service account that has these rules here."""
        account = Kind("", "v1", "ServiceAccount", "serviceaccounts")
        role = Kind("rbac.authorization.k8s.io", "v1", "Role", "roles")
        binding = Kind("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings")
        self.made(account, {"metadata": {"name": name}})
        self.made(role, {"metadata": {"name": name}, "rules": rules})
        subject = {"kind": "ServiceAccount", "name": name, "namespace": self.namespace}
        reference = {"apiGroup": role.group, "kind": "Role", "name": name}
        self.made(binding, {"metadata": {"name": name}, "subjects": [subject], "roleRef": reference})
        wish = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": 600},
        }
        reply = self.call("POST", self.path(account, name, "token"), wish)
        return Target(self.way, self.namespace, reply.body["status"]["token"])


class InProcess:
    """The sandbox on virtual time."""

    def __init__(self) -> None:
        self._sandbox = Sandbox()

    def send(
        self, method: str, path: str, query: Mapping[str, str], body: object, content_type: str, token: str
    ) -> Reply:
        user = self._sandbox.api.tokens.owner(token) if token else ADMIN
        response = self._sandbox.transport(user).request(
            method, path, query=query, body=body, content_type=content_type, timeout=10.0
        )
        return _reply(response.status, response.body)

    def rest(self, seconds: float) -> None:
        self._sandbox.clock.run(seconds)


class OverHttp:
    """Any API server that listens."""

    def __init__(self, url: str, token: str, *, certificate: str | bool = True, speed: float = 1.0) -> None:
        self._url = url
        self._token = token
        self._certificate = certificate
        self._speed = speed
        self._session = requests.Session()
        self._session.trust_env = False

    def close(self) -> None:
        self._session.close()

    def send(
        self, method: str, path: str, query: Mapping[str, str], body: object, content_type: str, token: str
    ) -> Reply:
        headers = {"Authorization": f"Bearer {token or self._token}", "Content-Type": content_type}
        content = None if body is None else json.dumps(body) if not isinstance(body, str) else body
        response = self._session.request(
            method,
            self._url + path,
            params=dict(query),
            data=content,
            headers=headers,
            verify=self._certificate,
            timeout=30,
        )
        return _reply(response.status_code, response.content)

    def rest(self, seconds: float) -> None:
        time.sleep(seconds / self._speed)


def _reply(status: int, content: bytes) -> Reply:
    text = content.decode()
    try:
        body = json.loads(text)
    except ValueError:
        body = {}
    return Reply(status, body if isinstance(body, dict) else {}, text)


@contextmanager
def in_process() -> Iterator[Way]:
    yield InProcess()


@contextmanager
def sandbox_server() -> Iterator[Way]:
    server = SandboxServer(speed=SPEED)
    server.start()
    way = OverHttp(server.url, ADMIN_TOKEN, speed=SPEED)
    try:
        yield way
    finally:
        way.close()
        server.stop()


@contextmanager
def real() -> Iterator[Way]:
    config = yaml.safe_load(Path(os.environ[REAL]).read_text(encoding="utf-8"))
    cluster = config["clusters"][0]["cluster"]
    token = config["users"][0]["user"]["token"]
    way = OverHttp(cluster["server"], token, certificate=cluster["certificate-authority"])
    try:
        yield way
    finally:
        way.close()
