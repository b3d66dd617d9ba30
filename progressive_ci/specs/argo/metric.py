"""Owns the step from a template's metric to a check."""

from dataclasses import replace

from progressive_ci.errors import ProgressiveError
from progressive_ci.model.check import Check, PrometheusQuery
from progressive_ci.model.durations import go_duration
from progressive_ci.specs.argo import limits, prometheus
from progressive_ci.specs.argo.args import Args
from progressive_ci.specs.argo.notes import MIN_SAMPLES, PREFIX, notes
from progressive_ci.specs.argo.setting import Setting
from progressive_ci.specs.part import Part


def check(setting: Setting, template: Part, metric: Part, args: Args, *, dry_run: bool) -> Check | None:
    """One metric with its arguments in place; None after a complaint."""
    name = metric.text("name")
    if not name:
        return None
    said = notes(setting, template, name)
    count = limits.number(setting, metric, "count", args)
    bears = limits.limits(setting, metric, args)
    limits.fitting(setting, metric, count, bears)
    if not dry_run and not setting.reading.complaints.about(metric.at("count")):
        limits.able_to_fail(setting, metric, count, bears)
    if not metric.part("provider").has("prometheus"):
        return None
    question = prometheus.query(setting, metric.part("provider", "prometheus"), args, said)
    success, failure = _conditions(setting, metric, args)
    built = Check(
        name=name,
        query=question or PrometheusQuery(prometheus.NOTHING, prometheus.NOTHING),
        success=success,
        failure=failure,
        interval=_seconds(setting, metric, "interval", args),
        initial_delay=_seconds(setting, metric, "initialDelay", args) or 0.0,
        count=count or None,
        limits=bears,
        dry_run=dry_run,
        on_no_data=said.on_no_data,
        source=metric.source,
    )
    if not said.samples_query or question is None:
        return built
    counting = prometheus.promql(
        setting,
        template.part("metadata"),
        f"annotations.{PREFIX}{MIN_SAMPLES}.{name}",
        said.samples_query,
        args,
    )
    return replace(
        built, min_samples=said.min_samples, samples_query=replace(question, query=counting, window=None)
    )


def _conditions(setting: Setting, metric: Part, args: Args) -> tuple[str, str]:
    texts = []
    for name in ("successCondition", "failureCondition"):
        text = setting.reading.attempt(metric, name, lambda name=name: args.plain(metric.text(name))) or ""  # type: ignore[misc]
        wrong = setting.reading.checkers.condition(text) if text.strip() else None
        if wrong:
            setting.reading.fault(metric, name, f"the condition does not compile: {wrong}")
        texts.append(text.strip())
    if not any(texts) and not setting.reading.complaints.about(metric.source):
        note = "neither successCondition nor failureCondition: every answer of the server passes"
        setting.reading.complaints.note(metric.source, note)
    return texts[0], texts[1]


def _seconds(setting: Setting, metric: Part, name: str, args: Args) -> float | None:
    text = metric.text(name)
    if not text:
        return None
    found: float | None = setting.reading.attempt(metric, name, lambda: _duration(args.plain(text), name))
    return found


def _duration(text: str, name: str) -> float:
    seconds = go_duration(text)
    if seconds < 0 or (name == "interval" and seconds == 0):
        raise ProgressiveError(f"{name} {text} is not above 0", advice="write 30s, 5m or 1h30m")
    return seconds
