"""Owns the users of the tests: service accounts with exactly the rights a text gives them."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from tests.e2e.cluster.client import Client, Document

_RBAC = "rbac.authorization.k8s.io"


def create(admin: Client, name: str, roles: str, namespace: str, *, seconds: int) -> str:
    """Create the account and its bindings; return a token that expires after `seconds` (600 at least)."""
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": name, "namespace": namespace},
    }
    admin.apply(account)
    allow(admin, {"kind": "ServiceAccount", "name": name, "namespace": namespace}, roles, namespace)
    request = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": seconds},
    }
    path = admin.path("ServiceAccount", namespace, name, "token")
    token: str = admin.call("POST", path, request)["status"]["token"]
    return token


def allow(admin: Client, subject: Document, roles: str, namespace: str) -> None:
    """Give somebody exactly the rights of a YAML text's roles."""
    for document in yaml.safe_load_all(roles):
        if document and document["kind"] in {"Role", "ClusterRole"}:
            _bind(admin, subject, document, namespace)


def _bind(admin: Client, subject: Document, role: Document, namespace: str) -> None:
    """Store one role and bind it; outside the workload's namespace under a name that no other test has."""
    metadata = role["metadata"]
    cluster_wide = role["kind"] == "ClusterRole"
    place = {} if cluster_wide else {"namespace": metadata.get("namespace", namespace)}
    shared = place.get("namespace") != namespace
    name = f"{metadata['name']}-{secrets.token_hex(4)}" if shared else metadata["name"]
    admin.apply({**role, "metadata": {"name": name, **place}})
    admin.apply(
        {
            "apiVersion": f"{_RBAC}/v1",
            "kind": f"{role['kind']}Binding",
            "metadata": {"name": f"{name}-{subject['name'].replace('/', '-')}", **place},
            "roleRef": {"apiGroup": _RBAC, "kind": role["kind"], "name": name},
            "subjects": [subject],
        },
    )
