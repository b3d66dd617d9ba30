"""Every right that a run and its rollback need, for the Role that `rbac` prints and for preflight."""

from collections.abc import Iterable

from progressive_ci.model import kinds
from progressive_ci.model.check import Analysis, SecretKey
from progressive_ci.model.kinds import Kind, Ref
from progressive_ci.model.plan import Analyze, Mode, Plan
from progressive_ci.model.route import NginxSettings, Route
from progressive_ci.ports import Access
from progressive_ci.release.canary_deployment import canary_name
from progressive_ci.release.guard_job import guard_name
from progressive_ci.release.texts import texts_of
from progressive_ci.routers.table import router_of


def rights(plan: Plan, *, mode: Mode | None = None, first: bool = False) -> tuple[Access, ...]:
    """The rights for one spec.

    Args:
        plan: what is released.
        mode: instead of the plan's own; `roll` needs more than `adopt`.
        first: whether NAME has to be created.
    """
    namespace, name = plan.namespace, plan.workload.name
    record = f"progressive-ci.{name}"
    found = [
        *_on(kinds.DEPLOYMENT, namespace, "get patch", name),
        *_on(kinds.REPLICA_SET, namespace, "get list patch"),
        *_on(kinds.POD, namespace, "list"),
        Access("get", "", "pods", namespace, subresource="log"),
        *_on(kinds.SERVICE, namespace, "list"),
        *_on(kinds.HPA, namespace, "list"),
        *_on(kinds.ROLLOUT, namespace, "get", name),
        *_on(kinds.CANARY, namespace, "get", name),
        *_on(kinds.CONFIG_MAP, namespace, "create"),
        *_on(kinds.CONFIG_MAP, namespace, "get patch", record),
        *_on(kinds.LEASE, namespace, "create"),
        *_on(kinds.LEASE, namespace, "get patch", record),
        *_secrets(plan),
    ]
    if first:
        found += [
            *_on(kinds.DEPLOYMENT, namespace, "create"),
            *_on(kinds.DEPLOYMENT, namespace, "delete", name),
        ]
    for document in plan.needed:
        kind = next(kind for kind in kinds.ALL if kind.name == document.kind)
        found += [*_on(kind, namespace, "create"), *_on(kind, namespace, "get patch delete", document.name)]
    chosen = mode or plan.mode
    if chosen is not Mode.IN_PLACE:
        found += _traffic(plan)
    if chosen is Mode.ADOPT:
        found += _on(kinds.REPLICA_SET, namespace, "create delete")
    if chosen is Mode.ROLL:
        found += _on(kinds.DEPLOYMENT, namespace, "create")
        found += _on(kinds.DEPLOYMENT, namespace, "get patch delete", canary_name(name))
        found += _on(kinds.HPA, namespace, "get patch")
    return tuple(dict.fromkeys(found))


def seldom(plan: Plan) -> dict[str, tuple[Access, ...]]:
    """What only some releases of a spec need beyond `rights`, by occasion."""
    usual = rights(plan)
    found = {"first": rights(plan, first=True)}
    if plan.mode is Mode.ADOPT:
        found["roll"] = rights(plan, mode=Mode.ROLL)
    return {
        occasion: tuple(access for access in wanted if access not in usual)
        for occasion, wanted in found.items()
    }


def welcome(plan: Plan) -> tuple[Access, ...]:
    """What makes a run better and is never demanded: to hear of a recall at once, and to foresee a quota's end."""
    return (
        *_on(kinds.CONFIG_MAP, plan.namespace, "watch", f"progressive-ci.{plan.workload.name}"),
        *_on(kinds.RESOURCE_QUOTA, plan.namespace, "list"),
    )


def posting_rights(plan: Plan) -> tuple[Access, ...]:
    """What a run needs beyond `rights` to post a guard and to take it away."""
    namespace, name = plan.namespace, guard_name(plan.workload.name)
    return (
        *_on(kinds.JOB, namespace, "create"),
        *_on(kinds.JOB, namespace, "get delete", name),
        *_on(kinds.SERVICE_ACCOUNT, namespace, "get", name),
    )


def guard_rights(plan: Plan) -> tuple[Access, ...]:
    """What a guard needs to bring a release of this spec to its end: nothing that begins or measures one.

    Whether a release adopts or rolls shows when it begins, and nobody is there to ask for rights when it dies.
    """
    modes = (Mode.ADOPT, Mode.ROLL) if plan.mode is Mode.ADOPT else (plan.mode,)
    made = {document.name for document in plan.needed if document.kind == kinds.SECRET.name}
    kept = (
        access
        for mode in modes
        for access in rights(plan, mode=mode)
        if not _begins(access) or (access.resource == kinds.SECRET.plural and access.name in made)
    )
    job = _on(kinds.JOB, plan.namespace, "get delete", guard_name(plan.workload.name))
    return tuple(dict.fromkeys((*kept, *job)))


_LOOKED_AT = (kinds.SECRET, kinds.ROLLOUT, kinds.CANARY, kinds.PDB, kinds.NETWORK_POLICY)
_LISTED = (kinds.SERVICE, kinds.HPA, kinds.INGRESS)


def _begins(access: Access) -> bool:
    """Whether a right serves the way forward alone; a Lease that somebody deletes has to be made again."""
    if access.verb == "create":
        return access.resource != kinds.LEASE.plural
    if access.verb == "list" and access.resource in {kind.plural for kind in _LISTED}:
        return True
    return access.subresource == "log" or access.resource in {kind.plural for kind in _LOOKED_AT}


def _on(kind: Kind, namespace: str, verbs: str, name: str = "") -> list[Access]:
    place = namespace if kind.namespaced else ""
    return [Access(verb, kind.group, kind.plural, place, name) for verb in verbs.split()]


def _traffic(plan: Plan) -> list[Access]:
    namespace = plan.namespace
    found = [
        *_on(kinds.PDB, namespace, "list"),
        *_on(kinds.NETWORK_POLICY, namespace, "list"),
    ]
    if plan.route is None:
        return found
    if plan.route.stable_service:
        found += _on(kinds.ENDPOINT_SLICE, namespace, "list")
        found += _on(kinds.SERVICE, namespace, "get patch")
    read = _only_read(plan.route)
    for ref in router_of(plan.route).objects(plan.route):
        if ref.kind not in (kinds.DEPLOYMENT, kinds.REPLICA_SET):
            found += _on(ref.kind, ref.namespace, "get" if ref in read else "get patch", ref.name)
    if isinstance(plan.route.settings, NginxSettings):
        found += _canary_ingresses(plan.route)
    return found


def _only_read(route: Route) -> tuple[Ref, ...]:
    """The user's own Ingresses: the canary's beside them carry the split."""
    names = route.settings.stable_ingresses if isinstance(route.settings, NginxSettings) else ()
    return tuple(Ref(kinds.INGRESS, route.namespace, name) for name in names)


def _canary_ingresses(route: Route) -> Iterable[Access]:
    yield from _on(kinds.INGRESS, route.namespace, "create list")
    for ref in router_of(route).objects(route):
        if ref not in _only_read(route):
            yield from _on(kinds.INGRESS, ref.namespace, "delete", ref.name)


def analyses_of(plan: Plan) -> Iterable[Analysis]:
    """Every analysis of a plan, in the order of the steps, guards last."""
    for step in plan.steps:
        if isinstance(step, Analyze):
            yield step.analysis
    for guard in plan.guards:
        yield guard.analysis


def _secrets(plan: Plan) -> Iterable[Access]:
    for analysis in analyses_of(plan):
        for text in texts_of(analysis):
            for _, arg in text.late:
                if isinstance(arg, SecretKey):
                    yield from _on(kinds.SECRET, plan.namespace, "get", arg.name)
