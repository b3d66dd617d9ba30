"""What time it is for a server, by the `Date` header of its answers: a runner's clock may be wrong.

The API server decides when a credential has ended, and several runs write into one journal.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

Now = Callable[[], datetime]

_LATEST = datetime(9000, 1, 1, tzinfo=UTC)
"""Near the end of the calendar no time can be reckoned with: whatever is added to it would be beyond."""


def own_wall() -> datetime:
    """Now in UTC by this machine's clock."""
    return datetime.now(UTC)


class ServerTime:
    """Our own clock, set right by the `Date` header of every answer; exact to a second or two."""

    def __init__(self, wall: Now = own_wall) -> None:
        self._wall = wall
        self._ahead = timedelta()

    def now(self) -> datetime:
        """Now in UTC by the server's clock; by our own as long as it has said nothing."""
        return self._wall() + self._ahead

    def heed(self, headers: Mapping[str, str]) -> None:
        """Take note of an answer's headers."""
        for name, value in headers.items():
            if name.lower() == "date":
                try:
                    said = parsedate_to_datetime(value)
                except ValueError:
                    return
                said = said if said.tzinfo else said.replace(tzinfo=UTC)
                self._ahead = said - self._wall() if said < _LATEST else self._ahead
