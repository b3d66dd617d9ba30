"""ResourceQuotas of the namespace: whether the pods that a release needs beside those that run would fit."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from progressive_ci.errors import Forbidden
from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.plan import Mode, Plan
from progressive_ci.model.quantity import quantity
from progressive_ci.ports import Hands
from progressive_ci.release.findings import Findings
from progressive_ci.release.workload import name_of

_PODS = ("pods", "count/pods")
_BARE = ("cpu", "memory", "ephemeral-storage")
"""Resources that a quota may name without `requests.` before them."""

_BYTES = ("memory", "storage")
_BEST_EFFORT, _NOT_BEST_EFFORT, _NOT_TERMINATING = "BestEffort", "NotBestEffort", "NotTerminating"


def short_quotas(plan: Plan, hands: Hands, found: Findings) -> tuple[str, ...]:
    """A warning for each resource of which a quota leaves too little; whoever may not look goes without."""
    pods = new_pods(plan, found)
    if not pods:
        return ()
    try:
        quotas = hands.cluster.list(kinds.RESOURCE_QUOTA, plan.namespace)
    except Forbidden:
        return ()
    spec = found.template.get("spec") or {}
    return tuple(text for item in quotas if _counts(item, spec) for text in _short(item, spec, pods))


def new_pods(plan: Plan, found: Findings) -> int:
    """The most pods that a release has beside those that run before it."""
    asked = plan.workload.replicas if not found.scalers else None
    more = max(0, (asked or 0) - found.size)
    surge = 0 if found.unavailable else found.surge
    if found.deployment is None:
        return found.size
    match found.mode:
        case Mode.ADOPT if found.route is not None and found.route.stable_service:
            return found.size + more
        case Mode.ROLL:
            return found.size + 2 * more + surge
        case _:
            return more + surge


def _counts(quota: JsonObject, spec: JsonObject) -> bool:
    """Whether a quota counts such pods; of one for certain priorities nobody can tell from the template."""
    scopes = set(quota["spec"].get("scopes") or ())
    rules = (quota["spec"].get("scopeSelector") or {}).get("matchExpressions") or ()
    scopes |= {rule["scopeName"] if rule["operator"] == "Exists" else "" for rule in rules}
    best_effort = not any(_asked(spec, part) for part in ("requests", "limits"))
    fitting = {_NOT_TERMINATING, _BEST_EFFORT if best_effort else _NOT_BEST_EFFORT}
    return scopes <= fitting


def _short(quota: JsonObject, spec: JsonObject, pods: int) -> Iterator[str]:
    status = quota.get("status") or {}
    for resource, hard in (status.get("hard") or {}).items():
        each = _per_pod(resource, spec)
        needed = each * pods
        left = quantity(hard) - quantity((status.get("used") or {}).get(resource, "0"))
        if each and needed > left:
            count = "the new pod" if pods == 1 else f"{pods} new pods"
            need = f"{count} of this release need{'s' if pods == 1 else ''} {_text(needed, resource)}"
            least, most = _text(max(left, Decimal()), resource), _text(quantity(hard), resource)
            yield (
                f"ResourceQuota {name_of(quota)} leaves {least} of {most} {resource}, and {need}: raise it for the "
                "release, or pods are missing and the release goes back"
            )


def _per_pod(resource: str, spec: JsonObject) -> Decimal:
    """How much of a resource, as a quota names it, one pod takes."""
    if resource in _PODS:
        return Decimal(1)
    if resource in _BARE:
        return _asked(spec, "requests").get(resource, Decimal())
    part, _, name = resource.partition(".")
    return _asked(spec, part).get(name, Decimal()) if part in ("requests", "limits") else Decimal()


def _asked(spec: JsonObject, part: str) -> dict[str, Decimal]:
    """Requests or limits of a pod: of all that run together, or of the one that needs more before them."""
    starting = spec.get("initContainers") or ()
    staying = [each for each in starting if each.get("restartPolicy") == "Always"]
    total = _sum(_of(each, part) for each in (*(spec.get("containers") or ()), *staying))
    for each in (_of(each, part) for each in starting if each not in staying):
        total |= {name: max(value, total.get(name, Decimal())) for name, value in each.items()}
    return _sum((total, _parsed(spec.get("overhead")))) if total else total


def _of(container: JsonObject, part: str) -> dict[str, Decimal]:
    """What one container asks for; a limit is a request too where none is given."""
    resources = container.get("resources") or {}
    limits = _parsed(resources.get("limits"))
    return limits if part == "limits" else {**limits, **_parsed(resources.get("requests"))}


def _parsed(resources: JsonObject | None) -> dict[str, Decimal]:
    return {name: quantity(value) for name, value in (resources or {}).items()}


def _sum(parts: Iterable[dict[str, Decimal]]) -> dict[str, Decimal]:
    total: dict[str, Decimal] = {}
    for part in parts:
        for name, value in part.items():
            total[name] = total.get(name, Decimal()) + value
    return total


def _text(value: Decimal, resource: str) -> str:
    """A quantity for people."""
    if resource.endswith(_BYTES):
        return f"{float(value / 1024**2):g}Mi"
    return f"{value.normalize():f}"
