"""Requests that arrive when nobody expects them any more."""

from collections.abc import Callable

from progressive_ci.errors import NoAnswer
from progressive_ci.ports import HttpResponse
from progressive_ci.sandbox.call import Call
from progressive_ci.sandbox.clock import VirtualClock
from progressive_ci.sandbox.faults import Fault, Killed, Send


def landing(seconds: float, *, after: str) -> Fault:
    """A request that its sender gives up, and that takes effect so long afterwards.

    Args:
        seconds: how long afterwards.
        after: why it is given up: a signal's name, a `time-out`, or the `death` of its sender.
    """

    def befall(call: Call, timeout: float, send: Send, clock: VirtualClock) -> HttpResponse:
        clock.at(clock.now() + seconds, lambda: _land(send, call))
        if after == "death":
            raise Killed
        if after != "time-out":
            clock.deliver(after)
        clock.advance(timeout)
        raise NoAnswer("no answer in time")

    return befall


def held(meanwhile: Callable[[], object]) -> Fault:
    """A request that is on its way while others work, and lands afterwards."""

    def befall(call: Call, _: float, send: Send, __: VirtualClock) -> HttpResponse:
        meanwhile()
        return send(call)

    return befall


def _land(send: Send, call: Call) -> None:
    send(call)


def on_the_wire(kept: list[Callable[[], object]]) -> Fault:
    """The process dies when a request has left it; it lands when somebody calls what is kept here."""

    def befall(call: Call, _: float, send: Send, __: VirtualClock) -> HttpResponse:
        kept.append(lambda: send(call))
        raise Killed

    return befall
