"""The first journal entry: original values of every field that the release will own, before the first write."""

from progressive_ci import __version__
from progressive_ci.model import kinds
from progressive_ci.model.document import Document, JsonObject
from progressive_ci.model.journal import FORMAT, Original, Owned, Record, Stage, State, Wanted
from progressive_ci.model.kinds import Ref
from progressive_ci.model.options import Options
from progressive_ci.model.plan import Mode, Plan
from progressive_ci.model.route import RatioSettings, Route
from progressive_ci.model.weight import Weight
from progressive_ci.model.write import Delete, Patch, pointer
from progressive_ci.ports import Hands
from progressive_ci.release.canary_deployment import told_apart_by
from progressive_ci.release.candidate import wishes
from progressive_ci.release.digest import digest
from progressive_ci.release.findings import Findings
from progressive_ci.release.needed import document_ref
from progressive_ci.release.order import override
from progressive_ci.release.ownership import look_up, owned
from progressive_ci.release.paths import FLOOR, PAUSED, REPLICAS, STRATEGY
from progressive_ci.release.predecessor import last_finished
from progressive_ci.release.services import PIN
from progressive_ci.release.workload import hash_of, name_of, selects
from progressive_ci.routers.table import router_of

_PROBES = (Weight(1), Weight(2))


def snapshot(
    plan: Plan, options: Options, hands: Hands, found: Findings, *, epoch: int, release: str
) -> Record:
    """The record of a release that has not written anything yet."""
    now = hands.clock.wall().strftime("%Y-%m-%dT%H:%M:%SZ")
    pinned = (*(name_of(item) for item in found.services), *_new_services(found))
    return Record(
        format=FORMAT,
        tool=__version__,
        release=release,
        namespace=plan.namespace,
        name=plan.workload.name,
        state=State.RUNNING,
        stage=Stage.PREPARING,
        mode=found.mode,
        epoch=max(epoch, found.before.epoch + 1 if found.before else 0),
        stable=found.stable,
        canary=found.canary,
        size=found.size,
        route=found.route,
        held=hash_of(found.deployment["spec"]["template"]) if found.deployment else "",
        autoscaled=bool(found.scalers),
        surge=found.surge,
        unavailable=found.unavailable,
        steps=len(plan.steps),
        objects=_objects(plan, found, pinned),
        pinned=pinned,
        wanted=_wanted(plan, found),
        guarded=bool(options.guard)
        and found.deployment is not None
        and found.canary.hash != found.stable.hash,
        drain_seconds=plan.drain_seconds,
        abort_drain_seconds=plan.abort_drain_seconds,
        settle_seconds=options.settle,
        ready_seconds=float(plan.workload.progress_deadline_seconds),
        started=now,
        updated=now,
        by=options.run_url,
        commit=options.commit,
        plan=digest(plan),
        why=options.reason,
        undoes=plan.undoes,
        last=last_finished(found.before),
        endings=found.before.endings if found.before else (),
        position=options.position,
        deployed=found.before.deployed if found.before else None,
        override=override(options),
    )


def _new_services(found: Findings) -> tuple[str, ...]:
    """Services that the release creates; the route's two are among them or exist."""
    routed = found.route is not None and bool(found.route.stable_service)
    labels = dict(found.template.get("metadata", {}).get("labels") or {})
    every = found.missing if routed and found.deployment else ()
    return tuple(item.name for item in every if item.kind == "Service" and selects(item.body, labels))


def already_seen(record: Record, found: Findings) -> dict[Ref, JsonObject]:
    """What preflight read of the objects that the release writes; a write that rests on an old one is refused."""
    seen = dict(found.objects)
    for item in found.services:
        seen[Ref(kinds.SERVICE, record.namespace, name_of(item))] = item
    if found.deployment is not None:
        seen[Ref(kinds.DEPLOYMENT, record.namespace, record.name)] = found.deployment
    if found.serving is not None:
        seen[Ref(kinds.REPLICA_SET, record.namespace, name_of(found.serving))] = found.serving
    return seen


def _wanted(plan: Plan, found: Findings) -> Wanted:
    fields = tuple((wish.path, wish.value) for wish in wishes(plan.workload))
    ratio = found.route is not None and isinstance(found.route.settings, RatioSettings)
    replicas = None
    if not found.scalers:
        asked = plan.workload.replicas
        replicas = asked if asked not in (None, found.size) else (found.size if ratio else None)
    return Wanted(fields, replicas)


def _objects(plan: Plan, found: Findings, pinned: tuple[str, ...]) -> tuple[Owned, ...]:
    entries: dict[Ref, Owned] = {}
    for document in found.missing:
        ref = document_ref(plan.namespace, document)
        entries[ref] = Owned(ref, created=True, originals=_own_selector(found, document))
    if found.deployment is not None:
        ref = Ref(kinds.DEPLOYMENT, plan.namespace, plan.workload.name)
        paths = [PAUSED, STRATEGY, *(wish.path for wish in wishes(plan.workload))]
        if _wanted(plan, found).replicas is not None:
            paths.append(REPLICAS)
        entries[ref] = owned(ref, found.deployment, dict.fromkeys(paths))
    else:
        ref = Ref(kinds.DEPLOYMENT, plan.namespace, plan.workload.name)
        return (*entries.values(), Owned(ref, created=True))
    if found.mode is not Mode.IN_PLACE and found.canary.name:
        entries |= _canary(plan, found)
    for item in found.services:
        if name_of(item) in pinned:
            ref = Ref(kinds.SERVICE, plan.namespace, name_of(item))
            entries[ref] = owned(ref, item, pins(found))
    if found.mode is Mode.ROLL:
        for item in found.scalers:
            ref = Ref(kinds.HPA, plan.namespace, name_of(item))
            entries[ref] = owned(ref, item, [FLOOR])
    entries |= {ref: entry for ref, entry in _route(found).items() if ref not in entries}
    return tuple(entries.values())


def _own_selector(found: Findings, document: Document) -> tuple[Original, ...]:
    paths = pins(found) if document.kind == "Service" else ()
    return tuple(look_up(document.body, path) for path in paths)


def pins(found: Findings) -> tuple[str, ...]:
    """The field by which a Service is bound to one version in each mode."""
    if found.mode is Mode.ROLL and found.deployment is not None:
        return (pointer("spec", "selector", told_apart_by(found.deployment)),)
    return (PIN,)


def _canary(plan: Plan, found: Findings) -> dict[Ref, Owned]:
    kind = kinds.REPLICA_SET if found.mode is Mode.ADOPT else kinds.DEPLOYMENT
    ref = Ref(kind, plan.namespace, found.canary.name)
    if found.reused is not None and found.mode is Mode.ADOPT:
        return {ref: owned(ref, found.reused, [])}
    return {ref: Owned(ref, created=True)}


def _route(found: Findings) -> dict[Ref, Owned]:
    """The route objects that shifts write, with every such field; what does not exist yet the release creates."""
    if found.route is None or isinstance(found.route.settings, RatioSettings):
        return {}
    router, entries = router_of(found.route), {}
    for ref in router.objects(found.route):
        item = found.objects.get(ref)
        if item is None or _goes(found.route, ref, item):
            entries[ref] = Owned(ref, created=True)
        elif paths := written(found.route, ref, item):
            entries[ref] = owned(ref, item, paths)
    return entries


def _goes(route: Route, ref: Ref, item: JsonObject) -> bool:
    """Whether an object is there only while the canary has traffic: then an earlier release has left it."""
    moves = router_of(route).withdraw(route, {ref: item})
    return any(isinstance(move, Delete) and move.ref == ref for move in moves)


def written(route: Route, ref: Ref, item: JsonObject) -> tuple[str, ...]:
    """The fields of one route object that shifts change, asked of the router itself.

    Two weights, so that one of them differs from what stands there. A whole map of labels is left out: it is
    not ours to take away.
    """
    moves = (move for share in _PROBES for move in router_of(route).shift(route, {ref: item}, share))
    patches = (move for move in moves if isinstance(move, Patch) and move.ref == ref)
    paths = (step["path"] for move in patches for step in move.operations if step["op"] != "test")
    return tuple(dict.fromkeys(path for path in paths if path != pointer("metadata", "labels")))
