"""Owns the finding of analysis templates by name, nested ones included, and their merging."""

import re

from progressive_ci.specs.argo import later_rules
from progressive_ci.specs.argo.analysis_fields import ANALYSIS_TEMPLATE
from progressive_ci.specs.argo.setting import Setting
from progressive_ci.specs.part import Part

_GROUP = "argoproj.io"
_KINDS = {False: "AnalysisTemplate", True: "ClusterAnalysisTemplate"}


def named(setting: Setting, references: tuple[Part, ...]) -> tuple[Part, ...]:
    """The templates that references name and those that these name in turn, each once, in order."""
    found: dict[tuple[str, str], Part | None] = {}
    waiting = list(references)
    while waiting:
        reference = waiting.pop(0)
        kind, name = _KINDS[reference.flag("clusterScope")], reference.text("templateName")
        if (kind, name) in found or not name:
            continue
        found[kind, name] = template = _find(setting, reference, kind, name)
        if template is not None:
            waiting.extend(template.part("spec").parts("templates"))
    return tuple(template for template in found.values() if template is not None)


def _find(setting: Setting, reference: Part, kind: str, name: str) -> Part | None:
    document = setting.reading.find(kind, _GROUP, name)
    if document is not None:
        later_rules.providers(setting.reading, document)
        return setting.reading.checked(document, ANALYSIS_TEMPLATE)
    other = next(each for each in _KINDS.values() if each != kind)
    advice = f"give the file that holds it; known: {_known(setting, kind) or 'none'}"
    if setting.reading.find(other, _GROUP, name) is not None:
        advice = f"the {other} {name} is there: set clusterScope: {str(other == _KINDS[True]).lower()}"
    setting.reading.fault(reference, "templateName", f"there is no {kind} {name} in the input", advice=advice)
    return None


def _known(setting: Setting, kind: str) -> str:
    return ", ".join(document.name for document in setting.reading.documents if document.kind == kind)


def metrics(setting: Setting, templates: tuple[Part, ...]) -> tuple[tuple[Part, Part], ...]:
    """Every metric with its template. A name that comes twice is complained about."""
    pairs: dict[str, tuple[Part, Part]] = {}
    for template in templates:
        for metric in template.part("spec").parts("metrics"):
            name = metric.text("name")
            first = pairs.setdefault(name, (template, metric))[1]
            if first is not metric:
                what = f"two metrics have the same name {name!r}, the other stands in {first.source}"
                setting.reading.fault(metric, "name", what, advice="rename one of them")
    return tuple(pairs.values())


def matched(setting: Setting, owners: tuple[Part, ...], field: str, names: tuple[str, ...]) -> frozenset[str]:
    """Names of the metrics that a rule of `dryRun` or `measurementRetention` finds."""
    patterns = [_pattern(setting, rule, names) for rule in rules(setting, owners, field)]
    return frozenset(name for pattern in patterns if pattern for name in names if pattern.search(name))


def rules(setting: Setting, owners: tuple[Part, ...], field: str) -> tuple[Part, ...]:
    """The rules of a reference and its templates. A rule that comes twice is complained about."""
    found: dict[str, Part] = {}
    for rule in (rule for owner in owners for rule in owner.parts(field)):
        text = rule.text("metricName")
        first = found.setdefault(text, rule)
        if first is not rule:
            what = f"two rules of {field} have the same name {text!r}, the other stands in {first.source}"
            setting.reading.fault(rule, "metricName", what, advice="remove one of them")
    return tuple(found.values())


def _pattern(setting: Setting, rule: Part, names: tuple[str, ...]) -> re.Pattern[str] | None:
    """The expression of a rule, which must find a metric; None after a complaint."""
    text = rule.text("metricName")
    try:
        pattern = re.compile(text)
    except (re.error, OverflowError, RecursionError):
        advice = "write .* for every metric" if text == "*" else "write a metric's name"
        setting.reading.fault(rule, "metricName", f"{text!r} is no regular expression", advice=advice)
        return None
    if any(pattern.search(name) for name in names):
        return pattern
    advice = f"there are: {', '.join(names)}"
    setting.reading.fault(rule, "metricName", f"the rule {text!r} matches no metric", advice=advice)
    return None
