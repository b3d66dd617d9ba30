"""A server that has just started refuses for some seconds what it allows, because it has not read the Roles yet."""

from http import HTTPStatus

from progressive_ci.adapters.request import Request
from progressive_ci.ports import Clock, HttpResponse

SECONDS = 5.0
"""After which it has read them, so that a refusal is meant; short enough for the lease to outlive it."""

_APART = 60.0
"""Seconds without a refusal, after which the next one has another reason: the server may have started again."""


class Refusals:
    """What was allowed before, and since when the server refuses some of it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._allowed: set[tuple[str, str]] = set()
        self._first: tuple[str, str] | None = None
        self._since = 0.0
        self._last = 0.0

    def doubtful(self, request: Request, answer: HttpResponse) -> bool:
        """Whether an answer says nothing yet; every answer comes by here.

        Only once: the seconds count from the first refusal, until that request is allowed again or nothing was
        refused for long: who asked for it may never do so again.
        """
        key = (request.method, request.path)
        if answer.status < HTTPStatus.BAD_REQUEST:
            self._allowed.add(key)
            self._first = None if self._first == key else self._first
        # Quotas and policies answer 403 as well, in other words than whoever looks into the Roles.
        if (
            answer.status != HTTPStatus.FORBIDDEN
            or b" cannot " not in answer.body
            or key not in self._allowed
        ):
            return False
        now = self._clock.now()
        if self._first is None or now >= self._last + _APART:
            self._first, self._since = key, now
        self._last = now
        return now < self._since + SECONDS
