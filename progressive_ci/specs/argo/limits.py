"""Owns count and limits of a metric: upstream's rules, and ours that a metric must be able to fail."""

from progressive_ci.errors import ProgressiveError
from progressive_ci.model.check import Limits
from progressive_ci.specs.argo.args import Args
from progressive_ci.specs.argo.setting import Setting
from progressive_ci.specs.part import Part

CANNOT_FAIL = "this metric can never fail"
_MOST = 2**31 - 1


def number(setting: Setting, metric: Part, name: str, args: Args) -> int | None:
    """A number that may be written as a text with arguments; None where it is not written or wrong."""
    value = metric.value.get(name)
    if not isinstance(value, str):
        return value
    found: int | None = setting.reading.attempt(metric, name, lambda: _whole(args.plain(value), value))
    return found


def _whole(text: str, written: str) -> int:
    digits = text.strip().removeprefix("-")
    if not digits.isascii() or not digits.isdigit() or len(digits) > 10 or int(digits) > _MOST:  # noqa: PLR2004 - int32
        seen = f"{written!r} becomes {text!r}, which" if text != written else repr(text)
        raise ProgressiveError(
            f"{seen} is no whole number", advice="write a number, or an argument that is one"
        )
    return int(text)


def limits(setting: Setting, metric: Part, args: Args) -> Limits:
    """The four limits, each at least what upstream wants."""
    failure = number(setting, metric, "failureLimit", args) or 0
    inconclusive = number(setting, metric, "inconclusiveLimit", args) or 0
    success = number(setting, metric, "consecutiveSuccessLimit", args) or 0
    error = number(setting, metric, "consecutiveErrorLimit", args)
    least = {
        "inconclusiveLimit": inconclusive,
        "consecutiveSuccessLimit": success,
        "consecutiveErrorLimit": error or 0,
    }
    for name, value in least.items():
        if value < 0:
            setting.reading.fault(metric, name, f"{name} {value} is below 0", advice="write 0 or more")
    if failure < -1:
        advice = "write 0 or more; -1 switches it off where consecutiveSuccessLimit is given"
        setting.reading.fault(metric, "failureLimit", f"failureLimit {failure} is below -1", advice=advice)
    if failure == -1 and success <= 0:
        what = "failureLimit -1 switches failures off, and there is no consecutiveSuccessLimit"
        setting.reading.fault(
            metric, "failureLimit", what, advice="write 0 or more, or a consecutiveSuccessLimit"
        )
    return Limits(failure, inconclusive, error, success)


def fitting(setting: Setting, metric: Part, count: int | None, limit: Limits) -> None:
    """Complain where count and limits don't go together.

    Args:
        setting: where the metric is read.
        metric: its fields.
        count: as written; 0 counts as not written.
        limit: its limits.
    """
    if count is not None and count < 0:
        setting.reading.fault(metric, "count", f"count {count} is below 0", advice="write 1 or more")
        return
    measured_once = not metric.text("interval") and not setting.reading.complaints.about(
        metric.at("interval")
    )
    if count and count > 1 and measured_once:
        advice = "write interval: 1m, or count: 1"
        setting.reading.fault(metric, "count", f"count {count} needs an interval", advice=advice)
    if count and count < limit.inconclusive:
        what = f"count {count} is below inconclusiveLimit {limit.inconclusive}"
        setting.reading.fault(metric, "count", what, advice="raise count")
    if count and count < max(limit.failure, 0) + limit.consecutive_success:
        what = (
            f"count {count} is below failureLimit + consecutiveSuccessLimit"
            f" ({max(limit.failure, 0)} + {limit.consecutive_success})"
        )
        setting.reading.fault(metric, "count", what, advice="raise count")


def able_to_fail(setting: Setting, metric: Part, count: int | None, limit: Limits) -> None:
    """Complain about a metric that ends as passed even if every measurement fails."""
    effective = count or (None if metric.text("interval") else 1)
    if effective is not None and limit.consecutive_success == 0 and limit.failure >= effective:
        what = f"{CANNOT_FAIL}: it is measured {times(effective)} and failureLimit is {limit.failure}"
        advice = f"lower failureLimit to {effective - 1}, or raise count"
        setting.reading.fault(metric, "failureLimit", what, advice=advice)


def times(number_of: int) -> str:
    """How often, for people."""
    return "once" if number_of == 1 else f"{number_of} times"
