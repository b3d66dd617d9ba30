"""Owns `--image [CONTAINER=]REF`: which container of the pod template gets which image."""

from collections.abc import Sequence
from typing import Any

from progressive_ci.model.document import JsonObject, Source
from progressive_ci.specs.complaints import Complaints

_LISTS = ("containers", "initContainers")


def with_images(template: JsonObject, images: Sequence[str], complaints: Complaints) -> JsonObject:
    """The pod template with the images that were chosen; the given one is left as it is."""
    spec = template["spec"]
    chosen: dict[str, str] = {}
    for text in images:
        container, reference = _target(text, _containers(template), complaints)
        if container in chosen and chosen[container] != reference:
            what = f"container {container} gets two images"
            complaints.add(Source("--image " + text), what, advice="give each container one image")
        chosen[container] = reference
    changed = {
        name: [{**item, "image": chosen.get(item["name"], item.get("image"))} for item in spec[name]]
        for name in _LISTS
        if chosen and spec.get(name)
    }
    return {**template, "spec": {**spec, **changed}}


def _containers(template: JsonObject) -> dict[str, dict[str, Any]]:
    return {item["name"]: item for name in _LISTS for item in template["spec"].get(name) or ()}


def _target(text: str, containers: dict[str, dict[str, Any]], complaints: Complaints) -> tuple[str, str]:
    """Name of the container, and its image; an empty name after a complaint."""
    source = Source("--image " + text)
    container, equals, reference = text.rpartition("=")
    known = ", ".join(containers)
    if not reference or (equals and not container) or any(character.isspace() for character in text):
        complaints.add(source, "expected [CONTAINER=]IMAGE", advice="write app=registry.example.com/app:1.2")
        return "", ""
    if equals:
        if container not in containers:
            complaints.add(source, f"there is no container {container}", advice=f"there are: {known}")
            return "", ""
        return container, reference
    same = [
        name
        for name, item in containers.items()
        if repository(item.get("image", "")) == repository(reference)
    ]
    fitting = list(containers) if len(containers) == 1 else same
    if len(fitting) != 1:
        what = "it is not clear which container gets this image"
        complaints.add(source, what, advice=f"write CONTAINER={reference}; there are: {known}")
        return "", ""
    return fitting[0], reference


def repository(reference: str) -> str:
    """An image reference without tag and digest."""
    name = str(reference).partition("@")[0]
    path, colon, tag = name.rpartition(":")
    return path if colon and "/" not in tag else name
