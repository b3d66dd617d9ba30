"""Which resources the simulated API server serves, in which versions and with which subresources."""

from dataclasses import dataclass

from progressive_ci.model import kinds
from progressive_ci.model.kinds import Kind

NODE = Kind("", "v1", "Node", "nodes", namespaced=False)
ROLE = Kind("rbac.authorization.k8s.io", "v1", "Role", "roles")
ROLE_BINDING = Kind("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings")
CLUSTER_ROLE = Kind("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", namespaced=False)
CLUSTER_ROLE_BINDING = Kind(
    "rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", namespaced=False
)
GATEWAY = Kind("gateway.networking.k8s.io", "v1", "Gateway", "gateways")
GATEWAY_CLASS = Kind("gateway.networking.k8s.io", "v1", "GatewayClass", "gatewayclasses", namespaced=False)
DESTINATION_RULE = Kind("networking.istio.io", "v1", "DestinationRule", "destinationrules")
ISTIO_GATEWAY = Kind("networking.istio.io", "v1", "Gateway", "gateways")
STATEFUL_SET = Kind("apps", "v1", "StatefulSet", "statefulsets")
DAEMON_SET = Kind("apps", "v1", "DaemonSet", "daemonsets")
CLAIM = Kind("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims")
POD_MONITOR = Kind("monitoring.coreos.com", "v1", "PodMonitor", "podmonitors")
SERVICE_MONITOR = Kind("monitoring.coreos.com", "v1", "ServiceMonitor", "servicemonitors")
METRIC_TEMPLATE = Kind("flagger.app", "v1beta1", "MetricTemplate", "metrictemplates")

ISTIO_VERSIONS = ("v1", "v1beta1", "v1alpha3")
CUSTOM_GROUPS = frozenset(
    {
        "argoproj.io",
        "flagger.app",
        "gateway.networking.k8s.io",
        "keda.sh",
        "monitoring.coreos.com",
        "networking.istio.io",
    }
)


@dataclass(frozen=True, slots=True)
class Resource:
    """One served resource.

    Attributes:
        kind: with the version that documents are stored in.
        versions: served ones.
        status: whether `/status` is a subresource, and hence apart from the rest.
        scale: whether `/scale` is.
        counted: whether `metadata.generation` counts changes of the spec.
        returned: whether a delete answers the object itself instead of a Status.
    """

    kind: Kind
    versions: tuple[str, ...]
    status: bool = False
    scale: bool = False
    counted: bool = False
    returned: bool = False

    @property
    def custom(self) -> bool:
        """Whether a custom resource definition serves it."""
        return self.kind.group in CUSTOM_GROUPS


def _of(kind: Kind, flags: str = "", *versions: str) -> Resource:
    words = flags.split()
    return Resource(
        kind,
        versions or (kind.version,),
        status="status" in words,
        scale="scale" in words,
        counted="counted" in words,
        returned="returned" in words,
    )


TABLE: tuple[Resource, ...] = (
    _of(kinds.DEPLOYMENT, "status scale counted"),
    _of(kinds.REPLICA_SET, "status scale counted"),
    _of(STATEFUL_SET, "status scale counted"),
    _of(DAEMON_SET, "status counted"),
    _of(kinds.JOB, "status counted returned"),
    _of(kinds.POD, "status counted returned"),
    _of(kinds.SERVICE, "status returned"),
    _of(kinds.CONFIG_MAP),
    _of(kinds.SECRET),
    _of(kinds.EVENT),
    _of(CLAIM, "status returned"),
    _of(kinds.NAMESPACE, "status returned"),
    _of(NODE, "status"),
    _of(kinds.RESOURCE_QUOTA, "status returned"),
    _of(kinds.SERVICE_ACCOUNT, "returned"),
    _of(ROLE),
    _of(ROLE_BINDING),
    _of(CLUSTER_ROLE),
    _of(CLUSTER_ROLE_BINDING),
    _of(kinds.ENDPOINT_SLICE, "counted"),
    _of(kinds.LEASE),
    _of(kinds.HPA, "status counted"),
    _of(kinds.PDB, "status counted"),
    _of(kinds.NETWORK_POLICY, "counted"),
    _of(kinds.INGRESS, "status counted"),
    _of(kinds.SCALED_OBJECT, "status counted"),
    _of(kinds.VIRTUAL_SERVICE, "status counted", *ISTIO_VERSIONS),
    _of(DESTINATION_RULE, "status counted", *ISTIO_VERSIONS),
    _of(ISTIO_GATEWAY, "status counted", *ISTIO_VERSIONS),
    _of(kinds.HTTP_ROUTE, "status counted", "v1", "v1beta1"),
    _of(kinds.GRPC_ROUTE, "status counted"),
    _of(kinds.TCP_ROUTE, "status counted"),
    _of(kinds.TLS_ROUTE, "status counted"),
    _of(GATEWAY, "status counted", "v1", "v1beta1"),
    _of(GATEWAY_CLASS, "status counted", "v1", "v1beta1"),
    _of(kinds.ROLLOUT, "status scale counted"),
    _of(kinds.ANALYSIS_TEMPLATE, "counted"),
    _of(kinds.CLUSTER_ANALYSIS_TEMPLATE, "counted"),
    _of(kinds.CANARY, "status counted"),
    _of(METRIC_TEMPLATE, "status counted"),
    _of(POD_MONITOR, "counted"),
    _of(SERVICE_MONITOR, "counted"),
)

BY_PLURAL = {(resource.kind.group, resource.kind.plural): resource for resource in TABLE}
GROUPS = frozenset(resource.kind.group for resource in TABLE)
BY_KIND = {(resource.kind.group, resource.kind.name): resource for resource in TABLE}


def of_document(api_version: str, kind: str) -> Resource:
    """The resource that a document belongs to.

    Raises:
        KeyError: none that is served.
    """
    group = api_version.partition("/")[0] if "/" in api_version else ""
    return BY_KIND[group, kind]
