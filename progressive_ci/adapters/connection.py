"""The way to the API server: TLS, proxies and the connection pool, as the `kubernetes` package makes them.

This is the only module that imports it, and only once a cluster is needed: that import takes 0.3 s. Of the
package only what versions 31 to 37 have in common is used: the configuration, its reading of the kubeconfig
users of older kinds, and the connection pool.
"""

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from progressive_ci.adapters import login
from progressive_ci.adapters.clock import Wakeable
from progressive_ci.adapters.credential import Credential, Issued
from progressive_ci.adapters.kubeconfig import Choice
from progressive_ci.adapters.login import Access, Found, Tell
from progressive_ci.adapters.memory_file import path_of
from progressive_ci.adapters.server_time import ServerTime
from progressive_ci.adapters.worker import call
from progressive_ci.errors import ApiError, ProgressiveError, Refused
from progressive_ci.ports import Login

_LOGIN = 90.0
"""Seconds within which a credential must be had at the start."""


class Connection:
    """One server and one login, shared by all threads.

    Args:
        configuration: of the `kubernetes` package, made from what was found.
        found: server and credential.
        time: the server's clock.
        secret: hears every secret before it is used.

    Attributes:
        server: address, without a slash at its end.
        in_cluster: whether we run in that cluster, with the pod's own service account.
        context: name of the kubeconfig's context, or of the way in which we log in.
        namespace: of the context or the pod; empty where it names none.
        credential: what we log in with.
        time: the server's clock.
    """

    def __init__(self, configuration: Any, found: Found, *, time: ServerTime, secret: Tell) -> None:  # noqa: ANN401 - the package has no types
        self.server = str(configuration.host).rstrip("/")
        self.in_cluster = found.in_cluster
        self.context = found.choice.context
        self.namespace = found.choice.namespace
        self.credential: Credential = found.credential or _Configured(configuration)
        self.time = time
        self._configuration = configuration
        self._secret = secret
        self._told = ""
        self._made_of: tuple[str, int] = ("", 0)
        self._pool: Any = None
        self._lock = threading.Lock()

    def headers(self, issued: Issued) -> dict[str, str]:
        """What proves who we are."""
        if issued.token and issued.token != self._told:
            self._secret(issued.token)
            self._told = issued.token
        return {"authorization": f"{issued.scheme} {issued.token}"} if issued.token else {}

    def look(self) -> Login:
        """What we log in with, and how long it lasts (see `ports.Credential`)."""
        credential = self.credential
        ends = credential.ends()
        left = (ends - self.time.now()).total_seconds() if ends else None
        return Login(credential.kind, ends, left, credential.renewed, credential.advice)

    def pool(self, issued: Issued) -> Any:  # noqa: ANN401 - the package has no types
        """The urllib3 pool manager; a new one for another client certificate, and when the authority's file changes."""
        made_of = (issued.certificate, _changed(self._configuration.ssl_ca_cert))
        with self._lock:
            if self._pool is None or made_of != self._made_of:
                if issued.certificate:
                    self._configuration.cert_file = path_of(issued.certificate.encode())
                    self._configuration.key_file = path_of(issued.key.encode())
                self._pool, self._made_of = _pool(self._configuration), made_of
            return self._pool


class _Configured:
    """Users of older kinds, as the `kubernetes` package understands them: a name and password, an auth provider."""

    kind = "the user of the kubeconfig"
    renewed = False
    advice = "use a credential that is renewed (docs/credentials.md)"

    def __init__(self, configuration: Any) -> None:  # noqa: ANN401 - the package has no types
        self._configuration = configuration

    def current(self) -> Issued:
        """What the package would send."""
        settings = self._configuration.auth_settings().values()
        values = [item["value"] for item in settings if item["in"] == "header" and item["value"]]
        scheme, _, token = (values[0] if values else "").partition(" ")
        return Issued(token, scheme=scheme)

    def renew(self, refused: Issued) -> bool:
        """Whether the package has another one by now."""
        return self.current().token != refused.token

    def ends(self) -> None:
        """It doesn't say."""


def connect(
    clock: Wakeable,
    access: Access | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    tell: Tell = lambda _: None,
    secret: Tell = lambda _: None,
) -> Connection:
    """Find the cluster, get the credential; sends nothing to the server yet.

    Args:
        clock: of the thread that calls: a plugin that hangs is left behind on a signal.
        access: what the user chose.
        environ: None is the process's own.
        tell: hears what the user should know.
        secret: hears every secret before it is used.

    Raises:
        Refused: there is no usable configuration or credential.
    """
    time = ServerTime()
    chosen = access or Access()
    variables = os.environ if environ is None else environ

    def log_in() -> Connection:
        found = login.find(chosen, variables, time.now, tell)
        connection = Connection(_configuration(found.choice), found, time=time, secret=secret)
        connection.headers(connection.credential.current())
        return connection

    try:
        return call(log_in, clock, timeout=_LOGIN, what="log in")
    except ApiError as error:
        raise Refused(error) from error


def _configuration(choice: Choice) -> Any:  # noqa: ANN401 - the package has no types
    from kubernetes import client, config  # noqa: PLC0415 - 0.3 s that only commands with a cluster shall pay

    single = {
        "current-context": choice.context,
        "contexts": [{"name": choice.context, "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": choice.cluster}],
        "users": [{"name": "u", "user": dict(choice.user)}],
    }
    configuration = client.Configuration()
    try:
        config.load_kube_config_from_dict(single, client_configuration=configuration, persist_config=False)
    except config.ConfigException as error:
        raise Refused(ProgressiveError(str(error), where=choice.where)) from error
    configuration.proxy = choice.cluster.get("proxy-url") or configuration.proxy
    return configuration


def _changed(path: str | None) -> int:
    """When a file was changed; a pod's authority is replaced while the pod runs."""
    try:
        return Path(path).stat().st_mtime_ns if path else 0
    except OSError:
        return 0


def _pool(configuration: Any) -> Any:  # noqa: ANN401 - the package has no types
    import urllib3  # noqa: PLC0415 - comes with the package
    from kubernetes import client  # noqa: PLC0415 - loaded already

    if not configuration.verify_ssl:
        # The kubeconfig says so; a warning with every request helps nobody.
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    return client.ApiClient(configuration).rest_client.pool_manager
