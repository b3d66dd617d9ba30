"""Every function of conditions that is no loop."""

from progressive_ci.judging.condition import library_collections, library_numbers, library_text, library_time
from progressive_ci.judging.condition.library import Arguments, Function
from progressive_ci.judging.condition.library_time import METHODS
from progressive_ci.judging.condition.run import Run
from progressive_ci.judging.condition.values import (
    Value,
)

__all__ = ["FUNCTIONS", "METHODS"]


def _default(run: Run, arguments: Arguments) -> Value:
    """Looks at the whole result, not at its argument, as upstream's does."""
    result = run.names.get("result")
    return arguments[1] if result is None else result


FUNCTIONS: dict[str, Function] = {
    "isNil": lambda run, _arguments: run.names.get("result") is None,
    "default": _default,
    **library_numbers.FUNCTIONS,
    **library_text.FUNCTIONS,
    **library_collections.FUNCTIONS,
    **library_time.FUNCTIONS,
}
