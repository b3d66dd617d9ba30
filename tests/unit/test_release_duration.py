"""How long a plan may take, and how long its way to safety, by the plan's own numbers."""

from dataclasses import replace

import pytest

from progressive_ci.model.options import Options
from progressive_ci.model.plan import Mode
from progressive_ci.release.credential_end import needed
from progressive_ci.release.duration import worst_case
from tests.scenario.documents import deployment, rollout
from tests.scenario.scene import planned

_PLAN = planned(rollout("gateway", canary="scaleDownDelaySeconds: 300"))
_BUDGET = Options(rollback_budget=3600)


def test_where_name_rolls_behind_its_canary_pods_finish_their_requests_twice() -> None:
    adopted, rolled = (worst_case(replace(_PLAN, mode=mode), Options()) for mode in (Mode.ADOPT, Mode.ROLL))
    assert rolled == adopted + 300


@pytest.mark.parametrize(
    ("replicas", "strategy", "batches"),
    [
        ("replicas: 12", "{rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}", 12),
        ("replicas: 12", "{rollingUpdate: {maxSurge: 50%, maxUnavailable: 50%}}", 1),
        ("replicas: 10", "{}", 2),
        ("replicas: 12", "{type: Recreate}", 1),
        ("", "{}", 1),
    ],
)
def test_a_rollout_in_place_may_take_its_deadline_for_each_batch(
    replicas: str, strategy: str, batches: int
) -> None:
    spec = f"{replicas}\nprogressDeadlineSeconds: 60\nstrategy: {strategy}\n"
    assert worst_case(planned(deployment(spec=spec)), Options()) == batches * 60


@pytest.mark.parametrize("drain", [0.0, 20.0, 300.0])
def test_a_promotion_that_rolls_has_both_times_before_the_credential_ends(drain: float) -> None:
    plan = replace(_PLAN, drain_seconds=drain, abort_drain_seconds=0.0)
    none = replace(plan, drain_seconds=0.0)
    assert needed(plan, _BUDGET, Mode.ROLL) == needed(none, _BUDGET, Mode.ROLL) + 2 * drain
    assert needed(plan, _BUDGET, Mode.ADOPT) == needed(none, _BUDGET, Mode.ADOPT) + drain
