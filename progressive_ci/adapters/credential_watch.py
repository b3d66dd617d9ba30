"""Looks after the end of a credential while a release runs, beside whatever the main thread waits for."""

from collections.abc import Callable

from progressive_ci.adapters.clock import Ticker
from progressive_ci.errors import ProgressiveError
from progressive_ci.ports import Login

_EVERY = 5.0


class WatchedCredential:
    """`ports.Credential`.

    Args:
        look: tells what it is like now; from any thread.
        ticker: calls for looks.
    """

    def __init__(self, look: Callable[[], Login], ticker: Ticker) -> None:
        self._look = look
        self._ticker = ticker

    def look(self) -> Login:
        """What it is like now."""
        return self._look()

    def call_before_end(self, seconds: float, act: Callable[[Login], None]) -> Callable[[], None]:
        """Call once, when no more than so many seconds are left; the answer takes that back."""

        def check() -> None:
            try:
                login = self._look()
            except ProgressiveError:
                return  # whoever needs it for a request will say so
            if login.left is not None and login.left <= seconds:
                stop()
                act(login)

        stop = self._ticker.repeat(_EVERY, check)
        return stop
