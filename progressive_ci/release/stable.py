"""The version that serves now: one complete ReplicaSet, found or refused."""

from dataclasses import dataclass

from progressive_ci.errors import ProgressiveError, Refused
from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.event import Waiting
from progressive_ci.model.journal import Side
from progressive_ci.model.kinds import Ref
from progressive_ci.model.weight import NONE
from progressive_ci.ports import Hands
from progressive_ci.release.workload import (
    HASH_LABEL,
    available,
    complete,
    labels_of,
    name_of,
    owned_by,
    replicas_of,
    same_template,
    selector_text,
    uid_of,
    without_hash,
)

_PATIENCE = 60.0
_POLL = 2.0


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands in the cluster.

    Attributes:
        deployment: NAME, complete.
        sets: its ReplicaSets.
        serving: the one with pods.
    """

    deployment: JsonObject
    sets: tuple[JsonObject, ...]
    serving: JsonObject

    @property
    def side(self) -> Side:
        """The stable side, with a copy of its template only where no history is kept."""
        return side_of(self.deployment, self.serving)

    def with_template(self, template: JsonObject) -> JsonObject | None:
        """An earlier ReplicaSet that has a template already."""
        rest = (item for item in self.sets if uid_of(item) != uid_of(self.serving))
        return next((item for item in rest if same_template(item["spec"]["template"], template)), None)


def side_of(deployment: JsonObject, serving: JsonObject) -> Side:
    """One ReplicaSet of NAME as the stable side."""
    revision = labels_of(serving).get(HASH_LABEL, "")
    forgetful = deployment["spec"].get("revisionHistoryLimit") == 0
    template = without_hash(serving["spec"]["template"]) if forgetful else None
    selector = f"{selector_text(deployment['spec']['selector'])},{HASH_LABEL}={revision}"
    return Side(revision, name_of(serving), uid_of(serving), selector, template=template)


def stand(hands: Hands, found: JsonObject, *, unhealthy: bool = False) -> Standing:
    """Wait, bounded, for a Deployment in mid-rollout, then say what serves.

    Args:
        hands: the world; only read.
        found: NAME.
        unhealthy: whether to go on from a broken one, with the ReplicaSet that has the most pods available.

    Raises:
        Refused: it is paused, at zero, being deleted, or not complete in time.
    """
    ref = Ref(kinds.DEPLOYMENT, str(found["metadata"]["namespace"]), name_of(found))
    _refuse_unfit(ref, found)
    if not unhealthy:
        found = _await_complete(hands, ref, found)
    labels = selector_text(found["spec"]["selector"])
    sets = owned_by(found, hands.cluster.list(kinds.REPLICA_SET, ref.namespace, labels=labels))
    active = [item for item in sets if replicas_of(item) > 0]
    if unhealthy and active:
        active = [max(active, key=available)]
    if len(active) != 1:
        names = ", ".join(name_of(item) for item in active) or "none"
        raise Refused(
            ProgressiveError(
                f"stable must be one ReplicaSet with pods, found {names}",
                where=str(ref),
                advice=f"wait for `kubectl -n {ref.namespace} rollout status deployment/{ref.name}`",
            )
        )
    return Standing(found, sets, active[0])


def _refuse_unfit(ref: Ref, found: JsonObject) -> None:
    command = f"kubectl -n {ref.namespace}"
    if found["metadata"].get("deletionTimestamp"):
        raise _no(ref, "it is being deleted", "wait until it is gone, then release it as new")
    if found["spec"].get("paused"):
        resume = f"{command} rollout resume deployment/{ref.name}"
        raise _no(ref, "spec.paused is true: somebody has stopped it", f"see who and why, then `{resume}`")
    if replicas_of(found) == 0:
        advice = f"{command} scale deployment/{ref.name} --replicas=N, then run again"
        raise _no(ref, "spec.replicas is 0: there is no stable version to go back to", advice)


def _no(ref: Ref, what: str, advice: str) -> Refused:
    return Refused(ProgressiveError(what, where=str(ref), advice=advice))


def _await_complete(hands: Hands, ref: Ref, found: JsonObject) -> JsonObject:
    clock = hands.clock
    began = clock.now()
    while not complete(found):
        elapsed = clock.now() - began
        if elapsed >= _PATIENCE:
            status = found.get("status", {})
            have = f"{status.get('availableReplicas', 0)} of {replicas_of(found)} replicas available"
            updated = f"{status.get('updatedReplicas', 0)} updated"
            raise _no(
                ref,
                f"it is not complete after {_PATIENCE:.0f} s: {have}, {updated}",
                "a rollout is under way or stable is unhealthy: don't apply the new version before this tool, "
                "and let stable become healthy first",
            )
        hands.reporter.emit(Waiting(f"{ref} finishes its rollout", elapsed, _PATIENCE, NONE))
        until = clock.now() + _POLL
        while clock.now() < until:
            clock.wait(until)
        again = hands.cluster.get(ref)
        if again is None:
            raise _no(ref, "it was deleted meanwhile", "run again")
        found = again
    return found
