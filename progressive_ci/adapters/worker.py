"""Blocking calls on threads of their own, so that a deadline or a signal ends the wait for them.

A socket's time-out starts anew with every byte, so the other side can hold a call for as long as it likes.
The thread that waits never blocks on the call itself: it leaves thread and connection behind. All threads
are daemons, so an abandoned one doesn't hold up the end of the process.
"""

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Generic, TypeVar

from progressive_ci.adapters.clock import Wakeable
from progressive_ci.errors import Interrupted, NoAnswer
from progressive_ci.ports import Clock

T = TypeVar("T")


class Job(Generic[T]):
    """One call on its way, and later what came of it."""

    def __init__(self, call: Callable[[], T], wake: Callable[[], None]) -> None:
        self._call = call
        self._wake = wake
        self._result: list[T] = []
        self._error: BaseException | None = None
        self._done = False
        self._abandoned = False

    def abandon(self) -> None:
        """Nobody waits any more: if the call has not begun, it never will."""
        self._abandoned = True

    def run(self) -> None:
        """Make the call; on the worker's thread."""
        if self._abandoned:
            return
        try:
            self._result.append(self._call())
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is raised where the result is asked for
            self._error = error

    def announce(self) -> None:
        """Say that it is over."""
        self._done = True
        self._wake()

    def done(self) -> bool:
        """Whether `result` may be called."""
        return self._done

    def result(self) -> T:
        """What the call returned; raises what it raised."""
        if self._error is not None:
            raise self._error
        return self._result[0]


class Workers:
    """Threads that are used again; one more is started only when all of them are busy."""

    def __init__(self) -> None:
        self._idle: list[SimpleQueue[Job[object]]] = []

    def start(self, call: Callable[[], T], wake: Callable[[], None]) -> Job[T]:
        """Make the call on another thread, and wake somebody when it is over."""
        job = Job(call, wake)
        try:
            inbox = self._idle.pop()
        except IndexError:
            inbox = SimpleQueue()
            threading.Thread(target=self._work, args=(inbox,), name="worker", daemon=True).start()
        inbox.put(job)  # type: ignore[arg-type]  # a job's result is of no interest to its thread
        return job

    def _work(self, inbox: "SimpleQueue[Job[object]]") -> None:
        while True:
            job = inbox.get()
            job.run()
            self._idle.append(inbox)  # first, so that whoever asks next finds this thread idle
            job.announce()
            del job  # an answer may be large


WORKERS = Workers()
"""The process's threads; an abandoned call costs one until it ends."""


def finish(job: Job[T], clock: Clock, *, until: float, what: str) -> T:
    """Wait for a job, and leave it behind at the deadline or on a signal.

    Raises:
        NoAnswer: the deadline came first.
        Interrupted: a signal came first; an answer that is there already is still returned.
    """
    while not job.done():
        if clock.now() >= until:
            job.abandon()
            raise NoAnswer(f"no answer in time to {what}")
        try:
            clock.wait(until)
        except Interrupted:
            if not job.done():
                job.abandon()
                raise
    return job.result()


def call(work: Callable[[], T], clock: Wakeable, *, timeout: float, what: str) -> T:
    """Make a blocking call with a total deadline; a signal that came before keeps it from starting.

    Raises:
        NoAnswer: the deadline came first.
        Interrupted: a signal came first.
    """
    clock.wait(clock.now())
    job = WORKERS.start(work, clock.wake)
    return finish(job, clock, until=clock.now() + timeout, what=what)
