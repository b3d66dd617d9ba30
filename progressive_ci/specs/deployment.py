"""The dialect of plain Deployments: released in place by their own strategy."""

from collections.abc import Sequence

from progressive_ci.model.document import Document, Source
from progressive_ci.model.plan import Analyze, Mode, Plan, Step
from progressive_ci.specs.argo.analysis import analysis
from progressive_ci.specs.argo.setting import Setting
from progressive_ci.specs.deployment_fields import DEPLOYMENT
from progressive_ci.specs.part import Part
from progressive_ci.specs.reading import Reading, group_of
from progressive_ci.specs.workload import workload

NAME = "deployment"
_TYPES = ("RollingUpdate", "Recreate")


def subjects(documents: Sequence[Document]) -> tuple[Document, ...]:
    """The Deployments."""
    return tuple(each for each in documents if each.kind == "Deployment" and group_of(each) == "apps")


def release_name(document: Document) -> str:
    """The Deployment's own name."""
    return document.name


def plan(reading: Reading, document: Document) -> Plan | None:
    """The plan of a Deployment; None after complaints."""
    deployment = reading.checked(document, DEPLOYMENT)
    spec = deployment.part("spec")
    if spec.flag("paused"):
        reading.fault(
            spec, "paused", "a paused Deployment releases nothing", advice="remove paused to release it"
        )
    _strategy(reading, spec.part("strategy"))
    released = workload(reading, deployment)
    if released is None:
        return None
    return Plan(
        dialect=NAME,
        namespace=reading.namespace,
        workload=released,
        mode=Mode.IN_PLACE,
        route=None,
        steps=_analysis(reading, document),
        source=document.source,
    )


def _strategy(reading: Reading, strategy: Part) -> None:
    kind = strategy.text("type") or "RollingUpdate"
    rolling = strategy.part("rollingUpdate")
    if kind not in _TYPES:
        reading.fault(strategy, "type", f"{kind} is neither RollingUpdate nor Recreate")
    if kind == "Recreate" and strategy.has("rollingUpdate"):
        reading.fault(strategy, "rollingUpdate", "rollingUpdate has no place in Recreate", advice="remove it")
    if all(str(rolling.value.get(name)).rstrip("%") == "0" for name in ("maxSurge", "maxUnavailable")):
        what = "maxSurge and maxUnavailable are both 0, so no pod could ever be replaced"
        reading.fault(rolling, "maxSurge", what, advice="raise one of them")


def _analysis(reading: Reading, document: Document) -> tuple[Step, ...]:
    """`--analysis TEMPLATE`: measured once the new version runs."""
    if not reading.analysis:
        return ()
    source = Source(f"--analysis {reading.analysis}")
    if reading.find("AnalysisTemplate", "argoproj.io", reading.analysis) is None:
        what = f"there is no AnalysisTemplate {reading.analysis} in the input"
        reading.complaints.add(source, what, advice="give the file that holds it")
        return ()
    reference = {"templates": [{"templateName": reading.analysis}]}
    metadata = {**document.body["metadata"], "namespace": reading.namespace}
    advice = "give it a value there, since --analysis gives none"
    setting = Setting(reading, {**document.body, "metadata": metadata}, advice)
    part = Part(Document(reference, source, {}), "", reference)
    found = analysis(setting, part, name="analysis", endless=False)
    return (Analyze(found, source),) if found is not None else ()
