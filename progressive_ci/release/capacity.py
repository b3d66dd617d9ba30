"""How much traffic the ready pods of each version can carry: counted afresh, and never more than that is given."""

from math import ceil, floor

from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.journal import Stage
from progressive_ci.model.kinds import Ref
from progressive_ci.model.weight import Weight
from progressive_ci.release.canary_set import deployment_ref
from progressive_ci.release.drift import hold_pins
from progressive_ci.release.readiness import pods_of, uids
from progressive_ci.release.release import Release
from progressive_ci.release.traffic import route_of, routed
from progressive_ci.release.workload import labels_of, ready_pods, replicas_of


def needed_pods(share: Weight, size: int) -> int:
    """Canary pods that a weight needs; any weight needs one."""
    return max(1, ceil(share.percent * size / 100)) if share.percent else 0


def slices(release: Release) -> tuple[JsonObject, ...]:
    """Fresh EndpointSlices of the Services of both sides, and of all others that are pinned."""
    route = route_of(release)
    names = dict.fromkeys((route.stable_service, route.canary_service, *release.record.pinned))
    return release.hands.cluster.list(
        kinds.ENDPOINT_SLICE,
        release.record.namespace,
        labels=f"kubernetes.io/service-name in ({','.join(names)})",
    )


def count_canary(release: Release) -> int:
    """Count the ready pods behind the canary Service afresh, and stable's with them."""
    found, route = slices(release), route_of(release)
    stable, canary = ready_pods(found, route.stable_service), ready_pods(found, route.canary_service)
    others = (name for name in release.record.pinned if name != route.canary_service)
    if any(ready_pods(found, name) & canary for name in others):
        hold_pins(release)
    release.stable_ready = (len(stable), release.hands.clock.now())
    release.canary_ready = len(canary)
    there = {labels_of(item).get("kubernetes.io/service-name") for item in found}
    named = (route.stable_service, route.canary_service, *release.record.pinned)
    release.unserved = tuple(name for name in dict.fromkeys(named) if name not in there)
    return len(canary)


def served_alone(release: Release, pods: int) -> bool:
    """Whether the canary Service serves by so many new pods and by no others; counted only once that is so."""
    found, route = slices(release), route_of(release)
    stable, canary = ready_pods(found, route.stable_service), ready_pods(found, route.canary_service)
    if len(canary) < pods or canary & stable or not canary <= uids(pods_of(release, release.record.canary)):
        return False
    release.stable_ready = (len(stable), release.hands.clock.now())
    release.canary_ready = len(canary)
    return True


def count_stable(release: Release) -> int:
    """Count stable's ready pods afresh, for the safe write and for the way back."""
    if routed(release):
        count_canary(release)
        return release.stable_ready[0]
    ref = Ref(kinds.REPLICA_SET, release.record.namespace, release.stable.name)
    number = int((release.read(ref) or {}).get("status", {}).get("readyReplicas") or 0)
    release.stable_ready = (number, release.hands.clock.now())
    return number


def full_capacity(release: Release) -> int:
    """Ready stable pods that can carry everything, less what may be missing.

    Of the size at lease time and what NAME is asked to have now the larger one counts; after the commit point,
    when stable is the new version, only the latter.
    """
    found, size = release.must_read(deployment_ref(release)), release.record.size
    if routed(release):
        asked = replicas_of(found)
        size = asked if release.record.stage is Stage.COMMITTED else max(asked, size)
    return max(1, size - release.record.unavailable)


def bearable(release: Release, carried: Weight) -> Weight:
    """The least canary weight that leaves stable no more than its ready pods can carry, never above today's.

    Where both versions together have too few pods, each gets what its share of them can carry: the traffic
    never goes to fewer pods than it left.
    """
    stable, full = count_stable(release), full_capacity(release)
    share = min(100, floor(100 * stable / full))
    if 0 < stable < full - release.canary_ready:
        share = max(share, floor(100 * stable / (stable + release.canary_ready)))
    return min(carried, Weight(100 - share))
