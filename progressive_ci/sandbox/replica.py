"""A server that lags behind: it answers reads as the cluster was some seconds ago, and passes everything else on."""

from progressive_ci.ports import HttpResponse
from progressive_ci.sandbox.api import Api
from progressive_ci.sandbox.call import Answer, Call, rendered, target, watches
from progressive_ci.sandbox.clock import VirtualClock
from progressive_ci.sandbox.faults import LATENCY, Fault, Send
from progressive_ci.sandbox.store import Change, Store


def stale_reads(store: Store, seconds: float) -> Fault:
    """Reads see what stood so long ago; a log, a proxied request and a watch do not."""
    twin = store.twin()
    api = Api(twin)

    def follow(change: Change) -> None:
        store.timers.at(store.timers.now() + seconds, lambda: twin.follow(change))

    store.subscribe(follow)

    def befall(call: Call, _: float, send: Send, clock: VirtualClock) -> HttpResponse:
        if call.method != "GET" or watches(call) or not call.path.startswith(("/api/", "/apis/")):
            return send(call)
        if len(call.path.strip("/").split("/")) <= 2 or target(call.path).subresource:  # noqa: PLR2004 - a list of APIs
            return send(call)
        clock.advance(LATENCY)
        answer = api.handle(call)
        return rendered(answer) if isinstance(answer, Answer) else send(call)

    return befall
