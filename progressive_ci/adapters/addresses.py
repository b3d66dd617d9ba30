"""Which way a request takes to a server that the user's YAML names: mapped, through the API server, or direct.

Those addresses were written for something inside the cluster. A CI runner can't resolve them, but the API
server's service proxy can.
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from progressive_ci.errors import ProgressiveError
from progressive_ci.ports import Access

_DIRECT = "direct"
_PUBLIC = frozenset({"com", "edu", "gov", "info", "int", "io", "mil", "net", "org"})
"""Last labels that make `a.b` a host of the internet rather than a Service and its namespace."""

MONITORING = "monitoring"
"""The namespace of metrics servers in most clusters: documents may name its Services without being asked."""

_METADATA = frozenset({"metadata.google.internal", "metadata.goog", "fd00:ec2::254", "100.100.100.200"})
_HOST = re.compile(r"[a-z0-9]([-.a-z0-9]*[a-z0-9])?")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Direct:
    """Over this machine's network."""

    url: str

    def __str__(self) -> str:
        return "directly"


@dataclass(frozen=True, slots=True)
class Proxied:
    """Through the API server's service proxy.

    Attributes:
        namespace: of the Service.
        target: how the API server names Service and port: `http:prometheus:9090`.
        path: behind the Service, with its slash.
        query: still encoded.
    """

    namespace: str
    target: str
    path: str
    query: str

    @property
    def api_path(self) -> str:
        """The path below the API server's address."""
        return f"/api/v1/namespaces/{self.namespace}/services/{self.target}/proxy{self.path}"

    @property
    def access(self) -> Access:
        """The right it needs."""
        return Access("get", "", "services", self.namespace, self.target, "proxy")

    def __str__(self) -> str:
        return f"through the API server (services/proxy of `{self.target}` in {self.namespace})"


Way = Direct | Proxied


@dataclass(frozen=True, slots=True)
class Mapping:
    """One `--address FROM=TO`; an empty scheme and no port match any; an empty target means direct."""

    scheme: str
    host: str
    port: int | None
    target: str


def parse(texts: Iterable[str]) -> tuple[Mapping, ...]:
    """The mappings of the option.

    Raises:
        ProgressiveError: one is not FROM=TO, or TO is no URL.
    """
    return tuple(_mapping(text) for text in texts)


@dataclass(frozen=True, slots=True)
class Addresses:
    """How to reach what the YAML names.

    Attributes:
        mappings: the user's, the first that fits wins.
        namespace: of the release: where a name without one belongs.
        proxy: whether cluster-local names go through the API server; not so inside the cluster.
        allowed: other namespaces whose Services the API server may be asked for; None is any.
    """

    mappings: tuple[Mapping, ...] = ()
    namespace: str = "default"
    proxy: bool = True
    allowed: tuple[str, ...] | None = None

    def way(self, url: str) -> Way:
        """The way to a URL.

        Raises:
            ProgressiveError: the documents may not send this job there, and the user has not mapped it.
        """
        parts = _split(url)
        if parts is None:
            return Direct(url)
        mapped = next((mapping for mapping in self.mappings if _fits(mapping, parts)), None)
        if mapped is None:
            refuse_metadata(parts)
        elif not mapped.target:
            return Direct(url)
        else:
            target = urlsplit(mapped.target)
            path = target.path.rstrip("/") + parts.path
            parts = parts._replace(scheme=target.scheme, netloc=target.netloc, path=path)
        place = _service(parts, self.namespace) if self.proxy else None
        if place is None:
            return Direct(parts.geturl())
        name, namespace = place
        if mapped is None:
            self._demand_allowed(parts, namespace)
        port = parts.port or _PORTS[parts.scheme]
        return Proxied(namespace, f"{parts.scheme}:{name}:{port}", parts.path or "/", parts.query)

    def _demand_allowed(self, parts: SplitResult, namespace: str) -> None:
        if self.allowed is None or namespace in (self.namespace, MONITORING, *self.allowed):
            return
        raise ProgressiveError(
            f"it would be asked through the API server, with the release's credential, in namespace {namespace}",
            where=f"{parts.scheme}://{parts.hostname}",
            advice=f"allow it with --allow-namespace {namespace}, or map it with --address",
        )


def refuse_metadata(parts: SplitResult) -> None:
    """Where a cloud hands out the machine's own credentials nothing measures a release."""
    host = (parts.hostname or "").rstrip(".")
    if host in _METADATA or (_is_address(host) and ipaddress.ip_address(host).is_link_local):
        raise ProgressiveError(
            f"{host} is this machine's own metadata service or another link-local address",
            where=f"{parts.scheme}://{parts.hostname}",
            advice=f"if it really is a metrics server: --address {host}=direct",
        )


def _mapping(text: str) -> Mapping:
    source, _, target = text.partition("=")
    parts = _split(source if "://" in source else f"//{source}")
    to = _split(target)
    usable = target == _DIRECT or (to is not None and to.scheme in _PORTS and to.hostname)
    if parts is None or not parts.hostname or parts.path.strip("/") or not usable:
        raise ProgressiveError(
            f"`{text}` maps no address to another",
            where="--address",
            advice="write it as FROM=TO, as in `http://prometheus:9090=https://prometheus.example.com`, "
            "or as FROM=direct",
        )
    return Mapping(parts.scheme, parts.hostname, parts.port, "" if target == _DIRECT else target)


def _split(url: str) -> SplitResult | None:
    """The parts of a URL; None where host or port can't be read, as in one with `{{args.host}}`."""
    try:
        parts = urlsplit(url)
        readable = parts.port != 0
    except ValueError:
        return None
    return parts if readable else None


def _fits(mapping: Mapping, parts: SplitResult) -> bool:
    return (
        mapping.host == parts.hostname
        and mapping.scheme in ("", parts.scheme)
        and mapping.port in (None, parts.port or _PORTS.get(parts.scheme))
    )


def _service(parts: SplitResult, namespace: str) -> tuple[str, str] | None:
    """Service and namespace of a cluster-local name; None for every other host."""
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme not in _PORTS or host == "localhost" or not _HOST.fullmatch(host) or _is_address(host):
        return None
    local = host.removesuffix(".cluster.local")
    match local.split("."):
        case [name]:
            return name, namespace
        case [name, space] if _is_local_pair(parts, space):
            return name, space
        case [name, space, "svc"]:
            return name, space
        case _:
            return None


def _is_local_pair(parts: SplitResult, last: str) -> bool:
    """`prometheus.monitoring` looks like a host of the internet; its scheme, port and last label tell."""
    return last not in _PUBLIC and (parts.scheme == "http" or parts.port is not None)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
