"""Which Rollouts and analysis templates are valid.

The texts of the messages are ours, so an expected error asks only for a complaint. "Not supported yet" is none:
it says nothing about whether a document is right.
"""

import json
from collections.abc import Iterator, Mapping

from progressive_ci.errors import SpecInvalid
from progressive_ci.specs.complaints import NOT_BUILT
from progressive_ci.specs.documents import parse
from progressive_ci.specs.read import read
from tests.conformance.result import Deviation, Json, Result, by_section, judge

BUILT = ("rollouts", "analysis_templates")

ROUTERLESS = "A router that names nothing to write is refused"
GATEWAY_SERVICES = "Gateway API without canaryService or stableService is refused"
_PROMETHEUS = {"prometheus": {"address": "http://prometheus", "query": "up"}}
_POD = {"metadata": {"labels": {"app": "app"}}, "spec": {"containers": [{"name": "app", "image": "app:1"}]}}


def run(data: Mapping[str, Json]) -> Iterator[Result]:
    """Both sections; each vector becomes documents that are read like a user's."""
    return by_section(data, {"rollouts": _rollout, "analysis_templates": _template})


def complaints(*documents: Mapping[str, Json]) -> list[str]:
    """What is wrong with documents, apart from what is not built."""
    try:
        read(
            parse([(f"{index}.json", json.dumps(each)) for index, each in enumerate(documents)]),
            namespace="default",
        )
    except SpecInvalid as error:
        return [str(each) for each in error.complaints if not each.what.startswith(NOT_BUILT)]
    return []


def _rollout(vector: Mapping[str, Json]) -> Result:
    rollout = vector["rollout"]
    spec = rollout.get("spec", {})
    names = set(_values(spec, "templateName"))
    companions = [template(name, [_metric({})]) for name in sorted(names)]
    if "workloadRef" in spec:
        companions.append(_deployment(spec["workloadRef"].get("name", ""), spec.get("selector")))
    found = complaints(rollout, *companions)
    return _judge(vector, found, _deviation(spec))


def _judge(vector: Mapping[str, Json], found: list[str], deviation: Deviation | None) -> Result:
    actual = {"valid": not found, "errors": lambda _: bool(found)}
    return judge("", vector["expect"], actual, deviation=deviation)


def _deviation(spec: Mapping[str, Json]) -> Deviation | None:
    canary = spec.get("strategy", {}).get("canary") or {}
    routing = canary.get("trafficRouting")
    if routing is not None and not _written(routing):
        return Deviation(ROUTERLESS, {"valid": False})
    services = canary.get("canaryService") and canary.get("stableService")
    plugins = (routing or {}).get("plugins") or {}
    return Deviation(GATEWAY_SERVICES, {"valid": False}) if plugins and not services else None


def _written(routing: Mapping[str, Json]) -> bool:
    """Whether a router names an object that carries the split."""
    nginx, istio, plugins = (routing.get(name) or {} for name in ("nginx", "istio", "plugins"))
    return bool(
        any(routing.get(name) for name in ("alb", "smi", "ambassador", "appMesh", "traefik", "apisix"))
        or any(nginx.get(name) for name in ("stableIngress", "stableIngresses"))
        or any(istio.get(name) for name in ("virtualService", "virtualServices"))
        or any(plugins.values())
    )


def _template(vector: Mapping[str, Json]) -> Result:
    """The vectors hold only what their rule looks at, so the metric gets a provider and a name."""
    analysis = {"templates": [{"templateName": "t"}]}
    background = vector["templateType"] == "Background"
    canary = {"analysis": analysis} if background else {"steps": [{"analysis": analysis}]}
    return _judge(vector, complaints(rollout_of(canary), template("t", [_metric(vector["metric"])])), None)


def rollout_of(canary: Mapping[str, Json]) -> Json:
    """A valid Rollout with this strategy."""
    spec = {"selector": {"matchLabels": {"app": "app"}}, "template": _POD, "strategy": {"canary": canary}}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": "app"},
        "spec": spec,
    }


def template(name: str, metrics: list[Json]) -> Json:
    """An analysis template."""
    kind = {"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate", "metadata": {"name": name}}
    return {**kind, "spec": {"metrics": metrics}}


def _metric(metric: Mapping[str, Json]) -> Json:
    return {"name": "m", "provider": _PROMETHEUS, **metric}


def _deployment(name: str, selector: Json) -> Json:
    """The workload that a Rollout refers to; its selector is the Rollout's, if that has one."""
    chosen = selector or {"matchLabels": {"app": "app"}}
    template = {**_POD, "metadata": {"labels": chosen.get("matchLabels") or {}}}
    spec = {"selector": chosen, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def _values(body: Json, key: str) -> Iterator[str]:
    """Every text that stands under a key, at any depth."""
    for name, value in body.items() if isinstance(body, Mapping) else enumerate(body):
        if name == key and isinstance(value, str):
            yield value
        elif isinstance(value, Mapping | list):
            yield from _values(value, key)
