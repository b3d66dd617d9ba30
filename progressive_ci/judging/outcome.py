"""Owns what one value means: the conditions of a check turned into the phase of a measurement."""

from datetime import datetime
from functools import lru_cache

from progressive_ci.errors import ConditionError
from progressive_ci.judging.condition import Condition, compile_condition, evaluate
from progressive_ci.judging.condition.values import Value
from progressive_ci.model.verdict import Phase


@lru_cache(maxsize=256)
def compiled(text: str) -> Condition:
    """A condition, parsed once for all its measurements.

    Raises:
        ConditionError: the text is none.
    """
    return compile_condition(text)


def phase_of(success: str, failure: str, value: Value, *, now: datetime | None = None) -> Phase:
    """What a value means by upstream's rules.

    Both conditions are always asked. Both given: failure wins, and neither true is inconclusive. One given:
    it decides alone. None given: successful.

    Raises:
        ConditionError: a condition can't be evaluated for this value; says which.
    """
    succeeded = _asked("successCondition", success, value, now)
    failed = _asked("failureCondition", failure, value, now)
    if failed or (failed is None and succeeded is False):
        return Phase.FAILED
    if failed is False and succeeded is False:
        return Phase.INCONCLUSIVE
    return Phase.SUCCESSFUL


def _asked(field: str, text: str, value: Value, now: datetime | None) -> bool | None:
    if not text:
        return None
    try:
        return evaluate(compiled(text), value, now=now)
    except ConditionError as error:
        what = f"could not evaluate {field}: {error.what}"
        raise ConditionError(what, text=text, column=error.column, stage=error.stage) from None
