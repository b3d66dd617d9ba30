"""`ports.Watch` in process: the store itself tells, without a thread and without a request."""

from collections.abc import Callable

from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import Ref
from progressive_ci.sandbox.clock import Timers
from progressive_ci.sandbox.store import Change, Store

LATENCY = 0.02
"""Seconds from a change to its delivery."""


class StoreWatch:
    """Hears of one object's changes a moment after they happened."""

    def __init__(self, store: Store, timers: Timers) -> None:
        self._store = store
        self._timers = timers

    def follow(self, ref: Ref, deliver: Callable[[JsonObject | None], None]) -> Callable[[], None]:
        """See `ports.Watch`."""
        heard = True

        def tell() -> None:
            if heard:
                deliver(self._store.find(ref))

        def soon() -> None:
            self._timers.at(self._timers.now() + LATENCY, tell)

        def listen(change: Change) -> None:
            metadata = change.object["metadata"]
            if heard and (metadata.get("namespace", ""), metadata["name"]) == (ref.namespace, ref.name):
                soon()

        def stop() -> None:
            nonlocal heard
            heard = False

        self._store.subscribe(listen, ref.kind)
        soon()
        return stop
