"""Owns the two data planes: Contour (Gateway API, HTTPProxy, Ingress) and Istio, each with a real Envoy."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import requests
import yaml

from tests.e2e.cluster.scraping import CONTOUR_ENVOY_STATS, ISTIO_ENVOY_STATS
from tests.e2e.cluster.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.cluster.binaries import Binaries
    from tests.e2e.cluster.client import Document
    from tests.e2e.cluster.controlplane import ControlPlane
    from tests.e2e.cluster.network import Network
    from tests.e2e.cluster.processes import Processes

PORT = 8080  # of both gateways, each on an address of its own
_CONTOUR_OFFSET = 8000  # a listener on port 80 is served on 8080
_ISTIO_ENVIRONMENT = {
    "POD_NAMESPACE": "istio-system",
    # A plain Envoy lacks Istio's own filters and secrets.
    "PILOT_ENABLE_ALPN_FILTER": "false",
    "PILOT_ENABLE_METADATA_EXCHANGE": "false",
    "ENABLE_CA_SERVER": "false",
    # Gateway API belongs to Contour here.
    "PILOT_ENABLE_GATEWAY_API": "false",
}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a data plane is started in."""

    folder: Path
    network: Network
    binaries: Binaries
    processes: Processes
    control_plane: ControlPlane


class DataPlane(Protocol):
    """What both have: a function that starts them and returns the gateway's URL."""

    def __call__(self, around: Surroundings) -> str:
        """Start, and return when the gateway answers."""
        ...


def start_contour(around: Surroundings) -> str:
    """Start Contour and its Envoy; HTTPRoutes name the Gateway `projectcontour/contour` as parent."""
    address = around.network.addresses.contour
    admin = around.control_plane.client()
    for document in _contour_documents():
        admin.apply(document)
    configuration = around.folder / "contour.yaml"
    settings = {
        "gateway": {"gatewayRef": {"namespace": "projectcontour", "name": "contour"}},
        # A line for each request would let users wait for the disk.
        "accesslog-level": "error",
    }
    configuration.write_text(yaml.safe_dump(settings))
    bootstrap = around.folder / "contour-envoy.json"
    program = around.binaries["contour"]
    socket = f"--admin-address={around.folder / 'contour-envoy.sock'}"
    make = [program, "bootstrap", str(bootstrap), "--xds-address=127.0.0.1", "--xds-port=8001", socket]
    subprocess.run(make, check=True, capture_output=True)
    stats_address, _, stats_port = CONTOUR_ENVOY_STATS.partition(":")
    serve = [
        "serve",
        "--insecure",
        "--xds-address=127.0.0.1",
        "--xds-port=8001",
        "--http-address=127.0.0.1",
        "--health-address=127.0.0.1",
        f"--stats-address={stats_address}",
        f"--stats-port={stats_port}",
        f"--envoy-service-http-address={address}",
        f"--envoy-service-https-address={address}",
        f"--ingress-status-address={address}",
        f"--config-path={configuration}",
        f"--kubeconfig={around.control_plane.kubeconfig('e2e:contour')}",
        "--disable-leader-election",
    ]
    around.processes.start("contour", around.network.inside(program, *serve))
    _start_envoy(around, "contour", bootstrap)
    return _answering(around, address)


def _contour_documents() -> list[Document]:
    listener = {
        "name": "http",
        "protocol": "HTTP",
        "port": PORT - _CONTOUR_OFFSET,
        "allowedRoutes": {"namespaces": {"from": "All"}},
    }
    gateway = "gateway.networking.k8s.io/v1"
    return [
        _namespace("projectcontour"),
        {
            "apiVersion": gateway,
            "kind": "GatewayClass",
            "metadata": {"name": "contour"},
            "spec": {"controllerName": "projectcontour.io/gateway-controller"},
        },
        {
            "apiVersion": gateway,
            "kind": "Gateway",
            "metadata": {"name": "contour", "namespace": "projectcontour"},
            "spec": {"gatewayClassName": "contour", "listeners": [listener]},
        },
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "IngressClass",
            "metadata": {"name": "contour"},
            "spec": {"controller": "projectcontour.io/ingress-controller"},
        },
        # Without any route Envoy would get no listener, and nobody could tell when it is ready.
        {
            "apiVersion": gateway,
            "kind": "HTTPRoute",
            "metadata": {"name": "answer", "namespace": "projectcontour"},
            "spec": {
                "parentRefs": [{"name": "contour"}],
                "hostnames": ["answer.invalid"],
                "rules": [{"filters": [{"type": "RequestRedirect", "requestRedirect": {"statusCode": 302}}]}],
            },
        },
    ]


def start_istio(around: Surroundings) -> str:
    """Start istiod and an Envoy as its gateway; VirtualServices name the Gateway `istio-system/gateway`."""
    address = around.network.addresses.istio
    admin = around.control_plane.client()
    # The Service has to be there before Envoy connects, or the gateway has no listener.
    for document in _istio_documents(address):
        admin.apply(document)
    mesh = around.folder / "mesh.yaml"
    mesh.write_text(yaml.safe_dump({"enableAutoMtls": False, "defaultProviders": {}}))
    discovery = [
        "discovery",
        f"--meshConfig={mesh}",
        f"--kubeconfig={around.control_plane.kubeconfig('e2e:istiod')}",
        "--registries=Kubernetes",
        "--grpcAddr=127.0.0.1:15010",
        "--httpAddr=127.0.0.1:15080",
        "--monitoringAddr=127.0.0.1:15014",
        "--httpsAddr=",
        "--secureGRPCAddr=",
    ]
    around.processes.start(
        "istiod", around.network.inside(around.binaries["pilot-discovery"], *discovery), _ISTIO_ENVIRONMENT
    )
    bootstrap = around.folder / "istio-envoy.json"
    bootstrap.write_text(json.dumps(_istio_bootstrap(address)))
    _start_envoy(around, "istio", bootstrap)
    return _answering(around, address)


def _istio_documents(address: str) -> list[Document]:
    selector = {"istio": "ingressgateway"}
    return [
        _namespace("istio-system"),
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "istio-ingressgateway", "namespace": "istio-system", "labels": selector},
            "spec": {"selector": selector, "ports": [{"name": "http", "port": PORT, "targetPort": PORT}]},
        },
        {
            "apiVersion": "networking.istio.io/v1",
            "kind": "Gateway",
            "metadata": {"name": "gateway", "namespace": "istio-system"},
            "spec": {
                "selector": selector,
                "servers": [
                    {
                        "port": {"number": PORT, "name": "http", "protocol": "HTTP"},
                        "hosts": ["*"],
                        "bind": address,
                    }
                ],
            },
        },
    ]


def _istio_bootstrap(address: str) -> Document:
    admin_address, _, admin_port = ISTIO_ENVOY_STATS.partition(":")
    service = {"envoy_grpc": {"cluster_name": "xds"}}
    ads: Document = {"ads": {}, "resource_api_version": "V3"}
    return {
        "admin": {"address": _socket_address(admin_address, int(admin_port))},
        "node": {
            "id": f"router~{address}~gateway-1.istio-system~istio-system.svc.cluster.local",
            "cluster": "istio-ingressgateway.istio-system",
            "metadata": {
                "NAMESPACE": "istio-system",
                "CLUSTER_ID": "Kubernetes",
                "LABELS": {"istio": "ingressgateway"},
            },
        },
        "dynamic_resources": {
            "ads_config": {"api_type": "GRPC", "transport_api_version": "V3", "grpc_services": [service]},
            "cds_config": ads,
            "lds_config": ads,
        },
        "static_resources": {"clusters": [_istio_discovery()]},
    }


def _istio_discovery() -> Document:
    endpoint = {"endpoint": {"address": _socket_address("127.0.0.1", 15010)}}
    options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    return {
        "name": "xds",
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": "xds", "endpoints": [{"lb_endpoints": [endpoint]}]},
        "typed_extension_protocol_options": {
            options: {
                "@type": f"type.googleapis.com/{options}",
                "explicit_http_config": {"http2_protocol_options": {}},
            },
        },
    }


def _socket_address(address: str, port: int) -> Document:
    return {"socket_address": {"address": address, "port_value": port}}


def _namespace(name: str) -> Document:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _start_envoy(around: Surroundings, name: str, bootstrap: Path) -> None:
    flags = ["-c", str(bootstrap), "--disable-hot-restart", "--concurrency", "1", "--log-level", "warn"]
    if name == "contour":  # its bootstrap leaves the names to the command line
        flags += ["--service-cluster", "projectcontour", "--service-node", "envoy-1"]
    command = around.network.inside(around.binaries["envoy"], *flags)
    around.processes.start(f"{name}-envoy", command, first=True)


def _answering(around: Surroundings, address: str) -> str:
    """Return the URL once Envoy listens: it answers 404 to a host that no route names."""
    url = f"http://{address}:{PORT}"
    session = requests.Session()
    session.trust_env = False

    def answers() -> bool:
        around.processes.check()
        return session.get(url, timeout=2).status_code > 0

    wait_until(f"the gateway {url} answers", answers, seconds=180)
    return url
