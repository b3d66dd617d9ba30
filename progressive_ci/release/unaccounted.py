"""Objects that carry our marks although no journal tells of them: somebody has deleted it while nobody was at work.

What they were before can't be known then, so nothing is guessed: each is named, with the command that mends it.
"""

from progressive_ci.errors import Forbidden, ProgressiveError, Refused
from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.fence import epoch_key, epoch_of
from progressive_ci.model.kinds import Kind, Ref
from progressive_ci.ports import Cluster
from progressive_ci.release.canary_deployment import canary_name
from progressive_ci.release.workload import HASH_LABEL, controller_uid, name_of

UNACCOUNTED = "a release was at work here, and its journal is gone: somebody has deleted it"


def leftovers(cluster: Cluster, namespace: str, name: str) -> tuple[str, ...]:
    """What is to be done by hand, in this order; empty where no release has left anything."""
    owner = cluster.get(Ref(kinds.DEPLOYMENT, namespace, name))
    if owner is None:
        return ()
    canary = _canary(cluster, namespace, name)
    if canary is None and epoch_of(owner, name) is None:
        return ()
    services = [item for item in cluster.list(kinds.SERVICE, namespace) if epoch_of(item, name) is not None]
    sets = cluster.list(kinds.REPLICA_SET, namespace)
    own = [item for item in sets if epoch_of(item, name) is not None and not controller_uid(item)]
    return (
        "the route: give stable 100 % again",
        *(_line(kinds.SERVICE, item, name, f"take {HASH_LABEL} off spec.selector") for item in services),
        _line(kinds.DEPLOYMENT, owner, name, "see that template and strategy are yours, and unpause it"),
        *(_removed(kinds.DEPLOYMENT, item) for item in (canary,) if item is not None),
        *(_removed(kinds.REPLICA_SET, item) for item in own),
    )


def _canary(cluster: Cluster, namespace: str, name: str) -> JsonObject | None:
    """The canary's Deployment with our mark; whoever may not read it does not release by one."""
    try:
        found = cluster.get(Ref(kinds.DEPLOYMENT, namespace, canary_name(name)))
    except Forbidden:
        return None
    return found if found is not None and epoch_of(found, name) is not None else None


def refuse_leftovers(cluster: Cluster, namespace: str, name: str) -> None:
    """A new release would take what is left of the old one for the workload's own state.

    Raises:
        Refused: with every object.
    """
    found = leftovers(cluster, namespace, name)
    if found:
        where = f"Deployment {namespace}/{name}"
        lines = (ProgressiveError(line) for line in found)
        raise Refused(
            ProgressiveError(UNACCOUNTED, where=where, advice="do what follows, then run again"), *lines
        )


def _line(kind: Kind, item: JsonObject, workload: str, what: str) -> str:
    mark = f"remove annotation {epoch_key(workload)}"
    return f"{_ref(kind, item)}: {what}, {mark}: {_kubectl(item)} edit {kind.plural} {name_of(item)}"


def _removed(kind: Kind, item: JsonObject) -> str:
    return f"{_ref(kind, item)}: {_kubectl(item)} delete {kind.plural} {name_of(item)}"


def _ref(kind: Kind, item: JsonObject) -> Ref:
    return Ref(kind, str(item["metadata"]["namespace"]), name_of(item))


def _kubectl(item: JsonObject) -> str:
    return f"kubectl -n {item['metadata']['namespace']}"
