from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from progressive_ci.judging import analysis as judge
from progressive_ci.judging.analysis import AnalysisState
from progressive_ci.model.check import Analysis, Check, Limits, PrometheusQuery, Text
from progressive_ci.model.sample import Errored, Measured, NoData, Sample
from progressive_ci.model.verdict import FailedCheck, NoVerdict, Passed, Phase, Undecided

QUERY = PrometheusQuery(Text("http://prometheus:9090"), Text("up"))
RATE = Check(name="success-rate", query=QUERY, success="result[0] >= 0.95", interval=60.0)
GOOD, BAD = Measured((0.99,)), Measured((0.912,))
DOWN, EMPTY = Errored("HTTP 503: no backend"), NoData("no series")
PATIENCE = 300.0


def begun(*checks: Check) -> AnalysisState:
    return judge.begin(Analysis("run", checks), 0.0)


def answered(
    state: AnalysisState, *samples: Sample, name: str = "success-rate", every: float = 60.0
) -> AnalysisState:
    """The state after answers at 0, 60, 120, ... seconds."""
    for index, sample in enumerate(samples):
        now = index * every
        state, _ = judge.record(state, name, sample, asked_at=now, now=now)
    return state


def test_a_check_passes_with_its_count_of_good_values() -> None:
    state = begun(replace(RATE, count=2))
    assert judge.verdict(answered(state, GOOD), 60, PATIENCE) == Undecided()
    assert judge.verdict(answered(state, GOOD, GOOD), 60, PATIENCE) == Passed()


def test_more_failures_than_allowed_fail_with_value_condition_and_count() -> None:
    state = answered(begun(replace(RATE, limits=Limits(failure=3))), BAD, GOOD, BAD, BAD, BAD)
    reason = "success-rate: 0.912, wanted result[0] >= 0.95 (failed 4 of at most 3)"
    assert judge.verdict(state, 240, PATIENCE) == FailedCheck("success-rate", reason, 240)


@pytest.mark.parametrize(
    ("check", "value", "reason"),
    [
        (replace(RATE, success="", failure="result[0] < 0.95"), BAD, "0.912, must not be result[0] < 0.95"),
        (
            replace(RATE, failure="result[0] < 0.95"),
            BAD,
            "0.912, must not be result[0] < 0.95, wanted result[0] >= 0.95",
        ),
        (replace(RATE, success="len(result) == 3"), Measured((1.0, 2.0)), "[1,2], wanted len(result) == 3"),
        (replace(RATE, success="result.ok"), Measured({"ok": False}), "map[ok:false], wanted result.ok"),
    ],
)
def test_the_reason_of_a_failure_says_what_was_measured_and_wanted(
    check: Check, value: Sample, reason: str
) -> None:
    verdict = judge.verdict(answered(begun(check), value), 0, PATIENCE)
    assert verdict == FailedCheck("success-rate", f"success-rate: {reason} (failed 1 of at most 0)", 0)


def test_failed_stays_failed() -> None:
    failed = answered(begun(RATE), BAD)
    later, measurement = judge.record(failed, "success-rate", GOOD, asked_at=60, now=60)
    assert measurement.phase is Phase.SUCCESSFUL
    assert judge.verdict(later, 60, PATIENCE) == judge.verdict(failed, 0, PATIENCE)
    assert judge.finish(later, 60) == later


def test_one_failed_check_decides_while_others_run_and_nothing_more_is_asked() -> None:
    state = answered(begun(RATE, replace(RATE, name="latency")), BAD)
    assert isinstance(judge.verdict(state, 0, PATIENCE), FailedCheck)
    assert judge.due(state, 1000) == ()
    assert judge.next_due(state) is None


def test_a_failed_check_beats_an_inconclusive_one() -> None:
    unsure = replace(RATE, name="unsure", failure="result[0] < 0.5")
    state = answered(begun(unsure, RATE), BAD, name="unsure")
    assert isinstance(judge.verdict(state, 0, PATIENCE), NoVerdict)
    assert isinstance(judge.verdict(answered(state, BAD), 0, PATIENCE), FailedCheck)


def test_a_dry_run_never_decides() -> None:
    dry = replace(RATE, name="dry", dry_run=True, count=1)
    state = answered(begun(replace(RATE, count=1), dry), BAD, name="dry")
    assert judge.verdict(state, 0, PATIENCE) == Undecided()
    assert judge.due(state, 0)[0].name == "success-rate"
    assert judge.verdict(answered(state, GOOD), 0, PATIENCE) == Passed()


def test_a_dry_run_without_answers_holds_nothing_for_ever() -> None:
    dry = replace(RATE, name="dry", dry_run=True, count=1)
    state = answered(begun(replace(RATE, count=1), dry), DOWN, name="dry")
    state = answered(state, GOOD)
    assert judge.verdict(state, PATIENCE - 1, PATIENCE) == Undecided()
    assert judge.verdict(state, PATIENCE, PATIENCE) == Passed()


def test_inconclusive_is_no_verdict() -> None:
    check = replace(RATE, failure="result[0] < 0.9")
    reason = (
        "success-rate: 0.912, neither result[0] >= 0.95 nor result[0] < 0.9 (inconclusive 1 of at most 0)"
    )
    assert judge.verdict(answered(begun(check), BAD), 0, PATIENCE) == NoVerdict("success-rate", reason, 0)


@pytest.mark.parametrize("failure", ["", "result[0] < 0.9"], ids=["failed", "inconclusive"])
def test_limits_that_no_measurement_exceeds_make_no_pass_without_a_success(failure: str) -> None:
    limits = replace(RATE.limits, failure=9, inconclusive=9)
    check = replace(RATE, failure=failure, limits=limits)
    endless = judge.verdict(judge.finish(answered(begun(check), BAD, BAD), 60), 60, PATIENCE)
    assert isinstance(endless, NoVerdict)
    assert endless.reason == "success-rate: the steps were done before it had a success"
    counted = judge.verdict(answered(begun(replace(check, count=2)), BAD, BAD), 60, PATIENCE)
    assert isinstance(counted, NoVerdict)
    assert counted.reason.endswith("(2 measurements without a success)")


@pytest.mark.parametrize("answer", [DOWN, EMPTY, Measured((float("nan"),)), Measured(())])
def test_errors_and_no_data_hold_until_the_time_out_and_are_no_verdict_then(answer: Sample) -> None:
    state = answered(begun(RATE), GOOD, answer, answer)
    assert judge.verdict(state, 60 + PATIENCE - 1, PATIENCE) == Undecided(blind_since=60)
    verdict = judge.verdict(state, 60 + PATIENCE, PATIENCE)
    assert isinstance(verdict, NoVerdict)
    assert verdict.at == 120
    assert verdict.reason.startswith("success-rate: no usable answer for 5m, the last: ")


def test_a_value_ends_a_row_of_errors() -> None:
    state = answered(begun(RATE), DOWN, EMPTY, DOWN, GOOD)
    assert judge.verdict(state, 10_000, PATIENCE) == Undecided()


def test_errors_do_not_count_towards_the_count() -> None:
    state = answered(begun(replace(RATE, count=2)), DOWN, GOOD, DOWN)
    assert isinstance(judge.verdict(state, 120, PATIENCE), Undecided)
    assert judge.phase(answered(begun(replace(RATE, count=2)), DOWN, GOOD, DOWN, GOOD)) is Phase.SUCCESSFUL


def test_a_written_limit_of_errors_counts_and_is_no_verdict_on_the_version() -> None:
    check = replace(RATE, limits=Limits(consecutive_error=1))
    state = answered(begun(check), GOOD, DOWN, DOWN)
    reason = "success-rate: HTTP 503: no backend (2 errors in a row, at most 1)"
    assert judge.verdict(state, 120, PATIENCE) == NoVerdict("success-rate", reason, 120)


def test_no_data_does_not_count_as_an_error() -> None:
    check = replace(RATE, limits=Limits(consecutive_error=1))
    assert judge.verdict(answered(begun(check), DOWN, EMPTY, EMPTY), 120, PATIENCE) == Undecided(0)


@pytest.mark.parametrize(
    ("on_no_data", "expected"), [("fail", FailedCheck), ("pass", Passed), ("hold", Undecided)]
)
def test_what_no_data_means_can_be_chosen(on_no_data: str, expected: type) -> None:
    state = answered(begun(replace(RATE, count=1, on_no_data=on_no_data)), EMPTY)
    assert isinstance(judge.verdict(state, 0, PATIENCE), expected)


@pytest.mark.parametrize(
    ("success", "value", "phase"),
    [
        ("isNaN(result[0]) || result[0] > 1", Measured((float("nan"),)), Phase.SUCCESSFUL),
        ("!isInf(result[0])", Measured((float("inf"),)), Phase.FAILED),
        ("!isInf(result[0])", Measured((float("nan"),)), Phase.ERROR),
        ("result[0] < 1", Measured((float("-inf"),)), Phase.ERROR),
        ("all(result, # < 1)", Measured((0.5, float("nan"))), Phase.ERROR),
        ("len(result) == 0", Measured(()), Phase.SUCCESSFUL),
        ("default(result, 0) < 1", Measured(None), Phase.SUCCESSFUL),
        ("(result ?? 0) == 0", Measured(None), Phase.SUCCESSFUL),
        ("all(result, # < 1)", Measured(()), Phase.ERROR),
        ("result[0] < 1", Measured((0.5, 0.6), series=("{a}", "{b}")), Phase.ERROR),
        ("result[-1] < 1", Measured((0.5, 0.6), series=("{a}", "{b}")), Phase.ERROR),
        ("result[0] < 1", Measured((0.5, 0.6), series=("{a}",)), Phase.SUCCESSFUL),
        ("result[0] < result[1]", Measured((0.5, 0.6), series=("{a}", "{b}")), Phase.SUCCESSFUL),
        ("len(result) > 0 && result[0] < 1", Measured((0.5, 0.6), series=("{a}", "{b}")), Phase.SUCCESSFUL),
        ("", Measured((0.5,)), Phase.SUCCESSFUL),
    ],
)
def test_a_condition_judges_the_cases_that_it_asks_for_itself(
    success: str, value: Sample, phase: Phase
) -> None:
    _, seen = judge.record(begun(replace(RATE, success=success)), "success-rate", value, asked_at=0, now=0)
    assert seen.phase is phase
    assert seen.is_blind == (phase is Phase.ERROR)


def test_several_series_where_one_is_meant_are_named() -> None:
    value = Measured((1.0, 2.0), series=('up{pod="a"}', 'up{pod="b"}'))
    _, seen = judge.record(begun(RATE), "success-rate", value, asked_at=0, now=0)
    assert seen.message == (
        'expected 1 series, got 2: up{pod="a"}, up{pod="b"}; '
        "aggregate them in the query, or judge all(result, ...)"
    )


@pytest.mark.parametrize(
    ("counted", "message", "is_empty"),
    [
        (Measured((49.0,)), "no data: it rests on 49 samples, at least 50 are asked for", True),
        (Measured(()), "no data: it rests on 0 samples, at least 50 are asked for", True),
        (NoData("nothing"), "no data: it rests on 0 samples, at least 50 are asked for", True),
        (DOWN, "the number of samples is unknown: HTTP 503: no backend", False),
        (None, "the number of samples was not measured", False),
    ],
)
def test_a_value_that_rests_on_too_few_samples_is_no_data(
    counted: Sample | None, message: str, is_empty: object
) -> None:
    state = begun(replace(RATE, min_samples=50, samples_query=QUERY))
    _, seen = judge.record(state, "success-rate", BAD, asked_at=0, now=0, counted=counted)
    assert (seen.phase, seen.message, seen.is_empty) == (Phase.ERROR, message, is_empty)


def test_a_value_that_rests_on_enough_samples_counts() -> None:
    state = begun(replace(RATE, min_samples=50, samples_query=QUERY))
    _, seen = judge.record(state, "success-rate", BAD, asked_at=0, now=0, counted=Measured((50.0,)))
    assert seen.phase is Phase.FAILED


def test_a_condition_that_fails_to_evaluate_is_an_error_that_names_it() -> None:
    check = replace(RATE, success="result.rate > 1")
    _, seen = judge.record(begun(check), "success-rate", GOOD, asked_at=0, now=0)
    assert seen.message.startswith("could not evaluate successCondition: array elements")


def test_the_first_question_waits_for_the_initial_delay() -> None:
    state = begun(replace(RATE, initial_delay=20.0))
    assert judge.due(state, 19.9) == ()
    assert judge.next_due(state) == 20
    assert [check.name for check in judge.due(state, 20)] == ["success-rate"]


def test_the_interval_counts_from_the_end_of_the_last_answer() -> None:
    state, _ = judge.record(begun(RATE), "success-rate", GOOD, asked_at=0, now=7)
    assert judge.next_due(state) == 67


@pytest.mark.parametrize("answer", [DOWN, EMPTY])
def test_after_an_error_or_no_data_the_next_question_comes_after_ten_seconds(answer: Sample) -> None:
    assert judge.next_due(answered(begun(RATE), answer)) == 10
    assert judge.next_due(answered(begun(replace(RATE, interval=None)), answer)) == 10


def test_without_an_interval_one_value_is_enough() -> None:
    state = answered(begun(replace(RATE, interval=None)), GOOD)
    assert judge.next_due(state) is None
    assert judge.verdict(state, 0, PATIENCE) == Passed()


def test_an_endless_check_that_was_measured_passes_when_the_steps_are_done() -> None:
    state = answered(begun(RATE), GOOD)
    assert judge.verdict(judge.finish(state, 90), 90, PATIENCE) == Passed()


@pytest.mark.parametrize(
    ("check", "samples", "reason"),
    [
        (RATE, (), "the steps were done before it was ever measured"),
        (
            RATE,
            (DOWN,),
            "the steps were done before it was ever measured, the last answer: HTTP 503: no backend",
        ),
        (replace(RATE, count=3), (GOOD,), "the steps were done after 1 of its 3 measurements"),
        (
            replace(RATE, limits=Limits(consecutive_success=3)),
            (GOOD,),
            "the steps were done before it had 3 successes in a row",
        ),
    ],
    ids=["never measured", "only errors", "before its count", "before its row"],
)
def test_a_check_that_ends_early_is_no_pass(check: Check, samples: tuple[Sample, ...], reason: str) -> None:
    state = judge.finish(answered(begun(check), *samples), 90)
    assert judge.verdict(state, 90, PATIENCE) == NoVerdict("success-rate", f"success-rate: {reason}", 90)


def test_a_dry_run_that_ends_early_stops_nothing() -> None:
    state = judge.finish(begun(replace(RATE, dry_run=True)), 90)
    assert judge.verdict(state, 90, PATIENCE) == Passed()


def test_fresh_means_that_every_deciding_check_was_asked_after_the_change() -> None:
    dry = replace(RATE, name="dry", dry_run=True)
    state = begun(RATE, dry)
    assert not judge.fresh_since(state, 0)
    state, _ = judge.record(state, "success-rate", GOOD, asked_at=50, now=70)
    assert not judge.fresh_since(state, 60)
    state, _ = judge.record(state, "success-rate", DOWN, asked_at=80, now=90)
    assert not judge.fresh_since(state, 60)
    state, _ = judge.record(state, "success-rate", GOOD, asked_at=100, now=101)
    assert judge.fresh_since(state, 60)


def test_a_check_that_has_passed_by_its_count_is_waited_for_no_more() -> None:
    assert judge.fresh_since(answered(begun(replace(RATE, count=1)), GOOD), 1000)


_SAMPLES = st.lists(st.sampled_from([GOOD, BAD, DOWN, EMPTY]), max_size=20)
_LIMITS = st.builds(
    Limits,
    failure=st.integers(0, 3),
    consecutive_error=st.none() | st.integers(0, 3),
    consecutive_success=st.integers(0, 3),
)


@given(_SAMPLES, _LIMITS, st.none() | st.integers(1, 6))
def test_no_order_of_answers_makes_a_pass_of_too_many_failures_or_of_no_value(
    samples: list[Sample], limits: Limits, count: int | None
) -> None:
    state = judge.finish(answered(begun(replace(RATE, limits=limits, count=count)), *samples), 10_000)
    tally = state.of("success-rate").tally
    verdict = judge.verdict(state, 10_000, PATIENCE)
    assert not isinstance(verdict, Undecided)
    if isinstance(verdict, Passed):
        assert tally.count > 0
        assert tally.failed <= limits.failure
    if isinstance(verdict, FailedCheck):
        assert tally.failed > limits.failure


@given(_SAMPLES, _SAMPLES)
def test_what_has_ended_never_changes(first: list[Sample], second: list[Sample]) -> None:
    state = answered(begun(replace(RATE, count=3)), *first)
    ended = state.of("success-rate")
    if ended.has_ended:
        assert answered(state, *second).of("success-rate") == ended
