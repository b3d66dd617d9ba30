"""How long a plan takes at most, by its own numbers. Pure."""

from typing import assert_never

from progressive_ci.model.check import Analysis, Check
from progressive_ci.model.options import Options
from progressive_ci.model.plan import Analyze, Mode, Pause, Plan, SetWeight, Step
from progressive_ci.routers.table import router_of

_SLACK = 1.2
_ERROR_RETRY = 10.0


def worst_case(plan: Plan, options: Options) -> float:
    """Seconds from the lease to the end of a promotion in which everything takes as long as it may.

    A rise may wait for pods as long as `progressDeadlineSeconds`; an analysis may bear errors up to
    `--metrics-timeout` beside its own measurements.
    """
    deadline = float(plan.workload.progress_deadline_seconds)
    if plan.mode is Mode.IN_PLACE:
        return deadline + sum(_step(step, options, 0.0) for step in plan.steps)
    settle = settle_seconds(plan, options)
    steps = sum(_step(step, options, deadline + settle) for step in plan.steps)
    promotion = deadline + 2 * settle + plan.drain_seconds
    waits = options.metrics_timeout if plan.guards else 0.0
    return steps + promotion + waits


def hard_end(plan: Plan, options: Options) -> float:
    """`--max-duration`, or the worst case plus 20 %."""
    return options.max_duration if options.max_duration is not None else worst_case(plan, options) * _SLACK


def settle_seconds(plan: Plan, options: Options) -> float:
    """Wait after each change of weight."""
    if options.settle is not None:
        return options.settle
    return router_of(plan.route).SETTLE if plan.route else 0.0


def _step(step: Step, options: Options, rise: float) -> float:
    match step:
        case SetWeight(share):
            return rise if share.percent else 0.0
        case Pause(seconds):
            return seconds if seconds is not None else options.pause_timeout or 0.0
        case Analyze(analysis):
            return analysis_seconds(analysis) + options.metrics_timeout
        case _:
            assert_never(step)


def analysis_seconds(analysis: Analysis) -> float:
    """Seconds for all measurements of an analysis that ends by itself."""
    return max((_check_seconds(check) for check in analysis.checks), default=0.0)


def _check_seconds(check: Check) -> float:
    count = check.count or 1
    return check.initial_delay + count * check.query.timeout + (count - 1) * (check.interval or _ERROR_RETRY)
