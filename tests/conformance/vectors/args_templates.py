"""Arguments, merged templates, rules over metrics, and what a metric may hold.

Where upstream's words are expected, ours must complain about the same thing: whatever the message quotes, and
the field that it names, must appear in ours.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping

from progressive_ci.errors import ProgressiveError
from progressive_ci.judging.analysis import ORDER
from progressive_ci.model.check import HashOf, SecretKey
from progressive_ci.model.document import Document, Source
from progressive_ci.model.verdict import Phase
from progressive_ci.specs.argo import field_ref, templates
from progressive_ci.specs.argo.args import Args, merged, resolved
from progressive_ci.specs.argo.limits import CANNOT_FAIL
from progressive_ci.specs.argo.setting import Setting
from progressive_ci.specs.part import Part
from progressive_ci.specs.reading import UNCHECKED, Reading
from tests.conformance.result import Deviated, Deviation, Failed, Json, Passed, Result, by_section, judge
from tests.conformance.runner import names
from tests.conformance.vectors.rollout_validation import complaints, rollout_of, template

LIMITS = "Limits that let every measurement fail are refused"
EXPERIMENTS = "Arguments of experiments are refused"
_QUOTED = re.compile(r"'([^']+)'|\"([^\"]+)\"|\{\{args\.([^}]+)\}\}|(\d+) out of range")
_FIELDS = (
    "failureLimit",
    "consecutiveSuccessLimit",
    "consecutiveErrorLimit",
    "inconclusiveLimit",
    "count",
    "interval",
)
_PROMETHEUS = {"address": "http://prometheus", "query": "up"}


def run(data: Mapping[str, Json]) -> Iterator[Result]:
    """One result for each vector of each section."""
    field_refs = data.get("field_ref", {})
    yield from by_section(
        {key: value for key, value in data.items() if key != "field_ref"},
        {
            "validate_metrics": _metrics,
            "build_arguments": _build,
            "merge_args": _merge,
            "flatten_templates": _flatten,
            "rule_matching": _rules,
            "worst_order": _worst,
            "resolve_args": _resolve,
            "experiment_args": _experiment,
        },
    )
    rollout = field_refs.get("rollout", {})
    yield from _own_paths(rollout)
    yield from by_section(
        {"field_ref.cases": field_refs.get("cases", [])},
        {
            "field_ref.cases": lambda case: _outcome(
                case, lambda: {"value": field_ref.value(rollout, case["path"])}
            )
        },
    )


def _own_paths(rollout: dict[str, Json]) -> Iterator[Result]:
    """The Rollout of the field references is input; what stands in its lists is found at its own path."""
    for path in names(rollout):
        found = _found(rollout, path)
        expect = {key: value for key, value in found.items() if isinstance(value, str)}
        yield judge(path, expect, {key: field_ref.value(rollout, f"{path}.{key}") for key in expect})


def _found(body: Json, path: str) -> Json:
    for key in filter(None, re.split(r"[.\[\]]+", path)):
        body = body[int(key)] if isinstance(body, list) else body[key]
    return body


def _says(ours: str) -> Callable[[Json], bool]:
    """Whether our complaint is about what upstream's is about."""

    def holds(theirs: Json) -> bool:
        quoted = [next(filter(None, groups)) for groups in _QUOTED.findall(str(theirs))]
        fields = [field for field in _FIELDS if field in str(theirs)]
        return all(word in ours for word in quoted) and (not fields or any(field in ours for field in fields))

    return holds


def _outcome(vector: Mapping[str, Json], work: Callable[[], Mapping[str, Json]]) -> Result:
    """What some work gives, or the complaint that it ends in."""
    try:
        actual: Mapping[str, Json] = work()
    except ProgressiveError as error:
        actual = {"error": _says(str(error))}
    return judge("", vector["expect"], actual)


def _metrics(vector: Mapping[str, Json]) -> Result:
    """The vectors leave out what Prometheus is asked, so it is filled in."""
    metrics = [_asking(metric) for metric in vector["metrics"]]
    analysis = {"templates": [{"templateName": "t"}]}
    found = complaints(rollout_of({"analysis": analysis}), template("t", metrics))
    says = _says("\n".join(found)) if found else None
    matches = {"error": says, "errorMatches": _matches("\n".join(found))} if says else {}
    actual = {"valid": not found, **matches}
    ours = all(CANNOT_FAIL in each for each in found) and any(_bears_all(metric) for metric in metrics)
    return judge(
        "", vector["expect"], actual, deviation=Deviation(LIMITS, {"valid": False}) if ours else None
    )


def _matches(ours: str) -> Callable[[Json], bool]:
    """Whether the last part of an expression, which is Go's own words, is found in our complaint."""
    return lambda pattern: re.search(str(pattern).split(": ", 2)[-1], ours) is not None


def _asking(metric: Mapping[str, Json]) -> Json:
    provider = metric.get("provider")
    if provider is None or "prometheus" not in provider:
        return metric
    return {**metric, "provider": {**provider, "prometheus": {**_PROMETHEUS, **provider["prometheus"]}}}


def _bears_all(metric: Mapping[str, Json]) -> bool:
    """Whether every measurement of a metric may fail and it still passes."""
    count = int(metric.get("count") or 0) or (None if metric.get("interval") else 1)
    successes = int(metric.get("consecutiveSuccessLimit") or 0)
    return count is not None and not successes and int(metric.get("failureLimit") or 0) >= count


def _setting(subject: Json = None) -> Setting:
    return Setting(Reading((), "default", (), "", {}, UNCHECKED), subject or {})


def _part(body: Json, name: str = "vector") -> Part:
    return Part(Document(body, Source(name), {}), "", body)


def _ended(setting: Setting, value: Json) -> Json:
    setting.reading.complaints.end()
    return value


def _argument(name: str, value: Json) -> Json:
    match value:
        case SecretKey(name=secret, key=key):
            return {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}
        case None:
            return {"name": name}
        case _:
            return {"name": name, "value": value}


def _build(vector: Mapping[str, Json]) -> Result:
    """Arguments of a Rollout's reference, with the hashes of its two versions.

    The samples of inputs and of expectations were drawn apart: an expected argument that the input lacks is
    built from its name, which upstream chose after what it refers to.
    """
    given = {each["name"]: each for each in vector["args"]}
    wanted = [given.get(each["name"]) or _reconstructed(each["name"]) for each in vector["expect"]]
    declared = _part({"spec": {"args": [{"name": each["name"]} for each in wanted]}})
    setting = _setting(vector["rollout"])
    args = _ended(setting, resolved(setting, _part({"args": wanted}), (declared,)))
    hashes = {"latest": vector["latestHash"], "stable": vector["stableHash"]}
    late = {name: hashes[value.side] for name, value in args.late.items() if isinstance(value, HashOf)}
    values = {**args.early, **late}
    actual = [{"name": each["name"], "value": values[each["name"]]} for each in wanted]
    return judge("", {"args": vector["expect"]}, {"args": actual})


def _reconstructed(name: str) -> Json:
    if name.endswith("-key"):
        side = "Stable" if name.startswith("stable") else "Latest"
        return {"name": name, "valueFrom": {"podTemplateHashValue": side}}
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": name}}}


def _merge(vector: Mapping[str, Json]) -> Result:
    def work() -> Mapping[str, Json]:
        setting = _setting()
        declared = _part({"spec": {"args": vector.get("template") or []}})
        args = _ended(setting, resolved(setting, _part({"args": vector.get("incoming") or []}), (declared,)))
        values = {**args.early, **args.late}
        declarations = vector.get("template") or []
        return {"args": [_argument(each["name"], values[each["name"]]) for each in declarations]}

    return _outcome(vector, work)


def _flatten(vector: Mapping[str, Json]) -> Result:
    def work() -> Mapping[str, Json]:
        setting = _setting()
        bodies = [*vector["templates"], *vector["clusterTemplates"]]
        found = tuple(_part(body, f"template {index}") for index, body in enumerate(bodies))
        owners = tuple(each.part("spec") for each in found)
        flat = {
            "metrics": [metric.value for _, metric in templates.metrics(setting, found)],
            "dryRun": [rule.value for rule in templates.rules(setting, owners, "dryRun")],
            "measurementRetention": [
                rule.value for rule in templates.rules(setting, owners, "measurementRetention")
            ],
            "args": [_argument(name, value) for name, (_, value) in merged(setting, found).items()],
        }
        return dict(_ended(setting, flat))

    return _outcome(vector, work)


def _rules(vector: Mapping[str, Json]) -> Result:
    def work() -> Mapping[str, Json]:
        setting, metrics = _setting(), tuple(vector["metrics"])
        owner = _part({vector["kind"]: vector["rules"]})
        return {
            "matched": sorted(_ended(setting, templates.matched(setting, (owner,), vector["kind"], metrics)))
        }

    return _outcome(vector, work)


def _worst(vector: Mapping[str, Json]) -> Result:
    current, new = ORDER.index(Phase(vector["current"])), ORDER.index(Phase(vector["new"]))
    return judge("", {"newIsWorse": vector["newIsWorse"]}, {"newIsWorse": new > current})


def _resolve(vector: Mapping[str, Json]) -> Result:
    early = {each["name"]: each["value"] for each in vector["args"] if "value" in each}
    broken = frozenset(each["name"] for each in vector["args"] if "value" not in each)
    args = Args(early, {}, broken)
    try:
        found = args.plain(vector["template"])
    except ProgressiveError as error:
        says, expect = _says(str(error)), vector["expect"]
        held = isinstance(expect, Mapping) and says(expect.get("error"))
        return Passed("") if held else Failed("", str(error))
    quoted = any(value is True and "quote" in key.lower() for key, value in vector.items())
    return judge("", {"text": vector["expect"]}, {"text": json.dumps(found)[1:-1] if quoted else found})


def _experiment(vector: Mapping[str, Json]) -> Result:
    try:
        found = Args().plain(vector["template"])
    except ProgressiveError:
        wanted = isinstance(vector.get("expect"), Mapping) and "error" in vector["expect"]
        return Passed("") if wanted else Deviated("", EXPERIMENTS)
    return Failed("", f"resolved to {found!r}")
