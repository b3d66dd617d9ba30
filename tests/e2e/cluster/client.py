"""Owns the tests' access to the Kubernetes API: documents in, documents out, errors in the server's words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter

from tests.e2e.cluster.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"

Document = dict[str, Any]

# For calls that name a kind only. Anything else: "group/version/Kind".
_GROUPS = {
    "v1": "Namespace Node Pod Service ConfigMap Secret Event Endpoints ServiceAccount ReplicationController",
    "apps/v1": "Deployment ReplicaSet StatefulSet DaemonSet",
    "batch/v1": "Job CronJob",
    "autoscaling/v2": "HorizontalPodAutoscaler",
    "policy/v1": "PodDisruptionBudget",
    "coordination.k8s.io/v1": "Lease",
    "discovery.k8s.io/v1": "EndpointSlice",
    "rbac.authorization.k8s.io/v1": "Role RoleBinding ClusterRole ClusterRoleBinding",
    "networking.k8s.io/v1": "Ingress IngressClass NetworkPolicy",
    "admissionregistration.k8s.io/v1": "MutatingAdmissionPolicy MutatingAdmissionPolicyBinding",
    "apiextensions.k8s.io/v1": "CustomResourceDefinition",
    "gateway.networking.k8s.io/v1": "GatewayClass Gateway HTTPRoute GRPCRoute",
    "projectcontour.io/v1": "HTTPProxy",
    "networking.istio.io/v1": "VirtualService DestinationRule",
    "argoproj.io/v1alpha1": "Rollout AnalysisTemplate",
    "flagger.app/v1beta1": "Canary MetricTemplate",
}
_VERSION_OF = {kind: version for version, kinds in _GROUPS.items() for kind in kinds.split()}


class ApiError(Exception):
    """The API server said no: `status` is the HTTP status."""

    def __init__(self, status: int, text: str) -> None:
        """Keep the status for callers that expect one."""
        super().__init__(f"{status}: {text}")
        self.status = status


class Client:
    """One user's view of the API server."""

    def __init__(self, server: str, token: str, authority: str) -> None:
        """Talk to `server` (a URL) with a bearer token; `authority` is the file of its certificate."""
        self.server = server
        self.token = token
        self.authority = authority
        self._session = requests.Session()
        # Proxies and certificate settings of the environment are not meant for this server.
        self._session.trust_env = False
        self._session.verify = authority
        self._session.headers["Authorization"] = f"Bearer {token}"
        self._session.mount("https://", HTTPAdapter(pool_maxsize=100))
        self._resources: dict[str, dict[str, tuple[str, bool]]] = {}

    def send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        content_type: str = "application/json",
        params: dict[str, Any] | None = None,
        stream: bool = False,
        timeout: float | None = 30,
    ) -> requests.Response:
        """Send one request and return the answer whatever its status."""
        return self._session.request(
            method,
            self.server + path,
            data=None if body is None else json.dumps(body),
            headers={"Content-Type": content_type},
            params=params,
            stream=stream,
            timeout=timeout,
        )

    def call(self, method: str, path: str, body: object = None, **how: Any) -> Any:  # noqa: ANN401
        """Send one request and return the decoded answer; ApiError for 4xx and 5xx."""
        answer = self.send(method, path, body, **how)
        if answer.status_code >= 400:
            try:
                text = answer.json().get("message", answer.text)
            except ValueError:
                text = answer.text
            raise ApiError(answer.status_code, f"{method} {path}: {text}")
        return answer.json()

    def path(self, kind: str, namespace: str | None = None, name: str = "", subresource: str = "") -> str:
        """Return the URL path of a kind: `Deployment`, or `group/version/Kind`."""
        version, _, bare = kind.rpartition("/")
        version = version or _VERSION_OF.get(bare, "")
        if not version:
            text = f"write group/version/{kind}: its version is not known here"
            raise ValueError(text)
        plural, namespaced = self._resource(version, bare)
        root = f"/api/{version}" if version == "v1" else f"/apis/{version}"
        scope = f"/namespaces/{namespace}" if namespaced and namespace else ""
        return (
            f"{root}{scope}/{plural}"
            + (f"/{name}" if name else "")
            + (f"/{subresource}" if subresource else "")
        )

    def _resource(self, version: str, kind: str) -> tuple[str, bool]:
        if kind not in self._resources.get(version, {}):
            answer = self.call("GET", f"/api/{version}" if version == "v1" else f"/apis/{version}")
            self._resources[version] = {
                r["kind"]: (r["name"], r["namespaced"]) for r in answer["resources"] if "/" not in r["name"]
            }
        return self._resources[version][kind]

    def get(self, kind: str, name: str, namespace: str | None = None) -> Document:
        """Return one object; ApiError with status 404 if it is not there."""
        answer: Document = self.call("GET", self.path(kind, namespace, name))
        return answer

    def list(self, kind: str, namespace: str | None = None, **params: str) -> list[Document]:
        """Return all objects of a kind; `labelSelector=...` and other query parameters by keyword."""
        items: list[Document] = self.call("GET", self.path(kind, namespace), params=params)["items"]
        return items

    def create(self, document: Document, namespace: str | None = None, **params: str) -> Document:
        """Create an object from its document."""
        path = self._path_of(document, namespace, named=False)
        answer: Document = self.call("POST", path, document, params=params)
        return answer

    def apply(self, document: Document, namespace: str | None = None) -> Document:
        """Create or change an object server-side, taking over every field in the document."""
        path = self._path_of(document, namespace, named=True)
        params = {"fieldManager": "e2e", "force": "true"}
        answer: Document = self.call("PATCH", path, document, content_type=APPLY_PATCH, params=params)
        return answer

    def _path_of(self, document: Document, namespace: str | None, *, named: bool) -> str:
        metadata = document["metadata"]
        kind = f"{document['apiVersion']}/{document['kind']}"
        return self.path(kind, metadata.get("namespace") or namespace, metadata["name"] if named else "")

    def patch(
        self,
        kind: str,
        name: str,
        change: object,
        namespace: str | None = None,
        *,
        content_type: str = "",
        subresource: str = "",
    ) -> Document:
        """Change an object: a list is a JSON Patch, all else a merge patch, or what `content_type` says."""
        content_type = content_type or (JSON_PATCH if isinstance(change, list) else MERGE_PATCH)
        path = self.path(kind, namespace, name, subresource)
        answer: Document = self.call("PATCH", path, change, content_type=content_type)
        return answer

    def delete(self, kind: str, name: str, namespace: str | None = None, **options: object) -> None:
        """Delete an object; DeleteOptions by keyword. An absent object is fine."""
        try:
            self.call("DELETE", self.path(kind, namespace, name), options or None)
        except ApiError as error:
            if error.status != 404:
                raise

    def watch(self, path: str, **params: str) -> Iterator[tuple[str, Document]]:
        """Yield (type, object) until the server ends the watch; list first for the resourceVersion."""
        with self.send("GET", path, params={"watch": "true", **params}, stream=True, timeout=None) as answer:
            for line in answer.iter_lines(chunk_size=None):
                event = json.loads(line)
                yield event["type"], event["object"]

    def wait_until(self, what: str, condition: Callable[[Client], Any], *, seconds: float = 60) -> Any:  # noqa: ANN401
        """Return the first truthy `condition(self)`."""
        return wait_until(what, lambda: condition(self), seconds=seconds)
