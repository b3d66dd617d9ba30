"""How long a plan takes at most, by its own numbers. Pure."""

from dataclasses import replace
from math import ceil
from typing import assert_never

from progressive_ci.model.check import Analysis, Check
from progressive_ci.model.document import JsonObject
from progressive_ci.model.options import Options
from progressive_ci.model.plan import Analyze, Mode, Pause, Plan, SetWeight, Step
from progressive_ci.routers.replica_arithmetic import limits
from progressive_ci.routers.table import router_of

_SLACK = 1.2
_ERROR_RETRY = 10.0


def worst_case(plan: Plan, options: Options) -> float:
    """Seconds from the lease to the end of a promotion in which everything takes as long as it may.

    A rise, or a batch of a rollout, may wait for pods as long as `progressDeadlineSeconds`; an analysis may bear
    errors up to `--metrics-timeout` beside its own measurements.
    """
    if plan.mode is Mode.IN_PLACE:
        return rolling_seconds(plan) + sum(_step(step, options, 0.0) for step in plan.steps)
    deadline, settle = float(plan.workload.progress_deadline_seconds), settle_seconds(plan, options)
    steps = sum(_step(step, options, deadline + settle) for step in plan.steps)
    rollout = rolling_seconds(plan) if plan.mode is Mode.ROLL else deadline
    promotion = rollout + 2 * settle + drains(plan)
    waits = options.metrics_timeout if plan.guards else 0.0
    return steps + promotion + waits


def rolling_seconds(plan: Plan) -> float:
    """Seconds in which NAME rolls by its own strategy: each batch of its pods has the whole deadline.

    A size that nobody has said yet counts as one batch.
    """
    workload = plan.workload
    rolling = (workload.strategy or {}).get("rollingUpdate") or {}
    size, batches = workload.replicas or 1, 1
    if (workload.strategy or {}).get("type") != "Recreate":
        bounds = limits(size, rolling.get("maxSurge", "25%"), rolling.get("maxUnavailable", "25%"))
        batches = ceil(size / (bounds.surge + bounds.unavailable))
    return float(batches * workload.progress_deadline_seconds)


def seen_live(plan: Plan, deployment: JsonObject, mode: Mode) -> Plan:
    """The plan with what the cluster alone knows: how it is gone by, and the size and strategy that others may set."""
    workload, spec = plan.workload, deployment["spec"]
    size = max(workload.replicas or 0, spec.get("replicas") or 0)
    strategy = spec.get("strategy") if workload.strategy is None else workload.strategy
    return replace(plan, mode=mode, workload=replace(workload, replicas=size, strategy=strategy))


def drains(plan: Plan) -> float:
    """Seconds of a promotion in which pods finish their requests: where NAME rolls, its old pods, then the canary's."""
    return plan.drain_seconds * (2 if plan.mode is Mode.ROLL else 1)


def way_back(plan: Plan, options: Options) -> float:
    """Longest time of a rollback, or of the end of a promotion: its budget, and beside it what pods are given."""
    return options.rollback_budget + max(drains(plan), plan.abort_drain_seconds)


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
