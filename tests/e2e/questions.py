"""Owns the faults that befall one question to Prometheus, at a proxy before the real one."""

from __future__ import annotations

import threading
from dataclasses import replace

from tests.e2e.cluster.exchange import Answer, Call, Twice
from tests.e2e.strikes import Fault, Process, Strike, held_for, kill, kill_unsent, lose

_SOON = 0.05
"""Seconds in which the tool has read an answer, and before its next question."""

_PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Sign in</body></html>"


def is_instant(call: Call) -> bool:
    """Whether it is a question at all."""
    return call.path.endswith("/api/v1/query")


def _kill_later(process: Process, _: Answer) -> None:
    end = threading.Timer(_SOON, kill, (process,))
    end.daemon = True
    end.start()


def _cut(_: Process, answer: Answer) -> Answer:
    half = len(answer.body) // 2
    return replace(answer, body=answer.body[:half], missing=len(answer.body) - half)


def _body(text: bytes, kind: str = "application/json", status: int = 200) -> Fault:
    return Fault("", before=lambda _: Answer(status, text, kind))


def _vector(values: bytes) -> Fault:
    return _body(b'{"status":"success","data":{"resultType":"vector","result":[' + values + b"]}}")


PASSING = tuple(
    replace(fault, name=name)
    for name, fault in {
        "it never arrives": Fault("", before=lose),
        "its answer is lost": Fault("", after=lose),
        "it arrives a second late": Fault("", before=held_for(1.0)),
        "it arrives when nobody waits for it any more": Fault("", before=held_for(4.0)),
        "it arrives twice": Fault("", before=lambda _: Twice()),
        "500": _body(b'{"status":"error","errorType":"internal","error":"a fault of the test"}', status=500),
        "a login page": _body(_PAGE, "text/html"),
        "garbage": _body(b"\0\1\2"),
        "half an answer": Fault("", after=_cut),
        "an answer from long ago": _vector(b'{"metric":{},"value":[1,"1"]}'),
        "no values": _vector(b""),
        "another question's answer": _body(b'{"status":"success","data":["http_requests_total","up"]}'),
    }.items()
)
"""None of them says anything about a version, and the next question is answered."""

DEADLY = (
    Fault("killed before it is sent", fatal=True, before=kill_unsent),
    Fault("killed when it is sent", fatal=True, before=kill),
    Fault("killed when it is answered", fatal=True, after=kill),
    Fault("killed with the answer in its hands", fatal=True, after=_kill_later),
)


def strike(fault: Fault, position: int) -> Strike:
    """A fault at one question, counted from 0 over those of one run, the ones before the first write included."""
    found = Strike(fault, position, counts=is_instant)
    found.begun.set()
    return found
