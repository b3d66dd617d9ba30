"""Credential plugins of kubeconfig files (`users[].user.exec`, client.authentication.k8s.io).

The client library only logs when a plugin fails, and then sends requests without a credential. Here a
failure is an error with what the plugin said.
"""

import base64
import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from progressive_ci.adapters import plugin_words
from progressive_ci.adapters.credential import Issued, until
from progressive_ci.adapters.server_time import Now
from progressive_ci.errors import Unauthorized
from progressive_ci.model.json_text import parsed

_TIMEOUT = 60.0
_TOLD = ("server", "tls-server-name", "insecure-skip-tls-verify", "proxy-url")


@dataclass(frozen=True, slots=True)
class ExecPlugin:
    """One plugin with its settings.

    Attributes:
        settings: the `exec` entry.
        cluster: the cluster's entry, for plugins that want to know.
        folder: of the kubeconfig: a command with a slash is relative to it.
        where: the kubeconfig, for messages.
        environ: of the process.
        now: by the server's clock.
    """

    settings: Mapping[str, Any]
    cluster: Mapping[str, Any]
    folder: Path
    where: str
    environ: Mapping[str, str]
    now: Now

    def ask(self) -> Issued:
        """Run it.

        Raises:
            Unauthorized: it can't be run, fails, hangs, or prints something else.
        """
        if self.settings.get("interactiveMode") == "Always":
            raise self._failed("wants a terminal", "use a kubeconfig with a token")
        done = self._run()
        if done.returncode:
            said = plugin_words.told(done.stderr, self.settings, self._environment())
            raise self._failed(f"failed with exit code {done.returncode}; it said: {said}")
        try:
            return _parsed(done.stdout, self.now)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._failed("printed no credential") from error

    def _run(self) -> "subprocess.CompletedProcess[bytes]":
        try:
            return subprocess.run(  # noqa: S603 - the user's kubeconfig names it
                self._command(),
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_TIMEOUT,
                check=False,
                start_new_session=True,  # a Ctrl-C is for us: the rollback needs a credential
            )
        except OSError as error:
            hint = " ".join(str(self.settings.get("installHint") or "").split())
            advice = hint or "add it to the image or the job, or use a kubeconfig with a token"
            raise self._failed(f"can't be run: {error.strerror}", advice) from error
        except subprocess.TimeoutExpired as error:
            raise self._failed(f"gave no answer within {_TIMEOUT:g} s") from error

    def _command(self) -> list[str]:
        command = str(self.settings.get("command", ""))
        program = str(self.folder.absolute() / command) if "/" in command else command
        return [program, *(str(argument) for argument in self.settings.get("args") or [])]

    def _environment(self) -> dict[str, str]:
        spec: dict[str, Any] = {"interactive": False}
        if self.settings.get("provideClusterInfo"):
            spec["cluster"] = _cluster_info(self.cluster)
        request = {"apiVersion": self.settings.get("apiVersion"), "kind": "ExecCredential", "spec": spec}
        added = {str(item["name"]): str(item["value"]) for item in self.settings.get("env") or []}
        return {**self.environ, **added, "KUBERNETES_EXEC_INFO": json.dumps(request)}

    def _failed(self, what: str, advice: str = "run it by hand in the job to see why") -> Unauthorized:
        command = self.settings.get("command", "")
        return Unauthorized(f"the credential plugin `{command}` {what}", where=self.where, advice=advice)


def _parsed(output: bytes, now: Now) -> Issued:
    status = parsed(output)["status"]
    issued = Issued(
        str(status.get("token") or ""),
        str(status.get("clientCertificateData") or ""),
        str(status.get("clientKeyData") or ""),
    )
    if not issued.token and not (issued.certificate and issued.key):
        raise ValueError("neither a token nor a certificate with its key")
    ends = status.get("expirationTimestamp")
    return until(issued, datetime.fromisoformat(ends), now()) if ends else issued


def _cluster_info(cluster: Mapping[str, Any]) -> dict[str, Any]:
    """What a plugin may know of the cluster, under the names of the ExecCredential API."""
    told = {field: cluster[field] for field in _TOLD if cluster.get(field)}
    if cluster.get("certificate-authority"):
        authority = Path(str(cluster["certificate-authority"])).read_bytes()
        told["certificate-authority-data"] = base64.b64encode(authority).decode()
    for extension in cluster.get("extensions") or []:
        if extension.get("name") == "client.authentication.k8s.io/exec":
            told["config"] = extension.get("extension")
    return told
