"""Questions to metrics servers: sent on worker threads, each by its way, answered by samples and nothing else."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from http import HTTPStatus

from progressive_ci.adapters import proxied
from progressive_ci.adapters.addresses import Addresses, Direct, Proxied
from progressive_ci.adapters.clock import Reminding
from progressive_ci.adapters.http import Sender, origin
from progressive_ci.adapters.server_time import ServerTime
from progressive_ci.adapters.worker import WORKERS, Job
from progressive_ci.errors import ProgressiveError
from progressive_ci.judging.condition import evaluate_time
from progressive_ci.metrics.table import provider_of
from progressive_ci.model.check import Query
from progressive_ci.model.sample import Errored, Sample
from progressive_ci.ports import Clock, HttpRequest, HttpResponse, Pending, Transport
from progressive_ci.reports.mask import Mask


class HttpMetrics:
    """`ports.Metrics`.

    Args:
        clock: the main thread's; woken by every answer and at every deadline.
        addresses: the ways.
        proxy: a transport to the API server that may block its thread (`Wire`); None where there is none.
    """

    def __init__(
        self,
        clock: Reminding,
        *,
        addresses: Addresses,
        proxy: Transport | None,
    ) -> None:
        self._clock = clock
        self._addresses = replace(addresses, proxy=addresses.proxy and proxy is not None)
        self._proxy = proxy
        self._sender = Sender()
        # A range is asked for by the clock of the server that has the data, once that has told its time.
        self._times: dict[str, ServerTime] = {}

    def ask(self, query: Query, late: Mapping[str, str]) -> Pending:
        """Send a question now; whatever goes wrong is a sample too."""
        provider = provider_of(query)
        time = self._times.setdefault(query.address.raw, ServerTime(self._clock.wall))
        try:
            request = provider.request(query, late, time.now(), moment=evaluate_time)
        except ProgressiveError as error:
            return Answered(Errored(str(error)))
        until = self._clock.now() + request.timeout
        self._clock.remind(until)
        job = WORKERS.start(lambda: self._exchange(request, time), self._clock.wake)
        return Asked(
            job, self._clock, until, request, lambda response: provider.sample(query, response), self._hide
        )

    def _hide(self, request: HttpRequest, text: str) -> str:
        """Servers quote what they were sent, and in spellings that no Secret has: `Basic` joins two of them."""
        sent = [value for name, value in request.headers if name.lower() not in proxied.NEUTRAL]
        secrets = [*sent, *(value.rpartition(" ")[2] for value in sent), *self._sender.tokens]
        return reduce(Mask.knowing, secrets, Mask()).applied(text)

    def _exchange(self, request: HttpRequest, time: ServerTime) -> HttpResponse:
        response = self._sent(request)
        # A cache tells the time of its copy, and an error may come from anything that stands between.
        fresh = not any(name.lower() == "age" for name in response.headers)
        if fresh and HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES:
            time.heed(response.headers)
        return response

    def _sent(self, request: HttpRequest) -> HttpResponse:
        way = self._addresses.way(request.url)
        if isinstance(way, Proxied) and self._proxy is not None:
            return proxied.send(self._proxy, way, request)
        return self._sender.send(replace(request, url=way.url) if isinstance(way, Direct) else request)


@dataclass(frozen=True, slots=True)
class Answered:
    """A question that needed no server."""

    sample: Sample

    def done(self) -> bool:
        """True."""
        return True

    def result(self) -> Sample:
        """The sample."""
        return self.sample

    def cancel(self) -> None:
        """Nothing to do."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question on its way; without an answer at its deadline it is left behind."""

    job: Job[HttpResponse]
    clock: Clock
    until: float
    request: HttpRequest
    judged: Callable[[HttpResponse], Sample]
    hidden: Callable[[HttpRequest, str], str]

    def done(self) -> bool:
        """Whether there is an answer, or there won't be one in time."""
        return self.job.done() or self.clock.now() >= self.until

    def result(self) -> Sample:
        """The sample."""
        if not self.job.done():
            return Errored(f"no answer within {self.request.timeout:g} s from {origin(self.request.url)}")
        try:
            found = self.judged(self.job.result())
        except ProgressiveError as error:
            found = Errored(str(error))
        return Errored(self.hidden(self.request, found.reason)) if isinstance(found, Errored) else found

    def cancel(self) -> None:
        """Leave it behind: its thread ends with the answer or at the deadline, and nobody listens."""
        self.job.abandon()
