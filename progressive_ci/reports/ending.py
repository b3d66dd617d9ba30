"""The last words of a run: why, what the cluster looks like, what to do next, and one line of JSON."""

import json

from progressive_ci.model.outcome import Outcome, Result
from progressive_ci.reports.text import lines_of, one_line, shorten

UNTOUCHED = "nothing was touched"
SEVERAL = "each workload's end stands on a line above"
RESTORED = "all traffic is on the old version{previous}, verified; the new version's pods are gone"

HEADLINE: dict[Result, tuple[str, str]] = {
    Result.PROMOTED: ("promoted", "all traffic is on the new version{revision}"),
    Result.UNCHANGED: ("unchanged", "this version was already running; nothing was written"),
    Result.PARKED: ("parked", "the release waits at {weight} % as asked"),
    Result.RECOVERED: ("recovered", RESTORED),
    Result.NOTHING_TO_DO: ("nothing to do", "nothing was written"),
    Result.ASKED: ("asked", "the release has been asked to go back, and may still be at it"),
    Result.INVALID: ("invalid input", UNTOUCHED),
    Result.REFUSED: ("refused by preflight", UNTOUCHED),
    Result.TOO_LATE: ("too late", "the new version serves: the release was past the point of no return"),
    Result.LOCKED: ("locked", f"{UNTOUCHED}; another release holds the lease"),
    Result.OUTDATED: ("outdated", f"{UNTOUCHED}; a newer commit is already deployed"),
    Result.UNHEALTHY: ("rolled back, the new version is unhealthy", RESTORED),
    Result.UNREADY: ("rolled back, the new version never became ready", RESTORED),
    Result.UNAVAILABLE: ("rolled back, metrics or API server gave no usable answer", RESTORED),
    Result.CANCELLED: ("rolled back, the run was cancelled", RESTORED),
    Result.REJECTED: ("rolled back, nobody approved", RESTORED),
    Result.INTERNAL: ("rolled back, the tool itself failed", RESTORED),
    Result.INCOMPLETE: (
        "ROLLBACK INCOMPLETE, a person must look now",
        "the new version may still get {weight} % of the traffic; what is left stands above",
    ),
    Result.HELD: ("held", "both versions serve, {weight} % on the new one, as asked"),
    Result.TAKEN_OVER: ("taken over", "another run has taken this release over and will report it"),
}
"""For each result: what happened, and what the cluster looks like now."""

NEXT: dict[Result, str] = {
    Result.TOO_LATE: "progressive-ci undo NAME --reason TEXT takes it back",
    Result.LOCKED: "try again when that release is over, or give --lock-wait",
    Result.OUTDATED: "do not retry; release a newer commit",
    Result.UNHEALTHY: "fix the new version and run again; the samples above show what was measured",
    Result.UNREADY: "fix what keeps the pods from becoming ready and run again",
    Result.UNAVAILABLE: "look at the metrics server and the queries (progressive-ci plan asks each)",
    Result.CANCELLED: "run again when you want the release after all",
    Result.INTERNAL: "report this with the log; the old version serves",
    Result.INCOMPLETE: "run the commands above, then progressive-ci rollback NAME until it exits 0",
    Result.TAKEN_OVER: "look at the run that took it over",
}
"""What to do where the outcome itself gives no advice."""


def ending(outcome: Outcome) -> tuple[str, ...]:
    """The closing lines before the JSON line; at most five, whatever happened."""
    result = outcome.result
    headline, state = headline_of(outcome)
    word = "done" if result.code == 0 else "FAILED"
    lines = [f"{word}: {headline} (exit {result.code}, {result.word})"]
    if outcome.reason:
        lines.append(f"  {'why ' if result.code else 'what'}  {_why(outcome)}")
    if outcome.recovered:
        lines.append(f"  first {shorten(one_line(outcome.recovered), 300)}")
    lines.append(f"  now   {_now(state, outcome)}")
    advice = outcome.advice or NEXT.get(result, "")
    if advice:
        lines.append(f"  next  {shorten(one_line(advice), 600)}")
    return tuple(lines)


def headline_of(outcome: Outcome) -> tuple[str, str]:
    """What happened, and the cluster's state; a run that ended before it knew its version wrote nothing."""
    headline, state = HEADLINE[outcome.result]
    if outcome.result is Result.CANCELLED and not outcome.revision:
        headline, state = "cancelled", UNTOUCHED
    return headline, SEVERAL if outcome.each else state


def details(outcome: Outcome) -> tuple[str, ...]:
    """What stands above the ending: several reasons, the outcome's details, what could not be cleaned up."""
    problems = problems_of(outcome)
    told = (*(problems if len(problems) > 1 else ()), *outcome.details, *map(_line, outcome.each))
    return (
        *(shorten(one_line(line), 1000) for line in told),
        *(f"left: {one_line(line)}" for line in left(outcome)),
    )


def left(outcome: Outcome) -> tuple[str, ...]:
    """What could not be cleaned up, of every workload."""
    return tuple(line for each in (outcome, *outcome.each) for line in each.left)


def _line(outcome: Outcome) -> str:
    """One of several, with what to do about it."""
    advice = f"; {outcome.advice}" if outcome.advice else ""
    return f"{outcome.workload}: {outcome.result.word}: {outcome.reason}{advice}"


def problems_of(outcome: Outcome) -> tuple[str, ...]:
    """The reason, or the several that an input or a preflight was refused for."""
    return tuple(line for line in lines_of(outcome.reason) if line)


def last_line(outcome: Outcome) -> str:
    """The one line of JSON that ends stdout; its keys are a stable interface."""
    return json.dumps(facts(outcome), ensure_ascii=True)


def facts(outcome: Outcome) -> dict[str, object]:
    """The outcome as JSON has it; one that sums up several lists them."""
    several = {"releases": [_briefly(item) for item in outcome.each]} if outcome.each else {}
    return {
        "result": outcome.result.word,
        "exit": outcome.result.code,
        "revision": outcome.revision,
        "previous": outcome.previous_revision,
        "step": outcome.step,
        "steps": outcome.steps,
        "weight": outcome.weight,
        "reason": outcome.reason,
        "release": outcome.release,
        **several,
    }


def _briefly(outcome: Outcome) -> dict[str, object]:
    return {
        "workload": outcome.workload,
        "result": outcome.result.word,
        "exit": outcome.result.code,
        "reason": outcome.reason,
        "release": outcome.release,
    }


def _why(outcome: Outcome) -> str:
    """The reason and its line, or how many there are."""
    problems = problems_of(outcome)
    if len(problems) > 1:
        return f"{len(problems)} problems, each on a line above"
    source = f" ({outcome.source})" if outcome.source.file else ""
    reason = outcome.reason.removesuffix(f"; {outcome.advice}")
    return f"{shorten(one_line(reason), 600)}{source}"


def _now(state: str, outcome: Outcome) -> str:
    """The state of the cluster with its revisions."""
    return state.format(
        previous=f" {outcome.previous_revision}" if outcome.previous_revision else "",
        revision=f" {outcome.revision}" if outcome.revision else "",
        weight=outcome.weight,
    )
