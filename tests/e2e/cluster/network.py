"""Owns two network namespaces: the cluster's, and the runner's, which sees only API server and gateways."""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_SLOTS = range(32)
_LOCKS = Path("/tmp/progressive-ci-e2e/slots")  # noqa: S108  (locks only; every process on the machine has to find them)
_CLONE_NEWNET = 0x40000000


@dataclass(frozen=True, slots=True)
class Addresses:
    """The /16 of one cluster: the lower half is local to its namespace, the upper half holds the links."""

    slot: int

    @property
    def prefix(self) -> str:
        return f"10.{200 + self.slot}"

    @property
    def api(self) -> str:
        return f"{self.prefix}.0.1"

    @property
    def contour(self) -> str:
        return f"{self.prefix}.0.2"

    @property
    def istio(self) -> str:
        return f"{self.prefix}.0.3"

    @property
    def node(self) -> str:
        return f"{self.prefix}.0.10"

    def pod(self, number: int) -> str:
        """Return the address of the pod with a running number: 32,000 different ones."""
        return f"{self.prefix}.{1 + number // 250 % 127}.{1 + number % 250}"


class Network:
    """The namespaces of one cluster; `claim` one, then `up`, then `down`."""

    def __init__(self, slot: int, lock: IO[str] | None = None) -> None:
        """Describe the network of a slot; use `claim` to own it."""
        self.addresses = Addresses(slot)
        self.cluster = f"pci-e2e-{slot}"
        self.runner = f"pci-run-{slot}"
        self._links = {"admin": f"pci{slot}-adm", "runner": f"pci{slot}-run"}
        self._lock = lock

    @classmethod
    def claim(cls) -> Network:
        """Take the first free slot; the kernel frees the lock when this process ends, however it ends."""
        _LOCKS.mkdir(parents=True, exist_ok=True)
        routes = _ip("-4", "route", "show", "table", "all")
        for slot in _SLOTS:
            lock = (_LOCKS / str(slot)).open("w")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.close()
                continue
            network = cls(slot, lock)
            network.down(release=False)  # what a killed process left
            if f" {network.addresses.prefix}." not in f" {routes}" or f"pci{slot}-adm" in routes:
                return network
            lock.close()
        text = f"all {len(_SLOTS)} slots are in use"
        raise RuntimeError(text)

    def up(self) -> None:
        """Create both namespaces, join them by a veth pair, and join this namespace to the cluster's."""
        prefix = self.addresses.prefix
        for namespace in (self.cluster, self.runner):
            _ip("netns", "add", namespace)
            _ip("-n", namespace, "link", "set", "lo", "up")
        # EndpointSlices refuse loopback addresses; a local route makes a whole range fit to listen on.
        _ip("-n", self.cluster, "route", "add", "local", f"{prefix}.0.0/17", "dev", "lo")
        self._join(self._links["admin"], f"{prefix}.128", None)
        self._join(self._links["runner"], f"{prefix}.129", self.runner)
        _ip("route", "add", f"{prefix}.0.0/17", "via", f"{prefix}.128.2")
        for address in (self.addresses.api, self.addresses.contour, self.addresses.istio):
            _ip("-n", self.runner, "route", "add", f"{address}/32", "via", f"{prefix}.129.2")

    def _join(self, link: str, prefix: str, namespace: str | None) -> None:
        """Lay a veth pair from a namespace (None: this one) to the cluster's: .1 there, .2 in the cluster."""
        here = ["-n", namespace] if namespace else []
        peer = f"{link}-c"
        _ip("link", "add", link, "type", "veth", "peer", "name", peer, "netns", self.cluster)
        if namespace:
            _ip("link", "set", link, "netns", namespace)
        _ip(*here, "addr", "add", f"{prefix}.1/30", "dev", link)
        _ip(*here, "link", "set", link, "up")
        _ip("-n", self.cluster, "addr", "add", f"{prefix}.2/30", "dev", peer)
        _ip("-n", self.cluster, "link", "set", peer, "up")

    def down(self, *, release: bool = True) -> None:
        """Remove both namespaces; the links and routes go with them."""
        for namespace in (self.runner, self.cluster):
            if Path("/run/netns", namespace).exists():
                _ip("netns", "del", namespace)
        link = self._links["admin"]
        if Path("/sys/class/net", link).exists():
            _ip("link", "del", link)
        if release and self._lock:
            self._lock.close()
            self._lock = None

    def inside(self, *command: str) -> list[str]:
        """Return the command that runs `command` in the cluster's namespace."""
        return ["ip", "netns", "exec", self.cluster, *command]

    def in_runner(self, *command: str) -> list[str]:
        """Return the command that runs `command` with a view of the API server and the gateways only."""
        return ["ip", "netns", "exec", self.runner, *command]


def listen(namespace: str, host: str, port: int = 0) -> socket.socket:
    """Open a listening socket in another namespace: it stays there while its connections are served here."""
    opened: list[socket.socket] = []
    failed: list[OSError] = []

    def enter() -> None:
        # Only this thread changes over, and it ends at once.
        try:
            _change_over(namespace)
            opened.append(socket.create_server((host, port), backlog=128))
        except OSError as error:
            failed.append(error)

    thread = threading.Thread(target=enter, name=f"listen-in-{namespace}")
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return opened[0]


def _change_over(namespace: str) -> None:
    """Move the calling thread into a network namespace."""
    handle = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(handle, _CLONE_NEWNET) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), namespace)
    finally:
        os.close(handle)


def _ip(*arguments: str) -> str:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        text = f"`ip {' '.join(arguments)}`: {done.stderr.strip()}"
        raise RuntimeError(text)
    return done.stdout
