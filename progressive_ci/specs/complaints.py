"""Owns the collection of everything that is wrong with the documents, so that it is told at once."""

from dataclasses import dataclass, field

from progressive_ci.errors import ProgressiveError, SpecInvalid
from progressive_ci.model.document import Source

NOT_BUILT = "not supported yet"
"""How a complaint about a field begins that is valid upstream and that this tool does not build yet."""


MOST = 200
"""Faults that are told at once; nobody reads more, and a file of nonsense has any number."""


class Followed(ProgressiveError):
    """What cannot be done because of a fault that was already complained about."""


@dataclass(slots=True)
class Complaints:
    """Complaints and notes about one set of documents. The one value here that changes."""

    _found: dict[tuple[Source, str], ProgressiveError] = field(default_factory=dict)
    _notes: dict[tuple[Source, str], None] = field(default_factory=dict)

    def add(self, source: Source, what: str, *, advice: str = "") -> None:
        """Take note of a fault, unless it only follows from one that was found at or below its field."""
        if len(self._found) < MOST and not self.about(source):
            self._found[source, what] = ProgressiveError(what, where=str(source), advice=advice)

    def note(self, source: Source, text: str) -> None:
        """Take note of something that the user should know."""
        self._notes[source, text] = None

    def about(self, source: Source) -> bool:
        """Whether a fault was found at this field or below it."""
        return any(
            found.file == source.file and found.field and _inside(found, source) for found, _ in self._found
        )

    @property
    def empty(self) -> bool:
        """Whether nothing was found."""
        return not self._found

    @property
    def warnings(self) -> tuple[str, ...]:
        """The notes, in the order of the files' lines."""
        return tuple(f"{source}: {text}" for source, text in sorted(self._notes, key=lambda pair: pair[0]))

    def end(self) -> None:
        """Stop here when anything was found.

        Raises:
            SpecInvalid: carries every fault, in the order of the files' lines.
        """
        if not self._found:
            return
        found = [error for _, error in sorted(self._found.items(), key=lambda pair: pair[0])]
        if len(found) == MOST:
            found.append(ProgressiveError(f"and perhaps more: only the first {MOST} faults are told"))
        raise SpecInvalid(*found)


def _inside(found: Source, source: Source) -> bool:
    """Whether a field stands at or below another one of the same document."""
    if not source.field or found.line < source.line:
        return False
    rest = found.field.removeprefix(source.field)
    return found.field.startswith(source.field) and rest[:1] in ("", ".", "[")
