"""Owns what stands between the tool and the API server in some scenarios: it stalls requests, or lets others act."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from tests.e2e.cluster.exchange import Answer, Call, DropError

_LONGEST = 300.0

Matches = Callable[[Call], bool]


def is_renewal(call: Call) -> bool:
    """Whether it is about the lease, which a thread of its own keeps."""
    return "/leases/" in call.path


def is_look(call: Call) -> bool:
    """Whether it looks at the journal, as a thread of its own does where the watch tells nothing."""
    return call.method == "GET" and "/configmaps/progressive-ci." in call.path


def writes_route(call: Call) -> bool:
    """Whether it writes the object that splits the traffic."""
    return call.method == "PATCH" and call.path.rsplit("/", 2)[-2] in {"httproutes", "virtualservices"}


def is_question(call: Call) -> bool:
    """Whether it asks Prometheus, which a thread of its own does for each question."""
    return "/services/" in call.path and "/proxy" in call.path


def starts_promotion(call: Call) -> bool:
    """Whether it is the journal entry that begins the promotion."""
    return call.method == "PATCH" and "/configmaps/" in call.path and b"PROMOTING" in call.body


@dataclass(slots=True)
class Stall:
    """The first request that matches gets no answer, or its answer byte by byte, one a second.

    Attributes:
        matches: which request.
        drips: whether it is answered at all.
        begins: from which request on.
        met: set when that request has come.
        over: set it to let go of a request that hangs.
        seen: every request with the time at which it came.
    """

    matches: Matches
    drips: bool
    begins: Matches = lambda _: True
    begun: threading.Event = field(default_factory=threading.Event)
    met: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)
    seen: list[tuple[float, Call]] = field(default_factory=list)

    def before(self, call: Call) -> Answer | None:
        """Hold it, if it is the one."""
        self.seen.append((time.time(), call))
        if self.begins(call):
            self.begun.set()
        if self.drips or not self._is_it(call):
            return None
        self.met.set()
        self.over.wait(_LONGEST)
        raise DropError

    def after(self, call: Call, answer: Answer) -> Answer | None:
        """Let it drip, if it is the one."""
        if not self.drips or not self._is_it(call):
            return None
        self.met.set()
        return replace(answer, pause=1.0)

    def _is_it(self, call: Call) -> bool:
        return self.begun.is_set() and not self.met.is_set() and self.matches(call)

    def first_after(self, moment: float) -> Call:
        """The first request after a moment, without those of other threads: renewals, looks, questions asked before."""
        later = (call for at, call in self.seen if at > moment)
        elsewhere = (is_renewal, is_look, is_question)
        return next(call for call in later if not any(fits(call) for fits in elsewhere))


@dataclass(slots=True)
class OnTheWire:
    """The first request that matches is held, and sent on as it is when others have done what they will.

    Attributes:
        matches: which request.
        met: set when that request has come.
        go: set it to let the server have it.
        landed: the server's answer to it, once there is one.
    """

    matches: Matches
    met: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)
    landed: Answer | None = None
    number: int = 0

    def before(self, call: Call) -> Answer | None:
        """Hold it, if it is the one."""
        if not self.number and self.matches(call):
            self.number = call.number
            self.met.set()
            self.go.wait(_LONGEST)
        return None

    def after(self, call: Call, answer: Answer) -> Answer | None:
        """Take note of what became of it."""
        if call.number == self.number:
            self.landed = answer
        return None
