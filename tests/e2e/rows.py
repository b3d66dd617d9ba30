"""The ways in which a release can go here, for whatever has to hold in all of them: a new way is a row."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from tests.e2e import given
from tests.e2e.cluster import workloads
from tests.e2e.cluster.client import Document
from tests.e2e.given import NAME, Shop


@dataclass(frozen=True, slots=True)
class Row:
    """One way.

    Attributes:
        name: in reports.
        router: through which users come; "none" is a Service without one.
        document: what releases an image; with the time that each of its steps takes.
        halfway: printed when both versions have users, or soon will.
        tag: of an image whose release can be met halfway.
        occasions: the further Roles that it needs.
        within: what is so meanwhile.
        beside: further documents, the same for every image.
    """

    name: str
    router: str
    document: Callable[[str, str, str], Document]
    halfway: str = "-> 50 %"
    tag: str = ""
    occasions: tuple[str, ...] = ()
    within: Callable[[Shop], AbstractContextManager[None]] = field(default=lambda _: nullcontext())
    beside: tuple[Document, ...] = ()

    @property
    def used(self) -> bool:
        """Whether users come in: ingress-nginx itself does not run here, only its objects are seen."""
        return self.router != "nginx"

    @property
    def routed(self) -> bool:
        """Whether a route object carries the split under traffic."""
        return self.router in {"gateway", "istio"}


def quick(image: str, router: str, pause: str) -> Document:
    """A Rollout of four steps that is over quickly."""
    steps = [{"setWeight": 20}, *given.setting(50, 100, pause=pause)]
    document = given.rollout(image, router, steps=steps, judged=False)
    if router in given.TRAFFIC:
        document["spec"]["strategy"]["canary"] |= {
            "scaleDownDelaySeconds": 1,
            "abortScaleDownDelaySeconds": 1,
        }
    return document


def _measured(image: str, router: str, pause: str) -> Document:
    """A Rollout that is measured as long as the new version has users, and by a step."""
    args = [{"name": "hash", "valueFrom": {"podTemplateHashValue": "Latest"}}]
    analysis = {"analysis": {"templates": [{"templateName": "counted"}], "args": args}}
    steps = [*given.setting(50, 50, pause=pause)[:2], analysis, {"setWeight": 100}]
    return given.rollout(image, router, steps=steps, drains=(1, 1))


def _templates() -> tuple[Document, ...]:
    """Its two measurements, which wait two seconds for an answer."""
    templates = given.analysis(), given.analysis("counted", count=2)
    for template in templates:
        template["spec"]["metrics"][0]["provider"]["prometheus"]["timeout"] = 2
    return templates


def _plain(image: str, router: str, pause: str) -> Document:
    """A Deployment, which has neither a router nor steps."""
    del router, pause
    document = workloads.deployment(NAME, image)
    del document["spec"]["replicas"]
    document["spec"]["progressDeadlineSeconds"] = 60
    return document


ROWS = {
    row.name: row
    for row in (
        Row("gateway", "gateway", quick),
        Row("istio", "istio", quick),
        Row("measured", "gateway", _measured, beside=_templates()),
        Row("nginx", "nginx", quick),
        Row("ratio", "none", quick),
        Row("in place", "none", _plain, halfway="== prepare", tag="-start2"),
        Row(
            "roll",
            "gateway",
            quick,
            occasions=("roll",),
            within=given.a_policy_changes_deployments,
        ),
    )
}
