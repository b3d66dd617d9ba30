"""Plays recorded requests to the sandbox: names and numbers that every cluster makes up are translated."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.sandbox.cluster import Sandbox
from progressive_ci.sandbox.resources import of_document

RECORDED = Path(__file__).parent / "recorded"
SETTLED = 5.0
"""Virtual seconds between two requests: the controllers have come to rest, as they had for the real tool."""

_MADE_UP = frozenset({"uid", "resourceVersion", "name", "pod-template-hash", "holderIdentity"})
_NOT_COMPARED = frozenset(
    {
        "managedFields",
        "resourceVersion",
        "creationTimestamp",
        "status",
        "clusterIP",
        "clusterIPs",
        "nodeName",
        "renewTime",
        "acquireTime",
        "endpoints",
        "uid",
        "deletionTimestamp",
    }
)
_GIVEN = ("Deployment", "Service", "HTTPRoute", "VirtualService", "Ingress")
"""Kinds that were there before; their controllers make the rest."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Where the sandbox answered otherwise."""

    request: str
    real: object
    sandbox: object


class Replay:
    """One recording, and the sandbox that stands for its cluster."""

    def __init__(self, name: str) -> None:
        self._told = json.loads(gzip.decompress((RECORDED / f"{name}.json.gz").read_bytes()))
        self._sandbox = Sandbox()
        self._words: dict[str, str] = {}
        self._versions: dict[str, str] = {}
        self._prepare()

    def _prepare(self) -> None:
        sandbox, before = self._sandbox, self._told["before"]
        sandbox.world.serve_prometheus()
        for kind in _GIVEN:
            for item in before[kind]:
                sandbox.apply(_document(kind, item))
        sandbox.clock.run(SETTLED)
        for kind, items in before.items():
            resource = of_document(_API_VERSIONS[kind], kind)
            self._learn(items, sandbox.all(resource.kind, self._told["namespace"]))

    def differences(self) -> Iterator[Difference]:
        """Play every request, in order."""
        for exchange in self._told["exchanges"]:
            self._sandbox.clock.run(SETTLED)
            status, answer = self._send(exchange)
            request = f"{exchange['method']} {exchange['path']}"
            if status != exchange["status"]:
                yield Difference(request, exchange["status"], (status, answer))
                continue
            if exchange["method"] != "GET" and isinstance(answer, dict):
                real, own = _compared(self._translated(exchange["answer"])), _compared(answer)
                if real != own:
                    yield Difference(request, *_unequal(real, own))
            self._learn(exchange["answer"], answer)

    def _send(self, exchange: JsonObject) -> tuple[int, Any]:
        body = self._translated(exchange["body"])
        _renew_versions(body, self._versions)
        response = self._sandbox.transport().request(
            exchange["method"],
            self._translated(exchange["path"]),
            query=self._translated(exchange["query"]),
            body=body,
            content_type=exchange["content_type"].partition(";")[0],
            timeout=30.0,
        )
        try:
            return response.status, json.loads(response.body)
        except ValueError:
            return response.status, response.body.decode()

    def _translated(self, value: Any) -> Any:  # noqa: ANN401 - any JSON value
        if not self._words:
            return value
        words = sorted(self._words, key=len, reverse=True)
        pattern = re.compile("|".join(map(re.escape, words)))
        return json.loads(pattern.sub(lambda found: self._words[found[0]], json.dumps(value)))

    def _learn(self, real: Any, own: Any, key: str = "") -> None:  # noqa: ANN401 - any JSON value
        """Note what the sandbox calls that which the real cluster called otherwise."""
        if isinstance(real, dict) and isinstance(own, dict):
            for name in real.keys() & own.keys():
                self._learn(real[name], own[name], name)
        elif isinstance(real, list) and isinstance(own, list):
            for one, other in zip(sorted(real, key=_rank), sorted(own, key=_rank), strict=False):
                self._learn(one, other)
        elif key == "resourceVersion":
            self._versions[str(real)] = str(own)
        elif key in _MADE_UP and isinstance(real, str) and isinstance(own, str) and real != own:
            self._words.setdefault(real, own)


def _compared(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """What must be equal: everything but what each cluster makes up and what its controllers report."""
    if isinstance(value, dict):
        return {key: _compared(each) for key, each in value.items() if key not in _NOT_COMPARED}
    return [_compared(each) for each in value] if isinstance(value, list) else value


def _rank(item: object) -> str:
    """Sorts the objects of a list alike in both clusters, as far as it matters which is which."""
    if not isinstance(item, dict):
        return ""
    metadata = item.get("metadata") or {}
    labels = {
        key: value for key, value in (metadata.get("labels") or {}).items() if key != "pod-template-hash"
    }
    containers = ((item.get("spec") or {}).get("template") or item).get("spec", {}).get("containers") or [{}]
    owned = [owner.get("kind") for owner in metadata.get("ownerReferences") or ()]
    stem = re.sub(r"-[^-]*$", "", metadata.get("name", "")) if owned else metadata.get("name", "")
    return json.dumps(
        [item.get("kind"), containers[0].get("image"), len(stem) if owned else stem, labels, owned]
    )


_API_VERSIONS = {
    kind.name: kind.api_version
    for kind in (
        kinds.DEPLOYMENT,
        kinds.REPLICA_SET,
        kinds.POD,
        kinds.SERVICE,
        kinds.ENDPOINT_SLICE,
        kinds.HTTP_ROUTE,
        kinds.VIRTUAL_SERVICE,
        kinds.INGRESS,
    )
}


def _document(kind: str, item: JsonObject) -> JsonObject:
    """The document that somebody may have applied."""
    metadata = {
        key: item["metadata"][key] for key in ("name", "namespace", "labels") if key in item["metadata"]
    }
    spec = {key: value for key, value in item["spec"].items() if key not in {"clusterIP", "clusterIPs"}}
    annotations = {
        key: value
        for key, value in (item["metadata"].get("annotations") or {}).items()
        if not key.startswith("deployment.kubernetes.io/")
    }
    return {
        "apiVersion": _API_VERSIONS[kind],
        "kind": kind,
        "metadata": {**metadata, **({"annotations": annotations} if annotations else {})},
        "spec": spec,
    }


def _renew_versions(body: Any, versions: dict[str, str]) -> None:  # noqa: ANN401 - any JSON value
    """Put the sandbox's versions where a request carries the real cluster's, in place."""
    if isinstance(body, dict):
        if str(body.get("path", "")).endswith("/resourceVersion"):
            body["value"] = versions.get(str(body["value"]), body["value"])
        for key, value in body.items():
            if key == "resourceVersion" and isinstance(value, str):
                body[key] = versions.get(value, value)
            else:
                _renew_versions(value, versions)
    elif isinstance(body, list):
        for each in body:
            _renew_versions(each, versions)


def _unequal(real: Any, own: Any) -> tuple[object, object]:  # noqa: ANN401 - any JSON value
    """The innermost parts that differ."""
    if isinstance(real, dict) and isinstance(own, dict):
        keys = [key for key in {**real, **own} if real.get(key) != own.get(key)]
        if len(keys) == 1 and keys[0] in real and keys[0] in own:
            inner = _unequal(real[keys[0]], own[keys[0]])
            return {keys[0]: inner[0]}, {keys[0]: inner[1]}
        return {key: real.get(key) for key in keys}, {key: own.get(key) for key in keys}
    return real, own
