"""Any blocking transport, made to end at its deadline and on a signal."""

from collections.abc import Mapping

from progressive_ci.adapters.clock import Wakeable
from progressive_ci.adapters.worker import call
from progressive_ci.ports import HttpResponse, Transport


class KubeTransport:
    """`ports.Transport` for the thread whose clock it is given; the exchange itself runs on a worker."""

    def __init__(self, wire: Transport, clock: Wakeable) -> None:
        self._wire = wire
        self._clock = clock

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
        """Send one request, and leave it behind when its time is over or a signal arrives."""

        def exchange() -> HttpResponse:
            return self._wire.request(
                method, path, query=query, body=body, content_type=content_type, timeout=timeout
            )

        return call(exchange, self._clock, timeout=timeout, what=f"{method} {path}")
