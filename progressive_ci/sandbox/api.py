"""The simulated API server: a request comes in, an answer goes out."""

from collections.abc import Callable, Mapping

from progressive_ci.model import kinds
from progressive_ci.sandbox import (
    access,
    deletion,
    discovery,
    pod_log,
    reads,
    scale,
    service_proxy,
    status,
    tokens,
    writes,
)
from progressive_ci.sandbox.call import Answer, Call, Target, target, verb
from progressive_ci.sandbox.reads import Watch
from progressive_ci.sandbox.service_proxy import Backend
from progressive_ci.sandbox.store import Store

VERSION = {"major": "1", "minor": "37", "gitVersion": "v1.37.2", "platform": "linux/amd64"}


Verb = Callable[[Store, Call, Target], Answer]
OF_ONE: Mapping[str, Verb] = {
    "get": lambda store, _, place: reads.get(store, place),
    "update": writes.replace,
    "patch": writes.patch,
    "delete": deletion.delete,
}
OF_ALL: Mapping[str, Verb] = {
    "list": reads.list_,
    "create": writes.create,
    "deletecollection": deletion.delete_collection,
}


class Api:
    """Serves a store. Who calls has been found out already.

    Attributes:
        store: what it serves.
        backends: what answers behind a Service that no pods back, by namespace and name.
        tokens: whose a credential is.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.backends: dict[tuple[str, str], Backend] = {}
        self.tokens = tokens.Tokens(store.timers)

    def handle(self, call: Call) -> Answer | Watch:
        """Answer one request; what is refused is an answer too."""
        try:
            return self._route(call)
        except status.Refusal as refusal:
            if "kind" not in refusal.body:
                return Answer(refusal.code, f"{refusal}\n", content_type="text/plain")
            return Answer(refusal.code, refusal.body, headers=tuple(refusal.headers.items()))

    def _route(self, call: Call) -> Answer | Watch:
        if not call.user:
            raise status.unauthorized()
        if call.path == "/version":
            return Answer(200, dict(VERSION))
        if call.method == "GET" and (served := discovery.listed(call.path)):
            return Answer(200, served)
        if call.path in {"/healthz", "/livez", "/readyz"}:
            return Answer(200, "ok", content_type="text/plain")
        if call.path in REVIEWS and call.method == "POST":
            return REVIEWS[call.path](self.store, call)
        place = target(call.path)
        access.demand(self.store, call, place)
        if place.subresource:
            return self._subresource(call, place)
        return self._object(call, place)

    def _object(self, call: Call, place: Target) -> Answer | Watch:
        asked = verb(call, place)
        if asked == "watch":
            return Watch(self.store, call, place)
        verbs = OF_ONE if place.name else OF_ALL
        if asked not in verbs:
            raise status.method_not_allowed()
        return verbs[asked](self.store, call, place)

    def _subresource(self, call: Call, place: Target) -> Answer:
        match place.kind.name, place.subresource:
            case "Pod", "log":
                return pod_log.read(self.store, call, place)
            case "Service", "proxy":
                return service_proxy.forward(self.store, self.backends, call, place)
            case "ServiceAccount", "token":
                return tokens.request(self.store, self.tokens, call, place)
            case _, ("status" | "scale") as part if getattr(place.resource, part):
                return _of_part(self.store, call, place)
            case _:
                raise status.no_resource()


def _of_part(store: Store, call: Call, place: Target) -> Answer:
    match call.method:
        case "GET" if place.subresource == "scale":
            return Answer(200, scale.of(reads.demanded(store, place)))
        case "GET":
            return reads.get(store, place)
        case "PUT":
            return writes.replace(store, call, place)
        case "PATCH":
            return writes.patch(store, call, place)
        case _:
            raise status.method_not_allowed()


REVIEWS = {
    kinds.collection_path(kinds.SELF_SUBJECT_ACCESS_REVIEW, ""): access.review,
    kinds.collection_path(kinds.SELF_SUBJECT_RULES_REVIEW, ""): access.rules_review,
}
