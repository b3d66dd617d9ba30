"""The API server's way into the cluster: `services/[scheme:]NAME[:PORT]/proxy/PATH`."""

from collections.abc import Mapping
from typing import Protocol

from progressive_ci.model import kinds
from progressive_ci.ports import HttpResponse
from progressive_ci.sandbox import status
from progressive_ci.sandbox.call import Answer, Call, Target
from progressive_ci.sandbox.store import Store


class Backend(Protocol):
    """What answers behind a Service."""

    def answer(self, method: str, path: str, query: Mapping[str, str], body: object | None) -> HttpResponse:
        """Answer one request; the path begins with a slash.

        Raises:
            ConnectionError: nothing listens.
        """


def forward(store: Store, backends: Mapping[tuple[str, str], Backend], call: Call, place: Target) -> Answer:
    """Hand a request on to the Service's backend."""
    name = _service(place.name)
    if store.get(kinds.SERVICE, place.namespace, name) is None:
        raise status.not_found(kinds.SERVICE, name)
    backend = backends.get((place.namespace, name))
    if backend is None:
        raise status.failure(503, "ServiceUnavailable", f'no endpoints available for service "{name}"')
    try:
        response = backend.answer(call.method, f"/{place.rest}", call.query, call.body)
    except ConnectionError as error:
        text = f"error trying to reach service: {error}"
        raise status.failure(503, "ServiceUnavailable", text) from None
    kind = response.headers.get("Content-Type", "text/plain")
    return Answer(response.status, response.body, content_type=kind)


def _service(name: str) -> str:
    parts = name.split(":")
    return parts[1] if len(parts) == 3 else parts[0]  # noqa: PLR2004 - scheme, name and port
