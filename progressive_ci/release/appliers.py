"""Who else writes the objects of a release, as their own marks tell: GitOps tools, Helm, autoscalers, people. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import Ref
from progressive_ci.model.plan import Mode, Plan
from progressive_ci.release.stable import Standing
from progressive_ci.release.surroundings import Surroundings
from progressive_ci.release.workload import annotations_of, labels_of, name_of, replicas_of
from progressive_ci.routers.table import router_of

_HOW = "the README says how, under `With GitOps`"


@dataclass(frozen=True, slots=True)
class Applier:
    """A tool that applies documents again and again, or may do so while a release runs.

    Attributes:
        name: for people.
        mark: label or annotation on what it applies; its value names the application.
        managers: its names in `managedFields`.
        advice: what to do about it.
    """

    name: str
    mark: str
    managers: tuple[str, ...]
    advice: str


APPLIERS = (
    Applier(
        "Argo CD",
        "argocd.argoproj.io/tracking-id",
        ("argocd-controller", "argocd-application-controller"),
        f"let it ignore the fields that a release writes (`ignoreDifferences`), or turn selfHeal off: {_HOW}",
    ),
    Applier(
        "Argo CD",
        "argocd.argoproj.io/instance",
        (),
        f"let it ignore the fields that a release writes (`ignoreDifferences`), or turn selfHeal off: {_HOW}",
    ),
    Applier(
        "Flux",
        "kustomize.toolkit.fluxcd.io/name",
        ("kustomize-controller",),
        "suspend the Kustomization while a release runs, or annotate the objects with "
        f"`kustomize.toolkit.fluxcd.io/reconcile: disabled` or `kustomize.toolkit.fluxcd.io/ssa: IfNotPresent`: {_HOW}",
    ),
    Applier(
        "Flux",
        "helm.toolkit.fluxcd.io/name",
        ("helm-controller",),
        f"suspend the HelmRelease while a release runs, or turn its drift detection off for these objects: {_HOW}",
    ),
    Applier(
        "Helm",
        "meta.helm.sh/release-name",
        ("helm",),
        "run no `helm upgrade` while a release runs, and give the next one the version that runs then",
    ),
)

_STOPPED = {
    "kustomize.toolkit.fluxcd.io/reconcile": "disabled",
    "kustomize.toolkit.fluxcd.io/ssa": "IfNotPresent",
}
"""Annotations with which a tool has been told already to leave an object alone."""

_BY_HAND = {
    "kubectl-edit": "kubectl edit",
    "kubectl-patch": "kubectl patch",
    "kubectl-set": "kubectl set",
}


def warned(
    plan: Plan, standing: Standing, around: Surroundings, route: Mapping[Ref, JsonObject], *, mode: Mode
) -> tuple[str, ...]:
    """Every warning about others that may write while this release runs."""
    ref = Ref(kinds.DEPLOYMENT, plan.namespace, plan.workload.name)
    services = {Ref(kinds.SERVICE, plan.namespace, name_of(item)): item for item in around.services}
    written = {} if mode is Mode.IN_PLACE else {**services, **_of_the_route(plan, route)}
    if mode is Mode.ROLL:
        written |= {Ref(kinds.HPA, plan.namespace, name_of(item)): item for item in around.scalers}
    found = (*appliers({ref: standing.deployment, **written}), *by_hand(ref, standing.deployment))
    if mode is Mode.ADOPT:
        return (*found, *shrinking(around.scalers, replicas_of(standing.deployment)))
    return found


def _of_the_route(plan: Plan, route: Mapping[Ref, JsonObject]) -> dict[Ref, JsonObject]:
    """The route's own objects, of all that preflight has looked through."""
    if plan.route is None or not plan.route.stable_service:
        return {}
    return {ref: route[ref] for ref in router_of(plan.route).objects(plan.route) if ref in route}


def appliers(objects: Mapping[Ref, JsonObject]) -> Iterable[str]:
    """A warning for each tool that applies some of the objects, with what it applies and what to do."""
    told: set[str] = set()
    for applier in APPLIERS:
        found = {ref: item for ref, item in objects.items() if _applies(applier, item) and not _stopped(item)}
        if not found or applier.name in told:
            continue
        told.add(applier.name)
        first = next(iter(found.values()))
        application = {**labels_of(first), **annotations_of(first)}.get(applier.mark, "").partition(":")[0]
        named = f"{applier.name} ({application})" if application else applier.name
        refs = ", ".join(str(ref) for ref in found)
        yield f"{named} applies {refs}, and may take back what a release writes there: {applier.advice}"


def _applies(applier: Applier, item: JsonObject) -> bool:
    entries = item["metadata"].get("managedFields") or ()
    marked = applier.mark in labels_of(item) or applier.mark in annotations_of(item)
    return marked or any(entry.get("manager") in applier.managers for entry in entries)


def _stopped(item: JsonObject) -> bool:
    marks = {**labels_of(item), **annotations_of(item)}
    return any(marks.get(key, "").lower() == value.lower() for key, value in _STOPPED.items())


def by_hand(ref: Ref, deployment: JsonObject) -> Iterable[str]:
    """A warning where a person has changed the running template since it was applied."""
    for entry in deployment["metadata"].get("managedFields") or ():
        command = _BY_HAND.get(str(entry.get("manager")))
        if command and "f:template" in ((entry.get("fieldsV1") or {}).get("f:spec") or {}):
            when = entry.get("time", "an unknown time")
            yield f"`{command}` has changed spec.template of {ref} by hand at {when}: the release replaces it"


def shrinking(scalers: Iterable[JsonObject], size: int) -> Iterable[str]:
    """A warning where an autoscaler may take stable's pods while the new version carries the traffic."""
    for item in scalers:
        floor = int(item["spec"].get("minReplicas") or 1)
        if floor < size:
            who, field = _writer(item)
            yield (
                f"{who} may shrink stable to {floor} of {size} pods while the new version carries the traffic, "
                f"and a rollback then waits for them: raise {field} to {size} while a release runs"
            )


def _writer(item: JsonObject) -> tuple[str, str]:
    owners = item["metadata"].get("ownerReferences") or ()
    owner = next((one for one in owners if one.get("kind") == "ScaledObject"), None)
    if owner is not None:
        return f"KEDA (ScaledObject {owner['name']})", "its minReplicaCount"
    return f"HorizontalPodAutoscaler {name_of(item)}", "its spec.minReplicas"
