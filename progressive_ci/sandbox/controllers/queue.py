"""Keys that a controller will look at soon, each of them once."""

from collections.abc import Callable

from progressive_ci.sandbox.clock import Cancel, Timers

Key = tuple[str, str]
"""Namespace and name."""


class Queue:
    """Calls a controller for each key, its reaction time after the key was added."""

    def __init__(self, timers: Timers, look: Callable[[str, str], None], reaction: float) -> None:
        self._timers = timers
        self._look = look
        self._reaction = reaction
        self._planned: dict[Key, tuple[float, Cancel]] = {}

    def add(self, namespace: str, name: str, delay: float | None = None) -> None:
        """Look at an object after the reaction time, or after a longer delay; the earlier plan wins."""
        key = (namespace, name)
        time = self._timers.now() + (self._reaction if delay is None else delay)
        planned = self._planned.get(key)
        if planned and planned[0] <= time:
            return
        if planned:
            planned[1]()
        self._planned[key] = (time, self._timers.at(time, lambda: self._run(key)))

    def _run(self, key: Key) -> None:
        self._planned.pop(key, None)
        self._look(*key)
