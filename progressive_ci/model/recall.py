"""A recall: what somebody asks of a release that another process runs, namely to go back."""

from dataclasses import dataclass
from enum import StrEnum


class Purpose(StrEnum):
    """What the one who asks wants it for."""

    ABORT = "abort"
    SUPERSEDE = "supersede"


@dataclass(frozen=True, slots=True)
class Recall:
    """One such request; it stands beside the journal until the release has ended.

    Attributes:
        purpose: what for.
        release: id of the release that is to go back; no other one listens to it.
        by: who asks: a person, or the run that wants to take its place.
        reason: why, in the asker's words.
        at: UTC, RFC 3339, by the asker's clock.
    """

    purpose: Purpose
    release: str
    by: str
    reason: str
    at: str

    @property
    def told(self) -> str:
        """One sentence for the log, the journal and the outcome."""
        match self.purpose:
            case Purpose.ABORT:
                return f"aborted by {self.by}: {self.reason}"
            case Purpose.SUPERSEDE:
                return f"superseded by {self.by}" + (f": {self.reason}" if self.reason else "")
