"""A server that has just started refuses for some seconds what it allows, because it has not read the Roles yet."""

from http import HTTPStatus

from progressive_ci.adapters.request import Request
from progressive_ci.ports import Clock, HttpResponse

SECONDS = 5.0
"""After which it has read them, so that a refusal is meant; short enough for the lease to outlive it."""


class Refusals:
    """What was allowed before, and since when the server refuses some of it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._allowed: set[tuple[str, str]] = set()
        self._first: tuple[str, str] | None = None
        self._since = 0.0

    def doubtful(self, request: Request, answer: HttpResponse) -> bool:
        """Whether an answer says nothing yet; every answer comes by here.

        Only once: the seconds count from the first refusal, until that request is allowed again.
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
        if self._first is None:
            self._first, self._since = key, self._clock.now()
        return self._clock.now() < self._since + SECONDS
