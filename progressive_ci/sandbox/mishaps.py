"""Mishaps between the tool and the API server that are more than a missing answer or a refusal."""

from functools import partial

from progressive_ci.errors import ApiError, NoAnswer
from progressive_ci.ports import HttpResponse
from progressive_ci.sandbox.call import Call
from progressive_ci.sandbox.clock import VirtualClock
from progressive_ci.sandbox.faults import LATENCY, Fault, Send, drop


def untrusted() -> Fault:
    """The server shows a certificate that can't be trusted; nothing is sent to it."""

    def befall(_: Call, __: float, ___: Send, clock: VirtualClock) -> HttpResponse:
        clock.advance(LATENCY)
        raise ApiError("the certificate can't be trusted: it has expired", reason="Certificate")

    return befall


def reset() -> Fault:
    """The server does what was asked, and the connection breaks before its answer comes."""

    def befall(call: Call, _: float, send: Send, __: VirtualClock) -> HttpResponse:
        send(call)
        raise NoAnswer("connection reset by peer")

    return befall


def late(seconds: float) -> Fault:
    """Nobody answers in time, and the request reaches the server so long after it was sent."""

    def befall(call: Call, timeout: float, send: Send, clock: VirtualClock) -> HttpResponse:
        clock.at(clock.now() + seconds, partial(_arrive, send, call))
        return drop()(call, timeout, send, clock)

    return befall


def repeat(seconds: float = 0.0) -> Fault:
    """Something on the way sends the request twice, the second time so much later; only one answer comes back."""

    def befall(call: Call, _: float, send: Send, clock: VirtualClock) -> HttpResponse:
        response = send(call)
        if not seconds:
            return send(call)
        clock.at(clock.now() + seconds, partial(_arrive, send, call))
        return response

    return befall


def cut_short() -> Fault:
    """The server does what was asked; of its answer half arrives, and looks complete."""

    def befall(call: Call, _: float, send: Send, __: VirtualClock) -> HttpResponse:
        response = send(call)
        return HttpResponse(response.status, response.headers, response.body[: len(response.body) // 2])

    return befall


def page(code: int = 200) -> Fault:
    """A load balancer on the way answers with a page of its own."""

    def befall(_: Call, __: float, ___: Send, clock: VirtualClock) -> HttpResponse:
        clock.advance(LATENCY)
        return HttpResponse(code, {"Content-Type": "text/html"}, b"<html><body>One moment.</body></html>")

    return befall


def _arrive(send: Send, call: Call) -> None:
    send(call)
