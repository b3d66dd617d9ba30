"""What the functions of conditions share: their shape, and the price of what they walk through."""

from collections.abc import Callable, Sequence
from typing import Any

from progressive_ci.judging.condition.run import Run
from progressive_ci.judging.condition.values import (
    Value,
    fault,
    is_number,
    type_name,
)

Arguments = Sequence[Value]
Function = Callable[[Run, Arguments], Value]
LETTERS = 10
"""Letters that a function over texts handles in one step."""


def weighed(function: Function) -> Function:
    """The function, once its arguments are known to be of a size that it can walk through."""

    def apply(run: Run, arguments: Arguments) -> Value:
        for value in arguments:
            run.weigh(value)
        return function(run, arguments)

    return apply


def texts(name: str, arguments: Arguments) -> list[Any]:
    """The arguments of a function over texts: texts, and numbers where it counts something."""
    for value in arguments:
        if not isinstance(value, str) and not is_number(value):
            raise fault(f"cannot use {type_name(value)} as argument to call {name}")
    return list(arguments)
