"""A job is cancelled as each CI system does it: how soon users are safe, and who finishes what the kill leaves."""

from __future__ import annotations

import signal
import statistics
import subprocess
import time
from collections.abc import Callable

import pytest

from tests.e2e import given, then, when
from tests.e2e.cluster.waiting import wait_until
from tests.e2e.given import CANARY, NEW, OLD, Shop

pytest_plugins = ["tests.e2e.cluster.fixtures", "tests.e2e.opening"]

Sequence = tuple[tuple[signal.Signals, float], ...]

SEQUENCES: dict[str, Sequence] = {
    "GitHub": ((signal.SIGINT, 7.5), (signal.SIGTERM, 2.5)),
    "Jenkins": ((signal.SIGTERM, 5.0),),
    "GitLab": ((signal.SIGTERM, 10.0),),
}
"""Signals, and the seconds after each; SIGKILL follows."""

MOMENTS = {
    "prepare": "== prepare",
    "weight": "0 % -> 20 %",
    "pause": "== step 2/",
    "promotion": "old pods finish",
}
PROMISED = min(sequence[0][1] for sequence in SEQUENCES.values())
"""Seconds from the first signal to weight 0: after that, the least patient system sends its next one."""


@pytest.mark.acceptance("F02")
@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS)
def test_users_are_safe_whenever_and_by_whomever_a_job_is_cancelled(
    shop: Callable[..., Shop], moment: str
) -> None:
    place, serves = shop(), OLD
    with when.users(place) as load:
        for number, sequence in enumerate(SEQUENCES.values(), start=2):
            image = f"example/app:{number}.0.0"
            place.releases(image, steps=given.setting(20, 60, pause="4s"), judged=False)
            told, promoted = _ended(place, moment, sequence)
            serves = image if promoted else serves
            then.only_serves(place, serves)
            # Killed after its last entry, before the lease was given up: that runs out, and nobody has to do anything.
            then.nothing_of_ours_is_left(place, but_a_dead_holder=told == "nothing-to-do")
        records = load.stop()
    then.no_request_failed(records)


@pytest.mark.acceptance("F02")
def test_the_canary_has_no_weight_five_seconds_after_the_first_signal(shop: Callable[..., Shop]) -> None:
    place = shop()
    place.releases(NEW, steps=given.setting(20, 60, pause="30s"), judged=False)
    took = []
    for (first, _), *_ in SEQUENCES.values():
        with when.start(place) as tool:
            tool.wait_for("== step 2/")
            began = time.monotonic()
            tool.process.send_signal(first)
            wait_until("the canary has no weight", lambda: not then.split(place)[CANARY], every=0.02)
            took.append(time.monotonic() - began)
            then.ended(tool.end(), 13, "rolled-back-cancelled")
    print(f"seconds from the signal to weight 0: {[round(each, 2) for each in took]}")  # noqa: T201 - the figure
    assert statistics.median(took) < PROMISED


def _ended(place: Shop, moment: str, sequence: Sequence) -> tuple[str, bool]:
    """Cancel a release at a moment, and let the step after finish what the kill has left.

    Returns:
        How the last of them ended, and whether the new version serves.
    """
    with when.start(place) as tool:
        tool.wait_for(moment)
        _cancel(tool, sequence)
        run = tool.end()
    if run.exit == -signal.SIGKILL:
        when.the_lease_soon_runs_out(place)
        run = when.roll_back(place)
    told: str = run.told["result"]
    assert told in {"promoted", "rolled-back-cancelled", "recovered", "too-late", "nothing-to-do"}, run.log
    finished_by_itself = told == "nothing-to-do" and "ended promoted" in run.told["reason"]
    return told, told in {"promoted", "too-late"} or finished_by_itself


def _cancel(tool: when.Tool, sequence: Sequence) -> None:
    for number, seconds in (*sequence, (signal.SIGKILL, 10.0)):
        tool.process.send_signal(number)
        try:
            tool.process.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
        return
