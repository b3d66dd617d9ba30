"""Metrics servers that answer what no metrics server should, in a whole release (F13)."""

import pytest

from progressive_ci.model.event import Shifted
from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Result
from tests.scenario import given
from tests.scenario.documents import GUARD, metric, rollout, template
from tests.scenario.test_acceptance import is_back, routers

LONG = "- setWeight: 20\n- pause: {duration: 2m}\n- setWeight: 50\n- pause: {duration: 2m}\n- setWeight: 80\n"
BLIND = 15.0
"""Seconds that the last good answer is old at most when the next one comes: interval and query timeout."""

HOSTILE = {
    "100 MB": ("huge", "the answer is longer than"),
    "50,001 series": ("many", "the answer has more than 50000 values"),
    "half a JSON": ("cut", "the answer is broken JSON"),
    "a login page": ("html", "the server answered HTML titled 'Sign in'"),
    "an error with 200": ("refused", "execution: too many samples"),
    "a way to another host": ("moved", "HTTP 302: the answer is no JSON"),
    "bytes that don't end": ("slow", "no answer within"),
}
hostile = pytest.mark.parametrize(("kind", "told"), HOSTILE.values(), ids=HOSTILE)


@pytest.mark.acceptance("F13")
@routers
@hostile
def test_hostile_answers_hold_the_weight_while_they_last(router: str, kind: str, told: str) -> None:
    scene = given.app(router=router)
    scene.sandbox.prometheus.misbehave(kind, since=130, until=190, seconds=60)
    text = rollout(router, canary=GUARD, steps=LONG) + "---\n" + template(metric(count="", interval="10s"))
    run = scene.released(text)
    is_back(scene, run, Result.PROMOTED, "2.0.0")
    blind = (130 + BLIND, 190)
    assert not [one for one in run.told if isinstance(one.event, Shifted) and blind[0] < one.time < blind[1]]
    assert [one for one in run.told if told in str(one.event)]


@pytest.mark.acceptance("F13")
@routers
@hostile
def test_hostile_answers_that_go_on_are_no_verdict(router: str, kind: str, told: str) -> None:
    scene = given.app(router=router)
    scene.sandbox.prometheus.misbehave(kind, since=60, seconds=60)
    text = rollout(router, canary=GUARD, steps=LONG) + "---\n" + template(metric(count="", interval="10s"))
    run = scene.released(text, Options(metrics_timeout=60))
    is_back(scene, run, Result.UNAVAILABLE)
    assert run.outcome is not None
    assert "no usable answer" in run.outcome.reason
    assert told in run.outcome.reason
