from progressive_ci.adapters.reach import Reach
from progressive_ci.model.outage import Outage
from progressive_ci.sandbox.clock import VirtualClock


def test_an_outage_lasts_from_the_last_answer_to_the_next() -> None:
    clock = VirtualClock()
    reach = Reach(clock)
    clock.run(4)
    reach.answered()
    since = clock.now()
    clock.run(3)
    reach.silent(reach.now())
    clock.run(5)
    reach.silent(reach.now())
    assert reach.last_outage() is None
    clock.run(1)
    reach.answered()
    assert reach.last_outage() == Outage(since, since + 9)


def test_a_request_that_hangs_while_others_are_answered_is_no_outage() -> None:
    clock = VirtualClock()
    reach = Reach(clock)
    sent = reach.now()
    clock.run(5)
    reach.answered()
    clock.run(5)
    reach.silent(sent)
    clock.run(0.5)
    reach.answered()
    assert reach.last_outage() is None


def test_the_latest_outage_is_remembered() -> None:
    clock = VirtualClock()
    reach = Reach(clock)
    for _ in range(20):
        reach.silent(reach.now())
        clock.run(3)
        reach.answered()
    assert reach.last_outage() == Outage(57.0, 60.0)
