"""Recalls beside the journal: a key of their own in the ConfigMap `progressive-ci.NAME`."""

import json
from collections.abc import Callable

from progressive_ci.adapters.journal import RECALL_KEY
from progressive_ci.errors import ApiError, Conflict, NoAnswer, NotFound, ServerError
from progressive_ci.model.document import JsonObject
from progressive_ci.model.json_text import parsed
from progressive_ci.model.kinds import CONFIG_MAP, Ref
from progressive_ci.model.write import Merge
from progressive_ci.ports import Cluster, Watch

_ATTEMPTS = 5
_MOST = 8
"""Of releases that are asked at the same time: the one that runs, and those that wait for their turn."""
_AGAIN = (Conflict, NoAnswer, NotFound, ServerError)
"""Answers after which the ConfigMap is read again: writing the same once more does no harm."""


class ClusterRecalls:
    """`ports.Recalls`.

    Args:
        name: of the workload.
        namespace: of the workload.
        cluster: without a guard: whoever asks holds no lease.
        watch: hears of the ConfigMap's changes.
        hide: takes known secrets out of the words of whoever asks: the run that follows doesn't know them.
    """

    def __init__(
        self,
        name: str,
        namespace: str,
        *,
        cluster: Cluster,
        watch: Watch,
        hide: Callable[[str], str] = str,
    ) -> None:
        self._ref = Ref(CONFIG_MAP, namespace, f"progressive-ci.{name}")
        self._cluster = cluster
        self._watch = watch
        self._hide = hide

    def read(self) -> tuple[JsonObject, ...]:
        """Those that stand there."""
        return recalls_in(self._cluster.get(self._ref))

    def post(self, recall: JsonObject, *, stands: Callable[[JsonObject], bool]) -> JsonObject | None:
        """Put one there unless it is asked already; see `ports.Recalls`."""
        worded = {
            field: self._hide(value) if isinstance(value, str) else value for field, value in recall.items()
        }
        problem: ApiError | None = None
        for _ in range(_ATTEMPTS):
            found = self._cluster.get(self._ref)
            if found is None:
                return None
            there = recalls_in(found)
            if worded in there:
                return recall  # the answer to an earlier attempt was lost
            if (earlier := next(filter(stands, there), None)) is not None:
                return earlier
            others = [each for each in there if each.get("release") != recall.get("release")]
            text = _text([*others, worded][-_MOST:])
            known = {"resourceVersion": found["metadata"]["resourceVersion"]}
            try:
                self._cluster.send(Merge(self._ref, {"metadata": known, "data": {RECALL_KEY: text}}))
            except _AGAIN as error:
                problem = error
                continue
            return recall
        raise problem or AssertionError("unreachable: the last attempt returns or raises")

    def follow(self, deliver: Callable[[JsonObject], None]) -> Callable[[], None]:
        """Deliver each one that stands there."""

        def look(found: JsonObject | None) -> None:
            for recall in recalls_in(found):
                deliver(recall)

        return self._watch.follow(self._ref, look)


def recalls_in(found: JsonObject | None) -> tuple[JsonObject, ...]:
    """What stands under the key, one or a list; whoever put something else there has asked nothing."""
    text = ((found or {}).get("data") or {}).get(RECALL_KEY)
    try:
        there = parsed(text) if isinstance(text, str) else None
    except ValueError:
        return ()
    each = there if isinstance(there, list) else [there]
    return tuple(recall for recall in each[-_MOST:] if isinstance(recall, dict))


def _text(recalls: list[JsonObject]) -> str:
    """One stands there as it is: that is what an earlier version of this tool understands."""
    there = recalls[0] if len(recalls) == 1 else recalls
    return json.dumps(there, separators=(",", ":"), ensure_ascii=False)
