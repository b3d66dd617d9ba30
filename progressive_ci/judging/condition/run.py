"""One evaluation: the result it is about, the time, and the bounds that no condition can exceed."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from progressive_ci.judging.condition.values import Value, fault

MOST_STEPS = 3_000_000
MOST_ITEMS = 1_000_000
"""Elements that one evaluation may make, upstream's memory budget."""

LONGEST_TEXT = 1_000_000


@dataclass(slots=True)
class Run:
    """What an evaluation knows and has used up. The only thing in this package that changes.

    Attributes:
        text: the condition, for complaints.
        names: variables of the environment.
        now: what `now()` gives; None where the time is not known.
        steps: nodes evaluated.
        items: elements made.
    """

    text: str
    names: dict[str, Any]
    now: datetime | None = None
    steps: int = 0
    items: int = 0

    def step(self) -> None:
        """Count one node."""
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise fault(f"evaluation takes more than {MOST_STEPS} steps")

    def make(self, items: int) -> None:
        """Count new elements before they are made."""
        self.items += max(items, 0)
        if self.items > MOST_ITEMS:
            raise fault(f"evaluation makes more than {MOST_ITEMS} elements")

    @staticmethod
    def write(length: int) -> None:
        """Refuse a text before it gets too long."""
        if length > LONGEST_TEXT:
            raise fault(f"evaluation makes a text of more than {LONGEST_TEXT} characters")


@dataclass(frozen=True, slots=True)
class Frame:
    """What names and `#` stand for at one place.

    Attributes:
        variables: made by `let`.
        element: `#`.
        index: `#index`.
        accumulated: `#acc`.
    """

    variables: tuple[tuple[str, Value], ...] = ()
    element: Value = None
    index: int = 0
    accumulated: Value = None

    def at(self, element: Value, index: int, accumulated: Value = None) -> "Frame":
        """The same place, for the next element of a loop."""
        return Frame(self.variables, element, index, accumulated)

    def let(self, name: str, value: Value) -> "Frame":
        """The same place with one more variable."""
        return replace(self, variables=(*self.variables, (name, value)))
