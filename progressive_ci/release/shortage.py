"""What keeps stable from having its pods: looked for on the way back, and told when it is something new."""

from progressive_ci.model import kinds
from progressive_ci.model.event import Warned
from progressive_ci.model.kinds import Ref
from progressive_ci.release.canary_set import deployment_ref
from progressive_ci.release.readiness import trouble_of
from progressive_ci.release.release import Release

LOOK = 10.0
"""Seconds between two looks: pods that come by themselves have come by then."""


class Shortage:
    """Looks beside a wait for stable's pods, however that wait is made."""

    def __init__(self, release: Release) -> None:
        self._release = release
        self._looked = release.hands.clock.now()

    def pause(self, seconds: float) -> None:
        """Wait on the way back, and look when it is time."""
        self.look()
        self._release.pause(seconds)

    def look(self) -> None:
        """Name the reason, unless it is named already."""
        release, now = self._release, self._release.hands.clock.now()
        if now - self._looked < LOOK:
            return
        self._looked = now
        why = _reason(release)
        if why and why != release.trouble:
            release.hands.reporter.emit(Warned(f"stable does not get its pods: {why}"))
        release.trouble = why


def _reason(release: Release) -> str:
    """In the cluster's own words; NAME knows what is refused to a ReplicaSet that it has to make again."""
    ref = Ref(kinds.REPLICA_SET, release.record.namespace, release.stable.name)
    return trouble_of(release, release.stable, release.read(ref) or release.read(deployment_ref(release)))
