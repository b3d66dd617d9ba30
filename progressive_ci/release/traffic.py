"""Who gets how much traffic: raising with every gate, the safe write, and the route's own values at the end."""

from collections.abc import Callable
from functools import partial

from progressive_ci.errors import (
    AlreadyExists,
    ApiError,
    Conflict,
    LeaseLost,
    NoAnswer,
    ServerError,
    TooManyRequests,
    Unprocessable,
)
from progressive_ci.model import kinds, weight
from progressive_ci.model.document import JsonObject
from progressive_ci.model.event import Shifted, Warned
from progressive_ci.model.fence import RELEASE, epoch_of, fenced
from progressive_ci.model.journal import Owned, Stage
from progressive_ci.model.kinds import Ref
from progressive_ci.model.route import Route
from progressive_ci.model.weight import Weight
from progressive_ci.model.write import Delete, Patch
from progressive_ci.release.drift import gone
from progressive_ci.release.ownership import freed
from progressive_ci.release.release import Release, existing
from progressive_ci.release.stop import Stop, unavailable
from progressive_ci.release.workload import labels_of
from progressive_ci.routers.router import Objects, Router
from progressive_ci.routers.table import router_of

_CAPACITY_AGE = 15.0
"""Oldest count of stable's pods that the safe write rests on: counted every 5 s, and a count may hang for 10 s."""

_POLL = 0.5
_ATTEMPTS = 8
_FIRST_BACKOFF, _LONGEST_BACKOFF = 0.05, 2.0
_READ_AGAIN = (AlreadyExists, Conflict, Unprocessable, NoAnswer, ServerError, TooManyRequests)
"""Answers after which only a fresh read says what the route carries."""
_ACKNOWLEDGEMENT = 0.3

Wait = Callable[[float], None]
Notice = Callable[[Weight], None]


def route_of(release: Release) -> Route:
    """The release's route; only `in place` has none, and never comes here."""
    if release.record.route is None:
        raise AssertionError("a release in place has no route")
    return release.record.route


def routed(release: Release) -> bool:
    """Whether a router carries the split, and not the share of pods."""
    return release.record.route is not None and bool(release.record.route.stable_service)


def router(release: Release) -> Router:
    """The module that writes the route's objects."""
    return router_of(route_of(release))


def read_objects(release: Release) -> Objects:
    """Fresh route objects."""
    refs = router(release).objects(route_of(release))
    found = {ref: release.read(ref) for ref in refs}
    return {ref: item for ref, item in found.items() if item is not None and not _foreign(release, ref, item)}


def _foreign(release: Release, ref: Ref, item: JsonObject) -> bool:
    """Whether somebody else has made what the release was to create: then it is left alone, whatever its name."""
    entry = release.record.owned(ref)
    ours = epoch_of(item, release.record.name) is not None or labels_of(item).get(RELEASE)
    return entry is not None and entry.created and not ours


def _seen_objects(release: Release) -> Objects:
    """Route objects as last seen, where all of them were seen; a patch that rests on an old one is refused."""
    refs = router(release).objects(route_of(release))
    if not routed(release) or not set(refs) <= set(release.seen):
        return {}
    found = {ref: release.seen[ref] for ref in refs}
    return {} if any(_foreign(release, ref, item) for ref, item in found.items()) else found


def current(release: Release) -> Weight:
    """What the canary carries by a fresh read."""
    return router(release).weight(route_of(release), read_objects(release))


def claim(release: Release) -> None:
    """Put the epoch on the route objects, so that the safe write needs no read from the first raise on."""
    for ref in _seen_objects(release) or read_objects(release):
        if release.record.owned(ref) and ref.kind not in (kinds.DEPLOYMENT, kinds.REPLICA_SET):
            release.write(ref, existing(partial(_claimed, release, ref)))


def _claimed(release: Release, ref: Ref, seen: JsonObject) -> Patch | None:
    return None if epoch_of(seen, release.record.name) == release.epoch else Patch(ref, ())


def arm(release: Release) -> None:
    """Render the safe write for the objects as last seen."""
    refs = (ref for ref in router(release).objects(route_of(release)) if ref in release.seen)
    seen = {ref: release.seen[ref] for ref in refs if not _foreign(release, ref, release.seen[ref])}
    writes = router(release).withdraw(route_of(release), seen)
    release.armed = tuple(fenced(item, seen.get(item.ref), release.fence) for item in writes)


def shift(release: Release, wanted: Weight, wait: Wait, *, noticed: Notice = lambda _: None) -> None:
    """Write until the route objects say `wanted` and their controller has confirmed it, then let it settle.

    A conflict or a failed precondition: read again, decide again. The caller bounds the waiting through `wait`,
    and hears through `noticed` what the route carries at first and wherever a write was refused.
    """
    release.carries = None
    before = _approach(release, wanted, wait, noticed)
    release.carries = wanted
    if before == wanted:
        return
    if release.record.stage is Stage.COMMITTED:
        release.note("the route leads to the stable Service again, which selects the new version now")
    else:
        release.hands.reporter.emit(Shifted(before, wanted))
    wait(settle_seconds(release))


def _approach(release: Release, wanted: Weight, wait: Wait, noticed: Notice) -> Weight:
    table, route = router(release), route_of(release)
    objects = _seen_objects(release) or read_objects(release)
    before = table.weight(route, objects)
    noticed(before)
    refused = contradicted = 0
    while not table.reached(route, objects, wanted):
        if wanted > weight.NONE:
            demand_objects(release, objects)
        # From here on the route may carry it: the safe write must be ready while the answer is on its way.
        arm(release)
        try:
            release.write_all(table.shift(route, objects, wanted))
            arm(release)
            if table.ACKNOWLEDGES:
                wait(_ACKNOWLEDGEMENT)
        except _READ_AGAIN:
            refused += 1
            if refused == _ATTEMPTS:
                raise
            wait(min(_FIRST_BACKOFF * 2**refused, _LONGEST_BACKOFF))
            noticed(current(release))
        objects = read_objects(release)
        arm(release)
        if routed(release) and (told := table.weight(route, objects)) != wanted:
            contradicted += 1
            if contradicted == _ATTEMPTS:
                raise _contradicted(release, wanted, told)
        if not table.reached(route, objects, wanted):
            wait(_POLL)
            objects = read_objects(release)
    return before


def _contradicted(release: Release, wanted: Weight, told: Weight) -> Stop:
    refs = ", ".join(str(ref) for ref in router(release).objects(route_of(release)))
    return unavailable(
        f"{refs}: {wanted} was written {_ATTEMPTS} times, and {told} was read back each time",
        advice="a webhook or another tool changes the weights as they are written: let it leave them alone",
    )


def demand_objects(release: Release, objects: Objects) -> None:
    """Stop where somebody has deleted a route object that was there before this release."""
    for ref in router(release).objects(route_of(release)):
        entry = release.record.owned(ref)
        if ref not in objects and not (entry is not None and entry.created):
            raise gone(ref)


def clear(release: Release) -> bool:
    """Take away what is left of a split that carries nothing; True once its controller has confirmed that."""
    table, route, objects = router(release), route_of(release), read_objects(release)
    if table.reached(route, objects, weight.NONE):
        return True
    if table.weight(route, objects) == weight.NONE:
        release.write_all(table.shift(route, objects, weight.NONE))
    return False


def rests(release: Release) -> bool:
    """Whether the canary carries nothing, and no object is left that is there only while it carries something."""
    table, route, objects = router(release), route_of(release), read_objects(release)
    moves = table.shift(route, objects, weight.NONE)
    return table.weight(route, objects) == weight.NONE and not any(isinstance(move, Delete) for move in moves)


def settle_seconds(release: Release) -> float:
    """Wait after a confirmed weight change."""
    chosen = release.record.settle_seconds
    return router(release).SETTLE if chosen is None else chosen


def withdraw(release: Release) -> bool:
    """The safe write: give stable everything at once. False when it could not all be sent.

    Needs no read: it was rendered when the weight was raised, and stable is counted all the time. Where one
    of these does not hold, nothing is sent and the way back decides on fresh reads.
    """
    ready, counted = release.stable_ready
    clock, record = release.hands.clock, release.record
    fresh = clock.now() - counted <= _CAPACITY_AGE
    if not release.armed or not fresh or ready < max(1, record.size - record.unavailable):
        return False
    try:
        for item in release.armed:
            release.hands.cluster.send(item)
            release.seen.pop(item.ref, None)
    except LeaseLost:
        raise
    except ApiError as error:
        release.hands.reporter.emit(
            Warned(f"the safe write was refused, so everything is read afresh: {error}")
        )
        return False
    release.withdrawn = Weight(record.weight)
    return True


def restore_route(release: Release) -> None:
    """Give the route objects their own values back and take our marks off."""
    for ref in router(release).objects(route_of(release)):
        entry = release.record.owned(ref)
        if entry is not None and not entry.created:
            _restore(release, entry)


def _restore(release: Release, entry: Owned) -> None:
    release.write(entry.ref, existing(partial(_own_again, release, entry)))
    release.free(entry.ref, entry.originals)


def _own_again(release: Release, entry: Owned, seen: JsonObject) -> Patch | None:
    """The values of a route object; what its router wrote beside the weights goes with them."""
    moves = router(release).shift(route_of(release), {entry.ref: seen}, weight.NONE)
    own = {item.path for item in entry.originals}
    beside = tuple(
        step
        for move in moves
        if isinstance(move, Patch) and move.ref == entry.ref
        for step in move.operations
        if step["path"] not in own
    )
    last = freed(entry.ref, seen, entry.originals, workload=release.record.name)
    steps = (*beside, *(last.operations if last else ()))
    return Patch(entry.ref, tuple(sorted(steps, key=lambda step: step["op"] != "test"))) if steps else None
