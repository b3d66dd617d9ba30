"""The metrics providers there are. A new one: a module, its class in the union of queries, a row here."""

from collections.abc import Mapping

from progressive_ci.metrics import prometheus
from progressive_ci.metrics.provider import Provider
from progressive_ci.model.check import Query

_MODULES: tuple[Provider, ...] = (prometheus,)

PROVIDERS: Mapping[str, Provider] = {module.NAME: module for module in _MODULES}


def provider_of(query: Query) -> Provider:
    """The module that asks a question."""
    return next(provider for provider in PROVIDERS.values() if isinstance(query, provider.QUERY))
