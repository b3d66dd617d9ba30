"""Metrics providers with the one thing they need of the judging: times in the condition language."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from progressive_ci.judging.condition import evaluate_time
from progressive_ci.metrics import table
from progressive_ci.metrics.provider import Provider
from progressive_ci.model.check import Query
from progressive_ci.model.sample import Sample
from progressive_ci.ports import HttpRequest, HttpResponse


@dataclass(frozen=True, slots=True)
class Timed:
    """A provider that can read times; what the adapter asks."""

    provider: Provider

    def request(self, query: Query, late: Mapping[str, str], now: datetime) -> HttpRequest:
        """The question."""
        return self.provider.request(query, late, now, moment=evaluate_time)

    def sample(self, query: Query, response: HttpResponse) -> Sample:
        """What the answer says."""
        return self.provider.sample(query, response)


def provider_of(query: Query) -> Timed:
    """The row of the metrics' table for a query."""
    return Timed(table.provider_of(query))
