"""Whether an answer is older than what this run has seen already: from a server, or a cache, that lags behind.

An answer to a read must be the newest state there is. Where it provably isn't, it says nothing, like no answer.
Versions of objects of one kind can be compared; where a server's are no numbers, nothing is compared.
"""

from progressive_ci.errors import ServerError
from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import Kind, Ref
from progressive_ci.ports import Clock

_YOUNG = 10.0
"""Seconds after our own create in which its absence is no news."""


class Freshness:
    """What one run knows of versions."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._objects: dict[Ref, int] = {}
        self._kinds: dict[Kind, int] = {}
        self._born: dict[Ref, float] = {}

    def stored(self, ref: Ref, found: JsonObject, *, new: bool) -> None:
        """The server has answered a write so."""
        if new:
            self._born[ref] = self._clock.now()
        self._learn(ref, found)

    def gone(self, ref: Ref) -> None:
        """The server has taken our delete."""
        self._born.pop(ref, None)

    def absent(self, ref: Ref) -> None:
        """The server says that an object does not exist.

        Raises:
            ServerError: we have made it just now.
        """
        if self._clock.now() - self._born.get(ref, float("-inf")) < _YOUNG:
            raise ServerError("the API server does not know an object yet that it has stored", where=str(ref))

    def one(self, ref: Ref, found: JsonObject) -> None:
        """The server says that an object looks like this.

        Raises:
            ServerError: it has looked newer before.
        """
        if _version(found) < self._objects.get(ref, 0):
            raise ServerError("the API server answered with an older state than before", where=str(ref))
        self._learn(ref, found)

    def many(self, kind: Kind, page: JsonObject, where: str) -> None:
        """The server says that these are all objects of a kind.

        Raises:
            ServerError: one of them has looked newer before.
        """
        version = _version(page)
        if 0 < version < self._kinds.get(kind, 0):
            raise ServerError("the API server answered with an older state than before", where=where)
        self._kinds[kind] = max(version, self._kinds.get(kind, 0))

    def _learn(self, ref: Ref, found: JsonObject) -> None:
        version = _version(found)
        self._objects[ref] = max(version, self._objects.get(ref, 0))
        self._kinds[ref.kind] = max(version, self._kinds.get(ref.kind, 0))


def _version(found: JsonObject) -> int:
    text = str((found.get("metadata") or {}).get("resourceVersion") or "")
    return int(text) if text.isascii() and text.isdigit() else 0
