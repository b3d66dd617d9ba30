"""Owns what every dialect gets for its work: the documents, the choices, the checkers, the complaints."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from progressive_ci.errors import ProgressiveError
from progressive_ci.model.document import Document, JsonObject
from progressive_ci.specs.checking import check
from progressive_ci.specs.complaints import Complaints, Followed
from progressive_ci.specs.fields import Table
from progressive_ci.specs.part import Part

Check = Callable[[str], str | None]
"""Takes a text, returns what is wrong with it as a sentence, or None."""

Fill = Callable[[str, Mapping[str, str]], str]
"""Puts arguments into a query, escaped for where they stand; raises ProgressiveError where they can't be."""


def plain_fill(query: str, values: Mapping[str, str]) -> str:
    """Arguments as they are."""
    for name, value in values.items():
        query = query.replace("{{args." + name + "}}", value)
    return query


@dataclass(frozen=True, slots=True)
class Checkers:
    """What only other packages know; whoever does not ask them takes every text as it is.

    Attributes:
        condition: whether a text is a condition.
        query: whether a text is PromQL.
        window: whether a text gives a time, as start and end of a range query do.
        fill: puts arguments into a query.
    """

    condition: Check = lambda _: None
    query: Check = lambda _: None
    window: Check = lambda _: None
    fill: Fill = plain_fill


UNCHECKED = Checkers()


@dataclass(frozen=True, slots=True)
class Reading:
    """One set of documents being read for one release.

    Attributes:
        documents: of the whole input.
        namespace: of the release.
        images: `[CONTAINER=]REF`, in the order in which they were given.
        analysis: template that judges a Deployment's release; empty for none.
        live: the workload as the cluster has it, for what a document can't say.
        checkers: of conditions and queries.
        complaints: everything found so far.
        taken: the documents that were read as part of the spec.
        allowed: other namespaces that the documents may name; None is any.
    """

    documents: tuple[Document, ...]
    namespace: str
    images: tuple[str, ...]
    analysis: str
    live: JsonObject
    checkers: Checkers
    complaints: Complaints = field(default_factory=Complaints)
    taken: list[Document] = field(default_factory=list)
    allowed: tuple[str, ...] | None = None

    def admits(self, namespace: str) -> bool:
        """Whether the documents may name objects of a namespace."""
        return namespace == self.namespace or self.allowed is None or namespace in self.allowed

    def find(self, kind: str, group: str, name: str) -> Document | None:
        """A document by its kind, API group and name, in the release's namespace or without any."""
        for document in self.documents:
            if (document.kind, group_of(document), document.name) == (kind, group, name) and namespace_of(
                document
            ) in ("", self.namespace):
                return document
        return None

    def checked(self, document: Document, table: Table) -> Part:
        """A document as its table understands it."""
        self.taken.append(document)
        return Part(document, "", check(document, table, self.complaints))

    def fault(self, part: Part, name: str, what: str, *, advice: str = "") -> None:
        """Complain about a field."""
        self.complaints.add(part.at(name) if name else part.source, what, advice=advice)

    def attempt(self, part: Part, name: str, work: Callable[[], Any]) -> Any:  # noqa: ANN401 - of any work
        """Do something that may raise, and complain about the field when it does; None then."""
        try:
            return work()
        except Followed:
            return None
        except ProgressiveError as error:
            self.complaints.add(part.at(name), error.what, advice=error.advice)
            return None


def group_of(document: Document) -> str:
    """The API group of a document, empty for the core."""
    return str(document.body["apiVersion"]).rpartition("/")[0]


def namespace_of(document: Document) -> str:
    """The namespace that a document names, empty for none."""
    namespace = document.body["metadata"].get("namespace")
    return namespace if isinstance(namespace, str) else ""
