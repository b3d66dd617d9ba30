"""Owns the words of the recording proxy: a call, its answer, and the hooks around them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Call:
    """One request as the proxy got it; `number` counts from 1 over all connections."""

    number: int
    at: float  # wall clock, seconds
    method: str
    path: str
    query: dict[str, str]
    content_type: str
    body: bytes

    def document(self) -> Any:  # noqa: ANN401
        """Return the decoded body; None where there is none."""
        return json.loads(self.body) if self.body else None


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; `status` 0 where the connection was dropped. A watch's body is what was streamed."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    pause: float = 0  # seconds before each byte of the body
    missing: int = 0  # bytes that were promised when the connection is closed

    def document(self) -> Any:  # noqa: ANN401
        """Return the decoded body; None where there is none."""
        return json.loads(self.body) if self.body else None


@dataclass(frozen=True, slots=True)
class Twice:
    """The server gets the request two times, one after the other; the tool gets one of the answers."""

    gives_first: bool = False


class DropError(Exception):
    """Raised by a hook: close the connection without an answer."""


class Hooks(Protocol):
    """What may happen around a request; in the connection's thread, so it may wait, kill, or ask the API."""

    def before(self, call: Call) -> Answer | Twice | None:
        """Return an answer to give instead of asking the server, Twice, or None; raise DropError to give none."""
        ...

    def after(self, call: Call, answer: Answer) -> Answer | None:
        """Return another answer than the server's, or None; raise DropError to give none. Not for watches."""
        ...


class NoHooks:
    """Let everything pass."""

    def before(self, call: Call) -> Answer | None:
        """Ask the server."""
        del call
        return None

    def after(self, call: Call, answer: Answer) -> Answer | None:
        """Give the server's answer."""
        del call, answer
        return None


def line(call: Call, answer: Answer) -> str:
    """Return an exchange as one line of JSON."""
    told = {
        "number": call.number,
        "at": call.at,
        "method": call.method,
        "path": call.path,
        "query": call.query,
        "content_type": call.content_type,
        "body": call.body.decode(errors="replace"),
        "status": answer.status,
        "answer": answer.body.decode(errors="replace"),
    }
    return json.dumps(told) + "\n"
