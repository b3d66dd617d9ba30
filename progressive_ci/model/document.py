"""Kubernetes objects as they travel, and where a user wrote them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

JsonObject = dict[str, Any]
"""One Kubernetes object, or a part of one, as JSON decodes it."""


@dataclass(frozen=True, slots=True, order=True)
class Source:
    """Where something stands in the user's files.

    Attributes:
        file: path as the user gave it; `-` is standard input.
        line: first line is 1.
        field: path in the document, as in `spec.strategy.canary.steps[2].pause`.
    """

    file: str = ""
    line: int = 0
    field: str = ""

    def __str__(self) -> str:
        """`file:line: field`, as compilers write it."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.field}" if self.field else place


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document of the user.

    Attributes:
        body: the object, exactly as written.
        source: its first line.
        lines: line of each field, by its path (`spec.steps[0].setWeight`).
    """

    body: JsonObject
    source: Source
    lines: Mapping[str, int]

    @property
    def kind(self) -> str:
        """The document's `kind`."""
        return str(self.body.get("kind", ""))

    @property
    def name(self) -> str:
        """The document's `metadata.name`."""
        return str(self.body.get("metadata", {}).get("name", ""))

    def at(self, field: str) -> Source:
        """Where a field stands; the nearest parent's line when the field itself is absent."""
        path = field
        while path and path not in self.lines:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return Source(self.source.file, self.lines.get(path, self.source.line), field)
