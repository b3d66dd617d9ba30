"""What every way of writing a log offers."""

from datetime import datetime
from typing import Protocol

from progressive_ci.model.event import Event
from progressive_ci.reports.story import Story


class Format(Protocol):
    """A module that writes events as lines. Pure: times and random words are given to it."""

    NAME: str
    """Row of the table, and the word after `--reporter`."""

    def lines(self, story: Story, event: Event, at: datetime, *, word: str) -> tuple[str, ...]:
        """The lines of one event.

        Args:
            story: what was told before it.
            event: what has just happened.
            at: when, in UTC.
            word: that nobody can guess, fresh for each event.
        """
