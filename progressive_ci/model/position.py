"""Where a commit stands among the others that the same pipeline releases."""

from dataclasses import dataclass

DIGITS = 30
"""Enough for a time stamp, and no more than a journal should bear."""


def order_of(text: str) -> int | None:
    """The number that a text says; None where it says none, or one too long to be meant."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= DIGITS else None


@dataclass(frozen=True, slots=True)
class Position:
    """What a run knows of its place in the order of commits.

    Attributes:
        number: grows from run to run of one pipeline, and stays when an old run is repeated; None if unknown.
        source: whose number it is; numbers of different sources say nothing about each other.
        commit: what it releases; empty if unknown.
    """

    number: int | None = None
    source: str = ""
    commit: str = ""

    @property
    def known(self) -> bool:
        """Whether it says anything."""
        return self.number is not None or bool(self.commit)

    def __str__(self) -> str:
        """`run 42 (commit 1a2b3c4)`, or what of it is known."""
        commit = f"commit {self.commit[:12]}" if self.commit else ""
        if self.number is None:
            return commit or "a commit that nobody named"
        return f"run {self.number}" + (f" ({commit})" if commit else "")
