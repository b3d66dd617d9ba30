"""Adopt: the canary is a ReplicaSet beside the paused Deployment, which takes it over at the promotion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from progressive_ci.model import kinds, weight
from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import Ref
from progressive_ci.release import adoption, canary_set, capacity, deployment, traffic
from progressive_ci.release.canary_set import deployment_ref, set_ref
from progressive_ci.release.drift import hold_canary, hold_pins
from progressive_ci.release.findings import Findings
from progressive_ci.release.patience import CONTROLLER, await_gone, until
from progressive_ci.release.readiness import diagnose, pods_of, ready_uids, too_late, uids
from progressive_ci.release.release import Release
from progressive_ci.release.renewal import drain
from progressive_ci.release.services import pin, pinned_revision, selects_canary, serving, unpin
from progressive_ci.release.stable_again import stand_again
from progressive_ci.release.stop import Stop, unready
from progressive_ci.release.way_back import return_to_stable
from progressive_ci.release.workload import (
    available,
    controller_uid,
    observed,
    replicas_of,
    same_template,
    uid_of,
)

if TYPE_CHECKING:
    from progressive_ci.release.vigil import Vigil

_STARTS = 1.0
"""Seconds before the first look at new pods: hardly any is ready earlier."""

promote = adoption.promote
committed = adoption.committed
finish = adoption.finish
size = adoption.wished_size


def prepare(vigil: Vigil, found: Findings) -> None:
    """Pause NAME, pin every Service to stable, take hold of the route, make the canary's ReplicaSet."""
    release = vigil.release
    deployment.pause(release)
    for name in release.record.pinned:
        pin(release, name, release.record.stable.hash)
    owner = release.must_know(deployment_ref(release))
    if found.reused is not None:
        canary_set.let_go(release, owner)
        until(release, lambda: _is_free(release), "the Deployment lets go of its earlier ReplicaSet")
        canary_set.count_as_the_new_version_says(release, owner)
    else:
        canary_set.create(release, canary_set.new_set(release, owner, found.template, replicas=0))
    if traffic.routed(release):
        traffic.claim(release)
        traffic.shift(release, weight.NONE, vigil.pause)
    release.note(f"the canary is ReplicaSet {release.record.canary.name}; it has no traffic yet")


def grow(release: Release, pods: int) -> None:
    """Ask for at least this many canary pods, without waiting for them."""
    canary_set.grow(release, pods)


def _is_free(release: Release) -> bool:
    return not controller_uid(release.must_read(set_ref(release)))


def scale(vigil: Vigil, pods: int) -> None:
    """Grow the canary, wait until its pods are available and the canary Service serves by them alone."""
    release = vigil.release
    grown = canary_set.grow(release, pods)
    service = traffic.route_of(release).canary_service
    first = not selects_canary(release, service)
    if first or _waits_for_more_than_readiness(release):
        _await_available(vigil, pods, grown=grown)
        grown = False
    pin(release, service, release.record.canary.hash)
    clock, began, allowed = release.hands.clock, release.hands.clock.now(), release.record.ready_seconds
    vigil.poll(
        lambda: _serves(release, pods, first=first, elapsed=clock.now() - began),
        seconds=allowed,
        text=f"Service {service} gets the new pods as endpoints",
        late=lambda: _not_served(release, service, pods),
        after=_STARTS if grown else CONTROLLER if first else 0.0,
    )


def _waits_for_more_than_readiness(release: Release) -> bool:
    """Whether pods count only after a while; else the endpoints alone tell, without a look at the ReplicaSet."""
    return bool(release.must_know(set_ref(release))["spec"].get("minReadySeconds"))


def _serves(release: Release, pods: int, *, first: bool, elapsed: float) -> bool | None:
    """Whether the canary Service serves by enough new pods; after its first pin also by no others."""
    if first:
        served = capacity.served_alone(release, pods)
        if not served and elapsed > _STARTS:
            hold_canary(release, pods)
            hold_pins(release)
        return served or None
    if capacity.count_canary(release) >= pods:
        return True
    if elapsed > _STARTS:
        _stop_where_hopeless(release, hold_canary(release, pods), elapsed)
    return None


def _not_served(release: Release, service: str, pods: int) -> Stop:
    allowed, found = release.record.ready_seconds, available(release.must_read(set_ref(release)))
    if found < pods:
        return too_late(release, pods, found, allowed)
    return unready(
        f"Service {service} has fewer than {pods} ready endpoints of the new version after {allowed:.0f} s",
        advice=f"compare its selector with the pods: kubectl -n {release.record.namespace} get endpointslices",
    )


def _await_available(vigil: Vigil, pods: int, *, grown: bool) -> None:
    """Wait for available canary pods; stop early where waiting can't help."""
    release, clock = vigil.release, vigil.release.hands.clock
    began, allowed = clock.now(), release.record.ready_seconds
    vigil.poll(
        lambda: _enough(release, pods, elapsed=clock.now() - began),
        seconds=allowed,
        text=f"{pods} new {'pod becomes' if pods == 1 else 'pods become'} ready",
        late=lambda: too_late(release, pods, available(release.must_read(set_ref(release))), allowed),
        after=_STARTS if grown else 0.0,
    )


def _enough(release: Release, pods: int, *, elapsed: float) -> bool | None:
    item = hold_canary(release, pods)
    if observed(item) and available(item) >= pods:
        return True
    _stop_where_hopeless(release, item, elapsed)
    return None


def _stop_where_hopeless(release: Release, item: JsonObject, elapsed: float) -> None:
    if stop := diagnose(release, item, elapsed=elapsed, allowed=release.record.ready_seconds):
        raise stop


def restore(release: Release) -> None:
    """Labels off first, old template second (the other order is an outage), then traffic, then the canary."""
    owner = release.must_read(deployment_ref(release))
    item = release.read(set_ref(release))
    if item is not None and _taken(release, owner, item):
        canary_set.let_go(release, owner)
        until(release, lambda: _stable_stands(release), "the old ReplicaSet has its size back")
    deployment.put_back(release)
    stand_again(release)
    _traffic_to_stable(release)
    if item is not None:
        _end_canary(release, owner)
    if traffic.routed(release):
        traffic.restore_route(release)
    for name in release.record.pinned:
        unpin(release, name)
    deployment.unpause(release)
    canary_set.unmark_history(release)


def _taken(release: Release, owner: JsonObject, item: JsonObject) -> bool:
    """Whether NAME has taken the canary over; a reused one that it never let go of is in its old place."""
    if controller_uid(item) != uid_of(owner):
        return False
    in_old_place = replicas_of(item) == 0 and not same_template(
        owner["spec"]["template"], item["spec"]["template"]
    )
    return not (release.record.canary.reused and in_old_place)


def _stable_stands(release: Release) -> bool:
    """Whether the old ReplicaSet has what NAME asks for now; without a router that is less than the full size.

    One that somebody has deleted is not waited for here: it is made again next.
    """
    item = release.read(Ref(kinds.REPLICA_SET, release.record.namespace, release.stable.name))
    asked = replicas_of(release.must_read(deployment_ref(release)))
    return item is None or available(item) >= min(asked, capacity.full_capacity(release))


def _traffic_to_stable(release: Release) -> None:
    """Services of stable back first, while their weight is 0; then the weight; then the canary's own Service."""
    route = traffic.route_of(release)
    stable = tuple(name for name in release.record.pinned if name != route.canary_service)
    for name in stable:
        pin(release, name, release.stable.hash)
    if route.stable_service in stable:
        until(
            release,
            lambda: _has_stable(release, route.stable_service),
            "stable's Service has its own pods again",
        )
    return_to_stable(release)
    if route.canary_service in release.record.pinned:
        pin(release, route.canary_service, release.stable.hash)
    if stable and _reaches_canary(release, stable):
        release.note("somebody keeps taking the pins off, so the new pods go at once")
        canary_set.resize(release, 0)


def _has_stable(release: Release, service: str) -> bool:
    """By its own pods, or, where stable has none that is ready, by none: then there is nothing to wait for here."""
    found, own = serving(release, (service,))[service], ready_uids(pods_of(release, release.stable))
    return bool(found & own) or not (found or own)


def _reaches_canary(release: Release, names: tuple[str, ...]) -> bool:
    """Whether a Service of stable leads to new pods although it was pinned: then its pin does not hold."""
    pods = uids(pods_of(release, release.record.canary))
    if not any(ready & pods for ready in serving(release, names).values()):
        return False
    return any(pinned_revision(release, name) != release.stable.hash for name in names)


def _end_canary(release: Release, owner: JsonObject) -> None:
    if release.record.weight:
        if traffic.routed(release):
            release.note(f"the new pods finish their requests ({release.record.abort_drain_seconds:.0f} s)")
            drain(release, release.record.abort_drain_seconds, disturbed=lambda: _put_stable_right(release))
        # A raise that was on its way when the signal came may have landed since.
        return_to_stable(release)
        release.enter(weight=0)
    canary_set.take_away(release, owner)
    await_gone(release, release.record.canary, "the new pods")


def _put_stable_right(release: Release) -> bool:
    """See to it that stable stands; the time of the new pods does not begin anew for that."""
    if release.read(Ref(kinds.REPLICA_SET, release.record.namespace, release.stable.name)) is None:
        stand_again(release)
        _traffic_to_stable(release)
    return False
