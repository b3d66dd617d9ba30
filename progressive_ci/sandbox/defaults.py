"""What the API server fills in when a document leaves it out."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import Kind

GATEWAY_GROUP = "gateway.networking.k8s.io"


def fill(kind: Kind, obj: JsonObject) -> None:
    """Fill in the defaults of one object, in place."""
    filler = _FILLERS.get(kind.name)
    if filler and isinstance(obj.get("spec", {}), dict):
        filler(obj)


def first_status(kind: Kind) -> JsonObject | None:
    """The status of a new object before any controller has seen it; None where it has none."""
    return _STATUSES.get(kind.name)


def _set(target: JsonObject, **defaults: object) -> None:
    for key, value in defaults.items():
        if target.get(key) is None:
            target[key] = value


def _deployment(obj: JsonObject) -> None:
    spec = obj.setdefault("spec", {})
    _set(spec, replicas=1, revisionHistoryLimit=10, progressDeadlineSeconds=600)
    strategy = spec.setdefault("strategy", {})
    _set(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        rolling = strategy.get("rollingUpdate") or {}
        _set(rolling, maxUnavailable="25%", maxSurge="25%")
        strategy["rollingUpdate"] = rolling
    _template(spec)


def _replica_set(obj: JsonObject) -> None:
    spec = obj.setdefault("spec", {})
    _set(spec, replicas=1)
    _template(spec)


def _template(spec: JsonObject) -> None:
    template = spec.get("template")
    if isinstance(template, dict) and isinstance(template.get("spec"), dict):
        _pod_spec(template["spec"])


def _pod(obj: JsonObject) -> None:
    spec = obj.setdefault("spec", {})
    _pod_spec(spec)
    for container in _dicts(spec.get("containers")):
        _requests(container["resources"])
    _set(spec, enableServiceLinks=True, preemptionPolicy="PreemptLowerPriority", priority=0)


def _pod_spec(spec: JsonObject) -> None:
    _set(
        spec,
        restartPolicy="Always",
        terminationGracePeriodSeconds=30,
        dnsPolicy="ClusterFirst",
        securityContext={},
        schedulerName="default-scheduler",
    )
    for container in _dicts(spec.get("containers"), spec.get("initContainers")):
        _container(container)
    for volume in _dicts(spec.get("volumes")):
        for source in ("configMap", "secret", "projected", "downwardAPI"):
            if isinstance(volume.get(source), dict):
                _set(volume[source], defaultMode=420)
    if spec.get("serviceAccountName"):
        _set(spec, serviceAccount=spec["serviceAccountName"])


def _container(container: JsonObject) -> None:
    image = str(container.get("image", ""))
    tag = image.rpartition("/")[2].partition(":")[2]
    policy = "Always" if tag in {"", "latest"} and "@" not in image else "IfNotPresent"
    _set(
        container,
        terminationMessagePath="/dev/termination-log",
        terminationMessagePolicy="File",
        imagePullPolicy=policy,
        resources={},
    )
    for port in _dicts(container.get("ports")):
        _set(port, protocol="TCP")
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        if isinstance(container.get(probe), dict):
            _probe(container[probe])
    for variable in _dicts(container.get("env")):
        source = variable.get("valueFrom") or {}
        if isinstance(source.get("fieldRef"), dict):
            _set(source["fieldRef"], apiVersion="v1")


def _probe(probe: JsonObject) -> None:
    _set(probe, timeoutSeconds=1, periodSeconds=10, successThreshold=1, failureThreshold=3)
    if isinstance(probe.get("httpGet"), dict):
        _set(probe["httpGet"], path="/", scheme="HTTP")


def _requests(resources: JsonObject) -> None:
    """A limit without a request is a request too."""
    for name, amount in (resources.get("limits") or {}).items():
        resources.setdefault("requests", {}).setdefault(name, amount)


def _service(obj: JsonObject) -> None:
    spec = obj.setdefault("spec", {})
    _set(spec, type="ClusterIP", sessionAffinity="None")
    for port in _dicts(spec.get("ports")):
        _set(port, protocol="TCP")
        _set(port, targetPort=port.get("port"))
    if spec["type"] != "ExternalName":
        _set(
            spec,
            internalTrafficPolicy="Cluster",
            ipFamilies=["IPv4"],
            ipFamilyPolicy="SingleStack",
        )
    if spec["type"] in {"NodePort", "LoadBalancer"}:
        _set(spec, externalTrafficPolicy="Cluster")


def _route(obj: JsonObject) -> None:
    """Routes of the Gateway API; the definitions of these resources carry the defaults."""
    spec = obj.setdefault("spec", {})
    for parent in _dicts(spec.get("parentRefs")):
        _set(parent, group=GATEWAY_GROUP, kind="Gateway")
    for rule in _dicts(spec.get("rules")):
        for backend in _dicts(rule.get("backendRefs")):
            _backend(backend)
            _set(backend, weight=1)
        for each in _dicts(rule.get("filters")):
            mirror = each.get("requestMirror")
            if isinstance(mirror, dict) and isinstance(mirror.get("backendRef"), dict):
                _backend(mirror["backendRef"])


def _backend(backend: JsonObject) -> None:
    _set(backend, group="", kind="Service")


def _http_route(obj: JsonObject) -> None:
    _route(obj)
    for rule in _dicts(obj["spec"].get("rules")):
        _set(rule, matches=[{"path": {"type": "PathPrefix", "value": "/"}}])
        for match in _dicts(rule["matches"]):
            _set(match, path={"type": "PathPrefix", "value": "/"})


def _autoscaler(obj: JsonObject) -> None:
    target = {"type": "Utilization", "averageUtilization": 80}
    metric = {"type": "Resource", "resource": {"name": "cpu", "target": target}}
    _set(obj.setdefault("spec", {}), minReplicas=1, metrics=[metric])


def _secret(obj: JsonObject) -> None:
    _set(obj, type="Opaque")


def _dicts(*lists: object) -> Iterable[dict[str, Any]]:
    for each in lists:
        if isinstance(each, list):
            yield from (item for item in each if isinstance(item, dict))


_STATUSES: Mapping[str, JsonObject] = {
    "Deployment": {},
    "StatefulSet": {"replicas": 0},
    "ReplicaSet": {"replicas": 0},
    "Service": {"loadBalancer": {}},
    "Ingress": {"loadBalancer": {}},
    "Pod": {"phase": "Pending", "qosClass": "BestEffort"},
    "Namespace": {"phase": "Active"},
    "HorizontalPodAutoscaler": {"desiredReplicas": 0, "currentMetrics": None},
    "PodDisruptionBudget": {
        "disruptionsAllowed": 0,
        "currentHealthy": 0,
        "desiredHealthy": 0,
        "expectedPods": 0,
    },
}

_FILLERS: Mapping[str, Callable[[JsonObject], None]] = {
    "Deployment": _deployment,
    "ReplicaSet": _replica_set,
    "Pod": _pod,
    "Service": _service,
    "HTTPRoute": _http_route,
    "GRPCRoute": _route,
    "TCPRoute": _route,
    "TLSRoute": _route,
    "HorizontalPodAutoscaler": _autoscaler,
    "Secret": _secret,
}
