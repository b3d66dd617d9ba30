"""`ports.Metrics` in process: the real providers' requests and samples, the simulated Prometheus in between."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from progressive_ci.errors import ProgressiveError
from progressive_ci.judging.condition import evaluate_time
from progressive_ci.metrics.provider import Provider
from progressive_ci.metrics.table import provider_of
from progressive_ci.model.check import Query
from progressive_ci.model.sample import Errored, Sample
from progressive_ci.ports import HttpRequest, HttpResponse
from progressive_ci.sandbox.clock import VirtualClock
from progressive_ci.sandbox.prometheus import Prometheus

AskServer = Callable[[], HttpResponse]


@dataclass(frozen=True, slots=True)
class Mishap:
    """What befalls one question.

    Attributes:
        answer: asks the server, as often as it likes, and gives what arrives; ConnectionError gives nothing.
        seconds: further time that it takes.
    """

    answer: Callable[[AskServer], HttpResponse] = lambda ask: ask()
    seconds: float = 0.0


class SandboxMetrics:
    """Every address leads to the one simulated Prometheus.

    Attributes:
        sent: questions so far.
    """

    def __init__(self, prometheus: Prometheus, clock: VirtualClock) -> None:
        self._prometheus = prometheus
        self._clock = clock
        self._planned: dict[int, Mishap] = {}
        self.sent = 0

    def plan(self, mishap: Mishap, *, number: int) -> None:
        """Let something befall the question with this number, counted from 1."""
        self._planned[number] = mishap

    def ask(self, query: Query, late: Mapping[str, str]) -> "Question":
        """Send a question; its answer arrives on virtual time and wakes whoever waits."""
        question = Question()
        provider = provider_of(query)
        try:
            request = provider.request(query, late, self._clock.wall(), moment=evaluate_time)
        except ProgressiveError as error:
            question.answer(Errored(str(error)))
            return question
        self.sent += 1
        mishap = self._planned.get(self.sent, Mishap())
        latency = self._prometheus.latency() + mishap.seconds
        if latency >= request.timeout:
            late_answer = Errored(f"no answer within {request.timeout:g} s from {_host(request)}")
            self._clock.at(self._clock.now() + request.timeout, lambda: self._arrive(question, late_answer))
        else:
            self._clock.at(
                self._clock.now() + latency,
                lambda: self._arrive(question, self._exchange(provider, query, request, mishap)),
            )
        return question

    def _arrive(self, question: "Question", sample: Sample) -> None:
        question.answer(sample)
        self._clock.wake()

    def _exchange(self, provider: Provider, query: Query, request: HttpRequest, mishap: Mishap) -> Sample:
        path = urlsplit(request.url).path
        try:
            response = mishap.answer(lambda: self._prometheus.answer(request.method, path, {}, request.body))
        except ConnectionError:
            return Errored(f"the connection to {_host(request)} was refused")
        return provider.sample(query, response)


class Question:
    """`ports.Pending` on virtual time."""

    def __init__(self) -> None:
        self._sample: Sample | None = None

    def answer(self, sample: Sample) -> None:
        """The answer has arrived."""
        self._sample = sample

    def done(self) -> bool:
        """Whether `result` returns at once."""
        return self._sample is not None

    def result(self) -> Sample:
        """The sample; call it only when done."""
        if self._sample is None:
            raise RuntimeError("the answer has not arrived yet")
        return self._sample

    def cancel(self) -> None:
        """Nobody waits for it any more."""


def _host(request: HttpRequest) -> str:
    return urlsplit(request.url).netloc
