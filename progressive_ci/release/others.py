"""What others do while a release waits: its objects are looked at, and pods that got lost are waited for."""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING

from progressive_ci.model import kinds, weight
from progressive_ci.model.event import Warned
from progressive_ci.model.kinds import Ref
from progressive_ci.model.plan import Mode
from progressive_ci.model.weight import Weight
from progressive_ci.release import capacity, deployment, traffic
from progressive_ci.release.canary_set import deployment_ref
from progressive_ci.release.drift import gone, hold_canary, hold_pause
from progressive_ci.release.floor import hold_floors
from progressive_ci.release.modes.table import MODES
from progressive_ci.release.patience import bounded
from progressive_ci.release.services import service_ref
from progressive_ci.release.split import note_changed_split
from progressive_ci.release.stop import unready
from progressive_ci.release.watchers import outlast
from progressive_ci.routers.replica_ratio import canary_pods

if TYPE_CHECKING:
    from progressive_ci.release.release import Release
    from progressive_ci.release.vigil import Vigil

LOOK = 30.0
"""Seconds between two looks at objects that nothing else reads while a release waits."""

_SHELTERED = 10.0
_LOSSES = 3


def serve(vigil: Vigil) -> None:
    """Look for what the last count makes doubtful, and from time to time at everything."""
    release, clock = vigil.release, vigil.release.hands.clock
    if not release.record.stable.hash:
        return
    if vigil.serving:
        _demand_served(release)
        _hold_sheltered(vigil)
        return
    vigil.serving = True
    try:
        _after_count(vigil)
        if clock.now() >= vigil.looked + LOOK:
            vigil.looked = clock.now()
            look(vigil)
    finally:
        vigil.serving, vigil.needed = False, 0


def _hold_sheltered(vigil: Vigil) -> None:
    """While lost pods are waited for, nobody may take away that they come."""
    release, now = vigil.release, vigil.release.hands.clock.now()
    if vigil.needed and now >= vigil.looked + _SHELTERED:
        vigil.looked = now
        hold_canary(release, vigil.needed)


def look(vigil: Vigil) -> None:
    """One look at NAME, the route, the canary and the autoscalers.

    Raises:
        Stop: somebody has deleted one, released another version, or changes again what was put right once.
    """
    release = vigil.release
    ref = deployment_ref(release)
    found = release.read(ref)
    if found is None:
        raise gone(ref)
    if release.record.mode is Mode.IN_PLACE:
        deployment.demand_ours(release, found)
        return
    if deployment.foreign_template(release, found):
        raise deployment.superseded(release, found)
    if release.record.mode is Mode.ADOPT:
        hold_pause(release, found)
    hold_floors(release)
    if traffic.routed(release):
        _hold_route(vigil)
    else:
        hold_stable(release)
        hold_canary(release, _pods_of_share(release))


def _pods_of_share(release: Release) -> int:
    """The new version's pods, which are its weight where no router carries one; 0 while a shift is under way."""
    return 0 if release.carries is None else canary_pods(traffic.route_of(release), release.carries)


def _after_count(vigil: Vigil) -> None:
    """Each count of endpoints tells of Services that are gone and of pods that are lost."""
    release = vigil.release
    _demand_served(release)
    carried = release.carries
    if carried in (None, weight.NONE) or not traffic.routed(release):
        return
    if carried < weight.ALL and not release.stable_ready[0]:
        hold_stable(release)
    needed = capacity.needed_pods(carried, release.record.size)
    if release.canary_ready < max(1, needed - release.record.unavailable):
        _shelter(vigil, carried)


def _demand_served(release: Release) -> None:
    """A Service without EndpointSlices may be gone: then nothing comes of waiting."""
    for name in release.unserved:
        if release.read(service_ref(release, name)) is None:
            raise gone(service_ref(release, name))
    release.unserved = ()


def _shelter(vigil: Vigil, share: Weight) -> None:
    """Too few new pods are left for their share: stable gets what they can't carry, until they are back."""
    release, ready = vigil.release, vigil.release.canary_ready
    vigil.losses += 1
    if vigil.losses > _LOSSES:
        raise unready("the new pods lose their readiness again and again")
    mode = MODES[release.record.mode]
    needed = capacity.needed_pods(share, mode.size(release))
    vigil.needed, vigil.looked = needed, release.hands.clock.now()
    hold_canary(release, needed)
    lower = max(Weight(floor(share.percent * ready / needed)), capacity.bearable(release, share))
    release.hands.reporter.emit(
        Warned(
            f"{ready} of {needed} new pods are ready: they get {lower} instead of {share} until they are back"
        )
    )
    if lower < share:
        traffic.shift(release, lower, vigil.pause)
    _raise(vigil, share)


def _raise(vigil: Vigil, share: Weight) -> None:
    """Give the canary the share again that the journal announces, once it has the pods for it."""
    release = vigil.release
    mode = MODES[release.record.mode]
    mode.scale(vigil, capacity.needed_pods(share, mode.size(release)))
    while outlast(release, vigil.pause):
        mode.scale(vigil, capacity.needed_pods(share, mode.size(release)))
    wait = bounded(release, f"the route carries {share} again")
    traffic.shift(release, share, wait)
    vigil.changed_at = release.hands.clock.now()


def hold_stable(release: Release) -> None:
    """A paused Deployment does not make its ReplicaSet again: only the way back does."""
    ref = Ref(kinds.REPLICA_SET, release.record.namespace, release.record.stable.name)
    if release.read(ref) is None:
        raise gone(ref)


def _hold_route(vigil: Vigil) -> None:
    """Put the split back, once, where somebody has changed it since it was written."""
    release = vigil.release
    route, table, wanted = traffic.route_of(release), traffic.router(release), release.carries
    objects = traffic.read_objects(release)
    traffic.demand_objects(release, objects)
    carried = table.weight(route, objects)
    if wanted is None or carried == wanted:
        return
    note_changed_split(release, wanted, carried)
    if carried < wanted:
        _raise(vigil, wanted)
    else:
        traffic.shift(release, wanted, vigil.pause)
