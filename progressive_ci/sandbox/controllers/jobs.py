"""The Job controller and its pods as far as a guard shows them: a Job's pod runs a moment after the Job was made."""

from collections.abc import Callable

from progressive_ci.model.kinds import JOB
from progressive_ci.sandbox.controllers.queue import Queue
from progressive_ci.sandbox.json_patch import clone
from progressive_ci.sandbox.store import Change, Store

REACTION = 1.0
"""Seconds until the pod is scheduled and has started."""


class Jobs:
    """Reacts to new Jobs.

    Attributes:
        starts: whether their pods start.
        runs: what a pod does then.
    """

    def __init__(self, store: Store) -> None:
        self.starts = True
        self.runs: Callable[[], None] = lambda: None
        self._store = store
        self._queue = Queue(store.timers, self._look, REACTION)
        store.subscribe(self._changed, JOB)

    def _changed(self, change: Change) -> None:
        if change.type == "ADDED":
            metadata = change.object["metadata"]
            self._queue.add(metadata["namespace"], metadata["name"])

    def _look(self, namespace: str, name: str) -> None:
        found = self._store.get(JOB, namespace, name)
        if found is not None and self.starts:
            state = {"active": 1, "ready": 1, "startTime": self._store.timestamp()}
            self._store.write(JOB, {**clone(found), "status": state}, counts=False)
            self.runs()
