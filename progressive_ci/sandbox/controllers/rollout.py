"""How a Deployment moves pods from its old sets to its new one."""

from dataclasses import dataclass

from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import DEPLOYMENT, POD, REPLICA_SET
from progressive_ci.sandbox.controllers import revisions, sizes
from progressive_ci.sandbox.controllers.claims import controller_of
from progressive_ci.sandbox.events import record
from progressive_ci.sandbox.json_patch import clone
from progressive_ci.sandbox.store import Store


@dataclass(frozen=True, slots=True)
class Family:
    """A Deployment and its ReplicaSets.

    Attributes:
        deployment: the parent.
        new: the set with its template, None when there is none.
        old: every other one, oldest first.
    """

    deployment: JsonObject
    new: JsonObject | None
    old: tuple[JsonObject, ...]

    @property
    def sets(self) -> list[JsonObject]:
        """All of them."""
        return [*self.old, *([self.new] if self.new else [])]


def only_or_latest(family: Family) -> JsonObject | None:
    """The only set with pods; without any the latest; None when several have pods."""
    found = sizes.active(family.sets)
    if len(found) == 1:
        return found[0]
    if found or not family.sets:
        return None
    return family.new or family.old[-1]


def resize(store: Store, deployment: JsonObject, each: JsonObject, size: int) -> JsonObject:
    """Give a set another size and the Deployment's numbers."""
    changed: JsonObject = clone(each)
    changed["spec"]["replicas"] = size
    changed["metadata"].setdefault("annotations", {}).update(revisions.size_annotations(deployment))
    if changed == each:
        return each
    if size != sizes.wished(each):
        way = "up" if size > sizes.wished(each) else "down"
        name = each["metadata"]["name"]
        text = f"Scaled {way} replica set {name} from {sizes.wished(each)} to {size}"
        record(store, DEPLOYMENT, deployment, ("Normal", "ScalingReplicaSet", text))
    return store.write(REPLICA_SET, changed)


def ends_old(store: Store, family: Family) -> bool:
    """Recreate: whether old pods still go; only after them may new ones come."""
    active = sizes.active(list(family.old))
    for each in active:
        resize(store, family.deployment, each, 0)
    if active or any(sizes.counted(each) for each in family.old):
        return True
    old = {each["metadata"]["uid"] for each in family.old}
    pods = store.all(POD, family.deployment["metadata"]["namespace"])
    return any((controller_of(pod) or {}).get("uid") in old for pod in pods)


def step(store: Store, family: Family) -> bool:
    """One step of a rollout: grow the new set, or else shrink the old ones; False when nothing moved."""
    deployment, new = family.deployment, family.new
    if new is None:
        return False
    size = sizes.wished(deployment)
    wanted = size if sizes.wished(new) > size else sizes.new_size(deployment, new, family.sets)
    if wanted != sizes.wished(new):
        resize(store, deployment, new, wanted)
        return True
    return sizes.rolls(deployment) and _shrink_old(store, family, new)


def _shrink_old(store: Store, family: Family, new: JsonObject) -> bool:
    deployment = family.deployment
    old = sizes.active(list(family.old))
    least = sizes.wished(deployment) - sizes.unavailable(deployment)
    missing = sizes.wished(new) - sizes.counted(new, "availableReplicas")
    room = sizes.total(family.sets) - least - missing
    if not old or room <= 0:
        return False
    plan = {each["metadata"]["name"]: sizes.wished(each) for each in old}
    for each in old:
        sick = plan[each["metadata"]["name"]] - sizes.counted(each, "availableReplicas")
        gone = max(0, min(room, sick))
        plan[each["metadata"]["name"]] -= gone
        room -= gone
    available = sum(sizes.counted(each, "availableReplicas") for each in family.sets)
    spare = available - least
    for each in old:
        gone = max(0, min(plan[each["metadata"]["name"]], spare))
        plan[each["metadata"]["name"]] -= gone
        spare -= gone
    moved = [each for each in old if plan[each["metadata"]["name"]] != sizes.wished(each)]
    for each in moved:
        resize(store, deployment, each, plan[each["metadata"]["name"]])
    return bool(moved)


def clean_up(store: Store, family: Family) -> None:
    """Delete the oldest empty sets beyond the history's limit."""
    limit = family.deployment["spec"].get("revisionHistoryLimit")
    kept = [each for each in family.old if not each["metadata"].get("deletionTimestamp")]
    if limit is None or len(kept) <= limit:
        return
    for each in sorted(kept, key=revisions.revision)[: len(kept) - limit]:
        observed = sizes.counted(each, "observedGeneration") >= each["metadata"]["generation"]
        if observed and not sizes.counted(each) and not sizes.wished(each):
            store.drop(REPLICA_SET, clone(each))
