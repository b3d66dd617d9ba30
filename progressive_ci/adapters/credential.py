"""Credentials that change while a release runs, and when to ask for the next one."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from progressive_ci.errors import Unauthorized

_EARLY = timedelta(minutes=5)
_PATIENCE = timedelta(seconds=15)
"""Between two attempts to renew a credential that is still good."""


@dataclass(frozen=True, slots=True)
class Issued:
    """What to log in with: a token, a client certificate, or both.

    Attributes:
        token: bearer token, or empty.
        certificate: PEM text with its key, or both empty.
        key: PEM text.
        renew_at: when to ask for the next one; None where it has no end.
        ends_at: when it is of no use any more; None where it has no end.
    """

    token: str = ""
    certificate: str = ""
    key: str = ""
    renew_at: datetime | None = None
    ends_at: datetime | None = None


def until(issued: Issued, ends: datetime) -> Issued:
    """The credential with an end: renewed five minutes before, or when a fifth of its life is left."""
    left = max(ends - datetime.now(UTC), timedelta())
    return replace(issued, renew_at=ends - min(_EARLY, left / 5), ends_at=ends)


class Credential(Protocol):
    """Where credentials come from."""

    def current(self) -> Issued:
        """One that is valid now; any thread may ask.

        Raises:
            Unauthorized: there is none to be had.
        """

    def renew(self) -> bool:
        """The server refused the last one: whether another try is worth it."""


@dataclass(frozen=True, slots=True)
class TokenFile:
    """A token that somebody else keeps fresh in a file."""

    path: Path

    def current(self) -> Issued:
        """Read it."""
        try:
            return Issued(self.path.read_text(encoding="utf-8").strip())
        except OSError as error:
            raise Unauthorized(f"the token can't be read: {error}", where=str(self.path)) from error

    def renew(self) -> bool:
        """False: it was read for that very request."""
        return False


class Renewed:
    """A credential that is asked for again shortly before it ends, by one thread at a time."""

    def __init__(self, ask: Callable[[], Issued]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._issued: Issued | None = None

    def current(self) -> Issued:
        """The last one, or a new one when that nears its end.

        A failure to renew does no harm as long as the last one is valid.
        """
        issued = self._issued
        if issued is None or _passed(issued.ends_at):
            with self._lock:
                if self._issued is issued:
                    self._issued = self._ask()
                return self._issued or Issued()
        if _passed(issued.renew_at) and self._lock.acquire(blocking=False):
            try:
                self._issued = self._ask()
            except Unauthorized:
                self._issued = replace(issued, renew_at=datetime.now(UTC) + _PATIENCE)
            finally:
                self._lock.release()
        return self._issued or issued

    def renew(self) -> bool:
        """Drop the last one."""
        self._issued = None
        return True


def _passed(moment: datetime | None) -> bool:
    return moment is not None and datetime.now(UTC) >= moment
