"""Owns the cluster that the tests use: starts or attaches to one, and offers what test writers need."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.e2e.cluster import binaries, observability, users
from tests.e2e.cluster.client import Client, Document
from tests.e2e.cluster.controlplane import ControlPlane, write_kubeconfig
from tests.e2e.cluster.dataplane import Surroundings, start_contour, start_istio
from tests.e2e.cluster.network import Network, listen
from tests.e2e.cluster.podrunner import Settings
from tests.e2e.cluster.processes import Processes

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

ATTACH = "PROGRESSIVE_CI_E2E_ATTACH"
_DATA_PLANES: dict[str, Callable[[Surroundings], str]] = {"contour": start_contour, "istio": start_istio}

# Run in the runner's namespace; the certificate is not the question there.
_ASK = """
import ssl, sys, urllib.error, urllib.request as request
url, host = sys.argv[1:]
context = ssl._create_unverified_context()
opener = request.build_opener(request.ProxyHandler({}), request.HTTPSHandler(context=context))
try:
    print(opener.open(request.Request(url, headers={"Host": host} if host else {}), timeout=2).status)
except urllib.error.HTTPError as error:
    print(error.code)
except OSError:
    print(0)
"""


class Cluster:
    """A running cluster; `start` owns one, `attach` uses one that another process owns."""

    gateway_parent: Document = {"name": "contour", "namespace": "projectcontour"}  # noqa: RUF012  (never changed)
    istio_gateway = "istio-system/gateway"

    def __init__(self, state: Document, folder: Path | None = None) -> None:
        """Use a cluster as its state file describes it; `folder` is for this process's files."""
        self.state = state
        self.server: str = state["server"]
        self.certificate = Path(state["certificate"])
        self.network = Network(state["slot"])
        self.admin = Client(self.server, state["token"], state["certificate"])
        self.folder = folder or Path(tempfile.mkdtemp(prefix="progressive-ci-e2e-"))
        self._owned: _Owned | None = None
        self._mutex = threading.Lock()

    @classmethod
    def start(cls, data_planes: Sequence[str] = (), say: Callable[[str], None] = print) -> Cluster:
        """Start control plane, node, Prometheus and the named data planes; others start when first used."""
        owned = _Owned(say)
        try:
            cluster = cls(owned.start(), owned.folder)
            cluster._owned = owned
            for name in data_planes:
                cluster.data_plane(name)
            observability.start_prometheus(cluster.admin)
            owned.tell("Prometheus ready")
        except BaseException as error:
            owned.stop(keep_logs=isinstance(error, Exception))
            raise
        return cluster

    @classmethod
    def attach(cls, state_file: Path) -> Cluster:
        """Use the cluster of a running `python -m tests.e2e.cluster up`."""
        if not state_file.exists():
            text = f"{ATTACH} names {state_file}, but no cluster runs there: python -m tests.e2e.cluster up"
            raise RuntimeError(text)
        return cls(json.loads(state_file.read_text()))

    @classmethod
    def start_or_attach(cls) -> Cluster:
        """Attach where the environment names a state file, else start."""
        path = os.environ.get(ATTACH, "")
        return cls.attach(Path(path)) if path else cls.start()

    def stop(self) -> None:
        """End what this object started, and nothing else."""
        if self._owned:
            self._owned.stop()
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def check(self) -> None:
        """Raise HopelessError if a program of this cluster has ended by itself."""
        if self._owned:
            self._owned.processes.check()

    def without_servers(self) -> AbstractContextManager[None]:
        """For a while nobody has an API server or a controller; only in a cluster that this process owns."""
        if not self._owned:
            text = "the cluster attached to may have other users, who need its API server"
            raise RuntimeError(text)
        return self._owned.control_plane.without_servers()

    def data_plane(self, name: str) -> str:
        """Return the URL of the gateway of `contour` or `istio`, starting it if need be."""
        with self._mutex:
            urls: dict[str, str] = self.state["gateways"]
            if name not in urls:
                if not self._owned:
                    text = f"the cluster attached to runs without {name}"
                    raise RuntimeError(text)
                urls[name] = _DATA_PLANES[name](self._owned.surroundings())
                self._owned.tell(f"{name} ready")
            return urls[name]

    @property
    def gateway_url(self) -> str:
        """The URL of Contour's Envoy; send the Host header of your route."""
        return self.data_plane("contour")

    @property
    def istio_gateway_url(self) -> str:
        """The URL of Istio's gateway; send the Host header of your VirtualService."""
        return self.data_plane("istio")

    def namespace(self, prefix: str = "test") -> str:
        """Create a namespace with a fresh, unique name."""
        document = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"generateName": f"{prefix}-"}}
        name: str = self.admin.create(document)["metadata"]["name"]
        return name

    def user(self, name: str, roles: str, namespace: str, *, seconds: int = 86400) -> str:
        """Create a service account with exactly the rights of a YAML text's roles; return a token."""
        return users.create(self.admin, name, roles, namespace, seconds=seconds)

    def allow(self, user: str, roles: str, namespace: str) -> None:
        """Give a user of another issuer exactly the rights of a YAML text's roles."""
        users.allow(self.admin, {"kind": "User", "name": user}, roles, namespace)

    def as_user(self, token: str) -> Client:
        """Return the API as the owner of a token sees it."""
        return Client(self.server, token, str(self.certificate))

    def kubeconfig(self, token: str | None = None, server: str | None = None) -> Path:
        """Write a kubeconfig; by default the administrator's, for the API server itself."""
        handle, path = tempfile.mkstemp(suffix=".kubeconfig", dir=self.folder)
        os.close(handle)
        return write_kubeconfig(
            Path(path), server or self.server, self.certificate, token or self.admin.token
        )

    def run_in_runner(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        **how: Any,  # noqa: ANN401
    ) -> subprocess.Popen[str]:
        """Start a command that reaches only the API server and the gateways; its outputs are pipes."""
        how = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | how
        environment = {**os.environ, **(env or {})}
        return subprocess.Popen(self.network.in_runner(*command), env=environment, cwd=cwd, **how)

    def runner_status(self, url: str, host: str = "") -> int:
        """Return the status of a GET from the runner's namespace; 0 where no answer came within 2 s."""
        command = self.network.in_runner(sys.executable, "-I", "-c", _ASK, url, host)
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    def runner_socket(self, port: int = 0) -> socket.socket:
        """Listen on 127.0.0.1 of the runner's namespace while serving from this process."""
        return listen(self.network.runner, "127.0.0.1", port)

    def cluster_socket(self, address: str = "127.0.0.1", port: int = 0) -> socket.socket:
        """Listen inside the cluster's namespace while serving from this process."""
        return listen(self.network.cluster, address, port)

    def prometheus_query(self, query: str) -> list[tuple[dict[str, str], float]]:
        """Return (labels, value) of each series of an instant query, asked through the service proxy."""
        return observability.query(self.admin, query)

    def audit_since(self, moment: float, **where: str) -> list[Document]:
        """Return the audit events since a `time.time()`, oldest first, filtered by `verb="create"` etc."""
        since = datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
        with Path(self.state["audit_log"]).open() as log:
            events = [json.loads(line) for line in log if line.endswith("\n")]
        found = [e for e in events if e["requestReceivedTimestamp"] >= since]
        return [e for e in found if all(e.get(key) == value for key, value in where.items())]


class _Owned:
    """Everything that a cluster's owner has to end."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._began = time.monotonic()
        self._binaries = binaries.find()
        self.folder = Path(tempfile.mkdtemp(prefix="progressive-ci-e2e-cluster-"))
        self.processes = Processes(self.folder / "logs")
        self.network = Network.claim()
        self.control_plane = ControlPlane(self.folder, self.network, self._binaries, self.processes)

    def tell(self, text: str) -> None:
        self._say(f"{time.monotonic() - self._began:5.1f} s  {text}")

    def start(self) -> Document:
        self.network.up()
        self.control_plane.start()
        self.tell("API server ready")
        self._start_node()
        count = self.control_plane.install(self._binaries.definitions)
        self.tell(f"{count} custom resource definitions established")
        return {
            "server": self.control_plane.server,
            "certificate": str(self.control_plane.certificate),
            "key": str(self.control_plane.key),
            "authentication": str(self.control_plane.authentication),
            "token": self.control_plane.tokens["admin"],
            "slot": self.network.addresses.slot,
            "cluster_namespace": self.network.cluster,
            "runner_namespace": self.network.runner,
            "audit_log": str(self.control_plane.audit_log),
            "folder": str(self.folder),
            "kubeconfig": str(self.control_plane.kubeconfig("admin")),
            "vegeta": self._binaries["vegeta"],
            "gateways": {},
        }

    def _start_node(self) -> None:
        settings = Settings(
            slot=self.network.addresses.slot,
            server=self.control_plane.server,
            token=self.control_plane.tokens["e2e:kubelet"],
            certificate=str(self.control_plane.certificate),
            key=str(self.control_plane.key),
            folder=str(self.folder),
            app=self._binaries["app"],
            prometheus=self._binaries["prometheus"],
        )
        path = settings.write(self.folder / "podrunner.json")
        root = Path(__file__).parents[3]
        command = self.network.inside(sys.executable, "-m", "tests.e2e.cluster.podrunner", str(path))
        self.processes.start("podrunner", command, {"PYTHONPATH": str(root)}, death="TERM")

    def surroundings(self) -> Surroundings:
        return Surroundings(self.folder, self.network, self._binaries, self.processes, self.control_plane)

    def stop(self, *, keep_logs: bool = False) -> None:
        self.processes.stop()
        self.network.down()
        if keep_logs:
            self.tell(f"not started; the logs are in {self.folder / 'logs'}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)
