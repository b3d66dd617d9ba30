"""Others watch the API server, too, and are back later than it is: gateways' controllers, and those of the cluster.

Until then they know neither new weights nor new endpoints, so users are led to pods that have gone, or to a Service
whose pods nobody knows. What is built on client-go tries again after pauses that double up to 30 s, each stretched by
chance to at most its double. How far they are doubled already depends on what it met in the two minutes before, and a
watch that can't be opened and a list that fails have a pause each. Every kind of object has its own, so a route that is
confirmed says nothing of endpoints.
"""

from collections.abc import Callable
from math import inf

from progressive_ci.model.outage import Outage
from progressive_ci.release.release import Release

SECONDS = 120.0
"""After the server's return: the longest pause of both kinds, one after the other."""


def back_after(outage: Outage) -> float:
    """Monotonic time by which everybody has heard of what the server says again."""
    return outage.ended + SECONDS


def outlast(release: Release, pause: Callable[[float], None] | None = None) -> bool:
    """Wait until everybody is back, before users are led to other pods, and before the pods that they had go.

    Only the way back doesn't wait with the weight: stable's pods are the ones that everybody knows, unless NAME has
    begun to roll.

    Args:
        release: whose.
        pause: how to wait; None waits beside the budget of a rollback, because nobody can hurry it.

    Returns:
        Whether that took time, in which pods may have been lost.
    """
    latest = release.hands.cluster.last_outage()
    if latest is None:
        return False
    left = back_after(latest) - release.hands.clock.now()
    if left <= 0:
        return False
    away = f"the API server was away for {latest.ended - latest.began:.0f} s"
    release.note(f"{away}: who else watches it, like a gateway's controller, has {left:.0f} s to come back")
    (pause or _pause(release))(left)
    return True


def _pause(release: Release) -> Callable[[float], None]:
    def pause(seconds: float) -> None:
        part = min(seconds, SECONDS - release.outlasted)
        if release.limit < inf:
            release.limit, release.outlasted = release.limit + part, release.outlasted + part
        release.pause(seconds)

    return pause
