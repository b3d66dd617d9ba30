"""Owns the step from a reference to templates to an analysis."""

from progressive_ci.model.check import Analysis
from progressive_ci.specs.argo import notes, templates
from progressive_ci.specs.argo.args import resolved
from progressive_ci.specs.argo.metric import check
from progressive_ci.specs.argo.setting import Setting
from progressive_ci.specs.part import Part


def analysis(setting: Setting, reference: Part, *, name: str, endless: bool) -> Analysis | None:
    """The checks of all templates that a reference names.

    Args:
        setting: where it is read.
        reference: `templates`, `args`, `dryRun`, `measurementRetention`.
        name: what the analysis is called in the plan.
        endless: whether metrics may go on for ever, as they may in the background.
    """
    named = reference.parts("templates")
    if not named:
        setting.reading.fault(
            reference, "templates", "the analysis names no template", advice="add templateName"
        )
        return None
    found = templates.named(setting, named)
    for template in found:
        notes.known(setting, template)
    pairs = templates.metrics(setting, found)
    if found and not pairs:
        setting.reading.fault(found[0], "spec.metrics", "the template has no metrics", advice="add one")
    names = tuple(metric.text("name") for _, metric in pairs)
    owners = (reference, *(template.part("spec") for template in found))
    dry = templates.matched(setting, owners, "dryRun", names)
    if templates.matched(setting, owners, "measurementRetention", names):
        note = "measurementRetention has no effect: reports keep the last 100 samples"
        setting.reading.complaints.note(reference.source, note)
    args = resolved(setting, reference, found)
    checks = [
        check(setting, template, metric, args, dry_run=metric.text("name") in dry)
        for template, metric in pairs
    ]
    if not endless:
        for (_, metric), built in zip(pairs, checks, strict=True):
            if built is not None and built.interval is not None and built.count is None:
                _endless(setting, metric, reference)
    return Analysis(name, tuple(each for each in checks if each is not None), reference.source)


def _endless(setting: Setting, metric: Part, reference: Part) -> None:
    what = f"the metric {metric.text('name')!r} has an interval and no count, so it would never end"
    advice = f"add a count; without one it fits only in the background, not in {reference.source}"
    setting.reading.fault(metric, "count", what, advice=advice)
