"""What every router module offers."""

from collections.abc import Mapping
from typing import Protocol

from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import Kind, Ref
from progressive_ci.model.route import Route
from progressive_ci.model.weight import Weight
from progressive_ci.model.write import Write

Objects = Mapping[Ref, JsonObject]
"""What was read from the cluster; an object that is known not to exist is not in it."""


class Router(Protocol):
    """A module that turns a weight into writes. It never sees the cluster.

    Writes it renders carry only what the router itself must `test` (which backend stands at which index).
    The release adds uid and epoch to every one of them (`model.fence`).
    """

    NAME: str
    """Row of the table, and the word in the plan."""

    OBJECT: str
    """What it writes, for people: `Ingress (canary annotations)`."""

    ACKNOWLEDGES: bool
    """Whether the data plane's controller confirms a change in a status field."""

    SETTLE: float
    """Seconds from a confirmed write to its effect on traffic."""

    SURVEYS: tuple[Kind, ...]
    """Kinds of which preflight also reads every object of the namespace, for `complaints` to look through."""

    def objects(self, route: Route) -> tuple[Ref, ...]:
        """Everything to read before any other call, objects that may not exist yet included."""

    def complaints(self, route: Route, objects: Objects) -> tuple[str, ...]:
        """Why this route cannot be used: one sentence each with object, field and advice. Empty when it can.

        Called in preflight, at rest: also finds a canary of somebody else.
        """

    def weight(self, route: Route, objects: Objects) -> Weight:
        """What the canary carries according to the objects; the largest where they disagree."""

    def shift(self, route: Route, objects: Objects, weight: Weight) -> tuple[Write, ...]:
        """What to write next to come to `weight`; empty when nothing differs. At most one write an object."""

    def withdraw(self, route: Route, objects: Objects) -> tuple[Write, ...]:
        """The safe write: takes the canary out of every rule, whatever it carries when this arrives.

        It must be valid before and after a `shift` rendered from the same objects: it tests which backend
        stands where, never a weight.
        """

    def reached(self, route: Route, objects: Objects, weight: Weight) -> bool:
        """Whether the objects say `weight`, and their controller has confirmed it where it does so."""
