"""One evaluation: the result it is about, the time, and the bounds that no condition can exceed."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from progressive_ci.judging.condition.values import Value, fault, inside, size

MOST_STEPS = 500_000
"""About half a second: signals wait for an evaluation."""

MOST_ITEMS = 1_000_000
"""Elements that one evaluation may make, upstream's memory budget."""

LONGEST_TEXT = 1_000_000
DEEPEST_VALUE = 100


@dataclass(slots=True)
class Run:
    """What an evaluation knows and has used up. The only thing in this package that changes.

    Attributes:
        text: the condition, for complaints.
        names: variables of the environment.
        now: what `now()` gives; None where the time is not known.
        exact: ids of the comparisons that `check.Scope.exact` names.
        steps: work done.
        items: elements made.
    """

    text: str
    names: dict[str, Any]
    now: datetime | None = None
    exact: AbstractSet[int] = frozenset()
    steps: int = 0
    items: int = 0

    def spend(self, steps: float) -> None:
        """Count work: one step for a node, an element, a state of a pattern, or a line of text."""
        self.steps += int(steps)
        if self.steps > MOST_STEPS:
            raise fault(f"evaluation takes more than {MOST_STEPS} steps")

    def make(self, items: int) -> None:
        """Count new elements before they are made."""
        self.items += max(items, 0)
        if self.items >= MOST_ITEMS:
            raise fault(f"evaluation makes {MOST_ITEMS} elements or more")

    def weigh(self, value: Value) -> None:
        """Count everything inside a value before something walks through all of it.

        A list may hold another one many times over, and so be endless for all practical purposes.
        """
        level, depth = [value], 0
        while level:
            depth += 1
            self.spend(sum(map(size, level)))
            level = [inner for item in level for inner in inside(item)]
            if depth > DEEPEST_VALUE:
                raise fault(f"the value is nested deeper than {DEEPEST_VALUE} levels")

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
