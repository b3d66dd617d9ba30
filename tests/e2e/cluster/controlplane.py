"""Owns the control plane: etcd, API server, controller manager and scheduler, with all files they need."""

from __future__ import annotations

import json
import secrets
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import yaml

from tests.e2e.cluster.client import ApiError, Client
from tests.e2e.cluster.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.e2e.cluster.binaries import Binaries
    from tests.e2e.cluster.network import Network
    from tests.e2e.cluster.processes import Process, Processes

USERS = ("admin", "e2e:controller-manager", "e2e:scheduler", "e2e:kubelet", "e2e:contour", "e2e:istiod")
_PORT = 6443
# The components' own reads and heartbeats would be nine tenths of the log.
_AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {"level": "None", "users": list(USERS[1:]), "verbs": ["get", "list", "watch"]},
        {
            "level": "None",
            "users": list(USERS[1:]),
            "resources": [{"group": "coordination.k8s.io"}, {"group": "", "resources": ["events"]}],
        },
        {"level": "None", "users": ["system:apiserver"]},
        {"level": "Metadata"},
    ],
}


class ControlPlane:
    """The control plane of one cluster."""

    def __init__(self, folder: Path, network: Network, binaries: Binaries, processes: Processes) -> None:
        """Keep every file below `folder`."""
        self._folder = folder
        self._network = network
        self._binaries = binaries
        self._processes = processes
        self.server = f"https://{network.addresses.api}:{_PORT}"
        self.certificate = folder / "cert.pem"
        self.key = folder / "key.pem"
        self.authentication = folder / "authentication.yaml"
        self.audit_log = folder / "audit.log"
        self.tokens = {user: secrets.token_hex(16) for user in USERS}
        self._servers: list[Process] = []

    def client(self, user: str = "admin") -> Client:
        """Return the API as one of `USERS` sees it."""
        return Client(self.server, self.tokens[user], str(self.certificate))

    def start(self) -> None:
        """Start all four programs, etcd and the API server first; return as soon as all run."""
        self._write_files()
        run = self._network.inside
        self._processes.start("etcd", run(self._binaries["etcd"], *self._etcd()))
        self._start_servers()

    def _start_servers(self) -> None:
        """Start what keeps its state in etcd, the API server first; return as soon as all run."""
        run = self._network.inside
        api_server = self._processes.start(
            "kube-apiserver", run(self._binaries["kube-apiserver"], *self._apiserver())
        )
        admin = self.client()
        wait_until("the API server is ready", lambda: self._ready(admin), seconds=180, every=0.05)
        self._servers = [api_server]
        # They give up when the API server takes more than ten seconds, as it may on a busy machine.
        for name, flags in (("kube-controller-manager", self._controller_manager()), ("kube-scheduler", ())):
            user = f"e2e:{name.removeprefix('kube-')}"
            common = (
                f"--kubeconfig={self.kubeconfig(user)}",
                "--leader-elect=false",
                "--bind-address=127.0.0.1",
            )
            self._servers.append(self._processes.start(name, run(self._binaries[name], *common, *flags)))

    @contextmanager
    def without_servers(self) -> Iterator[None]:
        """Kill the machine of the control plane, all but etcd; at the end its servers are started again.

        Controllers on another machine would double their pauses meanwhile, and be back long after it.
        """
        for server in reversed(self._servers):
            self._processes.end(server, 0)
        try:
            yield
        finally:
            self._start_servers()

    def _ready(self, admin: Client) -> bool:
        self._processes.check()
        return admin.send("GET", "/readyz", timeout=2).ok

    def install(self, definitions: Sequence[Path]) -> int:
        """Apply custom resource definitions; return how many are established."""
        admin = self.client()
        texts = [
            d for file in definitions for d in yaml.load_all(file.read_text(), Loader=yaml.CSafeLoader) if d
        ]
        documents = [d for d in texts if d["kind"] == "CustomResourceDefinition"]
        with ThreadPoolExecutor(4) as pool:
            names = [name for name in pool.map(lambda d: _define(admin, d), documents) if name]

        def established(client: Client) -> bool:
            current = {c["metadata"]["name"]: c for c in client.list("CustomResourceDefinition")}
            return all(_established(current[name]) for name in names)

        admin.wait_until("the custom resource definitions are established", established, seconds=180)
        return len(names)

    def kubeconfig(self, user: str) -> Path:
        """Write the kubeconfig of one of `USERS`."""
        path = self._folder / f"{user.replace(':', '-')}.kubeconfig"
        return write_kubeconfig(path, self.server, self.certificate, self.tokens[user])

    def _write_files(self) -> None:
        addresses = self._network.addresses
        hosts = f"{addresses.api},{addresses.node},127.0.0.1,localhost,kubernetes.default.svc"
        command = [self._binaries["generate-cert"], "--ca", "--host", hosts, "--ecdsa-curve", "P256"]
        subprocess.run(command, cwd=self._folder, check=True, capture_output=True)
        tokens = "".join(f'{token},{user},{user},"system:masters"\n' for user, token in self.tokens.items())
        (self._folder / "tokens.csv").write_text(tokens)
        self.authentication.write_text(json.dumps(authentication()))
        (self._folder / "audit-policy.yaml").write_text(json.dumps(_AUDIT_POLICY))
        self.audit_log.touch()

    def _etcd(self) -> tuple[str, ...]:
        return (
            "--unsafe-no-fsync",
            f"--data-dir={self._folder / 'etcd'}",
            "--listen-client-urls=http://127.0.0.1:2379",
            "--advertise-client-urls=http://127.0.0.1:2379",
            "--listen-peer-urls=http://127.0.0.1:2380",
            "--log-level=warn",
        )

    def _apiserver(self) -> tuple[str, ...]:
        return (
            "--etcd-servers=http://127.0.0.1:2379",
            f"--bind-address={self._network.addresses.api}",
            f"--advertise-address={self._network.addresses.api}",
            f"--secure-port={_PORT}",
            f"--tls-cert-file={self.certificate}",
            f"--tls-private-key-file={self.key}",
            f"--token-auth-file={self._folder / 'tokens.csv'}",
            # Read again whenever it changes: a test may add an issuer of its own.
            f"--authentication-config={self.authentication}",
            "--authorization-mode=RBAC",
            "--service-cluster-ip-range=10.96.0.0/16",
            f"--service-account-issuer={self.server}",
            f"--service-account-key-file={self.certificate}",
            f"--service-account-signing-key-file={self.key}",
            # Pods would otherwise need a token volume that nobody mounts.
            "--disable-admission-plugins=ServiceAccount",
            "--kubelet-preferred-address-types=InternalIP",
            f"--audit-policy-file={self._folder / 'audit-policy.yaml'}",
            f"--audit-log-path={self.audit_log}",
        )

    def _controller_manager(self) -> tuple[str, ...]:
        return (
            "--use-service-account-credentials=false",
            f"--root-ca-file={self.certificate}",
            f"--service-account-private-key-file={self.key}",
            # The default 20 requests a second would let parallel tests wait for one another.
            "--kube-api-qps=200",
            "--kube-api-burst=400",
            # 15 s by default: a test would wait for it, and a faster one is the harder neighbour.
            "--horizontal-pod-autoscaler-sync-period=2s",
        )


def authentication(*issuers: dict[str, object]) -> dict[str, object]:
    """Return which issuers of tokens the API server trusts beside its own."""
    return {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "AuthenticationConfiguration",
        "jwt": list(issuers),
    }


def write_kubeconfig(path: Path, server: str, certificate: Path, token: str) -> Path:
    """Write a kubeconfig with one context."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": "e2e", "cluster": {"server": server, "certificate-authority": str(certificate)}}
        ],
        "users": [{"name": "e2e", "user": {"token": token}}],
        "contexts": [{"name": "e2e", "context": {"cluster": "e2e", "user": "e2e", "namespace": "default"}}],
        "current-context": "e2e",
    }
    path.write_text(yaml.safe_dump(document))
    path.chmod(0o600)
    return path


def _define(admin: Client, document: dict[str, object]) -> str:
    """Apply one definition; an experimental one that this server refuses is left out."""
    try:
        name: str = admin.apply(document)["metadata"]["name"]
    except ApiError as error:
        if error.status != 422:
            raise
        print(f"left out: {error}")  # noqa: T201
        return ""
    return name


def _established(definition: dict[str, object]) -> bool:
    status = definition.get("status")
    conditions = status.get("conditions", []) if isinstance(status, dict) else []
    return any(c["type"] == "Established" and c["status"] == "True" for c in conditions)
