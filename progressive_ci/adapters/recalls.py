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

    def read(self) -> JsonObject | None:
        """The one that stands there."""
        return recall_in(self._cluster.get(self._ref))

    def post(self, recall: JsonObject) -> bool:
        """Put one there; see `ports.Recalls`."""
        worded = {
            field: self._hide(value) if isinstance(value, str) else value for field, value in recall.items()
        }
        text = json.dumps(worded, separators=(",", ":"), ensure_ascii=False)
        problem: ApiError | None = None
        for _ in range(_ATTEMPTS):
            found = self._cluster.get(self._ref)
            if found is None:
                return False
            known = {"resourceVersion": found["metadata"]["resourceVersion"]}
            try:
                self._cluster.send(Merge(self._ref, {"metadata": known, "data": {RECALL_KEY: text}}))
            except _AGAIN as error:
                problem = error
                continue
            return True
        raise problem or AssertionError("unreachable: the last attempt returns or raises")

    def follow(self, deliver: Callable[[JsonObject], None]) -> Callable[[], None]:
        """Deliver each one that stands there."""

        def look(found: JsonObject | None) -> None:
            recall = recall_in(found)
            if recall is not None:
                deliver(recall)

        return self._watch.follow(self._ref, look)


def recall_in(found: JsonObject | None) -> JsonObject | None:
    """What stands under the key; whoever put something else there has asked nothing."""
    text = ((found or {}).get("data") or {}).get(RECALL_KEY)
    try:
        recall = parsed(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return recall if isinstance(recall, dict) else None
