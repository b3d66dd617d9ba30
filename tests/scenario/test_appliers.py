"""Who else applies the objects of a release, or may shrink stable, is told before it begins, with what to do."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

from progressive_ci.cli import main
from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import Kind
from progressive_ci.model.outcome import Result
from progressive_ci.sandbox.json_patch import clone
from tests.ci.stage import Stage, opened
from tests.scenario import given, meddling, then
from tests.scenario.rows import ROWS
from tests.scenario.scene import NAME, NAMESPACE, Scene

README = ": the README says how, under `With GitOps`"
ARGO = {"argocd.argoproj.io/tracking-id": "shop-apps:apps/Deployment:shop/web"}
FLUX = {"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}
FLUX_HELM = {"helm.toolkit.fluxcd.io/name": "web"}
ARGO_ADVICE = (
    "and may take back what a release writes there: let it ignore the fields that a release writes "
    f"(`ignoreDifferences`), or turn selfHeal off{README}"
)
FLUX_ADVICE = (
    "and may take back what a release writes there: suspend the Kustomization while a release runs, or annotate the "
    "objects with `kustomize.toolkit.fluxcd.io/reconcile: disabled` or "
    f"`kustomize.toolkit.fluxcd.io/ssa: IfNotPresent`{README}"
)
FLUX_HELM_ADVICE = (
    "and may take back what a release writes there: suspend the HelmRelease while a release runs, or turn its drift "
    f"detection off for these objects{README}"
)
BY_HAND = (
    "`kubectl edit` has changed spec.template of Deployment shop/web by hand at 2026-01-01T00:00:00Z: "
    "the release replaces it"
)
SCALED_OBJECT = {
    "apiVersion": "keda.sh/v1alpha1",
    "kind": "ScaledObject",
    "metadata": {"name": "web-load", "namespace": NAMESPACE},
    "spec": {"scaleTargetRef": {"name": NAME}, "triggers": []},
}
SHRINKS = "may shrink stable to 1 of 4 pods while the new version carries the traffic, and a rollback then waits for"


def annotated(scene: Scene, kind: Kind, name: str, marks: JsonObject) -> None:
    meddling.edit(
        scene, kind, name, lambda item: item["metadata"].setdefault("annotations", {}).update(marks)
    )


def labelled(scene: Scene, kind: Kind, name: str, marks: JsonObject) -> None:
    meddling.edit(scene, kind, name, lambda item: item["metadata"].setdefault("labels", {}).update(marks))


def applied_by_argo(scene: Scene) -> None:
    annotated(scene, kinds.DEPLOYMENT, NAME, ARGO)
    annotated(scene, kinds.SERVICE, "web-stable", ARGO)
    annotated(scene, kinds.HTTP_ROUTE, NAME, ARGO)
    given.autoscaler(scene, NAME)
    annotated(scene, kinds.HPA, NAME, ARGO)


def applied_by_flux(scene: Scene) -> None:
    labelled(scene, kinds.DEPLOYMENT, NAME, FLUX)
    labelled(scene, kinds.SERVICE, NAME, FLUX)


def left_alone_by_flux(scene: Scene) -> None:
    applied_by_flux(scene)
    for kind in (kinds.DEPLOYMENT, kinds.SERVICE):
        annotated(scene, kind, NAME, {"kustomize.toolkit.fluxcd.io/reconcile": "disabled"})


def written_by(manager: str, scene: Scene) -> None:
    """Somebody else is the last who wrote the whole Deployment."""
    found = clone(scene.sandbox.get(kinds.DEPLOYMENT, NAMESPACE, NAME))
    for entry in found["metadata"]["managedFields"]:
        if entry.get("subresource") != "status":
            entry["manager"] = manager
            entry["time"] = "2026-01-01T00:00:00Z"
    scene.sandbox.store.write(kinds.DEPLOYMENT, found)


def scaled_by_keda(scene: Scene) -> None:
    given.autoscaler(scene, NAME)
    scene.sandbox.apply(SCALED_OBJECT)
    owner = owned_by(scene.sandbox.get(kinds.SCALED_OBJECT, NAMESPACE, "web-load"))
    meddling.edit(scene, kinds.HPA, NAME, lambda item: item["metadata"].update(ownerReferences=[owner]))


def owned_by(owner: JsonObject | None) -> JsonObject:
    """The reference by which an autoscaler belongs to a ScaledObject."""
    assert owner is not None
    named = {key: owner[key] for key in ("apiVersion", "kind")}
    return {**named, "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"], "controller": True}


@dataclass(frozen=True, slots=True)
class Case:
    """How it is in the cluster, and what is told of it.

    Attributes:
        act: makes it so.
        told: every such warning.
        row: which release.
    """

    act: Callable[[Scene], object]
    told: tuple[str, ...]
    row: str = "gateway"


SHRUNK = f"HorizontalPodAutoscaler web {SHRINKS} them: raise its spec.minReplicas to 4 while a release runs"
CASES = {
    "Argo CD": Case(
        applied_by_argo,
        (
            "Argo CD (shop-apps) applies Deployment shop/web, Service shop/web-stable, HTTPRoute shop/web, "
            + ARGO_ADVICE,
            SHRUNK,
        ),
    ),
    "Argo CD where the floor is held": Case(
        applied_by_argo,
        (
            "Argo CD (shop-apps) applies Deployment shop/web, Service shop/web-stable, HTTPRoute shop/web, "
            "HorizontalPodAutoscaler shop/web, " + ARGO_ADVICE,
        ),
        row="roll",
    ),
    "Argo CD by who wrote it": Case(
        partial(written_by, "argocd-controller"), ("Argo CD applies Deployment shop/web, " + ARGO_ADVICE,)
    ),
    "Flux": Case(
        applied_by_flux, ("Flux (apps) applies Deployment shop/web, Service shop/web, " + FLUX_ADVICE,)
    ),
    "Flux that was told to leave them alone": Case(left_alone_by_flux, ()),
    "Flux for Helm": Case(
        lambda scene: labelled(scene, kinds.DEPLOYMENT, NAME, FLUX_HELM),
        (f"Flux (web) applies Deployment shop/web, {FLUX_HELM_ADVICE}",),
    ),
    "Flux, of what a release in place writes": Case(
        applied_by_flux, ("Flux (apps) applies Deployment shop/web, " + FLUX_ADVICE,), row="in place"
    ),
    "an autoscaler": Case(lambda scene: given.autoscaler(scene, NAME), (SHRUNK,)),
    "KEDA": Case(
        scaled_by_keda,
        (
            f"KEDA (ScaledObject web-load) {SHRINKS} them: raise its minReplicaCount to 4 while a release runs",
        ),
    ),
    "a person": Case(
        partial(written_by, "kubectl-edit"),
        (BY_HAND,),
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_run_tells_who_else_may_write_what_it_writes_and_goes_on(case: Case) -> None:
    row = ROWS[case.row]
    scene = row.open()
    case.act(scene)
    run = scene.released(row.text)
    then.ended(run, Result.PROMOTED)
    told = [each for each in then.warnings(run) if _is_of_others(each)]
    assert told == list(case.told)


def _is_of_others(text: str) -> bool:
    return any(word in text for word in (" applies ", " may shrink ", " by hand at "))


def test_a_plan_prints_who_else_may_write_what_a_run_would_write() -> None:
    with opened() as stage:
        mark(stage)
        folder = stage.spec(image="example/web:2")
        printed = planned(stage, folder)
    assert "Warnings" in printed
    assert "Argo CD (shop-apps) applies Deployment shop/web, " + ARGO_ADVICE in printed
    assert "Flux (apps) applies Service shop/web-stable, " + FLUX_ADVICE in printed
    assert "KEDA (ScaledObject web-load) may shrink stable to 1 of 3 pods" in printed


def mark(stage: Stage) -> None:
    """Argo CD applies the Deployment, Flux a Service, and KEDA has made an autoscaler."""
    world = stage.server.world
    with stage.server.clock.changed:
        for kind, name, field, marks in (
            (kinds.DEPLOYMENT, NAME, "annotations", ARGO),
            (kinds.SERVICE, "web-stable", "labels", FLUX),
        ):
            item = clone(world.store.get(kind, NAMESPACE, name))
            item["metadata"][field] = {**(item["metadata"].get(field) or {}), **marks}
            world.store.write(kind, item)
        world.apply(SCALED_OBJECT)
        owner = owned_by(world.store.get(kinds.SCALED_OBJECT, NAMESPACE, "web-load"))
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": NAME}
        metadata = {"name": "keda-hpa-web", "namespace": NAMESPACE, "ownerReferences": [owner]}
        spec = {"scaleTargetRef": target, "maxReplicas": 9}
        scaler = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": metadata}
        world.apply({**scaler, "spec": spec})


def planned(stage: Stage, folder: Path) -> str:
    """`progressive-ci plan -f FOLDER`, in this process."""
    environment = {"KUBECONFIG": str(stage.folder / "kubeconfig")}
    done = CliRunner().invoke(main.group({}), ["plan", "-f", str(folder)], env=environment)
    assert done.exit_code == 0, done.output
    return done.output
