"""The metrics servers on virtual time: the real providers' questions, answered by the simulated Prometheus."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from progressive_ci.errors import ProgressiveError
from progressive_ci.judging.condition import evaluate_time
from progressive_ci.metrics.provider import Provider
from progressive_ci.metrics.table import provider_of
from progressive_ci.model.check import Query
from progressive_ci.model.sample import Errored, Sample
from progressive_ci.ports import HttpRequest
from progressive_ci.sandbox.cluster import Sandbox


class SandboxMetrics:
    """`ports.Metrics` of a cluster in process."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def ask(self, query: Query, late: Mapping[str, str]) -> "Question":
        """Send a question; its answer comes after the server's latency, or never."""
        provider, clock = provider_of(query), self._sandbox.clock
        question = Question()
        try:
            request = provider.request(query, late, clock.wall(), moment=evaluate_time)
        except ProgressiveError as error:
            question.sample = Errored(str(error))
            return question

        def arrive() -> None:
            question.sample = question.sample or self._answer(provider, query, request)
            clock.wake()

        def give_up() -> None:
            question.sample = question.sample or Errored(f"no answer within {request.timeout:g} s")
            clock.wake()

        clock.at(clock.now() + self._sandbox.prometheus.latency(), arrive)
        clock.at(clock.now() + request.timeout, give_up)
        return question

    def _answer(self, provider: Provider, query: Query, request: HttpRequest) -> Sample:
        path = urlsplit(request.url).path
        try:
            return provider.sample(
                query, self._sandbox.prometheus.answer(request.method, path, {}, request.body)
            )
        except ConnectionError as error:
            return Errored(str(error))


@dataclass(slots=True)
class Question:
    """A question on its way."""

    sample: Sample | None = None

    def done(self) -> bool:
        """Whether its answer is there."""
        return self.sample is not None

    def result(self) -> Sample:
        """The answer."""
        assert self.sample is not None
        return self.sample

    def cancel(self) -> None:
        """Forget it."""
