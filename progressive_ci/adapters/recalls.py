"""Recalls beside the journal: a key of their own in the ConfigMap `progressive-ci.NAME`."""

from collections.abc import Callable

from progressive_ci.adapters.recall_text import RECALL_KEY, recall_text, recalls_in
from progressive_ci.errors import (
    ApiError,
    Conflict,
    NoAnswer,
    NotFound,
    ProgressiveError,
    Refused,
    ServerError,
)
from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import CONFIG_MAP, Ref
from progressive_ci.model.write import Merge
from progressive_ci.ports import Cluster, Watch

_ATTEMPTS = 5
_MOST = 32
"""Of releases that wait for their turn and are asked: they must not fill the ConfigMap of the journal."""
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

    def post(
        self, recall: JsonObject, *, stands: Callable[[JsonObject], bool], runs: bool = True
    ) -> JsonObject | None:
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
            if not runs and len(others) >= _MOST:
                raise self._full(recall)
            known = {"resourceVersion": found["metadata"]["resourceVersion"]}
            data = {RECALL_KEY: recall_text([*others, worded])}
            try:
                self._cluster.send(Merge(self._ref, {"metadata": known, "data": data}))
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

    def _full(self, recall: JsonObject) -> Refused:
        return Refused(
            ProgressiveError(
                f"{_MOST} other releases are asked to go back already, so {recall.get('release')} can't be",
                where=str(self._ref),
                advice="end its job: a run that waits for its turn has written nothing",
            )
        )
