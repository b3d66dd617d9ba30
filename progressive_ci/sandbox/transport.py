"""The sandbox's side of the seam: requests in process, on virtual time."""

import json
from collections.abc import Mapping
from typing import Any

from progressive_ci.ports import HttpResponse
from progressive_ci.sandbox.api import Api
from progressive_ci.sandbox.call import Call, rendered
from progressive_ci.sandbox.clock import VirtualClock
from progressive_ci.sandbox.faults import LATENCY, Faults
from progressive_ci.sandbox.reads import Watch


class SandboxTransport:
    """Implements `ports.Transport` for one user of the simulated cluster."""

    def __init__(self, api: Api, clock: VirtualClock, faults: Faults, user: str) -> None:
        self._api = api
        self._clock = clock
        self._faults = faults
        self._user = user

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str],
        body: object | None,
        content_type: str,
        timeout: float,
    ) -> HttpResponse:
        """Send one request; see `ports.Transport`."""
        call = Call(method, path, dict(query), body, content_type, self._user, agent="progressive-ci")
        return self._faults.exchange(call, timeout, self._send)

    def _send(self, call: Call) -> HttpResponse:
        self._clock.advance(LATENCY / 2)
        answer = self._api.handle(call)
        response = self._collect(answer) if isinstance(answer, Watch) else rendered(answer)
        self._clock.advance(LATENCY / 2)
        return response

    def _collect(self, watch: Watch) -> HttpResponse:
        """A watch in process answers everything up to its time-out at once."""
        events = watch.take()
        until = self._clock.now() + watch.timeout
        while self._clock.now() < until and not _over(events):
            self._clock.advance(min(0.1, until - self._clock.now()))
            events += watch.take()
        lines = "".join(json.dumps(event) + "\n" for event in events)
        return HttpResponse(200, {"Content-Type": "application/json"}, lines.encode())


def _over(events: list[dict[str, Any]]) -> bool:
    return bool(events) and events[-1]["type"] == "ERROR"
