"""Metrics servers that answer what no metrics server should, in a whole release (F13)."""

import pytest

from progressive_ci.model.event import Shifted
from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Result
from tests.scenario.documents import GUARD, metric
from tests.scenario.rows import Input, Row, every
from tests.scenario.test_acceptance import is_back

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


def guarded(row: Row) -> Input:
    """Judged in the background while its weights rise, or for as long after it where it has none."""
    if row.router:
        return row.judged(metric(count="", interval="10s"), canary=GUARD, steps=LONG)
    return row.judged(metric(count="25", interval="10s"))


@pytest.mark.acceptance("F13")
@every()
@hostile
def test_hostile_answers_hold_the_weight_while_they_last(row: Row, kind: str, told: str) -> None:
    scene = row.open()
    now = scene.sandbox.clock.now()
    scene.sandbox.prometheus.misbehave(kind, since=now + 125, until=now + 185, seconds=60)
    run = guarded(row).released(scene)
    is_back(scene, run, Result.PROMOTED, row.new)
    blind = (now + 125 + BLIND, now + 185)
    assert not [one for one in run.told if isinstance(one.event, Shifted) and blind[0] < one.time < blind[1]]
    assert [one for one in run.told if told in str(one.event)]


@pytest.mark.acceptance("F13")
@every()
@hostile
def test_hostile_answers_that_go_on_are_no_verdict(row: Row, kind: str, told: str) -> None:
    scene = row.open()
    scene.sandbox.prometheus.misbehave(kind, since=scene.sandbox.clock.now() + 55, seconds=60)
    run = guarded(row).released(scene, Options(metrics_timeout=60))
    is_back(scene, run, Result.UNAVAILABLE, row.old)
    assert run.outcome is not None
    assert "no usable answer" in run.outcome.reason
    assert told in run.outcome.reason
