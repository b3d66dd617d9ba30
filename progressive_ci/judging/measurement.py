"""Owns one measurement: what a sample means for a check, before limits and counts are looked at.

A sample is a value, no data or an error. What the server answered but nothing can be said
from is no data: an empty answer, NaN, an infinity anywhere in it, fewer requests than asked for. A condition
that itself asks for such a case (`isNaN`, `isInf`; `len`, `isNil`, `default`, `nil`, `??`) judges it, as upstream
does. More than one series is an error where the conditions only look at `result[0]`: upstream would judge the
first by chance.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from progressive_ci.errors import ConditionError
from progressive_ci.judging import texts
from progressive_ci.judging.condition import usage
from progressive_ci.judging.condition.values import Value
from progressive_ci.judging.outcome import compiled, phase_of
from progressive_ci.model.check import Check
from progressive_ci.model.sample import Errored, Measured, NoData, Sample
from progressive_ci.model.verdict import Phase


@dataclass(frozen=True, slots=True)
class Measurement:
    """One answer, judged.

    Attributes:
        check: name of the check.
        phase: upstream's word; Error too where there is no data.
        value: as text, shortened; empty where there is none.
        message: condition, or why there is no value.
        asked_at: monotonic time of the question.
        ended_at: monotonic time of the answer.
        is_blind: whether nothing can be said from it: an error, or no data that is to be held.
        is_empty: whether it is blind for lack of data and not for an error.
    """

    check: str
    phase: Phase
    value: str
    message: str
    asked_at: float
    ended_at: float
    is_blind: bool = False
    is_empty: bool = False


def measured(
    check: Check,
    sample: Sample,
    *,
    asked_at: float,
    ended_at: float,
    counted: Sample | None = None,
    wall: datetime | None = None,
) -> Measurement:
    """Judge a sample by the conditions of its check.

    Args:
        check: what was asked.
        sample: the answer.
        asked_at: monotonic time of the question.
        ended_at: monotonic time of the answer.
        counted: answer of `samples_query`, where the check has one.
        wall: the time that conditions see as `now()`.
    """

    def make(
        phase: Phase, value: str, message: str, *, blind: bool = False, empty: bool = False
    ) -> Measurement:
        return Measurement(check.name, phase, value, message, asked_at, ended_at, blind, empty)

    shown = texts.value(sample.value) if isinstance(sample, Measured) else ""
    usable = _usable(check, _enough(check, sample, counted))
    match usable:
        case Measured(value=value):
            try:
                phase = phase_of(check.success, check.failure, value, now=wall)
            except ConditionError as error:
                return make(Phase.ERROR, shown, error.what, blind=True)
            return make(phase, shown, texts.wish(check, phase))
        case NoData(reason=reason):
            phase = {"fail": Phase.FAILED, "pass": Phase.SUCCESSFUL}.get(check.on_no_data, Phase.ERROR)
            held = phase is Phase.ERROR
            return make(phase, shown, f"no data: {reason}", blind=held, empty=held)
        case Errored(reason=reason):
            return make(Phase.ERROR, shown, reason, blind=True)
        case _:
            assert_never(usable)


def _enough(check: Check, sample: Sample, counted: Sample | None) -> Sample:
    """The sample, or no data where it rests on fewer requests than asked for."""
    if check.samples_query is None or not isinstance(sample, Measured):
        return sample
    match counted:
        case None:
            return Errored("the number of samples was not measured")
        case Measured(value=value):
            numbers = tuple(_floats(value))
            number = sum(number for number in numbers if math.isfinite(number))
        case NoData():
            number = 0.0
        case Errored():
            return Errored(f"the number of samples is unknown: {counted.reason}")
    if number >= check.min_samples:
        return sample
    return NoData(f"it rests on {number:g} samples, at least {check.min_samples:g} are asked for")


def _usable(check: Check, sample: Sample) -> Sample:
    if not isinstance(sample, Measured):
        return sample
    conditions = [compiled(text) for text in (check.success, check.failure) if text]
    if _is_empty(sample.value):
        handled = any(map(usage.handles_empty, conditions))
        return sample if handled else NoData("the answer is empty")
    strange = [number for number in _floats(sample.value) if not math.isfinite(number)]
    if any(map(math.isnan, strange)) and not any(map(usage.handles_nan, conditions)):
        return NoData(texts.strange("NaN", sample.value))
    if any(map(math.isinf, strange)) and not any(map(usage.handles_infinity, conditions)):
        return NoData(texts.strange("infinite", sample.value))
    if len(sample.series) > 1 and conditions and all(map(usage.means_one_series, conditions)):
        return Errored(texts.too_many(sample.series))
    return sample


def _is_empty(value: Value) -> bool:
    return value is None or (isinstance(value, tuple | list) and not value)


def _floats(value: Value) -> Iterator[float]:
    """The numbers of a scalar or a vector; a JSON document has no NaN."""
    match value:
        case float() | int():
            yield float(value)
        case tuple():
            yield from value
        case _:
            return
