"""The faults for which the API server refuses an object, as far as a release can meet them."""

import json
import re
from collections.abc import Callable, Iterator, Mapping

from progressive_ci.model.document import JsonObject
from progressive_ci.sandbox import status
from progressive_ci.sandbox.resources import Resource
from progressive_ci.sandbox.selectors import matches_selector

Causes = Iterator[JsonObject]

_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")
_SUBDOMAIN_LENGTH = 253
_LABEL_LENGTH = 63

_SUBDOMAIN_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must"
    " start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is"
    " '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_LABEL_RULE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and"
    " end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is"
    " '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_VALUE_RULE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must"
    " start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used"
    " for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)


def check(resource: Resource, obj: JsonObject, before: JsonObject | None) -> None:
    """Refuse an object that is not valid, or that changes what may not change.

    Raises:
        status.Refusal: 422 with every cause.
    """
    causes = list(_metadata(resource, obj, before))
    checker = _CHECKERS.get(resource.kind.name)
    if checker:
        causes += checker(obj, before)
    if causes:
        raise status.invalid(resource.kind, obj["metadata"].get("name", ""), causes)


def _bad(field: str, value: object, why: str) -> JsonObject:
    text = json.dumps(value, separators=(",", ":"))
    return status.cause("FieldValueInvalid", field, f"Invalid value: {text}: {why}")


def _required(field: str, why: str = "") -> JsonObject:
    return status.cause("FieldValueRequired", field, f"Required value: {why}" if why else "Required value")


def _metadata(resource: Resource, obj: JsonObject, before: JsonObject | None) -> Causes:
    metadata = obj["metadata"]
    if before is None:
        yield from _name(resource, metadata)
    else:
        for field in ("uid", "creationTimestamp"):
            if metadata.get(field) != before["metadata"].get(field):
                yield _bad(f"metadata.{field}", metadata.get(field), "field is immutable")
    for value in (metadata.get("labels") or {}).values():
        if len(value) > _LABEL_LENGTH:
            yield _bad("metadata.labels", value, f"must be no more than {_LABEL_LENGTH} bytes")
        elif not _VALUE.fullmatch(value):
            yield _bad("metadata.labels", value, _VALUE_RULE)


def _name(resource: Resource, metadata: JsonObject) -> Causes:
    name = metadata.get("name", "")
    if not name:
        yield _required("metadata.name", "name or generateName is required")
        return
    match resource.kind.name:
        case "Service" | "Namespace":
            pattern, rule, length = _LABEL, _LABEL_RULE, _LABEL_LENGTH
        case _:
            pattern, rule, length = _SUBDOMAIN, _SUBDOMAIN_RULE, _SUBDOMAIN_LENGTH
    if len(name) > length:
        yield _bad("metadata.name", name, f"must be no more than {length} bytes")
    if not pattern.fullmatch(name):
        yield _bad("metadata.name", name, rule)


def _workload(obj: JsonObject, before: JsonObject | None) -> Causes:
    spec = obj.get("spec") or {}
    selector, template = spec.get("selector") or {}, spec.get("template") or {}
    if isinstance(spec.get("replicas"), int) and spec["replicas"] < 0:
        yield _bad("spec.replicas", spec["replicas"], "must be greater than or equal to 0")
    labels = template.get("metadata", {}).get("labels") or {}
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        yield _required("spec.selector")
        yield _bad("spec.selector", selector, "empty selector is invalid for deployment")
    elif not matches_selector(selector, labels):
        yield _bad("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")
    yield from _containers(template.get("spec") or {}, "spec.template.spec.")
    if before is not None and selector != before["spec"].get("selector"):
        yield _bad("spec.selector", selector, "field is immutable")


def _deployment(obj: JsonObject, before: JsonObject | None) -> Causes:
    yield from _workload(obj, before)
    strategy = obj.get("spec", {}).get("strategy") or {}
    if strategy.get("type") == "Recreate" and strategy.get("rollingUpdate"):
        yield status.cause(
            "FieldValueForbidden",
            "spec.strategy.rollingUpdate",
            "Forbidden: may not be specified when strategy `type` is 'Recreate'",
        )
    if strategy.get("type") not in {"Recreate", "RollingUpdate"}:
        text = json.dumps(strategy.get("type"))
        yield status.cause(
            "FieldValueNotSupported",
            "spec.strategy.type",
            f'Unsupported value: {text}: supported values: "Recreate", "RollingUpdate"',
        )
    rolling = strategy.get("rollingUpdate") or {}
    if _zero(rolling.get("maxSurge")) and _zero(rolling.get("maxUnavailable")):
        yield _bad(
            "spec.strategy.rollingUpdate.maxUnavailable",
            rolling.get("maxUnavailable"),
            "may not be 0 when `maxSurge` is 0",
        )
    deadline = obj["spec"].get("progressDeadlineSeconds")
    if deadline is not None and deadline <= (obj["spec"].get("minReadySeconds") or 0):
        yield _bad("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")


def _zero(amount: object) -> bool:
    return amount in (0, "0%", "0")


def _pod(obj: JsonObject, _: JsonObject | None) -> Causes:
    yield from _containers(obj.get("spec") or {}, "spec.")


def _containers(spec: JsonObject, prefix: str) -> Causes:
    containers = spec.get("containers") or []
    if not containers:
        yield _required(f"{prefix}containers")
    for index, container in enumerate(containers):
        for field in ("name", "image"):
            if not container.get(field):
                yield _required(f"{prefix}containers[{index}].{field}")


def _service(obj: JsonObject, before: JsonObject | None) -> Causes:
    spec = obj.get("spec") or {}
    if not spec.get("ports") and spec.get("clusterIP") != "None" and spec.get("type") != "ExternalName":
        yield _required("spec.ports")
    if before is not None and before["spec"].get("clusterIP") and spec.get("type") == "ClusterIP":
        old = before["spec"]["clusterIP"]
        if spec.get("clusterIP") not in (old, None, ""):
            yield _bad("spec.clusterIPs[0]", [spec.get("clusterIP")], "may not change once set")
    for key, value in (spec.get("selector") or {}).items():
        if not _VALUE.fullmatch(value) or len(value) > _LABEL_LENGTH:
            yield _bad("spec.selector", value, _VALUE_RULE if key else "name part must be non-empty")


_HIGHEST_WEIGHT = 1_000_000


def _route(obj: JsonObject, _: JsonObject | None) -> Causes:
    for at, rule in enumerate((obj.get("spec") or {}).get("rules") or ()):
        for index, backend in enumerate(rule.get("backendRefs") or ()):
            field = f"spec.rules[{at}].backendRefs[{index}]"
            if not backend.get("name"):
                yield _required(f"{field}.name")
            weight = backend.get("weight", 1)
            if not 0 <= weight <= _HIGHEST_WEIGHT:
                limit = f"should be {'greater' if weight < 0 else 'less'} than or equal to"
                bound = 0 if weight < 0 else _HIGHEST_WEIGHT
                yield _bad(f"{field}.weight", weight, f"{field}.weight in body {limit} {bound}")


def _slice(obj: JsonObject, _: JsonObject | None) -> Causes:
    if not obj.get("addressType"):
        yield _required("addressType")


_CHECKERS: Mapping[str, Callable[[JsonObject, JsonObject | None], Causes]] = {
    "Deployment": _deployment,
    "ReplicaSet": _workload,
    "Pod": _pod,
    "Service": _service,
    "HTTPRoute": _route,
    "GRPCRoute": _route,
    "EndpointSlice": _slice,
}
