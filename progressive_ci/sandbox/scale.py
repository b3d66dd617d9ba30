"""The scale subresource: the one number that autoscalers write."""

from progressive_ci.model.document import JsonObject


def of(workload: JsonObject) -> JsonObject:
    """The Scale object of a workload."""
    metadata = workload["metadata"]
    fields = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    selector = workload["spec"].get("selector") or {}
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {field: metadata[field] for field in fields if field in metadata},
        "spec": {"replicas": workload["spec"].get("replicas", 0)},
        "status": {
            "replicas": (workload.get("status") or {}).get("replicas", 0),
            "selector": ",".join(_terms(selector)),
        },
    }


def _terms(selector: JsonObject) -> list[str]:
    equal = [f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items())]
    return equal + [_expression(each) for each in selector.get("matchExpressions") or ()]


def _expression(each: JsonObject) -> str:
    match each["operator"]:
        case "Exists":
            return str(each["key"])
        case "DoesNotExist":
            return f"!{each['key']}"
        case operator:
            return f"{each['key']} {operator.lower()} ({','.join(sorted(each.get('values') or ()))})"
