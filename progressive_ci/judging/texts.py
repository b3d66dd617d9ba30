"""Owns the sentences of verdicts: what a person reads at night."""

from collections.abc import Sequence

from progressive_ci.judging.condition import gotext
from progressive_ci.judging.condition.values import Value
from progressive_ci.model.check import Check
from progressive_ci.model.verdict import Phase

_LONGEST_VALUE = 80
_MOST_SERIES = 3


def value(measured: Value) -> str:
    """A measured value: `0.912`, `[10,11]`, `NaN`; long ones are cut."""
    if isinstance(measured, tuple):
        text = "[" + ",".join(gotext.number(number) for number in measured[:_LONGEST_VALUE]) + "]"
    else:
        text = gotext.shown(measured)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 3] + "..."


def bare(text: str) -> str:
    """A vector of one value without its brackets."""
    lone = text.startswith("[") and "," not in text and " " not in text
    return text[1:-1] if lone else text


def wish(check: Check, phase: Phase) -> str:
    """What the conditions wanted of a value."""
    if phase is Phase.SUCCESSFUL:
        return check.success or (f"not {check.failure}" if check.failure else "")
    if phase is Phase.FAILED and check.failure:
        return f"must not be {check.failure}" + (f", wanted {check.success}" if check.success else "")
    if phase is Phase.FAILED:
        return f"wanted {check.success}"
    return f"neither {check.success} nor {check.failure}"


def strange(word: str, measured: Value) -> str:
    """Why a value with NaN or infinities says nothing."""
    if isinstance(measured, tuple) and len(measured) > 1:
        return f"one of {len(measured)} values is {word}"
    return f"the value is {word}"


def too_many(series: Sequence[str]) -> str:
    """Several series where one is meant."""
    shown = ", ".join(series[:_MOST_SERIES]) + (", ..." if len(series) > _MOST_SERIES else "")
    return f"expected 1 series, got {len(series)}: {shown}; aggregate them in the query, or judge all(result, ...)"
