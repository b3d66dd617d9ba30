import math

import pytest

from progressive_ci.errors import Interrupted
from progressive_ci.model.outcome import signalled
from progressive_ci.sandbox.clock import EPOCH, VirtualClock


def test_callbacks_run_in_the_order_of_their_times_and_then_of_their_planning() -> None:
    clock = VirtualClock()
    seen: list[tuple[str, float]] = []
    for name, time in (("late", 9.0), ("first", 2.0), ("second", 2.0)):
        clock.at(time, lambda name=name: seen.append((name, clock.now())))  # type: ignore[misc]
    clock.wait(5.0)
    assert seen == [("first", 2.0), ("second", 2.0)]
    assert clock.now() == 5.0
    clock.wait(10.0)
    assert seen[-1] == ("late", 9.0)


def test_the_wall_clock_moves_with_virtual_time() -> None:
    clock = VirtualClock()
    clock.wait(3600.0)
    assert (clock.wall() - EPOCH).total_seconds() == 3600.0


def test_a_wake_ends_a_wait_early_and_is_remembered_until_the_next_wait() -> None:
    clock = VirtualClock()
    clock.at(3.0, clock.wake)
    clock.wait(60.0)
    assert clock.now() == 3.0
    clock.wake()
    clock.wait(60.0)
    assert clock.now() == 3.0
    clock.wait(60.0)
    assert clock.now() == 60.0


def test_a_signal_interrupts_a_wait_at_its_time_and_every_later_one() -> None:
    clock = VirtualClock()
    clock.at(7.0, lambda: clock.deliver("SIGTERM"))
    with pytest.raises(Interrupted, match="stopped by SIGTERM"):
        clock.wait(60.0)
    assert (clock.now(), clock.halted()) == (7.0, signalled("SIGTERM"))
    with pytest.raises(Interrupted):
        clock.wait(60.0)
    with pytest.raises(Interrupted):
        clock.advance(1.0)


def test_a_shielded_clock_only_notes_a_signal() -> None:
    clock = VirtualClock()
    clock.shield()
    clock.at(7.0, lambda: clock.deliver("SIGINT"))
    clock.advance(10.0)
    assert (clock.now(), clock.halted()) == (10.0, signalled("SIGINT"))


def test_a_wake_does_not_shorten_a_request_on_its_way() -> None:
    clock = VirtualClock()
    clock.at(1.0, clock.wake)
    clock.advance(4.0)
    assert clock.now() == 4.0


def test_a_cancelled_callback_never_runs_and_a_repeated_one_runs_until_it_is_stopped() -> None:
    clock = VirtualClock()
    seen: list[float] = []
    clock.at(1.0, lambda: seen.append(-1.0))()
    stop = clock.repeat(10.0, lambda: seen.append(clock.now()))
    clock.run(35.0)
    stop()
    clock.run(35.0)
    assert seen == [10.0, 20.0, 30.0]


def test_a_callback_that_sends_a_request_takes_no_time() -> None:
    clock = VirtualClock()
    clock.at(1.0, lambda: clock.advance(5.0))
    clock.wait(2.0)
    assert clock.now() == 2.0


def test_waiting_forever_for_nothing_is_a_mistake() -> None:
    with pytest.raises(RuntimeError, match="nothing is planned"):
        VirtualClock().wait(math.inf)
