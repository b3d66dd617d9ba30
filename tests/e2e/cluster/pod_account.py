"""Owns the service account inside a pod: token, certificate and namespace, where clients look for them."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.e2e.cluster.client import Client, Document

_SECONDS = 86400
# Only the pod's own mount namespace changes; /run is hidden so that nothing has to be created on the machine.
_MOUNT = """
set -e
mount -t tmpfs tmpfs /run
mkdir -p /run/secrets/kubernetes.io/serviceaccount
mount --bind "$1" /run/secrets/kubernetes.io/serviceaccount
shift
exec "$@"
"""


def environment(server: str) -> dict[str, str]:
    """Return the variables by which a pod finds the API server."""
    url = urlsplit(server)
    return {"KUBERNETES_SERVICE_HOST": url.hostname or "", "KUBERNETES_SERVICE_PORT": str(url.port)}


def with_account(
    pod: Document, client: Client, folder: Path, certificate: str, command: Sequence[str]
) -> list[str]:
    """Return the command with its service account mounted; where none is named, the command itself."""
    name = pod["spec"].get("serviceAccountName", "")
    if not name or pod["spec"].get("automountServiceAccountToken") is False:
        return list(command)
    namespace = pod["metadata"]["namespace"]
    request = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": _SECONDS},
    }
    answer = client.call("POST", client.path("ServiceAccount", namespace, name, "token"), request)
    account = folder / "serviceaccount"
    account.mkdir(exist_ok=True)
    (account / "token").write_text(answer["status"]["token"])
    (account / "namespace").write_text(namespace)
    shutil.copyfile(certificate, account / "ca.crt")
    return ["unshare", "--mount", "sh", "-c", _MOUNT, "sh", str(account), *command]
