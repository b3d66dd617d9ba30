"""What a metrics server answers, and what is made of it in every way in which a release can go (F12, F14 to F16)."""

from dataclasses import dataclass
from math import inf

import pytest

from progressive_ci.errors import ProgressiveError
from progressive_ci.model.event import NO_DATA, Sampled, Shifted
from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Result
from progressive_ci.sandbox.series import Series
from tests.scenario import then
from tests.scenario.documents import GUARD, HEALTHY, metric
from tests.scenario.rows import Input, Row, every
from tests.scenario.scene import Run, Scene, Told, planned

LONG = "- setWeight: 20\n- pause: {duration: 1m}\n- setWeight: 50\n- pause: {duration: 1m}\n- setWeight: 80\n"
AWAY = 40.0
"""Seconds for which the metrics are away, or for which that is borne."""
EVERY = 5.0
"""Seconds between two measurements."""
QUERY = 35.0
"""Seconds between two measurements of which the first was waited for in vain."""
BEFORE = 7.0
"""Seconds after which the preflight has its answers, and no pod is new yet that could be measured."""


def watched(row: Row) -> Input:
    """A guard through all of the steps, or as long an analysis where there are none."""
    return row.judged(metric(count="" if row.router else "24"), steps=LONG, canary=GUARD)


@dataclass(frozen=True, slots=True)
class Outage:
    """Of the metrics server: when it began and ended, and how often it was asked before both."""

    since: float
    until: float
    asked: list[int]

    def within(self, run: Run, *, slack: float = 0.0) -> list[Told]:
        """What was told meanwhile, from `slack` seconds on."""
        return [told for told in run.told if self.since + slack < told.time < self.until]


def outage(scene: Scene, kind: str, since: float, seconds: float = inf) -> Outage:
    """The server answers so from then on."""
    clock, server = scene.sandbox.clock, scene.sandbox.prometheus
    found = Outage(clock.now() + since, clock.now() + since + seconds, [])
    server.misbehave(kind, since=found.since, until=found.until, seconds=60)
    for moment in (found.since, min(found.until, found.since + AWAY)):
        clock.at(moment, lambda: found.asked.append(len(server.asked)))
    return found


def phases(events: list[Told]) -> list[str]:
    """How measurements ended."""
    return [told.event.phase for told in events if isinstance(told.event, Sampled)]


def raised(events: list[Told]) -> list[Told]:
    """When the new version got more."""
    return [
        told
        for told in events
        if isinstance(told.event, Shifted) and told.event.after.percent > told.event.before.percent
    ]


OUTAGES = {
    "nobody listens in the first pause": ("down", 20),
    "503 around a change of weight": ("503", 65),
    "no answer around a change of weight": ("slow", 65),
    "no answer in the second pause": ("slow", 90),
}


@pytest.mark.acceptance("F12")
@every()
@pytest.mark.parametrize(("kind", "since"), OUTAGES.values(), ids=OUTAGES)
def test_metrics_that_are_away_for_a_while_hold_the_weight(row: Row, kind: str, since: int) -> None:
    scene = row.open()
    away = outage(scene, kind, since, AWAY)
    run = watched(row).released(scene)
    then.promoted_as_if_nothing_had_happened(scene, run, row.new)
    assert set(phases(away.within(run, slack=3 * EVERY))) == {"Error"}
    assert not raised(away.within(run, slack=3 * EVERY))
    assert set(phases(run.told)) == {"Error", "Successful"}
    assert away.asked[1] - away.asked[0] <= AWAY / EVERY


@pytest.mark.acceptance("F12")
@every()
@pytest.mark.parametrize(("kind", "since"), OUTAGES.values(), ids=OUTAGES)
def test_metrics_that_stay_away_are_no_verdict(row: Row, kind: str, since: int) -> None:
    scene = row.open()
    away = outage(scene, kind, since)
    run = watched(row).released(scene, Options(metrics_timeout=AWAY))
    then.back_as_if_nothing_had_happened(scene, run, Result.UNAVAILABLE, row.old)
    assert run.outcome is not None
    assert "no usable answer" in run.outcome.reason
    assert "(failed" not in run.outcome.reason
    assert not raised(away.within(run, slack=3 * EVERY))
    assert set(phases(run.told)) == {"Error", "Successful"}
    assert run.stopped is not None
    assert AWAY <= run.stopped.time - away.since < AWAY + 2 * QUERY
    assert away.asked[1] - away.asked[0] <= AWAY / EVERY


NOTHING_TO_JUDGE = {
    "not a number": "vector(0) / vector(0)",
    "infinity": "vector(1) / vector(0)",
    "minus infinity": "vector(-1) / vector(0)",
    "nothing": "sum(rate(unknown[1m]))",
    "stale samples": "ended",
}
CONDITIONS = {
    "success only": {"successCondition": "result[0] >= 0.9"},
    "failure only": {"successCondition": "", "failureCondition": "result[0] < 0.9"},
    "both": {"successCondition": "result[0] >= 0.9", "failureCondition": "result[0] < 0.5"},
}


def begun_with_stale_samples(row: Row) -> Scene:
    """Whoever wrote the series named `ended` has been silent for longer than an instant value stays known."""
    scene, name = row.open(), (("__name__", "ended"),)
    scene.sandbox.world.database.extra.append(
        Series(name, -1000.0, scene.sandbox.clock.now() - 301, lambda _: 1.0)
    )
    return scene


@pytest.mark.acceptance("F14")
@every()
@pytest.mark.parametrize("conditions", CONDITIONS.values(), ids=CONDITIONS)
@pytest.mark.parametrize("query", NOTHING_TO_JUDGE.values(), ids=NOTHING_TO_JUDGE)
def test_what_is_no_number_holds_the_weight_and_never_promotes(
    row: Row, query: str, conditions: dict[str, str]
) -> None:
    scene = begun_with_stale_samples(row)
    run = row.judged(metric(query=query, **conditions)).released(scene, Options(metrics_timeout=30))
    then.back_as_if_nothing_had_happened(scene, run, Result.UNAVAILABLE, row.old)
    assert run.outcome is not None
    assert "no usable answer for 3" in run.outcome.reason
    assert set(phases(run.told)) == {NO_DATA}
    assert len(raised(run.told)) == bool(row.router)


POLICIES = {"fail": Result.UNHEALTHY, "pass": Result.PROMOTED}
EMPTY_OR_NOT = {name: NOTHING_TO_JUDGE[name] for name in ("not a number", "nothing")}


@pytest.mark.acceptance("F14")
@every()
@pytest.mark.parametrize("conditions", CONDITIONS.values(), ids=CONDITIONS)
@pytest.mark.parametrize("query", EMPTY_OR_NOT.values(), ids=EMPTY_OR_NOT)
@pytest.mark.parametrize("policy", POLICIES)
def test_what_is_no_number_passes_only_where_that_is_written(
    row: Row, query: str, conditions: dict[str, str], policy: str
) -> None:
    scene = begun_with_stale_samples(row)
    notes = f"progressive-ci/on-no-data.success-rate: {policy}"
    judged = row.judged(metric(query=query, **conditions), notes=notes)
    run = judged.released(scene, Options(metrics_timeout=30))
    if policy == "pass":
        then.promoted_as_if_nothing_had_happened(scene, run, row.new)
    else:
        then.back_as_if_nothing_had_happened(scene, run, POLICIES[policy], row.old)


PARTIAL = ("two", "two, the bad one first", "warnings")


@pytest.mark.acceptance("F15")
@every()
@pytest.mark.parametrize("conditions", CONDITIONS.values(), ids=CONDITIONS)
@pytest.mark.parametrize("kind", PARTIAL)
def test_an_answer_of_several_parts_or_with_warnings_decides_nothing(
    row: Row, kind: str, conditions: dict[str, str]
) -> None:
    scene = row.open()
    outage(scene, kind, BEFORE)
    run = row.judged(metric(**conditions)).released(scene, Options(metrics_timeout=30))
    then.back_as_if_nothing_had_happened(scene, run, Result.UNAVAILABLE, row.old)
    assert set(phases(run.told)) <= {"Error", "Successful"}
    assert phases(run.told)[-1] == "Error"


@pytest.mark.acceptance("F15")
@every()
@pytest.mark.parametrize("kind", PARTIAL)
def test_an_answer_that_is_whole_again_in_time_promotes(row: Row, kind: str) -> None:
    scene = row.open()
    outage(scene, kind, BEFORE, AWAY)
    run = row.judged(metric()).released(scene, Options(metrics_timeout=60))
    then.promoted_as_if_nothing_had_happened(scene, run, row.new)
    assert phases(run.told).count("Successful") == 3
    assert "Error" in phases(run.told)


@pytest.mark.acceptance("F15")
@every()
@pytest.mark.parametrize("kind", ["two", "two, the bad one first"])
@pytest.mark.parametrize("all_of_them", [True, False], ids=["all", "any"])
def test_a_condition_for_several_series_does_not_ask_for_their_order(
    row: Row, kind: str, *, all_of_them: bool
) -> None:
    scene = row.open()
    outage(scene, kind, 0)
    condition = f'"{"all" if all_of_them else "any"}(result, # >= 0.9)"'
    run = row.judged(metric(successCondition=condition)).released(scene)
    if all_of_them:
        then.back_as_if_nothing_had_happened(scene, run, Result.UNHEALTHY, row.old)
    else:
        then.promoted_as_if_nothing_had_happened(scene, run, row.new)


TRAPS = {
    "every measurement fails and may": ((metric(failureLimit="3"),), ""),
    "no metric": ((), ""),
    "a misspelt metric": ((metric(),), "progressive-ci/on-no-data.sucess-rate: pass"),
}


@pytest.mark.acceptance("F16")
@every()
@pytest.mark.parametrize(("metrics", "notes"), TRAPS.values(), ids=TRAPS)
def test_an_analysis_that_could_never_fail_is_refused_when_it_is_read(
    row: Row, metrics: tuple[str, ...], notes: str
) -> None:
    judged = row.judged(*metrics, notes=notes)
    with pytest.raises(ProgressiveError) as caught:
        planned(judged.text, judged.analysis)
    assert "spec.yaml:" in str(caught.value)


@pytest.mark.acceptance("F16")
@every()
def test_a_template_that_is_not_there_is_refused_when_it_is_read(row: Row) -> None:
    judged = row.judged(metric())
    misspelt = judged.text.replace(f"{{name: {HEALTHY}", "{name: healhty")
    with pytest.raises(ProgressiveError) as caught:
        planned(misspelt, judged.analysis)
    assert f"there is no AnalysisTemplate {HEALTHY} in the input" in str(caught.value)


@pytest.mark.acceptance("F16")
@every()
@pytest.mark.parametrize("first", [True, False], ids=["the bad one first", "the bad one last"])
def test_a_metric_that_a_sibling_ended_early_is_no_pass(row: Row, *, first: bool) -> None:
    scene = row.open()
    metrics = (metric(name="bad", successCondition="result[0] > 2", count="1"), metric(count="10"))
    run = row.judged(*(metrics if first else metrics[::-1])).released(scene)
    then.back_as_if_nothing_had_happened(scene, run, Result.UNHEALTHY, row.old)


NO_SUCCESS = {
    "inconclusive": {"successCondition": "result[0] > 2", "failureCondition": "result[0] < 0"},
    "failed": {"successCondition": "result[0] > 2"},
}


@pytest.mark.acceptance("F16")
@every()
@pytest.mark.parametrize("limit", ["0", "3"], ids=["none may be", "all may be"])
def test_an_analysis_that_was_inconclusive_to_its_end_is_no_pass(row: Row, limit: str) -> None:
    scene = row.open()
    judged = row.judged(metric(inconclusiveLimit=limit, **NO_SUCCESS["inconclusive"]))
    then.back_as_if_nothing_had_happened(scene, judged.released(scene), Result.UNAVAILABLE, row.old)


@pytest.mark.acceptance("F16")
@every(lambda row: bool(row.router))
@pytest.mark.parametrize("conditions", NO_SUCCESS.values(), ids=NO_SUCCESS)
def test_a_guard_without_a_success_by_the_end_of_the_last_pause_is_no_pass(
    row: Row, conditions: dict[str, str]
) -> None:
    scene = row.open()
    steps = "- setWeight: 25\n- pause: {duration: 18s}\n"
    bearing = metric(count="", failureLimit="99", inconclusiveLimit="99", **conditions)
    run = row.judged(bearing, steps=steps, canary=GUARD).released(scene)
    then.back_as_if_nothing_had_happened(scene, run, Result.UNAVAILABLE, row.old)
    assert run.outcome is not None
    assert "before it had a success" in run.outcome.reason


@pytest.mark.acceptance("F16")
@every(lambda row: bool(row.router))
def test_a_guard_that_fails_while_a_person_is_waited_for_ends_the_release(row: Row) -> None:
    scene = row.open()
    turns, name = scene.sandbox.clock.now() + 60, (("__name__", "good"),)
    scene.sandbox.world.database.extra.append(Series(name, -1000.0, inf, lambda time: float(time < turns)))
    steps = "- setWeight: 25\n- pause: {}\n- setWeight: 75\n"
    judged = row.judged(metric(count="", query="good"), steps=steps, canary=GUARD)
    run = judged.released(scene, Options(pause_timeout=600))
    then.back_as_if_nothing_had_happened(scene, run, Result.UNHEALTHY, row.old)
    assert run.stopped is not None
    assert run.stopped.time - turns < 2 * EVERY
    assert len(raised(run.told)) == 1
