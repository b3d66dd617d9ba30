"""Faults at the seam, chosen by a request's number or by what it asks for, and the log of requests."""

from collections.abc import Callable
from dataclasses import dataclass

from progressive_ci.errors import NOT_SENT, NoAnswer
from progressive_ci.ports import HttpResponse
from progressive_ci.sandbox import status
from progressive_ci.sandbox.call import Answer, Call, rendered
from progressive_ci.sandbox.clock import VirtualClock

LATENCY = 0.004
"""Seconds of virtual time that a request takes, half of it on each way."""


class Killed(BaseException):
    """The process died here; nothing of it runs any more. No `except Exception` may survive it."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and how it ended.

    Attributes:
        number: counted from 1.
        time: virtual time at which it was sent.
        call: method, path, query, body.
        status: HTTP status; 0 when no answer came back.
        applied: whether the server has seen it.
    """

    number: int
    time: float
    call: Call
    status: int
    applied: bool

    @property
    def writes(self) -> bool:
        """Whether it could have changed something."""
        return self.call.method != "GET" and not self.call.dry and "selfsubject" not in self.call.path


Send = Callable[[Call], HttpResponse]


Fault = Callable[[Call, float, Send, VirtualClock], HttpResponse]
"""What happens to one request instead of its normal course: it answers or raises."""

Chooser = Callable[[int, Call], bool]


class Faults:
    """Stands between the transports and the API server.

    Attributes:
        log: every request so far, as they ended: one that came meanwhile, like a renewal, stands before.
    """

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._planned: list[tuple[Chooser, Fault, list[int]]] = []
        self._before: list[Callable[[int, Call], None]] = []
        self._after: list[Callable[[Exchange], None]] = []
        self._sent = 0
        self.log: list[Exchange] = []

    def plan(self, fault: Fault, *, when: Chooser, times: int = 1) -> None:
        """Let a fault happen to the first requests that fit.

        Args:
            fault: one of this module's.
            when: fits by number (from 1) and request; see `nth`, `to`.
            times: how many requests it befalls.
        """
        self._planned.append((when, fault, [times]))

    def before_each(self, hook: Callable[[int, Call], None]) -> None:
        """Call a hook before every request; it may change the world."""
        self._before.append(hook)

    def after_each(self, hook: Callable[[Exchange], None]) -> None:
        """Call a hook after every request, whatever came of it."""
        self._after.append(hook)

    def numbered(self, number: int) -> Exchange:
        """The request with this number, once it has ended."""
        return next(done for done in self.log if done.number == number)

    def exchange(self, call: Call, timeout: float, send: Send) -> HttpResponse:
        """Send a request, unless a fault takes its place."""
        self._sent += 1
        number, began, code, applied = self._sent, self._clock.now(), 0, False

        def watched(sent: Call) -> HttpResponse:
            nonlocal applied
            applied = True
            return send(sent)

        for hook in self._before:
            hook(number, call)
        try:
            response = self._befall(number, call, timeout, watched)
            code = response.status
        finally:
            done = Exchange(number, began, call, code, applied)
            self.log.append(done)
            for after in self._after:
                after(done)
        return response

    def _befall(self, number: int, call: Call, timeout: float, send: Send) -> HttpResponse:
        for chooser, fault, left in self._planned:
            if left[0] > 0 and chooser(number, call):
                left[0] -= 1
                return fault(call, timeout, send, self._clock)
        return send(call)


def nth(number: int) -> Chooser:
    """The request with this number, counted from 1 over all transports."""
    return lambda at, _: at == number


def to(method: str, fragment: str) -> Chooser:
    """Requests with this method whose path contains a text; an empty method means any."""
    return lambda _, call: (not method or call.method == method) and fragment in call.path


def during(clock: VirtualClock, since: float, until: float) -> Chooser:
    """Requests that are sent between two moments of virtual time."""
    return lambda _, __: since <= clock.now() < until


def drop() -> Fault:
    """The request never arrives; the connection hangs until the time-out."""

    def befall(_: Call, timeout: float, __: Send, clock: VirtualClock) -> HttpResponse:
        clock.advance(timeout)
        raise NoAnswer(f"no answer within {timeout:g} s")

    return befall


def refuse(why: str = "connection refused") -> Fault:
    """There is no connection, and that is known at once: refused, no such name, no handshake."""

    def befall(_: Call, __: float, ___: Send, clock: VirtualClock) -> HttpResponse:
        clock.advance(0.001)
        raise NoAnswer(why, reason=NOT_SENT)

    return befall


def lose_answer() -> Fault:
    """The server does what was asked, but its answer is lost."""

    def befall(call: Call, timeout: float, send: Send, clock: VirtualClock) -> HttpResponse:
        began = clock.now()
        send(call)
        clock.advance(max(0.0, began + timeout - clock.now()))
        raise NoAnswer(f"no answer within {timeout:g} s")

    return befall


def answer(refusal: status.Refusal) -> Fault:
    """The server says no without looking: 409, 429, 500; see `status`."""

    def befall(_: Call, __: float, ___: Send, clock: VirtualClock) -> HttpResponse:
        clock.advance(LATENCY)
        return rendered(Answer(refusal.code, refusal.body, headers=tuple(refusal.headers.items())))

    return befall


def conflict() -> Fault:
    """409: somebody else wrote first."""
    return answer(status.failure(409, "Conflict", f"Operation cannot be fulfilled: {status.CHANGED}"))


def too_many(retry_after: int = 1) -> Fault:
    """429 with Retry-After."""
    return answer(status.too_many_requests(retry_after))


def broken(code: int = 500) -> Fault:
    """5xx."""
    return answer(status.server_error(code))


def twice() -> Fault:
    """The server gets it two times; the answer is the second one."""

    def befall(call: Call, _: float, send: Send, __: VirtualClock) -> HttpResponse:
        send(call)
        return send(call)

    return befall


def delay(seconds: float) -> Fault:
    """The answer takes longer; beyond the time-out it is lost, though the server has done what was asked."""

    def befall(call: Call, timeout: float, send: Send, clock: VirtualClock) -> HttpResponse:
        if seconds >= timeout:
            return lose_answer()(call, timeout, send, clock)
        clock.advance(seconds)
        return send(call)

    return befall


def signal_before(name: str) -> Fault:
    """A signal arrives just before the request is sent."""

    def befall(call: Call, _: float, send: Send, clock: VirtualClock) -> HttpResponse:
        clock.deliver(name)
        clock.advance(0.0)
        return send(call)

    return befall


def signal_after(name: str) -> Fault:
    """A signal arrives after the server has done what was asked, while its answer is on the way."""

    def befall(call: Call, _: float, send: Send, clock: VirtualClock) -> HttpResponse:
        response = send(call)
        clock.deliver(name)
        clock.advance(0.0)
        return response

    return befall


def kill_before() -> Fault:
    """The process dies before the request leaves it."""

    def befall(*_: object) -> HttpResponse:
        raise Killed

    return befall


def kill_after() -> Fault:
    """The process dies when the server has done what was asked."""

    def befall(call: Call, _: float, send: Send, __: VirtualClock) -> HttpResponse:
        send(call)
        raise Killed

    return befall
