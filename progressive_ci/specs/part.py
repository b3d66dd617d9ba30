"""Owns the way through a checked document: values together with the place where they stand."""

from dataclasses import dataclass
from typing import Any

from progressive_ci.model.document import Document, Source


@dataclass(frozen=True, slots=True)
class Part:
    """One object of a document, as `checking` leaves it.

    Attributes:
        document: the whole.
        path: of this object in it.
        value: what the tool understands of it.
    """

    document: Document
    path: str
    value: dict[str, Any]

    @property
    def source(self) -> Source:
        """Where it stands."""
        return self.document.at(self.path)

    @property
    def written(self) -> Any:  # noqa: ANN401 - any YAML value
        """What the user wrote here, understood or not; None where there is nothing."""
        found: Any = self.document.body
        for key in filter(None, self.path.replace("]", "").replace("[", ".").split(".")):
            match found:
                case list() if key.isdigit():
                    found = found[int(key)]
                case dict():
                    found = found.get(key)
                case _:
                    return None
        return found

    def at(self, name: str) -> Source:
        """Where one of its fields stands, or would stand."""
        return self.document.at(f"{self.path}.{name}".lstrip("."))

    def has(self, name: str) -> bool:
        """Whether a field is written."""
        return name in self.value

    def part(self, *names: str) -> "Part":
        """The object below, empty where it is not written."""
        part = self
        for name in names:
            part = Part(self.document, f"{part.path}.{name}".lstrip("."), part.value.get(name) or {})
        return part

    def parts(self, name: str) -> tuple["Part", ...]:
        """The objects of a list; those that were complained about are left out."""
        return tuple(
            Part(self.document, f"{self.path}.{name}[{index}]".lstrip("."), value)
            for index, value in enumerate(self.value.get(name) or ())
            if isinstance(value, dict)
        )

    def text(self, name: str) -> str:
        """A text, empty where it is not written."""
        return str(self.value.get(name, ""))

    def whole(self, name: str) -> int | None:
        """A number, None where it is not written."""
        value = self.value.get(name)
        return value if isinstance(value, int) else None

    def flag(self, name: str) -> bool:
        """A claim, false where it is not written."""
        return self.value.get(name) is True

    def pairs(self, name: str) -> tuple[tuple[str, str], ...]:
        """Keys and texts of an object, in the order in which they are written."""
        return tuple((self.value.get(name) or {}).items())

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts."""
        return tuple(value for value in self.value.get(name) or () if isinstance(value, str))
