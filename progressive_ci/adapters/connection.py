"""The way to the API server, as the `kubernetes` package understands kubeconfig files and service accounts.

This is the only module that imports it, and only once a cluster is needed: that import takes 0.3 s. Of the
package only what versions 31 to 37 have in common is used: the configuration, its credentials, and the
connection pool.
"""

import base64
import json
import os
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from progressive_ci.adapters import kubeconfig
from progressive_ci.adapters.clock import Wakeable
from progressive_ci.adapters.credential import Credential, Renewed, TokenFile
from progressive_ci.adapters.exec_plugin import ExecPlugin
from progressive_ci.adapters.memory_file import path_of
from progressive_ci.adapters.worker import call
from progressive_ci.errors import ApiError, ProgressiveError, Refused

_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_LOGIN = 90.0
"""Seconds within which a credential must be had at the start."""


class Connection:
    """One server and one login, shared by all threads.

    Attributes:
        server: address, without a slash at its end.
        in_cluster: whether we run in that cluster, with the pod's own service account.
        context: name of the kubeconfig's context; empty in a cluster.
        namespace: of the context or the pod; empty where it names none.
    """

    def __init__(
        self,
        configuration: Any,  # noqa: ANN401 - the package has no types
        *,
        context: str,
        namespace: str,
        credential: Credential | None,
    ) -> None:
        self.server = str(configuration.host).rstrip("/")
        self.in_cluster = not context
        self.context = context
        self.namespace = namespace
        self._configuration = configuration
        self._credential = credential
        self._certificate = ""
        self._pool: Any = None
        self._lock = threading.Lock()

    def headers(self) -> dict[str, str]:
        """What proves who we are; refreshed when it nears its end.

        Raises:
            Unauthorized: there is no credential to be had.
        """
        if self._credential is not None:
            token = self._credential.current().token
            return {"authorization": f"Bearer {token}"} if token else {}
        settings = self._configuration.auth_settings().values()
        return {item["key"]: item["value"] for item in settings if item["in"] == "header" and item["value"]}

    def renew(self) -> bool:
        """After a 401: whether there may be another credential."""
        return self._credential is not None and self._credential.renew()

    def expires(self) -> datetime | None:
        """When the credential ends for good; None where it is renewed or doesn't say."""
        if self._credential is not None or self.in_cluster:
            return None
        return _end_of(self.headers().get("authorization", ""))

    def pool(self) -> Any:  # noqa: ANN401 - the package has no types
        """The urllib3 pool manager; a new one when a plugin has issued another client certificate."""
        issued = self._credential.current() if self._credential is not None else None
        certificate = issued.certificate if issued is not None else ""
        with self._lock:
            if self._pool is None or certificate != self._certificate:
                if issued is not None and certificate:
                    self._configuration.cert_file = path_of(issued.certificate.encode())
                    self._configuration.key_file = path_of(issued.key.encode())
                self._pool, self._certificate = _pool(self._configuration), certificate
            return self._pool


def connect(
    clock: Wakeable, *, file: str = "", context: str = "", environ: Mapping[str, str] | None = None
) -> Connection:
    """Find the cluster, read the credential; sends nothing to the server yet.

    Args:
        clock: of the thread that calls: a plugin that hangs is left behind on a signal.
        file: kubeconfig given as an option: no other place counts then.
        context: one other than the current.
        environ: None is the process's own.

    Raises:
        Refused: there is no usable configuration or credential.
    """
    environ = os.environ if environ is None else environ
    paths = kubeconfig.candidates(file, environ)
    explicit = bool(file or context or environ.get("KUBECONFIG"))
    if not explicit and not any(Path(path).is_file() for path in paths) and _in_pod(environ):
        return _account()
    connection = _chosen(kubeconfig.choose(paths, context, environ), environ)
    try:
        call(connection.headers, clock, timeout=_LOGIN, what="log in")
    except ApiError as error:
        raise Refused(error) from error
    return connection


def _in_pod(environ: Mapping[str, str]) -> bool:
    return bool(environ.get("KUBERNETES_SERVICE_HOST")) and (_ACCOUNT / "token").is_file()


def _account() -> Connection:
    from kubernetes import client, config  # noqa: PLC0415 - 0.3 s that only commands with a cluster shall pay

    configuration = client.Configuration()
    try:
        config.load_incluster_config(client_configuration=configuration)
    except config.ConfigException as error:
        raise Refused(
            ProgressiveError(f"the pod's service account can't be used: {error}", where=str(_ACCOUNT))
        ) from error
    namespace = _ACCOUNT / "namespace"
    name = namespace.read_text(encoding="utf-8").strip() if namespace.is_file() else ""
    return Connection(configuration, context="", namespace=name, credential=None)


def _chosen(choice: kubeconfig.Choice, environ: Mapping[str, str]) -> Connection:
    from kubernetes import client, config  # noqa: PLC0415 - 0.3 s that only commands with a cluster shall pay

    user = dict(choice.user)
    credential = _credential(user, choice, environ)
    single = {
        "current-context": choice.context,
        "contexts": [{"name": choice.context, "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": choice.cluster}],
        "users": [{"name": "u", "user": user}],
    }
    configuration = client.Configuration()
    try:
        config.load_kube_config_from_dict(single, client_configuration=configuration, persist_config=False)
    except config.ConfigException as error:
        raise Refused(ProgressiveError(str(error), where=choice.where)) from error
    configuration.proxy = choice.cluster.get("proxy-url") or configuration.proxy
    return Connection(
        configuration, context=choice.context, namespace=choice.namespace, credential=credential
    )


def _credential(
    user: dict[str, Any], choice: kubeconfig.Choice, environ: Mapping[str, str]
) -> Credential | None:
    """Take out of the user's entry what this tool does itself, in the order in which kubectl decides."""
    plugin, file = user.pop("exec", None), user.pop("tokenFile", None)
    if file:
        user.pop("token", None)  # the file wins
        return TokenFile(Path(file))
    if plugin and not user.get("token"):
        return Renewed(ExecPlugin(plugin, choice.cluster, choice.folder, choice.where, environ).ask)
    return None


def _pool(configuration: Any) -> Any:  # noqa: ANN401 - the package has no types
    import urllib3  # noqa: PLC0415 - comes with the package
    from kubernetes import client  # noqa: PLC0415 - loaded already

    if not configuration.verify_ssl:
        # The kubeconfig says so; a warning with every request helps nobody.
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    return client.ApiClient(configuration).rest_client.pool_manager


def _end_of(header: str) -> datetime | None:
    """The `exp` claim of a bearer token that is a JWT."""
    parts = header.removeprefix("Bearer ").split(".")
    if len(parts) != 3:  # noqa: PLR2004 - header, claims, signature
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return datetime.fromtimestamp(int(claims["exp"]), UTC)
    except (ValueError, KeyError, TypeError, OverflowError):
        return None
