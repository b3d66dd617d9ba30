"""What else looks at the same pods: Services to pin, autoscalers, other controllers, one-sided policies."""

from collections.abc import Iterable
from dataclasses import dataclass

from progressive_ci.errors import ProgressiveError
from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import Ref
from progressive_ci.model.options import Options
from progressive_ci.model.plan import Mode, Plan
from progressive_ci.ports import Access, Hands
from progressive_ci.release.canary_deployment import canary_name, told_apart_by
from progressive_ci.release.evictions import evictions
from progressive_ci.release.readiness import uids
from progressive_ci.release.stable import Standing
from progressive_ci.release.workload import (
    HASH_LABEL,
    annotations_of,
    controller_uid,
    fits,
    labels_of,
    name_of,
    ready_pods,
    selector_text,
    selects,
    uid_of,
)

_ARGO_HASH = "rollouts-pod-template-hash"
_ARGO_MANAGED = "argo-rollouts.argoproj.io/managed-by-rollouts"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What was found.

    Attributes:
        services: to pin.
        scalers: autoscalers that write the replicas of NAME.
        reasons: why the release can't begin.
        warnings: what the user should know.
    """

    services: tuple[JsonObject, ...]
    scalers: tuple[JsonObject, ...]
    reasons: tuple[ProgressiveError, ...]
    warnings: tuple[str, ...]


def look_around(
    plan: Plan, options: Options, hands: Hands, standing: Standing, *, mode: Mode
) -> Surroundings:
    """Read everything that looks at the workload's pods, once."""
    namespace = plan.namespace
    reasons = list(_controllers(plan, hands))
    pods = _own_pods(standing, hands, namespace)
    warnings = [*_cautions(plan), *evictions(pods)]
    scalers = _scalers(plan, hands)
    if mode is Mode.ROLL:
        reasons += _floor_reasons(plan, hands, scalers)
    services: tuple[JsonObject, ...] = ()
    if plan.route is not None and mode is not Mode.IN_PLACE:
        labels = labels_of_pods(standing)
        every = hands.cluster.list(kinds.SERVICE, namespace)
        matching = [item for item in every if selects(item, labels)]
        reasons += _spec_services(plan, every, labels)
        warnings += _one_sided(plan, hands, standing, mode=mode)
        if plan.route.stable_service:
            reasons += _left_alone(plan, options)
            services = tuple(item for item in matching if name_of(item) not in options.leave_services)
            reasons += _unpinnable(services, pods, hands, namespace)
        elif scalers:
            reasons.append(
                ProgressiveError(
                    f"autoscaler {name_of(scalers[0])} writes its replicas, which are the weight without a router",
                    where=f"Deployment {namespace}/{plan.workload.name}",
                    advice="add trafficRouting to the spec, or remove the autoscaler for the release",
                )
            )
    return Surroundings(services, scalers, tuple(reasons), tuple(warnings))


def _left_alone(plan: Plan, options: Options) -> Iterable[ProgressiveError]:
    """The route's own Services can't be left alone: the split is between them."""
    route = plan.route
    for name in options.leave_services:
        if route is not None and name in (route.stable_service, route.canary_service):
            yield ProgressiveError(
                "--leave-service names a Service that the route splits between",
                where=f"Service {plan.namespace}/{name}",
                advice="leave only other Services alone",
            )


def labels_of_pods(standing: Standing) -> dict[str, str]:
    """The labels of stable's pods."""
    return dict(standing.serving["spec"]["template"]["metadata"].get("labels") or {})


def _controllers(plan: Plan, hands: Hands) -> Iterable[ProgressiveError]:
    """A standing controller would write the same fields."""
    for kind, who in ((kinds.ROLLOUT, "Argo Rollouts"), (kinds.CANARY, "Flagger")):
        found = hands.cluster.get(Ref(kind, plan.namespace, plan.workload.name))
        if found is not None and _lives(found):
            yield ProgressiveError(
                f"a live {who} object owns this workload: two tools would write the same fields",
                where=f"{kind.name} {plan.namespace}/{plan.workload.name}",
                advice=f"delete it (kubectl -n {plan.namespace} delete {kind.plural} {plan.workload.name}), "
                f"or release with {who}",
            )


def _lives(found: JsonObject) -> bool:
    """Whether a controller has ever looked at it; an object that nobody reconciles is only a document."""
    status = found.get("status") or {}
    return any(key in status for key in ("observedGeneration", "phase", "conditions", "lastTransitionTime"))


def _scalers(plan: Plan, hands: Hands) -> tuple[JsonObject, ...]:
    """Autoscalers of NAME; KEDA writes through one of these too."""
    wanted = {"kind": "Deployment", "name": plan.workload.name}
    every = hands.cluster.list(kinds.HPA, plan.namespace)
    return tuple(item for item in every if wanted.items() <= item["spec"]["scaleTargetRef"].items())


def _floor_reasons(plan: Plan, hands: Hands, scalers: Iterable[JsonObject]) -> Iterable[ProgressiveError]:
    """While a canary Deployment carries the traffic, the autoscaler's floor has to be held at the full size."""
    for item in scalers:
        where = f"HorizontalPodAutoscaler {plan.namespace}/{name_of(item)} spec.minReplicas"
        owner = next(
            (one["kind"] for one in item["metadata"].get("ownerReferences") or () if one.get("controller")),
            "",
        )
        right = Access("patch", kinds.HPA.group, kinds.HPA.plural, plan.namespace, name_of(item))
        if owner:
            advice = f"pause the {owner} for the release"
            yield ProgressiveError(f"the floor can't be held: {owner} writes it", where=where, advice=advice)
        elif not hands.cluster.allowed(right):
            advice = "bind the Role for `roll` that `progressive-ci rbac` prints"
            yield ProgressiveError(
                "the credential may not patch it, so its floor can't be held", where=where, advice=advice
            )


def _cautions(plan: Plan) -> Iterable[str]:
    """What two versions side by side can't share."""
    spec = plan.workload.template.get("spec") or {}
    if plan.mode is Mode.IN_PLACE:
        return
    for container in spec.get("containers") or ():
        for port in container.get("ports") or ():
            if port.get("hostPort"):
                yield f"container {container['name']} takes hostPort {port['hostPort']}: new pods need other nodes"
    for volume in spec.get("volumes") or ():
        claim = (volume.get("persistentVolumeClaim") or {}).get("claimName")
        if claim:
            yield f"both versions mount PersistentVolumeClaim {claim}: with ReadWriteOnce they need the same node"


def _spec_services(
    plan: Plan, every: Iterable[JsonObject], labels: dict[str, str]
) -> Iterable[ProgressiveError]:
    """The two Services that the spec names."""
    if plan.route is None or not plan.route.stable_service:
        return
    plain = {name: value for name, value in labels.items() if name != HASH_LABEL}
    by_name = {name_of(item): item for item in every}
    given = {document.name for document in plan.needed if document.kind == "Service"}
    for role, name in (
        ("stableService", plan.route.stable_service),
        ("canaryService", plan.route.canary_service),
    ):
        where = f"Service {plan.namespace}/{name} ({role})"
        if name not in by_name:
            if name not in given:
                yield ProgressiveError(
                    "it does not exist, and no document for it was given",
                    where=where,
                    advice="create it, or give its document to `-f`",
                )
        elif not selects(by_name[name], labels):
            yield ProgressiveError(
                f"its selector {by_name[name]['spec'].get('selector') or '(none)'} does not select the stable pods",
                where=where,
                advice=f"let it select labels of the pod template: {plain}",
            )


def _unpinnable(
    services: Iterable[JsonObject], pods: Iterable[JsonObject], hands: Hands, namespace: str
) -> Iterable[ProgressiveError]:
    """Pinning a Service must take no endpoint away from anybody."""
    own = uids(pods)
    names = ",".join(name_of(item) for item in services)
    labels = f"kubernetes.io/service-name in ({names})"
    slices = hands.cluster.list(kinds.ENDPOINT_SLICE, namespace, labels=labels) if names else ()
    for item in services:
        where = f"Service {namespace}/{name_of(item)}"
        selector = item["spec"]["selector"]
        leave = f"--leave-service {name_of(item)}"
        if HASH_LABEL in selector or _ARGO_HASH in selector or _ARGO_MANAGED in annotations_of(item):
            yield ProgressiveError(
                "it is pinned to one version already: by another tool, or by a release that was never cleaned up",
                where=f"{where} spec.selector",
                advice="see `progressive-ci status`, or remove the hash from its selector",
            )
        elif ready_pods(slices, name_of(item)) - own:
            yield ProgressiveError(
                "it has endpoints outside this workload, which it would lose while it is pinned",
                where=where,
                advice=f"leave it alone with `{leave}`: its callers then meet both versions",
            )


def _own_pods(standing: Standing, hands: Hands, namespace: str) -> tuple[JsonObject, ...]:
    """The pods of every version of NAME."""
    labels = selector_text(standing.deployment["spec"]["selector"])
    sets = {uid_of(item) for item in standing.sets}
    pods = hands.cluster.list(kinds.POD, namespace, labels=labels)
    return tuple(item for item in pods if controller_uid(item) in sets)


def _one_sided(plan: Plan, hands: Hands, standing: Standing, *, mode: Mode) -> Iterable[str]:
    """Policies that would hold for one version only."""
    old = {**labels_of_pods(standing), HASH_LABEL: labels_of(standing.serving).get(HASH_LABEL, "")}
    new = _labels_of_new_pods(plan, standing, mode=mode)
    for kind, path in ((kinds.NETWORK_POLICY, "podSelector"), (kinds.PDB, "selector")):
        for item in hands.cluster.list(kind, plan.namespace):
            selector = item["spec"].get(path) or {}
            sees_old, sees_new = fits(selector, old), fits(selector, new)
            if sees_old != sees_new:
                side = "stable" if sees_old else "the new version"
                yield f"{kind.name} {name_of(item)} selects only {side}: {selector_text(selector)}"


def _labels_of_new_pods(plan: Plan, standing: Standing, *, mode: Mode) -> dict[str, str]:
    """The labels of the canary's pods: a canary of its own has another value of one of them."""
    labels = dict((plan.workload.template.get("metadata") or {}).get("labels") or {})
    if mode is not Mode.ROLL:
        return labels
    return {**labels, told_apart_by(standing.deployment): canary_name(plan.workload.name)}
