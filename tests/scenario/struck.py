"""A command struck by a fault at any of its requests, in whatever state it begins."""

import os
from collections.abc import Callable, Iterator

import pytest

from progressive_ci.ports import HttpResponse
from progressive_ci.sandbox.call import Call
from progressive_ci.sandbox.clock import VirtualClock
from progressive_ci.sandbox.faults import Exchange, Fault, Send, nth
from tests.scenario.scene import Run, Scene

STRIDE = 1 if os.environ.get("SWEEP") == "all" else 89
LONGEST = 500
LEASE_SECONDS = 40


def doomed(signal: Fault, scene: Scene, *, grace: float) -> Fault:
    """A signal befalls a request, and so many seconds later its process dies, wherever it is by then."""

    def befall(call: Call, timeout: float, send: Send, clock: VirtualClock) -> HttpResponse:
        life = scene.living
        assert life is not None

        def die() -> None:
            if scene.living is life and life.connection is not None:
                life.connection.die()

        clock.at(clock.now() + grace, die)
        return signal(call, timeout, send, clock)

    return befall


def struck(
    begin: Callable[[], Scene], act: Callable[[Scene], Run], fault: Fault, *, first: int
) -> Iterator[tuple[Scene, Run, Exchange]]:
    """The command again and again, each time with the fault at a later request, until there is none so late.

    Args:
        begin: makes the state in which the command is given.
        act: gives it.
        fault: what befalls one request.
        first: where the cases begin; the tests of one module begin at different places.
    """
    for number in range(1 + first % STRIDE, LONGEST, STRIDE):
        scene = begin()
        before = len(scene.sandbox.log)
        scene.sandbox.faults.plan(fault, when=nth(before + number))
        run = act(scene)
        if len(scene.sandbox.log) < before + number:
            return
        yield scene, run, scene.sandbox.faults.numbered(before + number)
    pytest.fail(f"the command has more than {LONGEST} requests")
