"""Owns what a pod does: environment and image name become a command, a path to probe, or a failure."""

from __future__ import annotations

import re
from base64 import b64decode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.cluster.client import Document

DEFAULT_PORT = 8080
_WITH_NUMBER = {"err": ("ERROR_RATE", 0.01), "slow": ("LATENCY_MS", 1.0), "start": ("START_DELAY", 1.0)}
_WORDS = {"neverready": ("READY", "never"), "crash": ("CRASH_AFTER", "0")}


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What to run for a pod's first container. `command` is empty where one of our own programs is meant."""

    program: str  # "app", "prometheus" or "command"
    command: tuple[str, ...]
    environment: dict[str, str]
    image_missing: bool
    port: int
    probe_path: str  # empty: ready as soon as it runs
    initial_delay: float  # seconds
    failure_threshold: int
    pre_stop: float  # seconds


class ConfigError(Exception):
    """The environment names a ConfigMap, Secret or key that is not there."""


def image_environment(image: str) -> dict[str, str]:
    """Return what an image's tag asks for: `app:2.0.0-err30-slow200-start5-neverready-crash`."""
    tag = image_tag(image)
    found = {"VERSION": tag}
    for token in tag.split("-"):
        if token in _WORDS:
            name, value = _WORDS[token]
            found[name] = value
        elif (match := re.fullmatch(r"([a-z]+)(\d+)", token)) and match[1] in _WITH_NUMBER:
            name, factor = _WITH_NUMBER[match[1]]
            found[name] = f"{int(match[2]) * factor:g}"
    return found


def image_tag(image: str) -> str:
    """Return the tag of an image reference; `latest` without one."""
    last = image.rpartition("/")[2].partition("@")[0]
    return last.partition(":")[2] or "latest"


def is_prometheus(pod: Document) -> bool:
    """Tell whether a pod stands for the Prometheus server."""
    image: str = pod["spec"]["containers"][0].get("image", "")
    return image.rpartition("/")[2].partition(":")[0] == "prometheus"


def behaviour(pod: Document, address: str, read: Callable[[str, str], Document]) -> Behaviour:
    """Decide what a pod does; `read(kind, name)` fetches a ConfigMap or Secret of its namespace."""
    container = pod["spec"]["containers"][0]
    image = container.get("image", "")
    command = (*container.get("command", ()), *container.get("args", ())) if container.get("command") else ()
    own = _environment(container, pod, address, read)
    port = int(
        own.get("PORT") or next((p["containerPort"] for p in container.get("ports", ())), DEFAULT_PORT)
    )
    built_in = {
        "POD_NAME": pod["metadata"]["name"],
        "POD_NAMESPACE": pod["metadata"]["namespace"],
        "POD_IP": address,
    }
    program = "command" if command else "prometheus" if is_prometheus(pod) else "app"
    probe = container.get("readinessProbe", {})
    path, probe_port = _probe(probe, program, container, port)
    return Behaviour(
        program=program,
        command=command,
        environment={**image_environment(image), **built_in, "PORT": str(port), **own},
        image_missing="missing" in image_tag(image),
        port=probe_port,
        probe_path=path,
        initial_delay=probe.get("initialDelaySeconds", 0),
        failure_threshold=probe.get("failureThreshold", 3),
        pre_stop=container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0),
    )


def _probe(probe: dict[str, Any], program: str, container: Document, port: int) -> tuple[str, int]:
    if get := probe.get("httpGet"):
        named = {p.get("name"): p["containerPort"] for p in container.get("ports", ())}
        return get.get("path", "/"), named.get(get["port"], port) if isinstance(get["port"], str) else get[
            "port"
        ]
    return {"app": "/healthz", "prometheus": "/-/ready", "command": ""}[program], port


def _environment(
    container: Document, pod: Document, address: str, read: Callable[[str, str], Document]
) -> dict[str, str]:
    found: dict[str, str] = {}
    for source in container.get("envFrom", ()):
        prefix = source.get("prefix", "")
        for key, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
            if reference := source.get(key):
                found |= {prefix + k: v for k, v in _entries(kind, read(kind, reference["name"])).items()}
    for entry in container.get("env", ()):
        origin = entry.get("valueFrom")
        found[entry["name"]] = _value(origin, pod, address, read) if origin else entry.get("value", "")
    return found


def _value(origin: dict[str, Any], pod: Document, address: str, read: Callable[[str, str], Document]) -> str:
    for key, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
        if reference := origin.get(key):
            entries = _entries(kind, read(kind, reference["name"]))
            if reference["key"] not in entries:
                where = f"{kind} {pod['metadata']['namespace']}/{reference['name']}"
                text = f"couldn't find key {reference['key']} in {where}"
                raise ConfigError(text)
            return entries[reference["key"]]
    field = origin.get("fieldRef", {}).get("fieldPath", "")
    metadata = pod["metadata"]
    if match := re.fullmatch(r"metadata\.(labels|annotations)\['(.+)'\]", field):
        return str(metadata.get(match[1], {}).get(match[2], ""))
    fields = {
        "metadata.name": metadata["name"],
        "metadata.namespace": metadata["namespace"],
        "metadata.uid": metadata["uid"],
        "spec.nodeName": pod["spec"]["nodeName"],
        "spec.serviceAccountName": pod["spec"].get("serviceAccountName", "default"),
        "status.podIP": address,
    }
    return str(fields.get(field, ""))


def _entries(kind: str, document: Document) -> dict[str, str]:
    data: dict[str, str] = document.get("data") or {}
    return {k: b64decode(v).decode() for k, v in data.items()} if kind == "Secret" else data
