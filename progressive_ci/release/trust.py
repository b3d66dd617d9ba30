"""How far a journal is believed: whoever may edit a ConfigMap must not steer what our credential writes.

Three rules. What a journal names must be of the shape that a release of this workload gives it. Objects that the
release has written carry a seal of what the journal said then, and a journal that says anything else is not
followed. Where no object carries a mark, nothing was written, so there is nothing to give back; where what a
release writes stands all the same, somebody has taken the marks off, and nothing is followed.
"""

import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace

from progressive_ci.errors import ProgressiveError, Refused
from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.fence import epoch_of, made_by, seal_on
from progressive_ci.model.journal import Owned, Record, Side, Stage, Wanted
from progressive_ci.model.kinds import Kind, Ref
from progressive_ci.model.plan import Mode
from progressive_ci.model.seal import seal_of
from progressive_ci.ports import Cluster
from progressive_ci.release.canary_deployment import canary_name
from progressive_ci.release.ownership import look_up
from progressive_ci.release.paths import PAUSED
from progressive_ci.release.snapshot import written
from progressive_ci.release.workload import (
    HASH_LABEL,
    labels_of,
    owned_by,
    same_template,
    selector_text,
    selects,
    uid_of,
)
from progressive_ci.routers.table import router_of

_MOST_EPOCH = 2**31
_NAME = re.compile(r"[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?")
_LABEL = re.compile(r"([A-Za-z0-9]([-._A-Za-z0-9]{0,61}[A-Za-z0-9])?)?")
_MARK = r"/metadata/(labels|annotations)/[^/]+"
_SETTING = r"/spec/(strategy|minReadySeconds|progressDeadlineSeconds|revisionHistoryLimit)"
_ROUTE = rf"/spec/(rules|http)(/.*)?|{_MARK}"

WANTED = re.compile(rf"{_SETTING}|{_MARK}")
"""Fields of NAME that a promotion may set beside template and size."""

PATHS: Mapping[Kind, re.Pattern[str]] = {
    kinds.DEPLOYMENT: re.compile(rf"{_SETTING}|/spec/(paused|replicas)|{_MARK}"),
    kinds.REPLICA_SET: re.compile("(?!)"),
    kinds.SERVICE: re.compile(r"/spec/selector/[^/]+"),
    kinds.CONFIG_MAP: re.compile("(?!)"),
    kinds.SECRET: re.compile("(?!)"),
    kinds.HPA: re.compile("/spec/minReplicas"),
    kinds.SCALED_OBJECT: re.compile("/spec/minReplicaCount"),
    kinds.INGRESS: re.compile(_ROUTE),
    kinds.VIRTUAL_SERVICE: re.compile(_ROUTE),
    kinds.HTTP_ROUTE: re.compile(_ROUTE),
    kinds.GRPC_ROUTE: re.compile(_ROUTE),
    kinds.TCP_ROUTE: re.compile(_ROUTE),
    kinds.TLS_ROUTE: re.compile(_ROUTE),
}
"""The kinds of objects that a release writes, and the fields whose value it may give back."""


def complaint(record: Record) -> str:
    """What no release of this workload ever writes into its journal; empty where there is nothing."""
    whole = record.whole()
    return next(_strange(record), "") or (next(_strange(whole), "") if whole is not record else "")


def _strange(record: Record) -> Iterator[str]:
    if not 0 <= record.epoch < _MOST_EPOCH:
        yield f"epoch {record.epoch} is none"
    if not _LABEL.fullmatch(record.release) or not record.release:
        yield "release: no id of one"
    for what, side in (("stable", record.stable), ("canary", record.canary)):
        if not _LABEL.fullmatch(side.hash) or (side.name and not _NAME.fullmatch(side.name)):
            yield f"{what}: no version of a workload"
    yield from _strange_route(record)
    for index, entry in enumerate(record.objects):
        if why := _strange_entry(record, entry):
            yield f"objects[{index}]: {why}"
    for index, (path, _) in enumerate(record.wanted.fields):
        if not WANTED.fullmatch(path):
            yield f"wanted.fields[{index}]: a promotion does not set {path}"


def _strange_route(record: Record) -> Iterator[str]:
    route = record.route
    if route is None:
        if record.mode is not Mode.IN_PLACE:
            yield "route: there is none"
        return
    if (route.namespace, route.workload) != (record.namespace, record.name):
        yield f"route: it is of {route.namespace}/{route.workload}"
    named = (*record.pinned, *filter(None, (route.stable_service, route.canary_service)))
    if not all(_NAME.fullmatch(name) for name in named):
        yield "route: no name of a Service"
    try:
        refs = router_of(route).objects(route)
    except (KeyError, TypeError):
        yield f"route: the router {route.router} has other settings"
        return
    if not all(_NAME.fullmatch(ref.name) and _NAME.fullmatch(ref.namespace) for ref in refs):
        yield "route: no name of an object"


def _strange_entry(record: Record, entry: Owned) -> str:
    ref = entry.ref
    if not _NAME.fullmatch(ref.name) or not _NAME.fullmatch(ref.namespace):
        return "no name of an object"
    if ref.kind not in PATHS:
        return f"a release writes no {ref.kind.name}"
    if ref.namespace != record.namespace and ref not in _routes(record):
        return f"{ref} is in another namespace"
    if ref.kind == kinds.DEPLOYMENT and ref.name not in (record.name, canary_name(record.name)):
        return f"{ref} is another workload"
    if ref.kind == kinds.REPLICA_SET and ref.name != record.canary.name:
        return f"{ref} is not the canary"
    fields = PATHS[ref.kind]
    foreign = next((item.path for item in entry.originals if not fields.fullmatch(item.path)), "")
    return f"a release does not give back {foreign} of {ref}" if foreign else ""


def _routes(record: Record) -> tuple[Ref, ...]:
    return router_of(record.route).objects(record.route) if record.route is not None else ()


def vouched(record: Record, cluster: Cluster) -> Record:
    """The record as far as the objects that it names vouch for it, and as it was before a take-over reduced it.

    The workload itself is asked even where the record does not name it, and a ConfigMap never: whoever can edit
    the journal can put any mark on another one.

    Raises:
        Refused: they say that it was changed.
    """
    name, whole = Ref(kinds.DEPLOYMENT, record.namespace, record.name), record.whole()
    refs = dict.fromkeys((name, *(entry.ref for entry in (*whole.objects, *record.objects))))
    found = {ref: item for ref in refs if (item := cluster.get(ref)) is not None}
    marked = {ref: item for ref, item in found.items() if epoch_of(item, record.name) is not None}
    vouching = {ref: item for ref, item in marked.items() if ref.kind != kinds.CONFIG_MAP}
    if not vouching:
        return _unwritten(whole, found, marked)
    seals = {ref: seal for ref, item in vouching.items() if (seal := seal_on(item, record.name))}
    said = {name: seals[name]} if name in seals else seals
    if not seals:
        _demand_history(record, cluster)
        return record
    for each in (whole, record):
        if seal_of(each) in said.values():
            return each
    raise _changed(record, f"{next(iter(said))} carries the seal of another one")


def _unwritten(record: Record, found: Mapping[Ref, JsonObject], marked: Mapping[Ref, JsonObject]) -> Record:
    """A record that gives nothing back: objects of the workload are only fenced; config that it created goes."""
    owner = found.get(Ref(kinds.DEPLOYMENT, record.namespace, record.name))
    done = record.stage is Stage.COMMITTED
    if standing := tuple(_standing(record, found)):
        raise _stripped(record, standing)
    mine = _belonging(record, found, owner) if owner is not None else ()
    config = (entry for entry in record.objects if entry.created and entry.ref in marked)
    return replace(
        record,
        mode=Mode.IN_PLACE,
        stage=Stage.COMMITTED if done else Stage.PREPARING,
        stable=replace(record.stable, template=None) if done else Side("", record.name),
        route=None,
        weight=0,
        objects=(*(Owned(ref, uid_of(found[ref])) for ref in mine), *config),
        pinned=(),
        wanted=Wanted(),
        begun=record.set_aside(),
    )


def _standing(record: Record, found: Mapping[Ref, JsonObject]) -> Iterator[str]:
    """What a release has written, by what it looks like without its mark."""
    for entry in record.objects:
        item = found.get(entry.ref)
        if item is None or entry.ref.kind == kinds.CONFIG_MAP:
            continue
        taken = entry.ref.kind == kinds.REPLICA_SET and record.stage is Stage.COMMITTED
        if entry.created and not taken and made_by(item, record.name, record.release):
            yield f"{entry.ref} exists"
        for original in entry.originals if record.mode is Mode.ADOPT else ():
            if original.path == PAUSED and not original.present and look_up(item, PAUSED).value:
                yield f"{entry.ref} is paused"


def _stripped(record: Record, standing: tuple[str, ...]) -> Refused:
    name, namespace = record.name, record.namespace
    selectors = f"take {HASH_LABEL} off the selectors of its Services"
    way = f"give stable 100 % again, {selectors}, unpause {name}, delete what is left of the new version"
    command = "rollback"
    if record.stage is Stage.COMMITTED:
        command = "recover"
        way = f"the new version stays: set the weights and spec.strategy of {name} back, {selectors}, unpause {name}"
    return Refused(
        ProgressiveError(
            f"release {record.release} was left {record.stage.value}, and somebody has taken its marks off since, "
            f"so nobody can tell its writes from others': {', '.join(standing)}",
            where=f"Deployment {namespace}/{name}",
            advice=f"see what gets traffic; {way}, and then `progressive-ci {command} {name} --namespace {namespace}`",
        )
    )


def _belonging(record: Record, found: Mapping[Ref, JsonObject], owner: JsonObject) -> tuple[Ref, ...]:
    """Of existing objects those that a first write, still on its way, may be meant for."""
    created = {entry.ref for entry in record.objects if entry.created}
    labels = labels_of(owner["spec"]["template"])
    services = {
        ref.name for ref, item in found.items() if ref.kind == kinds.SERVICE and _pinnable(item, labels)
    }

    def belongs(ref: Ref, item: JsonObject) -> bool:
        if ref.kind == kinds.DEPLOYMENT:
            return ref.name == record.name
        if ref.kind == kinds.SERVICE:
            return ref.name in services
        if ref.kind in (kinds.HPA, kinds.SCALED_OBJECT):
            return (item["spec"].get("scaleTargetRef") or {}).get("name") == record.name
        return _splits(record, ref, item, services)

    return tuple(ref for ref, item in found.items() if ref not in created and belongs(ref, item))


def _splits(record: Record, ref: Ref, item: JsonObject, services: AbstractSet[str]) -> bool:
    """Whether an object splits traffic between two Services of this workload."""
    route = record.route
    known = (
        route is not None
        and ref in _routes(record)
        and {route.stable_service, route.canary_service} <= services
    )
    return known and route is not None and bool(written(route, ref, item))


def _pinnable(service: JsonObject, labels: Mapping[str, str]) -> bool:
    selector = {
        key: value for key, value in (service["spec"].get("selector") or {}).items() if key != HASH_LABEL
    }
    return selects({"spec": {"selector": selector}}, labels)


def _demand_history(record: Record, cluster: Cluster) -> None:
    """An older tool sealed nothing: then stable is at least a version that NAME itself has had."""
    owner = cluster.get(Ref(kinds.DEPLOYMENT, record.namespace, record.name))
    if owner is None or not record.stable.hash:
        return
    sets = cluster.list(kinds.REPLICA_SET, record.namespace, labels=selector_text(owner["spec"]["selector"]))
    mine = owned_by(owner, sets)
    stable = cluster.get(Ref(kinds.REPLICA_SET, record.namespace, record.stable.name))
    if stable is not None and uid_of(stable) not in map(uid_of, mine):
        raise _changed(record, f"ReplicaSet {record.stable.name} is none of {record.name}")
    copy = record.stable.template
    if copy is not None and not any(same_template(item["spec"]["template"], copy) for item in mine):
        raise _changed(record, f"no ReplicaSet of {record.name} has the template that it holds")


def _changed(record: Record, why: str) -> Refused:
    name, namespace = record.name, record.namespace
    return Refused(
        ProgressiveError(
            f"the journal was changed by somebody since the release began: {why}",
            where=f"ConfigMap {namespace}/progressive-ci.{name}",
            # `forget` refuses as long as a release is unfinished; without a mark there is nothing to give back.
            advice=f"put the old text back, or bring {name} to rest by hand, take every annotation `progressive-ci/*` "
            f"off its objects, and then `progressive-ci rollback {name} --namespace {namespace}`",
        )
    )
