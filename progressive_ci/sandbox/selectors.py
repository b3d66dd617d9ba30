"""Label and field selectors, in both of their spellings."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import Kind
from progressive_ci.sandbox import status

Labels = Mapping[str, str]

_SET = re.compile(r"^(?P<key>[^\s!=,()]+)\s+(?P<op>in|notin)\s*\((?P<values>[^)]*)\)$")
_EQUAL = re.compile(r"^(?P<key>[^\s!=,()]+)\s*(?P<op>!=|==|=)\s*(?P<value>[^\s!=,()]*)$")
_BARE = re.compile(r"^(?P<not>!?)\s*(?P<key>[^\s!=,()]+)$")
_TERMS = re.compile(r",(?![^(]*\))")


def labels_of(obj: JsonObject) -> Labels:
    """The object's labels."""
    found: Labels = obj.get("metadata", {}).get("labels") or {}
    return found


def matches_selector(selector: JsonObject, labels: Labels) -> bool:
    """Whether a `matchLabels` and `matchExpressions` selector fits; an empty one fits everything."""
    wanted = selector.get("matchLabels") or {}
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _expression(each, labels) for each in selector.get("matchExpressions") or ()
    )


def _expression(expression: JsonObject, labels: Labels) -> bool:
    found = labels.get(expression["key"])
    values = expression.get("values") or ()
    verdicts = {
        "In": found in values,
        "NotIn": found not in values,
        "Exists": found is not None,
        "DoesNotExist": found is None,
    }
    return verdicts[expression["operator"]]


def label_filter(text: str) -> Callable[[JsonObject], bool]:
    """A test for a `labelSelector` parameter.

    Raises:
        status.Refusal: 400, it can't be read.
    """
    tests = [_label_term(term.strip()) for term in _TERMS.split(text) if text.strip()]
    return lambda obj: all(test(labels_of(obj)) for test in tests)


def _label_term(term: str) -> Callable[[Labels], bool]:
    if found := _SET.match(term):
        key, values = found["key"], {value.strip() for value in found["values"].split(",")}
        if found["op"] == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    if found := _EQUAL.match(term):
        key, value = found["key"], found["value"]
        if found["op"] == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value
    if found := _BARE.match(term):
        key, wanted = found["key"], not found["not"]
        return lambda labels: (key in labels) == wanted
    instead = term.partition(" ")[2] or term
    raise status.bad_request(
        f"unable to parse requirement: found '{instead}', expected: in, notin, =, ==, !=, gt, lt"
    )


_FIELDS: Mapping[str, frozenset[str]] = {
    "Pod": frozenset({"spec.nodeName", "status.phase", "status.podIP", "spec.restartPolicy"}),
    "Event": frozenset(
        {
            "involvedObject.kind",
            "involvedObject.name",
            "involvedObject.namespace",
            "involvedObject.uid",
            "reason",
            "type",
        }
    ),
    "Secret": frozenset({"type"}),
    "ReplicaSet": frozenset({"status.replicas"}),
    "Namespace": frozenset({"status.phase"}),
    "Node": frozenset({"spec.unschedulable"}),
    "Job": frozenset({"status.successful"}),
}


def field_filter(kind: Kind, text: str) -> Callable[[JsonObject], bool]:
    """A test for a `fieldSelector` parameter.

    Raises:
        status.Refusal: 400, it can't be read or this kind has no such field label.
    """
    supported = _FIELDS.get(kind.name, frozenset()) | {"metadata.name", "metadata.namespace"}
    tests = [_field_term(term, supported) for term in text.split(",") if term]
    return lambda obj: all(test(obj) for test in tests)


def _field_term(term: str, supported: frozenset[str]) -> Callable[[JsonObject], bool]:
    found = _EQUAL.match(term.strip())
    if not found:
        raise status.bad_request(f"invalid selector: '{term}'; can't understand '{term}'")
    key, value, equal = found["key"], found["value"], found["op"] != "!="
    if key not in supported:
        known = ", ".join(f'"{each}"' for each in sorted(supported))
        raise status.bad_request(f'"{key}" is not a known field selector: only {known}')
    return lambda obj: (_text_at(obj, key) == value) == equal


def _text_at(obj: JsonObject, path: str) -> str:
    place: Any = obj
    for part in path.split("."):
        place = place.get(part) if isinstance(place, dict) else None
    return "" if place is None else str(place)


def name_in(fields: str) -> str:
    """The object that a field selector narrows a list to; empty when it does not."""
    for term in fields.split(","):
        found = _EQUAL.match(term.strip())
        if found and found["key"] == "metadata.name" and found["op"] != "!=":
            return found["value"]
    return ""
