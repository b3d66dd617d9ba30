"""Any plan, any version, any fault at any request, a signal at any time: it ends restored or promoted, by the rules."""

import os
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from progressive_ci.model.outcome import Result
from progressive_ci.sandbox import faults
from progressive_ci.sandbox.faults import nth
from tests.scenario import given as given_
from tests.scenario import then
from tests.scenario.documents import GUARD, metric, rollout, template

EXAMPLES = 2000 if os.environ.get("SWEEP") == "all" else 12
FAULTS = (
    faults.lose_answer(),
    faults.drop(),
    faults.refuse(),
    faults.too_many(),
    faults.broken(),
    faults.delay(2.0),
    faults.delay(8.0),
)
ENDINGS = {
    "restored": (
        Result.UNHEALTHY,
        Result.UNREADY,
        Result.UNAVAILABLE,
        Result.CANCELLED,
        Result.REFUSED,
    ),
    "promoted": (Result.PROMOTED,),
}
"""No single fault, nor a few of them, outlast the rollback's ten minutes, so 20 is no ending here; nor is 15."""


@dataclass(frozen=True, slots=True)
class Case:
    router: str
    replicas: int
    version: str
    steps: tuple[str, ...]
    guarded: bool
    faulty: tuple[tuple[int, int], ...]
    signal_at: float | None

    @property
    def text(self) -> str:
        steps = "".join(f"- {step}\n" for step in self.steps)
        canary = GUARD.replace("startingStep: 1", "startingStep: 0") if self.guarded else ""
        text = rollout(self.router, image=f"web:{self.version}", steps=steps, canary=canary)
        return text + "---\n" + template(metric(count="", failureLimit="1")) if self.guarded else text


WEIGHTS = st.integers(1, 100).map(lambda share: f"setWeight: {share}")
PAUSES = st.integers(1, 40).map(lambda seconds: f"pause: {{duration: {seconds}s}}")
CASES = st.builds(
    Case,
    router=st.sampled_from(then.ROUTERS),
    replicas=st.integers(1, 6),
    version=st.sampled_from(["2.0.0", "2.0.0", "2.0.0-err40", "2.0.0-crash", "2.0.0-start9"]),
    steps=st.lists(WEIGHTS | PAUSES, min_size=1, max_size=6).map(tuple),
    guarded=st.booleans(),
    faulty=st.lists(
        st.tuples(st.integers(1, 160), st.integers(0, len(FAULTS) - 1)),
        max_size=4,
        unique_by=lambda pair: pair[0],
    ).map(tuple),
    signal_at=st.none() | st.floats(0.0, 120.0),
)


@settings(max_examples=EXAMPLES, print_blob=True)
@given(CASES)
def test_a_release_ends_restored_or_promoted_whatever_happens(case: Case) -> None:
    scene = given_.app(router=case.router, replicas=case.replicas)
    sandbox = scene.sandbox
    for number, index in case.faulty:
        sandbox.faults.plan(FAULTS[index], when=nth(number))
    if case.signal_at is not None:
        sandbox.clock.at(sandbox.clock.now() + case.signal_at, lambda: sandbox.clock.deliver("SIGTERM"))
    run = scene.released(case.text)
    assert run.outcome is not None
    if run.outcome.result in ENDINGS["promoted"]:
        then.serves(scene, case.version)
    else:
        assert run.outcome.result in ENDINGS["restored"], run.outcome
        then.serves(scene, "1.0.0")
    then.nothing_left(scene, but=("the lease's holder",) if case.faulty else ())
    then.everything_but_the_version_is_as_before(scene)
    then.nobody_was_turned_away(scene)
    then.rules_held(scene)
