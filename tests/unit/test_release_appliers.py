"""Who else writes the objects of a release is seen by their marks."""

import pytest

from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import Ref
from progressive_ci.release.appliers import appliers, by_hand, shrinking

NAME = Ref(kinds.DEPLOYMENT, "shop", "web")


def item(
    *, labels: JsonObject | None = None, annotations: JsonObject | None = None, manager: str = ""
) -> JsonObject:
    fields: JsonObject = {"f:spec": {"f:template": {}}}
    entry = {"manager": manager, "operation": "Apply", "time": "2026-01-01T00:00:00Z", "fieldsV1": fields}
    metadata = {"name": "web", "labels": labels or {}, "annotations": annotations or {}}
    return {"metadata": {**metadata, "managedFields": [entry] if manager else []}, "spec": {}}


SEEN = {
    "Argo CD's annotation": (
        item(annotations={"argocd.argoproj.io/tracking-id": "web:apps/Deployment:shop/web"}),
        "Argo CD (web) applies Deployment shop/web,",
    ),
    "Argo CD's label": (item(labels={"argocd.argoproj.io/instance": "web"}), "Argo CD (web) applies"),
    "Argo CD's manager": (item(manager="argocd-controller"), "Argo CD applies"),
    "Flux": (item(labels={"kustomize.toolkit.fluxcd.io/name": "apps"}), "Flux (apps) applies"),
    "Flux for Helm": (item(labels={"helm.toolkit.fluxcd.io/name": "web"}), "Flux (web) applies"),
    "Helm": (item(annotations={"meta.helm.sh/release-name": "web"}), "Helm (web) applies"),
}


@pytest.mark.parametrize(("found", "told"), SEEN.values(), ids=SEEN)
def test_a_tool_that_applies_an_object_is_named_with_what_to_do(found: JsonObject, told: str) -> None:
    [warning] = appliers({NAME: found})
    assert warning.startswith(told)


def test_a_tool_is_named_once_with_all_its_objects() -> None:
    label = {"kustomize.toolkit.fluxcd.io/name": "apps"}
    service = Ref(kinds.SERVICE, "shop", "web-stable")
    [warning] = appliers({NAME: item(labels=label), service: item(labels=label)})
    assert "Deployment shop/web, Service shop/web-stable" in warning


@pytest.mark.parametrize("mark", [{"reconcile": "disabled"}, {"ssa": "IfNotPresent"}], ids=str)
def test_what_a_tool_was_told_to_leave_alone_makes_no_warning(mark: JsonObject) -> None:
    annotations = {f"kustomize.toolkit.fluxcd.io/{key}": value for key, value in mark.items()}
    assert not list(
        appliers({NAME: item(labels={"kustomize.toolkit.fluxcd.io/name": "a"}, annotations=annotations)})
    )


def test_nobody_is_seen_on_an_object_that_a_pipeline_applied() -> None:
    assert not list(appliers({NAME: item(manager="kubectl")}))
    assert not list(by_hand(NAME, item(manager="kubectl")))


def test_a_template_changed_by_hand_is_told() -> None:
    [warning] = by_hand(NAME, item(manager="kubectl-edit"))
    assert warning == (
        "`kubectl edit` has changed spec.template of Deployment shop/web by hand at 2026-01-01T00:00:00Z: "
        "the release replaces it"
    )


def test_an_autoscaler_that_may_shrink_stable_is_told() -> None:
    scaler = {"metadata": {"name": "web"}, "spec": {"minReplicas": 2}}
    [warning] = shrinking([scaler], 8)
    assert warning.startswith("HorizontalPodAutoscaler web may shrink stable to 2 of 8 pods")
    owned = {
        **scaler,
        "metadata": {"name": "keda", "ownerReferences": [{"kind": "ScaledObject", "name": "web"}]},
    }
    [warning] = shrinking([owned], 8)
    assert warning.startswith("KEDA (ScaledObject web) may shrink stable")
    assert not list(shrinking([scaler], 2))
