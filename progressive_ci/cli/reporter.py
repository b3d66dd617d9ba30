"""Where the events of a run go: the screen, and the files that the CI system or the user asked for."""

import secrets
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

from progressive_ci.cli.screen import Screen
from progressive_ci.model.event import (
    Began,
    Ended,
    Event,
    Opened,
    SecretSeen,
    Shifted,
    Stopped,
    Waiting,
    Warned,
)
from progressive_ci.model.outcome import Outcome
from progressive_ci.reports.format import Format
from progressive_ci.reports.mask import Mask
from progressive_ci.reports.plain import stamped, waiting
from progressive_ci.reports.story import Story, heartbeat_due, told

MILESTONES = (Opened, Began, Shifted, Stopped, Ended)


@dataclass(frozen=True, slots=True)
class Paper:
    """A file beside the screen.

    Attributes:
        path: of the file.
        render: its text from the story and a word that nobody can guess.
        occasions: events after which it is written.
        grows: whether the text is added to the file; else it takes the place of the old one.
    """

    path: str
    render: Callable[[Story, str], str]
    occasions: tuple[type[Event], ...] = MILESTONES
    grows: bool = False


class RunReporter:
    """Takes events from any thread, masks them, and never raises.

    Args:
        screen: where lines go.
        form: how lines look.
        papers: files to keep.
        wall: the time in UTC.
    """

    def __init__(
        self,
        screen: Screen,
        form: Format,
        *,
        papers: tuple[Paper, ...] = (),
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._screen = screen
        self._form = form
        self._papers = papers
        self._wall = wall
        self._mask = Mask()
        self._story = Story()
        self._broken: frozenset[str] = frozenset()
        self._lock = threading.RLock()

    def emit(self, event: Event) -> None:
        """Take note of one event (see `ports.Reporter`); nothing follows the line that tells the outcome."""
        try:
            with self._lock:
                if self._story.outcome is None:
                    self._take(event)
        except Exception as error:  # noqa: BLE001 - a report must never end a release, whatever its own fault is
            self._unreported(error)

    def end(self, outcome: Outcome) -> None:
        """Tell the outcome, unless whoever reached it has told it already."""
        if self._story.outcome is None:
            self.emit(Ended(outcome))

    def close(self) -> None:
        """Wait until everything is printed."""
        self._screen.close()

    def hide(self, text: str) -> str:
        """A text that comes by another way than an event, without the secrets that are known."""
        return self._mask.applied(text)

    def _take(self, event: Event) -> None:
        at = self._wall()
        word = secrets.token_hex(16)
        if isinstance(event, SecretSeen):
            self._mask = self._mask.knowing(event.value)
            self._screen.show(self._form.lines(self._story, event, at, word=word))
            return
        event = masked(event, self._mask)
        before, self._story = self._story, told(self._story, event, at)
        due = [
            paper
            for paper in self._papers
            if isinstance(event, paper.occasions) or (not paper.grows and heartbeat_due(before, at))
        ]
        if isinstance(event, Ended):
            # A file that can't be written is told above the last line, which programs read.
            self._keep(due)
            self._show(before, event, at, word)
        else:
            self._show(before, event, at, word)
            self._keep(due)

    def _show(self, before: Story, event: Event, at: datetime, word: str) -> None:
        if isinstance(event, Waiting) and self._screen.terminal:
            self._screen.live(stamped(at, waiting(event)))
        else:
            self._screen.show(tuple(map(self._mask.applied, self._form.lines(before, event, at, word=word))))

    def _keep(self, papers: Iterable[Paper]) -> None:
        for paper in papers:
            try:
                self._write(paper)
            except Exception as error:  # noqa: BLE001 - what is wrong with one file must not cost the last line
                self._unreported(error)

    def _write(self, paper: Paper) -> None:
        """Write one file; a full disk is told once and costs nothing but the file."""
        text = self._mask.applied(paper.render(self._story, f"end-{secrets.token_hex(16)}"))
        try:
            with Path(paper.path).open("a" if paper.grows else "w", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            if paper.path not in self._broken:
                self._broken |= {paper.path}
                why = f"{paper.path} cannot be written ({error.strerror}); the run goes on without it"
                self._take(Warned(why))

    def _unreported(self, error: Exception) -> None:
        self._screen.show((f"(an event could not be reported: {type(error).__name__})",))


class Listener:
    """Takes events of a command whose product is its own text: only secrets matter to it."""

    def __init__(self) -> None:
        self.mask = Mask()

    def emit(self, event: Event) -> None:
        """Remember what must not be printed."""
        if isinstance(event, SecretSeen):
            self.mask = self.mask.knowing(event.value)

    def hide(self, text: str) -> str:
        """A text without the secrets that are known."""
        return self.mask.applied(text)


def masked(value: Any, mask: Mask) -> Any:  # noqa: ANN401 - it gives back the type it was given
    """The same value with every text in it masked, before any escaping can hide a secret from the mask."""
    if isinstance(value, str):
        return value if isinstance(value, Enum) else mask.applied(value)
    if isinstance(value, tuple):
        return tuple(masked(part, mask) for part in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{row.name: masked(getattr(value, row.name), mask) for row in fields(value)})
    return value
