"""The kinds of credential: when each one ends, and how the next one is had.

All moments are by the server's clock: it is the server that decides when a credential has ended.
"""

import base64
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Protocol, TypeVar

from progressive_ci.adapters.server_time import Now
from progressive_ci.errors import ProgressiveError, Unauthorized
from progressive_ci.model.json_text import parsed

_EARLY = timedelta(minutes=5)
_PATIENCE = timedelta(seconds=15)
"""Between two attempts to renew a credential that is still good, or after a 401."""
_TOLERATED = timedelta(seconds=45)
"""How long attempts may fail before its end counts as final."""


@dataclass(frozen=True, slots=True)
class Issued:
    """What to log in with: a token, a client certificate, or both.

    Attributes:
        token: what stands after the scheme, or empty.
        certificate: PEM text with its key, or both empty.
        key: PEM text.
        scheme: of the authorization header.
        renew_at: when to ask for the next one; None where it has no end.
        ends_at: when it is of no use any more; None where it has no known end.
        last: when even asking again is of no use any more; None where that has no known end.
    """

    token: str = ""
    certificate: str = ""
    key: str = ""
    scheme: str = "Bearer"
    renew_at: datetime | None = None
    ends_at: datetime | None = None
    last: datetime | None = None

    def __repr__(self) -> str:
        """Nothing that may not be printed."""
        return f"Issued(ends_at={self.ends_at})"


def until(issued: Issued, ends: datetime, now: datetime) -> Issued:
    """The credential with an end: renewed five minutes before, or when half of its life is left."""
    left = max(ends - now, timedelta())
    return replace(issued, renew_at=ends - min(_EARLY, left / 2), ends_at=ends)


class Credential(Protocol):
    """Where credentials come from.

    Attributes:
        kind: what it is, in words; never its content.
        renewed: whether it is replaced before it ends.
        advice: what to do where it ends too early.
    """

    @property
    def kind(self) -> str: ...  # noqa: D102 - described above

    @property
    def renewed(self) -> bool: ...  # noqa: D102 - described above

    @property
    def advice(self) -> str: ...  # noqa: D102 - described above

    def current(self) -> Issued:
        """One that is valid now; any thread may ask.

        Raises:
            Unauthorized: there is none to be had.
        """

    def renew(self, refused: Issued) -> bool:
        """The server refused this one: whether another try is worth it."""

    def ends(self) -> datetime | None:
        """When there will be none any more, as far as is known now; None where it will always be renewed."""


class Answered(Protocol):
    """Any form of an answer."""

    @property
    def status(self) -> int: ...  # noqa: D102 - of HTTP


A = TypeVar("A", bound=Answered)


def authenticated(credential: Credential, send: Callable[[Issued], A]) -> A:
    """The answer to a request; where the server refuses the credential, once more with a fresh one."""
    issued = credential.current()
    answer = send(issued)
    if answer.status == HTTPStatus.UNAUTHORIZED and credential.renew(issued):
        answer = send(credential.current())
    return answer


@dataclass(frozen=True, slots=True)
class Fixed:
    """A credential that was given once."""

    kind: str
    issued: Issued
    advice: str = "use a credential that is renewed (docs/credentials.md)"
    renewed: bool = False

    def current(self) -> Issued:
        """Always the same."""
        return self.issued

    def renew(self, refused: Issued) -> bool:
        """False: there is no other."""
        del refused
        return False

    def ends(self) -> datetime | None:
        """Its own end."""
        return self.issued.ends_at


@dataclass(frozen=True, slots=True)
class TokenFile:
    """A token that somebody else keeps fresh in a file; read for every request.

    Attributes:
        kept: whether it is known that somebody does, as for a pod's own.
    """

    path: Path
    kind: str = "the token file of the kubeconfig"
    kept: bool = False
    advice: str = "let whoever writes the file put a new token there in time"

    @property
    def renewed(self) -> bool:
        """Whether somebody surely keeps it fresh."""
        return self.kept

    def current(self) -> Issued:
        """Read it."""
        try:
            token = self.path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise Unauthorized(f"the token can't be read: {error}", where=str(self.path)) from error
        if not token:
            raise Unauthorized(
                "the token file is empty", where=str(self.path), advice="let the job write it first"
            )
        return Issued(token, ends_at=end_of_jwt(token))

    def renew(self, refused: Issued) -> bool:
        """Whether the file has changed meanwhile."""
        return self.current().token != refused.token

    def ends(self) -> datetime | None:
        """The end of the token that is in it now; None where somebody keeps it fresh."""
        return None if self.kept else self.current().ends_at


class Renewed:
    """A credential that is asked for again shortly before it ends, by one thread at a time."""

    renewed = True

    def __init__(self, ask: Callable[[], Issued], *, kind: str, now: Now, advice: str = "") -> None:
        self.kind = kind
        self.advice = advice or "see in the log why it can't be renewed"
        self._ask = ask
        self._now = now
        self._lock = threading.Lock()
        self._issued: Issued | None = None
        self._failing: datetime | None = None
        self._refused: datetime | None = None

    def current(self) -> Issued:
        """The last one, or a new one when that nears its end.

        A failure to renew does no harm as long as the last one is valid.
        """
        issued = self._issued
        if issued is None or self._passed(issued.ends_at):
            with self._lock:
                if self._issued is issued:
                    self._issued = self._ask()
                return self._issued or issued or Issued()
        if self._passed(issued.renew_at) and self._lock.acquire(blocking=False):
            try:
                self._issued = self._ask()
                self._failing = None
            except ProgressiveError:
                self._failing = self._failing or self._now()
                self._issued = replace(issued, renew_at=self._now() + _PATIENCE)
            finally:
                self._lock.release()
        return self._issued or issued

    def renew(self, refused: Issued) -> bool:
        """Drop the one that was refused, unless another thread has replaced it already.

        False where its predecessor was refused just before: a server that accepts none isn't asked with each of them.
        """
        with self._lock:
            if self._issued is not refused:
                return True
            if self._refused is not None and self._now() < self._refused + _PATIENCE:
                return False
            self._refused = self._now()
            self._issued = None
        return True

    def ends(self) -> datetime | None:
        """Its end where asking again fails, and where whatever it is made of has an end of its own."""
        issued, failing = self._issued, self._failing
        if issued is None:
            return None
        return issued.ends_at if failing and self._now() >= failing + _TOLERATED else issued.last

    def _passed(self, moment: datetime | None) -> bool:
        return moment is not None and self._now() >= moment


def end_of_jwt(token: str) -> datetime | None:
    """The `exp` claim of a token that is a JWT; None for any other."""
    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - header, claims, signature
        return None
    try:
        claims = parsed(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return datetime.fromtimestamp(int(claims["exp"]), UTC)
    except (ValueError, KeyError, TypeError, OverflowError, OSError):
        return None
