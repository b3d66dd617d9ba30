"""The dialects there are. A new one: a module or package, a row here, a row in docs/compatibility.md."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from progressive_ci.model.document import Document
from progressive_ci.model.plan import Plan
from progressive_ci.specs import deployment
from progressive_ci.specs.argo import rollout
from progressive_ci.specs.reading import Reading


class Dialect(Protocol):
    """A module that turns documents into plans."""

    NAME: str
    """Row of the table, and the word in the plan."""

    def subjects(self, documents: Sequence[Document]) -> tuple[Document, ...]:
        """The documents that say what to release."""

    def release_name(self, document: Document) -> str:
        """The name of the Deployment that a subject stands for."""

    def plan(self, reading: Reading, document: Document) -> Plan | None:
        """The plan of a subject; None after complaints."""


_MODULES: tuple[Dialect, ...] = (rollout, deployment)

DIALECTS: Mapping[str, Dialect] = {module.NAME: module for module in _MODULES}
"""By preference: a Deployment is released by its own strategy only where no other document speaks of it."""

REFUSED: Mapping[tuple[str, str], str] = {("flagger.app", "Canary"): "Flagger Canary"}
"""API group and kind of subjects that are known and not built yet, and what they are called."""
