"""The dialect of Argo Rollouts: a canary Rollout and its analysis templates -> a plan."""

from collections.abc import Sequence
from dataclasses import replace

from progressive_ci.model.document import Document
from progressive_ci.model.plan import Guard, Mode, Plan, Workload
from progressive_ci.specs.argo import later_rules, routing
from progressive_ci.specs.argo.analysis import analysis
from progressive_ci.specs.argo.rollout_fields import ROLLOUT
from progressive_ci.specs.argo.setting import Setting
from progressive_ci.specs.argo.steps import steps
from progressive_ci.specs.argo.workload_ref import referenced
from progressive_ci.specs.part import Part
from progressive_ci.specs.reading import Reading, group_of
from progressive_ci.specs.workload import workload

NAME = "argo"
GROUP = "argoproj.io"
_DRAIN = 30.0


def subjects(documents: Sequence[Document]) -> tuple[Document, ...]:
    """The Rollouts."""
    return tuple(each for each in documents if each.kind == "Rollout" and group_of(each) == GROUP)


def release_name(document: Document) -> str:
    """The name of the Deployment that a Rollout stands for."""
    spec = document.body.get("spec")
    reference = spec.get("workloadRef") if isinstance(spec, dict) else None
    name = reference.get("name") if isinstance(reference, dict) else None
    return name if isinstance(name, str) else document.name


def plan(reading: Reading, document: Document) -> Plan | None:
    """The plan of a Rollout; None after complaints."""
    later_rules.strategy(reading, document)
    later_rules.canary(reading, document)
    rollout = reading.checked(document, ROLLOUT)
    spec = rollout.part("spec")
    canary = spec.part("strategy", "canary")
    if spec.flag("paused"):
        reading.fault(
            spec, "paused", "a paused Rollout releases nothing", advice="remove paused to release it"
        )
    below = referenced(reading, rollout) if spec.has("workloadRef") else None
    if not spec.has("workloadRef"):
        _alone(reading, document)
    released = workload(reading, rollout, below) if below or not spec.has("workloadRef") else None
    setting = Setting(reading, _subject(reading, rollout, released))
    route = routing.route(reading, canary, released.name if released else document.name)
    found = steps(setting, canary, routing.max_weight(canary))
    guards = _guards(setting, canary, len(canary.value.get("steps") or ()))
    drain, abort = _delays(reading, canary)
    if released is None or route is None:
        return None
    return Plan(
        dialect=NAME,
        namespace=reading.namespace,
        workload=released,
        mode=Mode.ADOPT,
        route=replace(route, workload=released.name),
        steps=found,
        guards=guards,
        drain_seconds=drain,
        abort_drain_seconds=abort,
        source=document.source,
    )


def _alone(reading: Reading, document: Document) -> None:
    """Two documents that both say what the Deployment of this name is would undo each other."""
    twin = reading.find("Deployment", "apps", document.name)
    if twin is not None:
        what = f"the Rollout and the Deployment in {twin.source} are both called {document.name}"
        advice = "remove one, or let the Rollout refer to the Deployment by workloadRef"
        reading.complaints.add(document.at("metadata.name"), what, advice=advice)


def _subject(reading: Reading, rollout: Part, released: Workload | None) -> dict[str, object]:
    """What fieldRef refers to: the document, with the namespace and the images of this release."""
    body = rollout.document.body
    live = reading.live.get("metadata") or {}
    metadata = {
        **{key: live[key] for key in ("uid",) if key in live},
        **body["metadata"],
        "namespace": reading.namespace,
    }
    spec = body.get("spec") if isinstance(body.get("spec"), dict) else {}
    template = {"template": released.template} if released else {}
    return {**body, "metadata": metadata, "spec": {**(spec or {}), **template}}


def _guards(setting: Setting, canary: Part, count: int) -> tuple[Guard, ...]:
    """The background analysis, if there is one."""
    background = canary.part("analysis")
    if not background.has("templates"):
        if canary.has("analysis"):
            setting.reading.complaints.note(background.source, "names no template, so nothing is measured")
        return ()
    start = background.whole("startingStep") or 0
    if start > max(count - 1, 0):
        what = f"startingStep {start} is beyond the last step, {count - 1}"
        setting.reading.fault(background, "startingStep", what, advice="steps are counted from 0")
    found = analysis(setting, background, name="background", endless=True)
    return (Guard(found, start),) if found is not None else ()


def _delays(reading: Reading, canary: Part) -> tuple[float, float]:
    """Seconds for which old pods, and a failed canary's pods, stay without traffic."""
    drain, abort = canary.whole("scaleDownDelaySeconds"), canary.whole("abortScaleDownDelaySeconds")
    routed = canary.has("trafficRouting")
    if drain is not None and not routed:
        what = "scaleDownDelaySeconds needs trafficRouting"
        reading.fault(canary, "scaleDownDelaySeconds", what, advice="remove it")
    if abort is not None and not routed:
        reading.complaints.note(canary.at("abortScaleDownDelaySeconds"), "no effect without trafficRouting")
    elif abort == 0:
        note = "0 counts as not written: a failed canary never stays"
        reading.complaints.note(canary.at("abortScaleDownDelaySeconds"), note)
    for name in ("maxSurge", "maxUnavailable"):
        if routed and canary.has(name):
            reading.complaints.note(canary.at(name), "no effect with trafficRouting")
    return (_DRAIN if drain is None else float(drain)), float(abort or _DRAIN)
