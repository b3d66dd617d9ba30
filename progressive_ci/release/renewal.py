"""Somebody deletes the new version's ReplicaSet while nothing but it serves: found at once, and answered.

Before the commit point the old version is still whole, so the release goes back; after it the Deployment makes the
ReplicaSet anew from its own template, which it does as soon as it is not paused.
"""

from collections.abc import Callable
from math import inf

from progressive_ci.model.kinds import Ref
from progressive_ci.release import deployment
from progressive_ci.release.canary_set import deployment_ref, set_ref
from progressive_ci.release.patience import await_gone, until
from progressive_ci.release.readiness import pods_of, ready_uids
from progressive_ci.release.release import Release
from progressive_ci.release.services import unpin
from progressive_ci.release.stop import unready
from progressive_ci.release.watchers import outlast
from progressive_ci.release.workload import available, complete

_LOOK = 5.0


def drain(release: Release, seconds: float, *, disturbed: Callable[[], bool] = lambda: False) -> None:
    """Let the pods of one version finish their requests, as long as the other serves.

    That time is the user's own wish, so no budget of a rollback has to pay for it: once, however often it is tried.

    Args:
        release: whose.
        seconds: how long.
        disturbed: looks whether those pods may have got new requests meanwhile: then their time begins anew. Puts
            right, or stops, where the version that serves is not there any more.
    """
    outlast(release)
    clock = release.hands.clock
    over = clock.now() + seconds
    while (left := over - clock.now()) > 0:
        part = min(_LOOK, left)
        if release.limit < inf and release.granted < seconds:
            release.limit, release.granted = release.limit + part, release.granted + part
        release.pause(part)
        if disturbed():
            over = clock.now() + seconds
    # It may have been away meanwhile, and in the two minutes after that nobody has looked.
    if outlast(release) and disturbed():
        drain(release, seconds, disturbed=disturbed)


def demand_canary(release: Release, ref: Ref | None = None) -> None:
    """Stop where nothing is left of the version that carries the traffic; `ref` where that is no ReplicaSet."""
    ref = ref or set_ref(release)
    item = release.read(ref)
    if item is None or not available(item):
        what = "has no pod" if item else "was deleted"
        raise unready(f"{ref}, which carries all traffic, {what}: somebody has interfered")


def renew(release: Release) -> None:
    """After the commit point: where the ReplicaSet is gone, let NAME make another of the same version, and wait."""
    ref = deployment_ref(release)
    if release.read(set_ref(release)) is not None or release.read(ref) is None:
        return
    release.note(f"{set_ref(release)} was deleted by somebody: the Deployment makes it anew")
    deployment.put_strategy(release)
    # The new one has a hash of the controller's own, which no pin names.
    for name in release.record.pinned:
        unpin(release, name)
    deployment.unpause(release)
    until(release, lambda: complete(release.must_read(ref)), "the Deployment is complete again")


def await_old_pods_gone(release: Release) -> None:
    """Wait for the end of old pods; a Deployment that has lost its new ReplicaSet would start some instead.

    Where somebody has put another version into NAME since, they may be the pods of that one.
    """
    who = "the old pods"
    until(release, lambda: _are_gone(release), f"{who} take no traffic any more")
    if not deployment.holds_another(release, release.must_know(deployment_ref(release))):
        await_gone(release, release.record.stable, who)


def _are_gone(release: Release) -> bool:
    if not ready_uids(pods_of(release, release.record.stable)):
        return True
    renew(release)
    return deployment.holds_another(release, release.must_read(deployment_ref(release)))
