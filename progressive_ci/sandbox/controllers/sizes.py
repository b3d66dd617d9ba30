"""The arithmetic of a Deployment: surge, unavailability, and the shares when both sides are scaled."""

from progressive_ci.model.document import JsonObject

DESIRED = "deployment.kubernetes.io/desired-replicas"
MAX = "deployment.kubernetes.io/max-replicas"


def wished(obj: JsonObject) -> int:
    """`spec.replicas`."""
    return int(obj["spec"]["replicas"])


def counted(obj: JsonObject | None, field: str = "replicas") -> int:
    """A number of the status, 0 when it is absent."""
    return int(((obj or {}).get("status") or {}).get(field, 0))


def total(sets: list[JsonObject]) -> int:
    """Wished pods of all sets."""
    return sum(wished(each) for each in sets)


def active(sets: list[JsonObject]) -> list[JsonObject]:
    """Those that wish for pods."""
    return [each for each in sets if wished(each) > 0]


def rolls(deployment: JsonObject) -> bool:
    """Whether the strategy is RollingUpdate."""
    return bool(deployment["spec"]["strategy"]["type"] == "RollingUpdate")


def _scaled(amount: int | str, of: int, *, up: bool) -> int:
    if isinstance(amount, int):
        return amount
    share = int(amount.rstrip("%")) * of
    return -(-share // 100) if up else share // 100


def surge(deployment: JsonObject) -> int:
    """Pods above the wish that a rollout may make."""
    return _fenceposts(deployment)[0] if rolls(deployment) else 0


def unavailable(deployment: JsonObject) -> int:
    """Pods below the wish that a rollout may leave."""
    size = wished(deployment)
    if not rolls(deployment) or size == 0:
        return 0
    return min(_fenceposts(deployment)[1], size)


def _fenceposts(deployment: JsonObject) -> tuple[int, int]:
    rolling = deployment["spec"]["strategy"].get("rollingUpdate") or {}
    size = wished(deployment)
    more = _scaled(rolling.get("maxSurge", "25%"), size, up=True)
    fewer = _scaled(rolling.get("maxUnavailable", "25%"), size, up=False)
    return more, fewer if more or fewer else 1


def new_size(deployment: JsonObject, new: JsonObject, sets: list[JsonObject]) -> int:
    """How large the new set may become now."""
    if not rolls(deployment):
        return wished(deployment)
    room = wished(deployment) + surge(deployment) - total(sets)
    return wished(new) + max(0, min(room, wished(deployment) - wished(new)))


def saturated(deployment: JsonObject, new: JsonObject | None) -> bool:
    """Whether the new set alone is all that the Deployment wishes for."""
    if new is None:
        return False
    size = wished(deployment)
    desired = (new["metadata"].get("annotations") or {}).get(DESIRED, "")
    available = counted(new, "availableReplicas")
    return desired.isdecimal() and wished(new) == int(desired) == available == size


def proportions(deployment: JsonObject, sets: list[JsonObject]) -> list[tuple[JsonObject, int]]:
    """New sizes of active sets when the Deployment is scaled in the middle of a rollout.

    What can't be shared goes to the largest; of equal ones to the newest when growing, to the oldest when
    shrinking.
    """
    size = wished(deployment)
    allowed = size + surge(deployment) if size else 0
    to_add = allowed - total(sets)
    ordered = sorted(sets, key=_born, reverse=to_add > 0)
    ordered.sort(key=wished, reverse=True)
    if to_add == 0 or not ordered:
        return [(each, wished(each)) for each in ordered]
    added, sizes = 0, []
    for each in ordered:
        share = _share(deployment, each, to_add - added) if to_add != added else 0
        added += share
        sizes.append(wished(each) + share)
    sizes[0] = max(0, sizes[0] + to_add - added)
    return list(zip(ordered, sizes, strict=True))


def _born(obj: JsonObject) -> tuple[str, str]:
    return obj["metadata"]["creationTimestamp"], obj["metadata"]["name"]


def _share(deployment: JsonObject, each: JsonObject, left: int) -> int:
    size = wished(each)
    if wished(deployment) == 0:
        fraction = -size
    else:
        annotated = (each["metadata"].get("annotations") or {}).get(MAX, "")
        base = int(annotated) if annotated.isdecimal() and int(annotated) else counted(deployment)
        grown = size * (wished(deployment) + surge(deployment)) / base if base else size + left
        fraction = int(grown + 0.5) - size
    return min(fraction, left) if left > 0 else max(fraction, left)
