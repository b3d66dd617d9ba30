"""Promotion by adoption: the Deployment takes the canary's ReplicaSet over, and no pod moves.

While all traffic is on the canary: the pinned Services are re-pointed, old pods drain, the paused Deployment
gets template and a temporary `Recreate` (only then does its controller never rescale both sides in proportion),
a gate reads everything afresh, one patch hands the ReplicaSet over, a short loop follows an autoscaler's wishes
until every other ReplicaSet is at zero. That is the commit point. Each function can be called again after a crash.
"""

from collections.abc import Callable

from progressive_ci.model import kinds, weight
from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import Ref
from progressive_ci.model.weight import Weight
from progressive_ci.release import canary_set, deployment, traffic
from progressive_ci.release.canary_set import deployment_ref, set_ref
from progressive_ci.release.drift import gone, hold_canary, hold_pause, hold_pins
from progressive_ci.release.patience import CONTROLLER, ENDPOINTS, bounded, until
from progressive_ci.release.readiness import pods_of, ready_uids
from progressive_ci.release.release import Release
from progressive_ci.release.renewal import await_old_pods_gone, demand_canary, drain, renew
from progressive_ci.release.services import pin, selects_canary, serving, unpin
from progressive_ci.release.stop import unready
from progressive_ci.release.watchers import outlast
from progressive_ci.release.workload import (
    REVISION,
    annotations_of,
    available,
    controller_uid,
    name_of,
    observed,
    owned_by,
    replicas_of,
    same_template,
    selector_text,
    uid_of,
)

_CONTROLLER_SECONDS = 60.0
_REVISION_SECONDS = 5.0
_NEARLY_ALL = Weight(99)


def promote(release: Release) -> None:
    """From a canary that passed to the commit point."""
    if not services_moved(release):
        _all_to_canary(release)
        _repoint(release)
    if traffic.routed(release) and deployment.holds_another(
        release, release.must_know(deployment_ref(release))
    ):
        # Whoever takes over in the middle of it has nobody's word for how much of it is over.
        release.note(f"old pods finish their requests ({release.record.drain_seconds:.0f} s)")
        drain(release, release.record.drain_seconds, disturbed=lambda: _put_right(release))
    deployment.put_template(release)
    until(
        release,
        lambda: _agreed(release),
        "Deployment and ReplicaSet agree on template, pause and size",
        after=CONTROLLER,
    )
    _hand_over(release)


def services_moved(release: Release) -> bool:
    """Whether every pinned Service selects the new version, as last seen: a take-over has read them all."""
    pinned = release.record.pinned
    return bool(pinned) and all(selects_canary(release, name) for name in pinned)


def _all_to_canary(release: Release) -> None:
    """Full size and all traffic; without a router the old pods keep their share until the take-over."""
    _demand_new(release)
    if not traffic.routed(release) and not _adopted(release):
        traffic.shift(release, _NEARLY_ALL, _while_both_stand(release))
    until(release, lambda: _full_size(release), "the canary has its full size")
    if traffic.routed(release) and traffic.current(release) != weight.ALL:
        while outlast(release):
            until(release, lambda: _full_size(release), "the canary has its full size again")
        release.enter(weight=100)
        traffic.shift(release, weight.ALL, bounded(release, "the route carries 100 %"))


def _adopted(release: Release) -> bool:
    """Whether NAME has the canary already, as last seen: from then on its size is the new version's."""
    owner, item = release.must_know(deployment_ref(release)), release.must_know(set_ref(release))
    held = same_template(owner["spec"]["template"], item["spec"]["template"])
    return held and controller_uid(item) == uid_of(owner)


def _demand_new(release: Release) -> None:
    """Stop where NAME has the canary as an old one: somebody has put in another version after the hand-over."""
    owner, item = release.must_know(deployment_ref(release)), release.must_know(set_ref(release))
    if controller_uid(item) == uid_of(owner) and not _adopted(release):
        raise deployment.superseded(release, owner)


def _while_both_stand(release: Release) -> Callable[[float], None]:
    """A pause that gives up when pods had their time, or when there is nothing left to wait for."""
    pause = bounded(release, "the canary has nearly all pods")

    def wait(seconds: float) -> None:
        pause(seconds)
        for side in (release.stable, release.record.canary):
            ref = Ref(kinds.REPLICA_SET, release.record.namespace, side.name)
            if release.read(ref) is None:
                raise gone(ref)

    return wait


def _full_size(release: Release) -> bool:
    wanted = wished_size(release)
    item = release.must_read(set_ref(release))
    _demand_new(release)
    if replicas_of(item) < wanted:
        canary_set.resize(release, wanted)
        return False
    return observed(item) and available(item) >= replicas_of(item)


def wished_size(release: Release) -> int:
    """The larger of the size at lease time, the spec's, and what NAME is asked to have now.

    Raises:
        Stop: somebody else has put another version into the workload.
    """
    found = release.must_read(deployment_ref(release))
    if deployment.foreign_template(release, found):
        raise deployment.superseded(release, found)
    hold_pause(release, found)
    asked = replicas_of(found) if traffic.routed(release) else 0
    return max(release.record.size, asked, release.record.wanted.replicas or 0)


def _repoint(release: Release) -> None:
    """Every pinned Service selects the new version; those of stable carry no weight now."""
    release.armed = ()
    for name in release.record.pinned:
        pin(release, name, release.record.canary.hash)
    began = release.hands.clock.now()

    def done() -> bool:
        served = _all_serve(release)
        if not served and release.hands.clock.now() - began > ENDPOINTS:
            hold_pins(release, moved=True)
        return served

    until(release, done, "every Service has the new pods as endpoints", after=CONTROLLER)


def _put_right(release: Release) -> bool:
    """Whether a Service has led to old pods again, by somebody's hand; it leads to the new ones now."""
    return not _all_serve(release) and hold_pins(release, moved=True)


def _all_serve(release: Release) -> bool:
    found = serving(release, release.record.pinned).values()
    if not all(found):
        demand_canary(release)
    if not all(found) or len(set(found)) > 1:
        return False  # all of them serve by the same pods once this is so, and only then it matters by which
    pods = ready_uids(pods_of(release, release.record.canary))
    return bool(pods) and all(ready <= pods for ready in found)


def _agreed(release: Release) -> bool:
    """The gate of the hand-over: templates and numbers as they are now."""
    owner = release.must_read(deployment_ref(release))
    hold_pause(release, owner)
    if not observed(owner):
        return False
    item = hold_canary(release, release.record.size)
    if not available(item):
        demand_canary(release)
    if not same_template(owner["spec"]["template"], item["spec"]["template"]):
        raise deployment.superseded(release, owner)
    held = owner["spec"].get("paused") is True and owner["spec"]["strategy"] == deployment.RECREATE
    return held and observed(item) and replicas_of(item) == available(item)


def _hand_over(release: Release) -> None:
    """Until the Deployment holds the ReplicaSet as its new one, and every other is at zero.

    Taken as an old one it gets no revision: then back at once.
    """
    clock = release.hands.clock
    began = free = clock.now()
    _give(release)

    def done() -> bool:
        nonlocal free
        owner = release.must_read(deployment_ref(release))
        sets = _sets(release, owner)
        item = next((one for one in sets if name_of(one) == release.record.canary.name), None)
        if item is None or controller_uid(item) != uid_of(owner):
            free = clock.now()
            _give_again(release, free - began)
            return False
        if not same_template(owner["spec"]["template"], item["spec"]["template"]):
            raise deployment.superseded(release, owner)
        hold_pause(release, owner)
        if REVISION in annotations_of(item):
            release.seen[set_ref(release)] = item
            return _follow_wishes(release, sets, owner)
        if clock.now() - free > _REVISION_SECONDS:
            raise unready("the Deployment has taken the canary over as an old version")
        return False

    until(
        release,
        done,
        "the Deployment takes the ReplicaSet over and the old one goes to zero",
        after=CONTROLLER,
    )


def _give(release: Release) -> None:
    """Hand the ReplicaSet over on what was read last; the patch tests every number that it rests on."""
    owner, item = release.must_know(deployment_ref(release)), release.must_know(set_ref(release))
    if controller_uid(item) != uid_of(owner):
        canary_set.hand_over(release, owner, pods=replicas_of(item))


def _give_again(release: Release, elapsed: float) -> None:
    """It is not taken yet; where the first patch was refused, the numbers have changed since."""
    if elapsed > _CONTROLLER_SECONDS:
        raise unready(f"the Deployment has not taken the ReplicaSet over after {elapsed:.0f} s")
    demand_canary(release)
    _give(release)


def _follow_wishes(release: Release, sets: tuple[JsonObject, ...], owner: JsonObject) -> bool:
    """One turn of following what NAME is asked to have; true when every other ReplicaSet is at zero."""
    if not deployment.put_replicas(release):
        return False
    if others_at_zero(release, sets, owner):
        return True
    canary_set.follow(release, replicas_of(release.must_know(deployment_ref(release))))
    return False


def _sets(release: Release, owner: JsonObject) -> tuple[JsonObject, ...]:
    """Fresh ReplicaSets that NAME selects."""
    labels = selector_text(owner["spec"]["selector"])
    return release.hands.cluster.list(kinds.REPLICA_SET, release.record.namespace, labels=labels)


def others_at_zero(release: Release, sets: tuple[JsonObject, ...], owner: JsonObject) -> bool:
    """Whether no other ReplicaSet of NAME is asked to have pods."""
    rest = [item for item in owned_by(owner, sets) if name_of(item) != release.record.canary.name]
    return all(replicas_of(item) == 0 for item in rest)


def committed(release: Release) -> bool:
    """The commit point: taken over, and every other ReplicaSet at zero."""
    owner, item = release.read(deployment_ref(release)), release.read(set_ref(release))
    if owner is None or item is None or controller_uid(item) != uid_of(owner):
        return False
    mine = same_template(owner["spec"]["template"], item["spec"]["template"])
    return mine and REVISION in annotations_of(item) and others_at_zero(release, _sets(release, owner), owner)


def finish(release: Release) -> None:
    """Strategy back, weight back while all Services name the same pods, unpin, unpause last."""
    renew(release)
    deployment.put_strategy(release)
    if traffic.routed(release):
        _give_route_back(release)
    await_old_pods_gone(release)
    for name in release.record.pinned:
        unpin(release, name)
    deployment.unpause(release)
    canary_set.unmark_history(release)


def _give_route_back(release: Release) -> None:
    """The route's own values; every Service of the release selects the new version by now, so any split is right."""
    traffic.restore_route(release)
    if traffic.rests(release):
        release.note("the route leads to the stable Service again, which selects the new version now")
        release.pause(traffic.settle_seconds(release))
        return
    # The canary's route object was ours to delete, or the route's own values share the traffic out.
    traffic.shift(release, weight.NONE, release.pause)
    traffic.restore_route(release)
