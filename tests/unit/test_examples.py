from pathlib import Path

import pytest
import yaml

from progressive_ci.errors import SpecInvalid
from progressive_ci.model.kinds import INGRESS, Ref
from progressive_ci.model.weight import Weight
from progressive_ci.routers import nginx
from progressive_ci.routers.nginx_ingress import canary_ingress
from tests.unit.golden.render import EXAMPLES, HERE, ROOT, example, plan_of, rendered, texts

ARTICLE = HERE / "article"


def article(*names: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, (ARTICLE / name).read_text(encoding="utf-8")) for name in names)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_becomes_its_golden_plan_without_a_warning(name: str) -> None:
    plan = example(name)
    assert plan.warnings == ()
    golden = (HERE / "plans" / f"{name}.yaml").read_text(encoding="utf-8")
    assert rendered(plan) == golden, "python -m tests.unit.golden.write writes it anew"


def test_every_example_file_belongs_to_an_example_or_only_shows_what_is_written() -> None:
    used = {name for names in EXAMPLES.values() for name, _ in texts(*names)}
    present = {str(path.relative_to(ROOT)) for path in (ROOT / "examples").rglob("*.yaml")}
    flagger = {name for name in present if Path(name).parts[1] == "flagger"}
    assert present - used - flagger <= {"examples/argo/canary-ingress.yaml"}


def test_the_canary_ingress_that_is_shown_is_the_one_that_is_written() -> None:
    plan = example("argo-basic")
    assert plan.route is not None
    stable = next(document.body for document in plan.needed if document.kind == "Ingress")
    canary = Ref(INGRESS, "default", "my-app-app-ingress-canary")
    assert canary in nginx.objects(plan.route)
    written = canary_ingress(plan.route, stable, canary, Weight(10))
    shown = yaml.safe_load((ROOT / "examples/argo/canary-ingress.yaml").read_text(encoding="utf-8"))
    assert written["spec"] == shown["spec"]
    assert written["metadata"]["name"] == shown["metadata"]["name"]
    assert shown["metadata"]["annotations"].items() <= written["metadata"]["annotations"].items()


NO_SPEC = "no spec: the input holds no Rollout and no Deployment; give the files that hold a Rollout or a Deployment"
NO_OBJECT = (
    "{}:1: no Kubernetes object: apiVersion is missing or no text; "
    "give only files of Kubernetes objects; render charts and overlays first"
)

AS_PRINTED = {
    "analysis-template.yaml": NO_SPEC,
    "nginx-ingress.yaml": NO_SPEC,
    "virtual-service.yaml": NO_SPEC,
    "connected.yaml": NO_OBJECT.format("connected.yaml"),
    "start-small.yaml": NO_OBJECT.format("start-small.yaml"),
    "blue-green.yaml": NO_OBJECT.format("blue-green.yaml"),
    "multi-step.yaml": (
        "multi-step.yaml:12: this is a template, not YAML; "
        "render it first (helm template CHART | progressive-ci lint -f -), or quote the value"
    ),
    "flagger-canary.yaml": (
        "flagger-canary.yaml:1: not supported yet: Flagger Canary my-app; write it as a Rollout"
    ),
}


@pytest.mark.parametrize("name", AS_PRINTED)
def test_a_document_of_the_article_is_refused_as_printed(name: str) -> None:
    with pytest.raises(SpecInvalid) as caught:
        plan_of(*article(name))
    assert str(caught.value) == AS_PRINTED[name]


def test_the_article_s_basic_rollout_lacks_only_a_namespace() -> None:
    with pytest.raises(SpecInvalid) as caught:
        plan_of(*article("rollout.yaml"), namespace=None)
    assert str(caught.value) == (
        "rollout.yaml:3: metadata.namespace: Rollout my-app has no namespace; write it there, or give --namespace"
    )
    assert plan_of(*article("rollout.yaml")).workload.name == "my-app"


def test_the_article_s_connected_analysis_lacks_counts_and_arguments() -> None:
    with pytest.raises(SpecInvalid) as caught:
        plan_of(*article("connected-in-the-rollout.yaml", "analysis-template.yaml"))
    endless = (
        "analysis-template.yaml:{}: spec.metrics[{}].count: the metric '{}' has an interval and no count, so it "
        "would never end; add a count; without one it fits only in the background, not in "
        "connected-in-the-rollout.yaml:18: spec.strategy.canary.steps[1].analysis"
    )
    unresolved = (
        "connected-in-the-rollout.yaml:{}: spec.strategy.canary.steps[{}].analysis.args.service-name: the argument "
        "service-name has no value, it is declared in analysis-template.yaml:7: spec.args[0]; "
        "add to args: - {{name: service-name, value: ...}}"
    )
    assert str(caught.value).splitlines() == [
        endless.format(9, 0, "success-rate"),
        endless.format(20, 1, "latency"),
        unresolved.format(18, 1),
        unresolved.format(23, 4),
    ]


def test_the_article_s_files_together_name_the_same_rollout_twice() -> None:
    with pytest.raises(SpecInvalid) as caught:
        plan_of(*article("rollout.yaml", "connected-in-the-rollout.yaml", "analysis-template.yaml"))
    assert str(caught.value) == (
        "connected-in-the-rollout.yaml:2: Rollout my-app is given twice, first in rollout.yaml:1; give it once"
    )
