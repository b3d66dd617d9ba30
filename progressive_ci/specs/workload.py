"""Owns the workload of a plan: pod template, selector and the fields that a release writes."""

from typing import Any

from progressive_ci.model.document import JsonObject
from progressive_ci.model.plan import Workload
from progressive_ci.specs.images import with_images
from progressive_ci.specs.part import Part
from progressive_ci.specs.reading import Reading

PROGRESS_DEADLINE = 600
_OTHERS_ANNOTATIONS = (
    "kubectl.kubernetes.io/last-applied-configuration",
    "deployment.kubernetes.io/",
    "rollout.argoproj.io/",
    "notifications.argoproj.io/",
)


def workload(reading: Reading, document: Part, below: Part | None = None) -> Workload | None:
    """The workload of a Deployment or Rollout document.

    Args:
        reading: the work at hand.
        document: whose spec says how large and how patient the workload is.
        below: the Deployment that a Rollout refers to; its template, selector and name count.

    Returns:
        None where what is written can't be released.
    """
    owner = below or document
    spec, own = document.part("spec"), owner.part("spec")
    template = _template(reading, own)
    selector = own.value.get("selector")
    if selector is None:
        reading.fault(own, "selector", "selector is missing", advice="select the labels of the pod template")
    if template is None or selector is None:
        return None
    _selected(reading, own, selector, template)
    minimum, deadline = _whole(spec, own, "minReadySeconds"), _whole(spec, own, "progressDeadlineSeconds")
    deadline = PROGRESS_DEADLINE if deadline is None else deadline
    if (minimum or 0) >= deadline:
        what = f"minReadySeconds {minimum or 0} is not below progressDeadlineSeconds {deadline}"
        reading.fault(
            spec, "minReadySeconds", what, advice="no pod could ever count as ready: raise the deadline"
        )
    strategy = own.value.get("strategy") if owner.document.kind == "Deployment" else None
    return Workload(
        name=owner.document.name,
        template=template,
        selector=selector,
        replicas=_whole(spec, own, "replicas"),
        strategy=strategy,
        min_ready_seconds=minimum,
        progress_deadline_seconds=deadline,
        revision_history_limit=_whole(spec, own, "revisionHistoryLimit"),
        labels=owner.part("metadata").pairs("labels"),
        annotations=tuple(
            (key, value)
            for key, value in owner.part("metadata").pairs("annotations")
            if not key.startswith(_OTHERS_ANNOTATIONS)
        ),
        source=document.document.source,
    )


def _whole(first: Part, second: Part, name: str) -> int | None:
    return first.whole(name) if first.has(name) else second.whole(name)


def _template(reading: Reading, spec: Part) -> JsonObject | None:
    """The pod template with the chosen images, None where it is none."""
    template = spec.value.get("template")
    if template is None:
        reading.fault(
            spec, "template", "template is missing", advice="write the pod template, or workloadRef"
        )
        return None
    below = template.get("spec") if isinstance(template, dict) else None
    containers = below.get("containers") if isinstance(below, dict) else None
    if not isinstance(containers, list) or not containers:
        reading.fault(spec, "template.spec.containers", "the pod template has no containers")
        return None
    policy = (below or {}).get("restartPolicy")
    if policy not in (None, "Always"):
        what = f"restartPolicy {policy} can't be released: pods of a Deployment always restart"
        reading.fault(spec, "template.spec.restartPolicy", what, advice="remove it")
    if (below or {}).get("activeDeadlineSeconds") is not None:
        what = "activeDeadlineSeconds has no place in pods that run for ever"
        reading.fault(spec, "template.spec.activeDeadlineSeconds", what, advice="remove it")
    lists = [(name, (below or {}).get(name) or []) for name in ("containers", "initContainers")]
    for name, items in lists:
        for index, item in enumerate(items if isinstance(items, list) else [items]):
            if not _is_container(item):
                field = f"template.spec.{name}[{index}]"
                reading.fault(spec, field, "a container has a name and an image, both text")
    metadata = template.get("metadata") or {}
    if not isinstance(metadata, dict) or not _is_labels(metadata.get("labels") or {}):
        reading.fault(
            spec, "template.metadata.labels", "labels are names and texts", advice="quote the values"
        )
    if reading.complaints.about(spec.at("template")):
        return None
    return with_images(template, reading.images, reading.complaints)


def _is_container(item: Any) -> bool:  # noqa: ANN401 - any YAML value
    return isinstance(item, dict) and all(
        isinstance(item.get(word), str) and item[word] for word in ("name", "image")
    )


def _is_labels(labels: Any) -> bool:  # noqa: ANN401 - any YAML value
    return isinstance(labels, dict) and all(isinstance(value, str) for value in labels.values())


def _selected(reading: Reading, spec: Part, selector: JsonObject, template: JsonObject) -> None:
    """Complain where the selector does not select the template's pods."""
    labels = (template.get("metadata") or {}).get("labels") or {}
    wanted = selector.get("matchLabels") or {}
    rules = selector.get("matchExpressions") or ()
    if not wanted and not rules:
        reading.fault(spec, "selector", "the selector is empty and would select every pod")
        return
    missing = [f"{key}={value}" for key, value in wanted.items() if labels.get(key) != value]
    missing += [
        f"{rule.get('key')} {rule.get('operator')}" for rule in rules if rule and not _holds(rule, labels)
    ]
    if missing:
        what = f"the selector wants {', '.join(missing)}, which the pod template's labels don't have"
        reading.fault(spec, "selector", what, advice="make selector and template.metadata.labels agree")


def _holds(rule: JsonObject, labels: dict[str, str]) -> bool:
    value = labels.get(rule.get("key", ""))
    match rule.get("operator"):
        case "In":
            return value in (rule.get("values") or ())
        case "NotIn":
            return value not in (rule.get("values") or ())
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case _:
            return False
