"""The kinds of objects the tool speaks of, and how a path names them."""

from dataclasses import dataclass

from progressive_ci.errors import ProgressiveError
from progressive_ci.model.names import is_name

_SHOWN = 80


@dataclass(frozen=True, slots=True, order=True)
class Kind:
    """One resource of the Kubernetes API.

    Attributes:
        group: API group; empty for the core group.
        version: API version.
        name: the kind as documents write it.
        plural: the resource as paths and roles write it.
        namespaced: whether its objects live in a namespace.
    """

    group: str
    version: str
    name: str
    plural: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """`group/version` as documents write it."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def prefix(self) -> str:
        """First part of every path of this kind.

        Raises:
            ProgressiveError: the group or version of a document would lead elsewhere.
        """
        version = _segment(self, self.version)
        return f"/apis/{_segment(self, self.group)}/{version}" if self.group else f"/api/{version}"


DEPLOYMENT = Kind("apps", "v1", "Deployment", "deployments")
REPLICA_SET = Kind("apps", "v1", "ReplicaSet", "replicasets")
POD = Kind("", "v1", "Pod", "pods")
SERVICE = Kind("", "v1", "Service", "services")
CONFIG_MAP = Kind("", "v1", "ConfigMap", "configmaps")
SECRET = Kind("", "v1", "Secret", "secrets")
EVENT = Kind("", "v1", "Event", "events")
NAMESPACE = Kind("", "v1", "Namespace", "namespaces", namespaced=False)
ENDPOINT_SLICE = Kind("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices")
JOB = Kind("batch", "v1", "Job", "jobs")
SERVICE_ACCOUNT = Kind("", "v1", "ServiceAccount", "serviceaccounts")
LEASE = Kind("coordination.k8s.io", "v1", "Lease", "leases")
HPA = Kind("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers")
SCALED_OBJECT = Kind("keda.sh", "v1alpha1", "ScaledObject", "scaledobjects")
PDB = Kind("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets")
NETWORK_POLICY = Kind("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies")
RESOURCE_QUOTA = Kind("", "v1", "ResourceQuota", "resourcequotas")
INGRESS = Kind("networking.k8s.io", "v1", "Ingress", "ingresses")
VIRTUAL_SERVICE = Kind("networking.istio.io", "v1", "VirtualService", "virtualservices")
HTTP_ROUTE = Kind("gateway.networking.k8s.io", "v1", "HTTPRoute", "httproutes")
GRPC_ROUTE = Kind("gateway.networking.k8s.io", "v1", "GRPCRoute", "grpcroutes")
TCP_ROUTE = Kind("gateway.networking.k8s.io", "v1alpha2", "TCPRoute", "tcproutes")
TLS_ROUTE = Kind("gateway.networking.k8s.io", "v1alpha2", "TLSRoute", "tlsroutes")
ROLLOUT = Kind("argoproj.io", "v1alpha1", "Rollout", "rollouts")
ANALYSIS_TEMPLATE = Kind("argoproj.io", "v1alpha1", "AnalysisTemplate", "analysistemplates")
CLUSTER_ANALYSIS_TEMPLATE = Kind(
    "argoproj.io", "v1alpha1", "ClusterAnalysisTemplate", "clusteranalysistemplates", namespaced=False
)
CANARY = Kind("flagger.app", "v1beta1", "Canary", "canaries")
SELF_SUBJECT_ACCESS_REVIEW = Kind(
    "authorization.k8s.io", "v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews", namespaced=False
)
SELF_SUBJECT_RULES_REVIEW = Kind(
    "authorization.k8s.io", "v1", "SelfSubjectRulesReview", "selfsubjectrulesreviews", namespaced=False
)

ALL: tuple[Kind, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Kind))


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """The address of one object."""

    kind: Kind
    namespace: str
    name: str

    def __str__(self) -> str:
        """As people and messages write it: `Service shop/web`."""
        place = f"{self.namespace}/{self.name}" if self.kind.namespaced else self.name
        return f"{self.kind.name} {place}"

    @property
    def path(self) -> str:
        """The object's path below the API server's address.

        Raises:
            ProgressiveError: the name would lead elsewhere.
        """
        return f"{collection_path(self.kind, self.namespace)}/{_segment(self.kind, self.name)}"


def collection_path(kind: Kind, namespace: str) -> str:
    """The path that lists and creates objects of a kind; an empty namespace means all of them.

    Raises:
        ProgressiveError: the namespace would lead elsewhere.
    """
    scope = f"/namespaces/{_segment(kind, namespace)}" if kind.namespaced and namespace else ""
    return f"{kind.prefix}{scope}/{kind.plural}"


def _segment(kind: Kind, text: str) -> str:
    """A name from a document must not reach an object of another kind or namespace."""
    if not is_name(text):
        told = f"{text[:_SHOWN]!r} can't stand in the address of a {kind.name}"
        raise ProgressiveError(told, advice="write the name alone: letters, digits, - and .")
    return text
