"""Measurements to phases of metrics and runs, messages and the schedule, through the code that judges releases."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from progressive_ci.errors import ProgressiveError
from progressive_ci.judging import analysis as judge_module
from progressive_ci.judging.analysis import AnalysisState, CheckState
from progressive_ci.judging.measurement import Measurement
from progressive_ci.judging.run_message import dry_run_message, run_message, summary
from progressive_ci.judging.tally import Tally, ended, exceeded, status
from progressive_ci.model.check import Analysis, Check, Limits, PrometheusQuery, Text
from progressive_ci.model.durations import go_duration
from progressive_ci.model.verdict import Phase
from tests.conformance.result import Deviation, Json, Result, by_section, judge
from tests.conformance.vectors.rollout_validation import complaints, rollout_of, template

ERRORS_HOLD = "Errors hold the weight until the metrics time-out"
NO_EARLY_PASS = "A metric that was never measured or ended early is no pass"  # noqa: S105 - a heading
RULE_REFUSED = "A dry-run rule that matches no metric is refused when the spec is read"

NOW = 1_000.0
_QUERY = PrometheusQuery(Text("http://prometheus"), Text("up"))
_UPSTREAMS_ERROR_LIMIT = 4
_FINAL = ("Successful", "Failed", "Inconclusive", "Error")


def run(data: Mapping[str, Json]) -> Iterator[Result]:
    """Every section goes through `judging.analysis`."""
    return by_section(
        data,
        {
            "metric_status": _metric_status,
            "failure_reason": _failure_reason,
            "sequences": _sequence,
            "run_status": _run_status,
            "scheduling": _scheduling,
        },
    )


def _check(metric: Json, *, dry_run: bool = False) -> Check:
    given: Mapping[str, Json] = {"name": metric} if isinstance(metric, str) else metric
    known = {"name", "interval", "initialDelay", "count", "failureLimit", "inconclusiveLimit"}
    known |= {"consecutiveErrorLimit", "consecutiveSuccessLimit"}
    if not given.keys() <= known:
        raise ValueError(f"no idea what {given.keys() - known} mean")
    limits = Limits(
        failure=int(given.get("failureLimit", 0)),
        inconclusive=int(given.get("inconclusiveLimit", 0)),
        consecutive_error=_whole(given, "consecutiveErrorLimit"),
        consecutive_success=int(given.get("consecutiveSuccessLimit", 0)),
    )
    return Check(
        name=given.get("name", "metric"),
        query=_QUERY,
        interval=go_duration(given["interval"]) if "interval" in given else None,
        initial_delay=go_duration(given.get("initialDelay", "0")),
        count=_whole(given, "count"),
        limits=limits,
        dry_run=dry_run,
    )


def _whole(given: Mapping[str, Json], key: str) -> int | None:
    """A number, or its digits: upstream takes both."""
    return None if given.get(key) is None else int(given[key])


def _tally(result: Mapping[str, Json]) -> Tally:
    return Tally(
        count=result.get("count", 0),
        successful=result.get("successful", 0),
        failed=result.get("failed", 0),
        inconclusive=result.get("inconclusive", 0),
        error=result.get("error", 0),
        consecutive_error=result.get("consecutiveError", 0),
        consecutive_success=result.get("consecutiveSuccess", 0),
    )


def _answer(check: Check, phase: str, ended_at: float = NOW, message: str = "") -> Measurement:
    blind = phase == Phase.ERROR
    return Measurement(check.name, Phase(phase), "", message, ended_at, ended_at, is_blind=blind)


def _phase(check: Check, tally: Tally, measurements: list[str], *, terminating: bool) -> Phase:
    """What one check has come to: with nothing measured it is pending, with a question on the way it runs."""
    if not measurements:
        return ended(check, tally) if terminating else Phase.PENDING
    if measurements[-1] not in _FINAL:
        return Phase.RUNNING
    found = status(check, tally)
    return ended(check, tally) if terminating and found is Phase.RUNNING else found


def _decided(
    check: Check, tally: Tally, measurements: list[str], *, terminating: bool, expect: str
) -> Deviation | None:
    """What our decisions make of counters: no limit for errors that isn't written, no pass by an early end."""
    if measurements and measurements[-1] not in _FINAL:
        return None
    by_errors = check.limits.consecutive_error is None and tally.consecutive_error > _UPSTREAMS_ERROR_LIMIT
    early = (
        not tally.count or bool(check.count) or check.interval is None or check.limits.consecutive_success > 0
    )
    if terminating and early and expect == "Successful":
        return Deviation(NO_EARLY_PASS, {"expect": "Inconclusive"})
    return (
        Deviation(ERRORS_HOLD, {"expect": "Successful" if terminating else "Running"}) if by_errors else None
    )


def _metric_status(vector: Mapping[str, Json]) -> Result:
    check, result = _check(vector["metric"]), vector["result"]
    tally, measurements = _tally(result), result["measurements"]
    terminating = vector["terminating"]
    before = result.get("phase", "")
    actual = (
        Phase(before) if before in _FINAL else _phase(check, tally, measurements, terminating=terminating)
    )
    return judge(
        "",
        {
            key: value
            for key, value in vector.items()
            if key not in ("name", "metric", "result", "terminating")
        },
        {"expect": actual.value},
        deviation=_decided(check, tally, measurements, terminating=terminating, expect=vector["expect"]),
    )


def _failure_reason(vector: Mapping[str, Json]) -> Result:
    check, tally = _check(vector["metric"]), _tally(vector["result"])
    over = exceeded(check, tally)
    actual = {"phase": over.phase.value if over else "", "message": str(over) if over else ""}
    unwritten = check.limits.consecutive_error is None and tally.consecutive_error > _UPSTREAMS_ERROR_LIMIT
    lenient = exceeded(check, replace(tally, consecutive_error=0))
    decided = {"phase": lenient.phase.value if lenient else "", "message": str(lenient) if lenient else ""}
    return judge(
        "", vector["expect"], actual, deviation=Deviation(ERRORS_HOLD, decided) if unwritten else None
    )


def _sequence(vector: Mapping[str, Json]) -> Result:
    check = _check(vector["metric"])
    state, taken = CheckState(check, 0.0), 0
    while taken < len(vector["measurements"]) and not state.has_ended:
        answer = _answer(check, vector["measurements"][taken], float(taken))
        state, taken = judge_module.taken(state, answer), taken + 1
    tally = state.tally
    actual = {
        "phase": state.phase.value,
        "afterMeasurements": taken,
        "ifTerminatedNow": ended(check, tally).value,
        "count": tally.count,
        "successful": tally.successful,
        "failed": tally.failed,
        "inconclusive": tally.inconclusive,
        "error": tally.error,
    }
    return judge("", vector["expect"], actual, deviation=_decided_sequence(check, state, vector["expect"]))


def _decided_sequence(check: Check, state: CheckState, expect: Mapping[str, Json]) -> Deviation | None:
    tally = state.tally
    if check.limits.consecutive_error is None and tally.consecutive_error > _UPSTREAMS_ERROR_LIMIT:
        return Deviation(ERRORS_HOLD, {"phase": "Running"})
    early = (
        not tally.count or bool(check.count) or check.interval is None or check.limits.consecutive_success > 0
    )
    return (
        Deviation(NO_EARLY_PASS, {"ifTerminatedNow": "Inconclusive"})
        if early and "ifTerminatedNow" in expect
        else None
    )


def _run_status(vector: Mapping[str, Json]) -> Result:
    refused = _refused_rules(vector)
    if refused:
        return refused
    state = AnalysisState(Analysis("run", ()), tuple(_states(vector)))
    if vector["terminate"]:
        state = judge_module.finish(state, NOW)
    actual = {
        "phase": judge_module.phase(state).value,
        "message": run_message(state, terminated=vector["terminate"]),
        "resultPhases": {checked.check.name: checked.phase.value for checked in state.checks},
        "resultMessages": {checked.check.name: dry_run_message(checked) for checked in state.checks},
        "dryRunSummary": summary(checked for checked in state.checks if not checked.decides),
        "runSummary": summary(checked for checked in state.checks if checked.decides),
    }
    return judge("", vector["expect"], actual, deviation=_decided_run(vector, state))


def _decided_run(vector: Mapping[str, Json], state: AnalysisState) -> Deviation | None:
    unmeasured = [
        checked.check.name for checked in state.checks if checked.decides and not checked.tally.count
    ]
    if not (vector["terminate"] and unmeasured):
        return None
    text = f"Run Terminated; {unmeasured[0]}: the steps were done before it was ever measured"
    return Deviation(NO_EARLY_PASS, {"phase": "Inconclusive", "message": text})


def _states(vector: Mapping[str, Json]) -> Iterator[CheckState]:
    results = {result["name"]: result for result in vector["results"]}
    for metric in vector["metrics"]:
        name = metric if isinstance(metric, str) else metric["name"]
        check = _check(metric, dry_run=name in vector["dryRun"])
        yield _state(check, results.get(name, {}), vector.get("inFlightCompletesAs", {}).get(name))


def _state(check: Check, result: Mapping[str, Json], completes_as: str | None) -> CheckState:
    if not result:
        return CheckState(check, 0.0)
    state = CheckState(check, 0.0, Phase(result["phase"]), _tally(result))
    measurements = result.get("measurements", [])
    answers = [
        _answer(check, phase, message=result.get("message", "")) for phase in measurements if phase in _FINAL
    ]
    state = replace(state, last=answers[-1] if answers else None)
    if completes_as:
        return judge_module.taken(state, _answer(check, completes_as))
    if state.has_ended or not answers or measurements[-1] not in _FINAL:
        return state
    return replace(state, phase=status(check, state.tally))


def _refused_rules(vector: Mapping[str, Json]) -> Result | None:
    """A rule that matches nothing goes through the reader of specs, which refuses it."""
    names = [metric if isinstance(metric, str) else metric["name"] for metric in vector["metrics"]]
    strange = [rule for rule in vector["dryRun"] if rule not in names]
    if not strange:
        return None
    metrics = [
        {"name": name, "provider": {"prometheus": {"address": "http://p", "query": "up"}}} for name in names
    ]
    checked = template("run", metrics)
    checked["spec"]["dryRun"] = [{"metricName": rule} for rule in vector["dryRun"]]
    found = [
        text
        for text in complaints(
            rollout_of({"steps": [{"analysis": {"templates": [{"templateName": "run"}]}}]}), checked
        )
        if "dryRun" in text
    ]
    actual = {"phase": "refused" if found else "", "message": strange[0] in "".join(found)}
    decided = {"phase": "refused", "message": True}
    return judge("", vector["expect"], actual, deviation=Deviation(RULE_REFUSED, decided))


def _scheduling(vector: Mapping[str, Json]) -> Result:
    inputs = ("name", "metric", "result", "runStarted", "siblingPhase")
    expect = {key: value for key, value in vector.items() if key not in inputs}
    return judge("", expect, {"expectMeasure": _is_due(vector)})


def _is_due(vector: Mapping[str, Json]) -> bool:
    started = vector.get("runStarted", 0)
    try:
        check = _check(vector["metric"])
    except ProgressiveError:
        return False  # such a spec is refused: nothing is ever measured
    if started is None:
        return False  # an analysis that has not begun has no state
    state = judge_module.begin(Analysis("run", (check,)), NOW + started)
    checks = [_progress(state.checks[0], vector["result"])]
    if "siblingPhase" in vector:
        sibling = replace(check, name="sibling")
        checks.append(CheckState(sibling, NOW, Phase(vector["siblingPhase"])))
    return bool(judge_module.due(replace(state, checks=tuple(checks)), NOW))


def _progress(state: CheckState, result: Mapping[str, Json] | None) -> CheckState:
    if not result:
        return state
    tally = _tally(result)
    if result["lastPhase"] not in _FINAL:
        return state  # a question on the way: who asks remembers it
    last = _answer(state.check, result["lastPhase"], NOW + result["lastFinished"])
    return replace(state, tally=tally, last=last, phase=status(state.check, tally))
