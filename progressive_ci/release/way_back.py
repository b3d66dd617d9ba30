"""All traffic to stable again: its capacity first, then the weight, in steps that its ready pods can carry."""

from dataclasses import dataclass

from progressive_ci.model import kinds, weight
from progressive_ci.model.event import Shifted, Warned
from progressive_ci.model.journal import Stage
from progressive_ci.model.kinds import Ref
from progressive_ci.model.weight import Weight
from progressive_ci.release import capacity, traffic
from progressive_ci.release.canary_set import deployment_ref
from progressive_ci.release.drift import last_writer
from progressive_ci.release.ownership import valued, wish
from progressive_ci.release.paths import REPLICAS
from progressive_ci.release.readiness import trouble_of
from progressive_ci.release.release import Release, existing
from progressive_ci.release.services import service_ref
from progressive_ci.release.shortage import LOOK, Shortage
from progressive_ci.release.workload import replicas_of

_GIVEN = 2
"""How often everything is given to stable where somebody takes it away again."""

_POLL = 1.0
_AUTOSCALER_SECONDS = 30.0
"""Time an autoscaler gets to answer a larger share with more pods: two of its periods."""


@dataclass(slots=True)
class _Holding:
    """How long the weight has stood still, and what was told about it."""

    since: float
    looked: float = float("-inf")
    told: str = ""
    given: int = 0


def return_to_stable(release: Release, *, given: int = 0) -> None:
    """All traffic to stable; where its ready pods are too few, as far as they carry it, and the rest follows them.

    Whoever keeps changing the weights is not fought: the caller lets the canary's Service select stable next.

    Args:
        release: whose.
        given: how often everything was given to stable before.
    """
    if not traffic.routed(release):
        traffic.shift(release, weight.NONE, Shortage(release).pause)
    holding = _Holding(release.hands.clock.now(), given=given)
    while traffic.routed(release) and (carried := traffic.current(release)) > weight.NONE:
        least = capacity.bearable(release, carried)
        if least == weight.NONE:
            holding.given += 1
            if holding.given > _GIVEN:
                release.note(
                    "somebody keeps changing the weights, so the canary's Service leads to stable instead"
                )
                break
        if least > weight.NONE:
            _ask_for_pods(release)
        if least == carried and _autoscaler_waits(release, holding):
            least = _next_share(release, carried)
        if least < carried:
            traffic.shift(release, least, release.pause)
            holding.since = release.hands.clock.now()
        else:
            _hold(release, carried, holding)
    _confirm(release)
    release.armed, release.trouble = (), ""
    if traffic.routed(release) and holding.given <= _GIVEN:
        _await_acknowledgement(release, holding.given)


def _confirm(release: Release) -> None:
    """Tell what the safe write has done, now that a read shows it."""
    if release.withdrawn is not None:
        release.hands.reporter.emit(Shifted(release.withdrawn, weight.NONE))
        release.withdrawn = None


def _await_acknowledgement(release: Release, given: int) -> None:
    """The canary's pods stay until the route's controller has confirmed the change, or has had time for it.

    Whoever raises the weight meanwhile makes that wait a vain one.
    """
    clock, allowed = release.hands.clock, _acknowledgement_seconds(release)
    began = clock.now()
    while not release.unconfirmed and not traffic.clear(release):
        elapsed = clock.now() - began
        if elapsed >= allowed:
            release.unconfirmed = True
            told = f"the route's controller has not confirmed after {elapsed:.0f} s that the new version gets nothing"
            release.hands.reporter.emit(Warned(f"{told}; its pods go all the same"))
            return
        if traffic.current(release) > weight.NONE:
            return_to_stable(release, given=given)
            return
        release.waiting("the route's controller confirms the change", elapsed, allowed)
        release.pause(_POLL)


def _acknowledgement_seconds(release: Release) -> float:
    """Half of what is left of the way back, and no longer than pods may take."""
    left = release.limit - release.hands.clock.now()
    return min(release.record.ready_seconds, left / 2)


def _ask_for_pods(release: Release) -> None:
    """Scale NAME up to its size before the release, once, where somebody has made it smaller meanwhile."""
    record, ref = release.record, deployment_ref(release)
    found = release.must_read(ref)
    asked = replicas_of(found)
    settled = record.autoscaled or record.stage is Stage.COMMITTED or REPLICAS in record.asserted
    if settled or asked >= record.size:
        return
    who = last_writer(found, "f:replicas")
    release.hands.reporter.emit(
        Warned(
            f"{who} has scaled {ref} to {asked} meanwhile; it is scaled to {record.size} again, because it has to "
            "carry all traffic: scale it once more afterwards if that was meant"
        )
    )
    release.enter(asserted=(*record.asserted, REPLICAS))
    release.write(ref, existing(lambda seen: wish(ref, seen, [valued(REPLICAS, record.size)])))


def _autoscaler_waits(release: Release, holding: _Holding) -> bool:
    """Whether stable has every pod it is asked to have, and whoever asks has had time to ask for more."""
    found = release.known(deployment_ref(release))
    if found is None or replicas_of(found) >= release.record.size:
        return False
    waited = release.hands.clock.now() - holding.since
    return waited >= _AUTOSCALER_SECONDS and release.stable_ready[0] >= replicas_of(found)


def _next_share(release: Release, carried: Weight) -> Weight:
    """An autoscaler that sees stable idle asks for too few pods: twice the share shows it that stable is not."""
    share = max(carried.rest.percent, 1)
    least = Weight(max(0, 100 - 2 * share))
    release.hands.reporter.emit(
        Warned(
            f"an autoscaler leaves stable at {release.stable_ready[0]} of {release.record.size} pods, so it gets "
            f"{least.rest} of the traffic to see that it needs more"
        )
    )
    return least


def _hold(release: Release, carried: Weight, holding: _Holding) -> None:
    """The weight stays where it is: fewer pods than it has now must not get it."""
    clock = release.hands.clock
    if clock.now() - holding.looked >= LOOK:
        holding.looked = clock.now()
        told = f"stable has {release.stable_ready[0]} of {capacity.full_capacity(release)} ready pods"
        why = _trouble(release)
        if (told, why) != (holding.told, release.trouble):
            keeps = f"{told}, so the new version keeps {carried} until it has more"
            release.hands.reporter.emit(Warned(f"{keeps}: {why}" if why else keeps))
        holding.told, release.trouble = told, why
    release.waiting(holding.told, clock.now() - holding.since, None)
    release.pause(_POLL)


def _trouble(release: Release) -> str:
    """What keeps stable from having its pods, as far as the cluster says."""
    record, route = release.record, traffic.route_of(release)
    service = service_ref(release, route.stable_service)
    if release.read(service) is None:
        return f"{service} does not exist: somebody has deleted it; create it again"
    owner = release.read(Ref(kinds.REPLICA_SET, record.namespace, release.stable.name))
    if owner is None:
        return f"its ReplicaSet {release.stable.name} does not exist: somebody has deleted it"
    return trouble_of(release, release.stable, owner)
