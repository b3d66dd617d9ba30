"""The EndpointSlice controller: which pods stand behind which Service."""

from collections.abc import Callable

from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import ENDPOINT_SLICE, POD, SERVICE
from progressive_ci.sandbox.controllers.claims import reference
from progressive_ci.sandbox.controllers.queue import Queue
from progressive_ci.sandbox.controllers.replica_set import ready_condition
from progressive_ci.sandbox.json_patch import clone
from progressive_ci.sandbox.selectors import labels_of
from progressive_ci.sandbox.store import Change, Store

REACTION = 0.01
SIZE = 100
"""Endpoints that one slice holds."""

NAME_LABEL = "kubernetes.io/service-name"
MANAGER_LABEL = "endpointslice.kubernetes.io/managed-by"
MANAGER = "endpointslice-controller.k8s.io"


class EndpointSlices:
    """Reacts to Services and pods.

    Attributes:
        omits: which pods it leaves out although they stand behind a Service.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.omits: Callable[[JsonObject], bool] = lambda _: False
        self._queue = Queue(store.timers, self._look, REACTION)
        store.subscribe(self._service_changed, SERVICE)
        store.subscribe(self._pod_changed, POD)

    def _service_changed(self, change: Change) -> None:
        metadata = change.object["metadata"]
        self._queue.add(metadata["namespace"], metadata["name"])

    def _pod_changed(self, change: Change) -> None:
        namespace = change.object["metadata"]["namespace"]
        pods = [pod for pod in (change.object, change.before) if pod]
        for service in self._store.all(SERVICE, namespace):
            selector = service["spec"].get("selector")
            if selector and any(selector.items() <= labels_of(pod).items() for pod in pods):
                self._queue.add(namespace, service["metadata"]["name"])

    def _look(self, namespace: str, name: str) -> None:
        service = self._store.get(SERVICE, namespace, name)
        if service is None or not service["spec"].get("selector"):
            return
        pods = [
            pod
            for pod in self._store.all(POD, namespace)
            if _stands_behind(service, pod) and not self.omits(pod)
        ]
        slices = [
            each
            for each in self._store.all(ENDPOINT_SLICE, namespace)
            if labels_of(each).get(NAME_LABEL) == name
        ]
        pages = [pods[at : at + SIZE] for at in range(0, len(pods), SIZE)] or [[]]
        for at, page in enumerate(pages):
            self._put(service, page, slices[at] if at < len(slices) else None)
        for surplus in slices[len(pages) :]:
            self._store.drop(ENDPOINT_SLICE, clone(surplus))

    def _put(self, service: JsonObject, pods: list[JsonObject], known: JsonObject | None) -> None:
        # The API server writes both fields as null when there is nothing to write.
        endpoints = [_endpoint(service, pod) for pod in pods] or None
        ports = [_port(port, pods[0]) for port in service["spec"].get("ports") or ()] if pods else None
        if known is not None:
            if (known["endpoints"], known["ports"]) != (endpoints, ports):
                self._store.write(ENDPOINT_SLICE, {**clone(known), "endpoints": endpoints, "ports": ports})
            return
        name, namespace = service["metadata"]["name"], service["metadata"]["namespace"]
        labels = {**labels_of(service), NAME_LABEL: name, MANAGER_LABEL: MANAGER}
        metadata = {
            "generateName": f"{name}-",
            "name": f"{name}-{self._store.suffix()}",
            "namespace": namespace,
            "labels": labels,
            "ownerReferences": [reference(SERVICE, service)],
        }
        slice_ = {
            "apiVersion": ENDPOINT_SLICE.api_version,
            "kind": ENDPOINT_SLICE.name,
            "metadata": metadata,
            "addressType": "IPv4",
            "endpoints": endpoints,
            "ports": ports,
        }
        self._store.insert(ENDPOINT_SLICE, slice_)


def _stands_behind(service: JsonObject, pod: JsonObject) -> bool:
    state = pod.get("status") or {}
    return (
        service["spec"]["selector"].items() <= labels_of(pod).items()
        and bool(state.get("podIP"))
        and state.get("phase") not in {"Succeeded", "Failed"}
    )


def _endpoint(service: JsonObject, pod: JsonObject) -> JsonObject:
    serving = ready_condition(pod) is not None
    terminating = bool(pod["metadata"].get("deletionTimestamp"))
    ready = bool(service["spec"].get("publishNotReadyAddresses")) or (serving and not terminating)
    metadata = pod["metadata"]
    return {
        "addresses": [pod["status"]["podIP"]],
        "conditions": {"ready": ready, "serving": serving, "terminating": terminating},
        "nodeName": pod["spec"]["nodeName"],
        "targetRef": {
            "kind": "Pod",
            "namespace": metadata["namespace"],
            "name": metadata["name"],
            "uid": metadata["uid"],
        },
    }


def _port(port: JsonObject, pod: JsonObject) -> JsonObject:
    number = port.get("targetPort", port["port"])
    if isinstance(number, str):
        declared = [each for container in pod["spec"]["containers"] for each in container.get("ports") or ()]
        number = next(
            (each["containerPort"] for each in declared if each.get("name") == number), port["port"]
        )
    return {"name": port.get("name", ""), "port": number, "protocol": port.get("protocol", "TCP")}
