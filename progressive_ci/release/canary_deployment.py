"""The canary's own Deployment (`roll`): NAME-canary, told apart from NAME by one label. Pure."""

from progressive_ci.errors import ProgressiveError, Refused
from progressive_ci.model.document import JsonObject

_TELLING = ("app", "name", "app.kubernetes.io/name")
"""Labels that tell workloads apart, in the order in which Flagger looks for them."""

_LONGEST_NAME = 253
_SUFFIX = "-canary"


def canary_name(workload: str) -> str:
    """Name of the canary's Deployment, and the value of the label that tells its pods apart."""
    return f"{workload[: _LONGEST_NAME - len(_SUFFIX)]}{_SUFFIX}"


def told_apart_by(deployment: JsonObject) -> str:
    """The selector label whose value differs between NAME and its canary."""
    labels = deployment["spec"]["selector"].get("matchLabels") or {}
    found = next((label for label in _TELLING if label in labels), next(iter(labels), ""))
    if not found:
        raise Refused(
            ProgressiveError(
                "its selector has no matchLabels, so a canary Deployment can't be told apart from it",
                where=f"Deployment {deployment['metadata']['name']} spec.selector",
                advice="add a label to selector and pods, which needs a new Deployment",
            )
        )
    return str(found)


def canary_selector(deployment: JsonObject) -> JsonObject:
    """The selector of the canary's pods."""
    label, selector = told_apart_by(deployment), deployment["spec"]["selector"]
    labels = {**selector["matchLabels"], label: canary_name(str(deployment["metadata"]["name"]))}
    return {**selector, "matchLabels": labels}


def relabelled(template: JsonObject, label: str, value: str) -> JsonObject:
    """A pod template whose telling label has another value."""
    metadata = template.get("metadata") or {}
    return {**template, "metadata": {**metadata, "labels": {**(metadata.get("labels") or {}), label: value}}}


def canary_body(deployment: JsonObject, template: JsonObject, *, replicas: int) -> JsonObject:
    """The canary's Deployment: the spec of NAME with the new template, its own name, and its own label value."""
    name = canary_name(str(deployment["metadata"]["name"]))
    label = told_apart_by(deployment)
    kept = {
        key: value
        for key, value in deployment["spec"].items()
        if key not in ("paused", "template", "selector")
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": deployment["metadata"]["namespace"]},
        "spec": {
            **kept,
            "replicas": replicas,
            "selector": canary_selector(deployment),
            "template": relabelled(template, label, name),
        },
    }
