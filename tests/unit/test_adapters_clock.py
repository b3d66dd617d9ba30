import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from queue import SimpleQueue
from typing import IO

import pytest

from progressive_ci.adapters.clock import RealClock, ThreadClock, ThreadTicker
from progressive_ci.adapters.worker import WORKERS, call, finish
from progressive_ci.errors import Interrupted, NoAnswer

FAR = 60.0
"""Seconds that no test waits: an early end is what is proved."""


@pytest.fixture
def clock() -> Iterator[RealClock]:
    real = RealClock()
    yield real
    real.close()


def test_a_wait_ends_at_its_time(clock: RealClock) -> None:
    until = clock.now() + 0.02
    clock.wait(until)
    assert clock.now() >= until - 0.001


def test_a_wake_from_another_thread_ends_a_wait(clock: RealClock) -> None:
    threading.Timer(0.02, clock.wake).start()
    begin = clock.now()
    clock.wait(begin + FAR)
    assert clock.now() - begin < FAR / 2


def test_a_wake_before_the_wait_is_not_missed(clock: RealClock) -> None:
    clock.wake()
    begin = clock.now()
    clock.wait(begin + FAR)
    assert clock.now() - begin < FAR / 2


def test_a_reminder_ends_a_wait(clock: RealClock) -> None:
    begin = clock.now()
    clock.remind(begin + 0.02)
    clock.wait(begin + FAR)
    assert clock.now() - begin < FAR / 2


def test_a_wake_ends_the_wait_of_another_thread() -> None:
    clock = ThreadClock()
    threading.Timer(0.02, clock.wake).start()
    begin = clock.now()
    clock.wait(begin + FAR)
    assert clock.now() - begin < FAR / 2


def test_every_thread_sees_a_wake_once() -> None:
    clock = ThreadClock()
    ended = threading.Barrier(3)

    def waiter() -> None:
        clock.wait(clock.now() + FAR)
        ended.wait(FAR / 2)

    threads = [threading.Thread(target=waiter) for _ in range(2)]
    for thread in threads:
        thread.start()
    clock.wake()
    ended.wait(FAR / 2)
    for thread in threads:
        thread.join()


def test_a_ticker_calls_back_until_it_is_stopped() -> None:
    beats: SimpleQueue[str] = SimpleQueue()
    stop = ThreadTicker().repeat(0.01, lambda: beats.put("beat"))
    assert [beats.get(timeout=FAR) for _ in range(3)] == ["beat"] * 3
    stop()


def test_a_call_returns_what_its_work_returns_and_raises_what_it_raises(clock: RealClock) -> None:
    assert call(lambda: 42, clock, timeout=FAR, what="count") == 42
    with pytest.raises(ZeroDivisionError):
        call(lambda: 1 // 0, clock, timeout=FAR, what="divide")


def test_a_call_that_hangs_is_left_behind_at_its_deadline(clock: RealClock) -> None:
    hang = threading.Event()
    with pytest.raises(NoAnswer, match="no answer in time to read the pods"):
        call(lambda: hang.wait(FAR), clock, timeout=0.02, what="read the pods")
    hang.set()


def test_threads_are_used_again(clock: RealClock) -> None:
    names = {
        call(lambda: threading.current_thread().ident, clock, timeout=FAR, what="name") for _ in range(20)
    }
    assert len(names) == 1


def test_an_answer_that_came_with_the_signal_is_returned(clock: RealClock) -> None:
    clock.install()
    job = WORKERS.start(lambda: "stored", lambda: os.kill(os.getpid(), signal.SIGTERM))
    assert finish(job, clock, until=clock.now() + FAR, what="write") == "stored"
    with pytest.raises(Interrupted, match="stopped by SIGTERM"):
        clock.wait(clock.now() + FAR)


def test_nothing_is_called_once_a_signal_has_come(clock: RealClock) -> None:
    clock.install()
    os.kill(os.getpid(), signal.SIGINT)
    called = threading.Event()
    with pytest.raises(Interrupted):
        call(called.set, clock, timeout=FAR, what="write")
    assert not called.is_set()


def test_an_ignored_hangup_stays_ignored(clock: RealClock) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        clock.install()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


WAITING = """
import signal
import sys
import threading
from progressive_ci.adapters.clock import RealClock
from progressive_ci.adapters.worker import call
from progressive_ci.errors import Interrupted
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whoever runs the tests may have it ignored
clock = RealClock()
clock.install()
hang = threading.Event()
print("ready", flush=True)
try:
    {wait}
except Interrupted:
    clock.shield()
    print("interrupted", clock.halted().reason.split()[-1], flush=True)
    sys.stdin.readline()
    clock.wait(clock.now())
    print("first", clock.halted().reason.split()[-1], flush=True)
"""


@pytest.mark.parametrize(
    "wait",
    ["clock.wait(clock.now() + 60)", "call(hang.wait, clock, timeout=60, what='read')"],
    ids=["a pause", "a request that hangs"],
)
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_ends_what_is_awaited_and_the_next_ones_are_only_noted(wait: str, name: str) -> None:
    command = [sys.executable, "-c", WAITING.format(wait=wait)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            assert _line(process.stdout) == "ready\n"
            process.send_signal(getattr(signal, name))
            assert _line(process.stdout) == f"interrupted {name}\n"
            process.send_signal(signal.SIGTERM)
            process.send_signal(signal.SIGINT)
            process.stdin.write("\n")
            process.stdin.flush()
            assert _line(process.stdout) == f"first {name}\n"
            assert process.wait(FAR) == 0
        finally:
            process.kill()


def _line(stream: IO[str]) -> str:
    assert select.select([stream], [], [], FAR)[0], "the process says nothing"
    return stream.readline()
