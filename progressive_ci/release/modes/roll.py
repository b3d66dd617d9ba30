"""Roll: the canary is a Deployment of its own; at the promotion NAME rolls while the canary carries the traffic."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from progressive_ci.model import kinds, weight
from progressive_ci.model.document import JsonObject
from progressive_ci.model.fence import made_by
from progressive_ci.model.kinds import Ref
from progressive_ci.model.write import Create, Delete, Patch, pointer
from progressive_ci.release import capacity, deployment, traffic
from progressive_ci.release.canary_deployment import canary_body, canary_name, relabelled, told_apart_by
from progressive_ci.release.canary_set import deployment_ref, min_ready_seconds
from progressive_ci.release.drift import hold_canary, hold_pins
from progressive_ci.release.findings import Findings
from progressive_ci.release.floor import raise_floors, restore_floors
from progressive_ci.release.leftover import sweep
from progressive_ci.release.needed import refuse_foreign
from progressive_ci.release.ownership import valued, wish
from progressive_ci.release.paths import REPLICAS
from progressive_ci.release.patience import ENDPOINTS, Progress, await_gone, bounded, until
from progressive_ci.release.readiness import diagnose, pods_of, ready_uids, too_late
from progressive_ci.release.release import Release, existing, if_absent
from progressive_ci.release.renewal import demand_canary, drain
from progressive_ci.release.rollout import back_to_stable, let_be, roll_to, rolled
from progressive_ci.release.services import service_ref, unpin
from progressive_ci.release.split import note_changed_split
from progressive_ci.release.stop import unready
from progressive_ci.release.watchers import outlast
from progressive_ci.release.way_back import return_to_stable
from progressive_ci.release.workload import (
    available,
    complete,
    hash_of,
    observed,
    replicas_of,
    same_template,
    uid_of,
)

if TYPE_CHECKING:
    from progressive_ci.release.vigil import Vigil


def canary_ref(release: Release) -> Ref:
    """Address of the canary's Deployment."""
    return Ref(kinds.DEPLOYMENT, release.record.namespace, release.record.canary.name)


def prepare(vigil: Vigil, found: Findings) -> None:
    """Keep every Service on NAME's own label, hold the autoscaler's floor, make the canary's Deployment."""
    release = vigil.release
    owner = release.must_read(deployment_ref(release))
    for name in release.record.pinned:
        _bind(release, owner, name, release.record.name)
    raise_floors(release)
    traffic.claim(release)
    traffic.shift(release, weight.NONE, vigil.pause)
    body = canary_body(owner, found.template, replicas=0)
    body["spec"]["minReadySeconds"] = min_ready_seconds(release, owner)
    ref = canary_ref(release)
    sweep(release, ref)
    refuse_foreign(release, ref, release.write(ref, if_absent(Create(ref, body))))
    until(release, lambda: observed(release.must_read(ref)), "the canary's Deployment has its ReplicaSet")
    release.note(f"the canary is Deployment {release.record.canary.name}; it has no traffic yet")


def _bind(release: Release, owner: JsonObject, service: str, value: str) -> None:
    """Let a Service select one version by the label that tells them apart."""
    label = told_apart_by(owner)
    own = owner["spec"]["selector"]["matchLabels"][label]
    ref, path = service_ref(release, service), pointer("spec", "selector", label)
    wanted = own if value == release.record.name else value
    release.write(ref, existing(lambda seen: wish(ref, seen, [valued(path, wanted)])))


def size(release: Release) -> int:
    """The larger of the size at lease time and what NAME is asked to have now."""
    found = release.must_read(deployment_ref(release))
    if deployment.foreign_template(release, found):
        raise deployment.superseded(release, found)
    return max(release.record.size, replicas_of(found), release.record.wanted.replicas or 0)


def scale(vigil: Vigil, pods: int) -> None:
    """Grow the canary, wait for its pods, and let the canary Service select them."""
    release, clock = vigil.release, vigil.release.hands.clock
    ref, allowed, began = canary_ref(release), release.record.ready_seconds, clock.now()
    grow(release, pods)
    vigil.poll(
        lambda: _enough(release, pods, elapsed=clock.now() - began),
        seconds=allowed,
        text=f"{pods} new {'pod becomes' if pods == 1 else 'pods become'} ready",
        late=lambda: too_late(release, pods, available(release.must_read(ref)), allowed),
    )
    owner = release.must_read(deployment_ref(release))
    service = traffic.route_of(release).canary_service
    _bind(release, owner, service, canary_name(release.record.name))
    bound = clock.now()
    vigil.poll(
        lambda: _serves(release, pods, elapsed=clock.now() - bound),
        seconds=allowed,
        text=f"Service {service} gets the new pods as endpoints",
        late=lambda: unready(f"Service {service} has fewer than {pods} ready endpoints of the new version"),
    )


def grow(release: Release, pods: int) -> None:
    """Have at least so many canary pods."""
    ref = canary_ref(release)
    release.write(ref, existing(partial(_grown, ref, pods)))


def _grown(ref: Ref, pods: int, seen: JsonObject) -> Patch | None:
    return wish(ref, seen, [valued(REPLICAS, pods)]) if replicas_of(seen) < pods else None


def _enough(release: Release, pods: int, *, elapsed: float) -> bool | None:
    item = hold_canary(release, pods)
    if observed(item) and available(item) >= pods:
        return True
    if stop := diagnose(release, item, elapsed=elapsed, allowed=release.record.ready_seconds):
        raise stop
    return None


def _serves(release: Release, pods: int, *, elapsed: float) -> bool | None:
    if capacity.served_alone(release, pods):
        return True
    if elapsed > ENDPOINTS:
        hold_canary(release, pods)
        hold_pins(release)
    return None


def promote(release: Release) -> None:
    """Everything on the canary, then NAME rolls to the new version behind it."""
    until(release, lambda: _full_size(release), "the canary has its full size")
    if traffic.current(release) != weight.ALL:
        _await_endpoints(release)
        while outlast(release):
            until(release, lambda: _full_size(release), "the canary has its full size again")
        release.enter(weight=100)
        traffic.shift(release, weight.ALL, bounded(release, "the route carries 100 %"))
    release.armed = ()
    template = _new_template(release)
    if not same_template(release.must_read(deployment_ref(release))["spec"]["template"], template):
        release.note(f"old pods finish their requests ({release.record.drain_seconds:.0f} s)")
        drain(release, release.record.drain_seconds, disturbed=lambda: _put_right(release))
        # Its last look may have found it too small: from here on nothing else is whole.
        until(release, lambda: _full_size(release), "the canary has its full size again")
    roll_to(release, template)
    progress = Progress(release.hands.clock.now())
    until(
        release,
        lambda: rolled(release, template, progress),
        "the Deployment rolls out behind its canary",
        progress=progress,
    )


def _await_endpoints(release: Release) -> None:
    """Nobody is sent to the canary's Service before it serves by the canary alone: somebody may have unbound it."""
    service, pods, clock = traffic.route_of(release).canary_service, size(release), release.hands.clock
    began = clock.now()
    until(
        release,
        lambda: bool(_serves(release, pods, elapsed=clock.now() - began)),
        f"Service {service} has the canary's pods as endpoints",
    )


def _put_right(release: Release) -> bool:
    """Whether somebody has led users to old pods again; all of them are on the canary now."""
    if not _full_size(release):
        demand_canary(release, canary_ref(release))
    moved = hold_pins(release)
    if (carried := traffic.current(release)) != weight.ALL:
        note_changed_split(release, weight.ALL, carried)
        traffic.shift(release, weight.ALL, bounded(release, "the route carries 100 % again"))
        return True
    return moved


def _full_size(release: Release) -> bool:
    wanted = size(release)
    item = hold_canary(release, wanted)
    return replicas_of(item) >= wanted and observed(item) and available(item) >= wanted


def _new_template(release: Release) -> JsonObject:
    """The canary's template with the label value of NAME."""
    owner, canary = release.must_read(deployment_ref(release)), release.must_read(canary_ref(release))
    label = told_apart_by(owner)
    return relabelled(canary["spec"]["template"], label, owner["spec"]["selector"]["matchLabels"][label])


def committed(release: Release) -> bool:
    """NAME is complete and available with the new template."""
    found = release.must_read(deployment_ref(release))
    return complete(found) and hash_of(found["spec"]["template"]) == release.record.canary.hash


def finish(release: Release) -> None:
    """Traffic back to NAME, which is the new version now; then everything of ours away."""
    outlast(release)
    return_to_stable(release)
    _canary_service_to_stable(release)
    release.enter(weight=0)
    _clean_up(release, release.record.drain_seconds)
    let_be(release)


def restore(release: Release) -> None:
    """Template back while the canary carries the traffic, then the weight, then the canary."""
    deployment.put_back(release)
    back_to_stable(release)
    if release.back >= 0 and _carries_all(release):
        # What NAME has made anew are not the pods that everybody knows.
        outlast(release)
    return_to_stable(release)
    _canary_service_to_stable(release)
    if release.record.weight:
        release.enter(weight=0)
    _clean_up(release, release.record.abort_drain_seconds)
    let_be(release)


def _carries_all(release: Release) -> bool:
    """Whether every user is on the canary, and it has the pods for them: nobody waits on too few."""
    ready = ready_uids(pods_of(release, release.record.canary))
    enough = max(1, release.record.size - release.record.unavailable)
    return len(ready) >= enough and traffic.current(release) == weight.ALL


def _canary_service_to_stable(release: Release) -> None:
    """Whoever is sent to the canary's Service from now on, by the route's own values or by somebody, meets stable."""
    if (service := traffic.route_of(release).canary_service) in release.record.pinned:
        _bind(release, release.must_read(deployment_ref(release)), service, release.record.name)


def _clean_up(release: Release, seconds: float) -> None:
    ref = canary_ref(release)
    if _is_ours(release, release.read(ref)):
        release.note(f"the canary's pods finish their requests ({seconds:.0f} s)")
        drain(release, seconds)
        release.write(ref, existing(partial(_removal, ref)))
        await_gone(release, release.record.canary, "the canary's pods")
    traffic.restore_route(release)
    for name in release.record.pinned:
        unpin(release, name)
    restore_floors(release)


def _is_ours(release: Release, found: JsonObject | None) -> bool:
    return found is not None and made_by(found, release.record.name, release.record.release)


def _removal(ref: Ref, seen: JsonObject) -> Delete:
    return Delete(ref, uid_of(seen), str(seen["metadata"]["resourceVersion"]))
