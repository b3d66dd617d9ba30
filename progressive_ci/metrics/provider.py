"""What every metrics provider offers."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

from progressive_ci.model.check import Query
from progressive_ci.model.sample import Sample
from progressive_ci.ports import HttpRequest, HttpResponse

Moment = Callable[[str, datetime], datetime]
"""Gives the time that a text in the condition language stands for (`judging.condition.evaluate_time`)."""

MOST_BYTES = 10_000_000
"""Longest answer that is read; who sends the request stops there, and `sample` gets what came."""


class Provider(Protocol):
    """A module that turns a question into an HTTP request, and the answer into a sample. It sends nothing."""

    NAME: str
    """Row of the table, and the key under `provider` in a metric."""

    SERVER: str
    """What it asks, for people: `Prometheus HTTP API (/api/v1/query, /api/v1/query_range)`."""

    QUERY: type[Query]
    """The class of its questions."""

    def request(self, query: Query, late: Mapping[str, str], now: datetime, *, moment: Moment) -> HttpRequest:
        """The request for a question.

        Args:
            query: of the class QUERY.
            late: values of the arguments that only the cluster knows.
            now: the time of asking.
            moment: reads times written in the condition language.

        Raises:
            ProgressiveError: an argument does not fit where it stands; a time can't be read.
        """

    def sample(self, query: Query, response: HttpResponse) -> Sample:
        """What the answer says. Never raises: an unusable answer is an Errored that quotes the server."""
