"""A command struck by a fault at any of its requests, in whatever state it begins."""

import os
from collections.abc import Callable, Iterator

import pytest

from progressive_ci.sandbox.faults import Exchange, Fault, nth
from tests.scenario.scene import Run, Scene

STRIDE = 1 if os.environ.get("SWEEP") == "all" else 89
LONGEST = 500
LEASE_SECONDS = 40


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
