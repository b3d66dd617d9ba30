"""A watch on one object of the API server, by a thread of its own: state by state, whatever breaks on the way.

Every connection begins without a version, so the server tells the present state first. What happened while there
was none is in that state, so no version can be too old, and a state that comes twice does no harm. A connection that
is dead and doesn't say so is no quieter than one on which nothing happens, so whenever nothing has come for a few
seconds, a second thread looks at the object.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from progressive_ci.adapters.answers import Asked, decode, refusal
from progressive_ci.errors import ApiError, Forbidden, ProgressiveError, TooManyRequests
from progressive_ci.model.document import JsonObject
from progressive_ci.model.json_text import parsed
from progressive_ci.model.kinds import Ref, collection_path
from progressive_ci.ports import Cluster, HttpResponse

SECONDS = 60
"""After which the server ends one watch."""

GAP = 4.0
"""Seconds without news after which the object is looked at (15 requests a minute at the most), and the longest pause
after a failure. With an answer's time it is less than the five seconds in which a release obeys."""

_GRACE = 10.0
_SHORTEST = 1.0

Deliver = Callable[[JsonObject | None], None]


class Lines(Protocol):
    """Where an answer comes line by line: `wire.Wire`."""

    def lines(self, path: str, *, query: Mapping[str, str], seconds: float) -> HttpResponse | Iterator[bytes]:
        """The lines of a success, or the whole of another answer."""


@dataclass(slots=True)
class _News:
    """Where the object's states go.

    Attributes:
        deliver: hears of them.
        at: monotonic time of the last one, or of the last look for one.
    """

    deliver: Deliver
    at: float = field(default_factory=time.monotonic)

    def hear(self, found: JsonObject | None) -> None:
        """Deliver one."""
        self.at = time.monotonic()
        self.deliver(found)


class ThreadWatch:
    """`ports.Watch`.

    Args:
        lines: the connection.
        cluster: for the looks, best without repeats (`cluster.ONCE`); its clock is the threads'.
        tell: hears once that it is not allowed.
        gap: see GAP.
    """

    def __init__(
        self, lines: Lines, cluster: Cluster, *, tell: Callable[[str], None], gap: float = GAP
    ) -> None:
        self._lines = lines
        self._cluster = cluster
        self._tell = tell
        self._gap = gap

    def follow(self, ref: Ref, deliver: Deliver) -> Callable[[], None]:
        """Begin; see `ports.Watch`. A thread that waits for the server ends with the process."""
        stopped, news = threading.Event(), _News(deliver)
        for name, work in (("watch", self._follow), ("look", self._look)):
            threading.Thread(target=work, args=(ref, news, stopped), name=name, daemon=True).start()
        return stopped.set

    def _follow(self, ref: Ref, news: _News, stopped: threading.Event) -> None:
        failures = 0
        while not stopped.is_set():
            began, pause = time.monotonic(), 0.0
            try:
                self._connect(ref, news, stopped)
            except Forbidden as error:
                return self._tell(f"{error.what}; {ref} is looked at every {self._gap:g} s instead")
            except TooManyRequests as error:
                pause = error.retry_after
            except ProgressiveError:
                pause = min(_SHORTEST, self._gap)
            # Whoever ends every watch at once must not be asked again and again.
            failures = 0 if time.monotonic() - began >= self._gap else failures + 1
            stopped.wait(max(pause, min(self._gap, 0.1 * 2**failures) if failures else 0.0))
        return None

    def _connect(self, ref: Ref, news: _News, stopped: threading.Event) -> None:
        """One connection, to its end."""
        query = {
            "watch": "true",
            "fieldSelector": f"metadata.name={ref.name}",
            "timeoutSeconds": str(SECONDS),
        }
        asked = Asked("watch", str(ref))
        answer = self._lines.lines(
            collection_path(ref.kind, ref.namespace), query=query, seconds=SECONDS + _GRACE
        )
        if isinstance(answer, HttpResponse):
            decode(answer, asked)
            raise ApiError("a watch was answered with one object", where=str(ref))
        for line in answer:
            if stopped.is_set():
                return
            _hear(line, asked, news.hear)

    def _look(self, ref: Ref, news: _News, stopped: threading.Event) -> None:
        while not stopped.wait(max(0.0, news.at + self._gap - time.monotonic())):
            if time.monotonic() < news.at + self._gap:
                continue  # the watch has told something meanwhile
            news.at = time.monotonic()
            with suppress(ProgressiveError):  # the next look is near
                news.deliver(self._cluster.get(ref))


def _hear(line: bytes, asked: Asked, deliver: Deliver) -> None:
    """Deliver what one line tells.

    Raises:
        ApiError: it tells that the watch is over, or nothing that can be understood.
    """
    try:
        event = parsed(line)
        kind, found = event["type"], event["object"]
    except (ValueError, TypeError, KeyError) as error:
        raise ApiError("a watch was answered with something that is no event", where=asked.where) from error
    match kind:
        case "ADDED" | "MODIFIED":
            deliver(found)
        case "DELETED":
            deliver(None)
        case "BOOKMARK":
            return
        case _:
            status = int(found.get("code") or 0) if isinstance(found, dict) else 0
            raise refusal(HttpResponse(status, {}, line), found if isinstance(found, dict) else None, asked)
