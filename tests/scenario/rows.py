"""The ways in which a release can go, for whatever has to hold in all of them: a new way is a row."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from progressive_ci.model.options import Options
from progressive_ci.model.plan import Mode
from tests.scenario import given
from tests.scenario.documents import HEALTHY, MEASURED, deployment, metric, of_every_pod, rollout, template
from tests.scenario.scene import Run, Scene
from tests.scenario.then import ROUTERS

STEPS = "- setWeight: 25\n- pause: {duration: 5s}\n- setWeight: 75\n- pause: {duration: 5s}\n"


@dataclass(frozen=True, slots=True)
class Input:
    """What `progressive-ci run` is given: the documents, and what `--analysis` names."""

    text: str
    analysis: str = ""

    def released(self, scene: Scene, options: Options | None = None) -> Run:
        """Run it there."""
        return scene.released(self.text, options, analysis=self.analysis)


@dataclass(frozen=True, slots=True)
class Row:
    """One way.

    Attributes:
        name: in reports.
        text: what is released.
        open: the cluster before it.
        old: the version that serves there.
        new: the version that comes.
        routed: whether a route object carries the split, so that there is a safe write.
        router: what it is behind, by the routers' table; empty where no weight can be set.
        mode: what becomes of NAME.
        analysis: what judges a plain Deployment.
    """

    name: str
    text: str
    open: Callable[[], Scene]
    old: str = "1.0.0"
    new: str = "2.0.0"
    routed: bool = True
    router: str = "gateway"
    mode: Mode = Mode.ADOPT
    analysis: str = ""

    def written(self, *, steps: str = STEPS, canary: str = "", spec: str = "") -> str:
        """The document with other fields than usual; steps and `canary` are for the rows that have weights."""
        image = f"web:{self.new}"
        if not self.router:
            return deployment(image=image, spec=spec)
        return rollout(self.router, image=image, steps=steps, canary=canary, spec=spec)

    def judged(
        self, *metrics: str, steps: str = MEASURED, canary: str = "", spec: str = "", notes: str = ""
    ) -> Input:
        """The same with an analysis of the new version: in its steps, or after it where it has none.

        Args:
            metrics: of the template.
            steps: with an analysis in them, unless `canary` has one.
            canary: further fields of the strategy.
            spec: further fields of the workload.
            notes: annotations of the template.
        """
        body = template(*metrics, notes=notes)
        document = self.written(steps=steps, canary=canary, spec=spec) + "---\n"
        if self.router:
            return Input(document + body)
        return Input(document + of_every_pod(body), HEALTHY)

    def lasting(self, steps: str, seconds: int) -> Input:
        """The same with these steps; where it has none, with an analysis that takes as long as they do."""
        if self.router:
            return Input(self.written(steps=steps))
        return self.judged(metric(interval="5s", count=str(seconds // 5)))


def _behind(router: str) -> Row:
    return Row(
        router,
        rollout(router, steps=STEPS),
        lambda: given.app(router=router),
        routed=router != "ratio",
        router=router,
    )


def _with_policy() -> Scene:
    """A policy makes the templates of Deployments unequal to those of ReplicaSets, so that only `roll` is left."""
    scene = given.app()
    given.policy_on_deployments(scene)
    scene.before = given.snapshot(scene.sandbox)
    return scene


def _after_a_release() -> Scene:
    """The old ReplicaSet of the version that comes is still there."""
    scene = given.app()
    scene.released(rollout("gateway", steps=STEPS))
    scene.oracle.next_release()
    scene.before = given.snapshot(scene.sandbox)
    scene.before.pop("ConfigMap progressive-ci.web")
    return scene


ROWS = {
    row.name: row
    for row in (
        *map(_behind, ROUTERS),
        Row("roll", rollout("gateway", steps=STEPS), _with_policy, mode=Mode.ROLL),
        Row(
            "an earlier version",
            rollout("gateway", image="web:1.0.0", steps=STEPS),
            _after_a_release,
            old="2.0.0",
            new="1.0.0",
        ),
        Row(
            "in place",
            deployment(),
            lambda: given.app(router=""),
            routed=False,
            router="",
            mode=Mode.IN_PLACE,
        ),
    )
}


def every(fits: Callable[[Row], bool] = lambda _: True) -> pytest.MarkDecorator:
    """For each row of the table that fits, by what the table says of it: a test with a `row`."""
    chosen = [row for row in ROWS.values() if fits(row)]
    return pytest.mark.parametrize("row", chosen, ids=lambda row: row.name)
