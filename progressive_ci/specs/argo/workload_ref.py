"""Owns `workloadRef`: the Deployment in the input that a Rollout refers to."""

from progressive_ci.specs.complaints import NOT_BUILT
from progressive_ci.specs.deployment_fields import DEPLOYMENT
from progressive_ci.specs.part import Part
from progressive_ci.specs.reading import Reading

_LATER = ("ReplicaSet", "PodTemplate")


def referenced(reading: Reading, rollout: Part) -> Part | None:
    """The Deployment; None after a complaint."""
    spec = rollout.part("spec")
    reference = spec.part("workloadRef")
    kind, name = reference.text("kind"), reference.text("name")
    if spec.value.get("template"):
        what = "template and workloadRef are both given"
        reading.fault(spec, "template", what, advice="keep one")
    if kind != "Deployment":
        later = kind in _LATER
        what = f"{NOT_BUILT}: workloadRef to a {kind}" if later else f"workloadRef can't name a {kind}"
        reading.fault(reference, "kind", what, advice="refer to a Deployment")
        return None
    if reference.text("scaleDown") not in ("", "never"):
        what = f"{NOT_BUILT}: scaleDown: {reference.text('scaleDown')}"
        advice = "write never"
        reading.fault(reference, "scaleDown", what, advice=advice)
    document = reading.find("Deployment", "apps", name) if name else None
    if document is None:
        advice = "give the file that holds it"
        reading.fault(reference, "name", f"there is no Deployment {name} in the input", advice=advice)
        return None
    deployment = reading.checked(document, DEPLOYMENT)
    own, its = spec.value.get("selector"), deployment.part("spec").value.get("selector")
    if own is not None and own != its:
        what = f"the selector differs from that of Deployment {name}"
        reading.fault(spec, "selector", what, advice="remove it: the Deployment's counts")
    return deployment
