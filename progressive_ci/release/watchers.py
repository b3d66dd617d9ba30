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
from progressive_ci.release.canary_set import deployment_ref
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
    cluster, clock = release.hands.cluster, release.hands.clock
    waited: Outage | None = None
    # The server may go again meanwhile, and what was still to come back with it.
    while (latest := cluster.last_outage()) is not None and latest != waited:
        left = back_after(latest) - clock.now()
        if left <= 0:
            break
        away = f"the API server was away for {latest.ended - latest.began:.0f} s"
        release.note(
            f"{away}: who else watches it, like a gateway's controller, has {left:.0f} s to come back"
        )
        (pause or _pause(release))(left)
        # Whether it is away just now tells an answer alone.
        release.read(deployment_ref(release))
        waited = latest
    return waited is not None


def _pause(release: Release) -> Callable[[float], None]:
    """Beside the budget as long as after one outage; after another, half of what is left: there is more to do."""

    def pause(seconds: float) -> None:
        if release.limit < inf:
            beside = min(seconds, SECONDS - release.outlasted)
            left = max(0.0, release.limit - release.hands.clock.now())
            release.limit, release.outlasted = release.limit + beside, release.outlasted + beside
            seconds = beside + min(seconds - beside, left / 2)
        release.pause(seconds)

    return pause
