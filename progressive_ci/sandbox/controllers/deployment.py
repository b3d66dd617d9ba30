"""The Deployment controller: one look at a Deployment and everything it owns.

While it is paused (`reference/adoption.md`): one active set gets exactly the wished size; a saturated new set
ends the old ones; otherwise both sides are scaled in proportion, but only by a RollingUpdate.
"""

from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import DEPLOYMENT, POD, REPLICA_SET
from progressive_ci.sandbox.controllers import deployment_status, revisions, rollout, sizes
from progressive_ci.sandbox.controllers.claims import claim, controller_of
from progressive_ci.sandbox.controllers.queue import Queue
from progressive_ci.sandbox.controllers.rollout import Family
from progressive_ci.sandbox.json_patch import clone
from progressive_ci.sandbox.selectors import labels_of, matches_selector
from progressive_ci.sandbox.store import Change, Store

REACTION = 0.02


class Deployments:
    """Reacts to Deployments, their ReplicaSets and the end of pods."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._queue = Queue(store.timers, self._look, REACTION)
        store.subscribe(self._deployment_changed, DEPLOYMENT)
        store.subscribe(self._set_changed, REPLICA_SET)
        store.subscribe(self._pod_changed, POD)

    def _deployment_changed(self, change: Change) -> None:
        metadata = change.object["metadata"]
        self._queue.add(metadata["namespace"], metadata["name"])

    def _set_changed(self, change: Change) -> None:
        namespace = change.object["metadata"]["namespace"]
        for each in (change.object, change.before):
            owner = controller_of(each) if each else None
            if owner and owner["kind"] == DEPLOYMENT.name:
                self._queue.add(namespace, owner["name"])
        if change.type != "DELETED" and controller_of(change.object) is None and labels_of(change.object):
            for deployment in self._store.all(DEPLOYMENT, namespace):
                if matches_selector(deployment["spec"]["selector"], labels_of(change.object)):
                    self._queue.add(namespace, deployment["metadata"]["name"])

    def _pod_changed(self, change: Change) -> None:
        """Recreate waits for the end of old pods."""
        if change.type != "DELETED":
            return
        namespace = change.object["metadata"]["namespace"]
        owner = controller_of(change.object)
        parent = self._store.get(REPLICA_SET, namespace, owner["name"]) if owner else None
        grand = controller_of(parent) if parent else None
        if grand:
            self._queue.add(namespace, grand["name"])

    def _look(self, namespace: str, name: str) -> None:
        deployment = self._store.get(DEPLOYMENT, namespace, name)
        if deployment is None:
            return
        sets = claim(self._store, DEPLOYMENT, deployment, REPLICA_SET)
        if deployment["metadata"].get("deletionTimestamp"):
            return
        deployment = self._note_pause(deployment)
        family = self._family(deployment, sets)
        if deployment["spec"].get("paused") or _scaled(family):
            self._scale(family)
            if deployment["spec"].get("paused"):
                rollout.clean_up(self._store, family)
            self._report(self._fresh(family), rolling=False)
        else:
            self._roll(family)

    def _note_pause(self, deployment: JsonObject) -> JsonObject:
        noted = deployment_status.note_pause(deployment, self._store.timestamp())
        if noted is None:
            return deployment
        status = {**(deployment.get("status") or {}), **noted}
        return self._store.write(DEPLOYMENT, {**clone(deployment), "status": status})

    def _family(self, deployment: JsonObject, sets: list[JsonObject]) -> Family:
        new = revisions.newest(deployment, sets)
        old = [each for each in sets if new is None or each["metadata"]["uid"] != new["metadata"]["uid"]]
        if new is not None:
            new = revisions.keep_up(self._store, deployment, new, old)
            deployment = self._take_revision(deployment, new)
        return Family(deployment, new, tuple(sorted(old, key=revisions.age)))

    def _take_revision(self, deployment: JsonObject, new: JsonObject) -> JsonObject:
        if revisions.revision(deployment) == revisions.revision(new):
            return deployment
        changed: JsonObject = clone(deployment)
        annotations = changed["metadata"].setdefault("annotations", {})
        annotations[revisions.REVISION] = str(revisions.revision(new))
        return self._store.write(DEPLOYMENT, changed, counts=False)

    def _scale(self, family: Family) -> None:
        deployment = family.deployment
        only = rollout.only_or_latest(family)
        if only is not None:
            if sizes.wished(only) != sizes.wished(deployment):
                rollout.resize(self._store, deployment, only, sizes.wished(deployment))
        elif sizes.saturated(deployment, family.new):
            for each in sizes.active(list(family.old)):
                rollout.resize(self._store, deployment, each, 0)
        elif sizes.rolls(deployment):
            for each, size in sizes.proportions(deployment, sizes.active(family.sets)):
                rollout.resize(self._store, deployment, each, size)

    def _roll(self, family: Family) -> None:
        if sizes.rolls(family.deployment) or not rollout.ends_old(self._store, family):
            if family.new is None:
                family = self._create(family)
            if family.new is None:
                return
            moved = rollout.step(self._store, family)
            if not moved and deployment_status.complete(
                family.deployment, family.deployment.get("status") or {}
            ):
                rollout.clean_up(self._store, family)
        self._report(self._fresh(family), rolling=True)

    def _create(self, family: Family) -> Family:
        deployment = family.deployment
        new = revisions.create(self._store, deployment, list(family.old))
        if new is None:
            status = dict(deployment.get("status") or {})
            status["collisionCount"] = status.get("collisionCount", 0) + 1
            self._store.write(DEPLOYMENT, {**clone(deployment), "status": status})
            return family
        deployment = self._take_revision(deployment, new)
        status = {"conditions": [], **clone(deployment.get("status") or {})}
        text = f'Created new replica set "{new["metadata"]["name"]}"'
        told = ("True", "NewReplicaSetCreated", text)
        deployment_status.put(status, deployment_status.PROGRESSING, told, self._store.timestamp())
        deployment = self._store.write(DEPLOYMENT, {**clone(deployment), "status": status})
        return Family(deployment, new, family.old)

    def _fresh(self, family: Family) -> Family:
        """The same objects as they are stored now."""
        metadata = family.deployment["metadata"]
        deployment = self._store.get(DEPLOYMENT, metadata["namespace"], metadata["name"])
        sets = claim(self._store, DEPLOYMENT, deployment, REPLICA_SET) if deployment else []
        return self._family(deployment, sets) if deployment else family

    def _report(self, family: Family, *, rolling: bool) -> None:
        deployment = family.deployment
        status = deployment_status.counts(deployment, family.new, family.sets)
        now = self._store.timers.wall()
        deployment_status.judge_availability(deployment, status, self._store.timestamp())
        if rolling:
            deployment_status.judge_progress(deployment, family.new, status, now)
            deployment_status.pass_on_failure(family.new, family.sets, status)
        if status != deployment.get("status"):
            self._store.write(DEPLOYMENT, {**clone(deployment), "status": clone(status)})
        elif rolling and not deployment_status.complete(deployment, status):
            metadata = deployment["metadata"]
            self._queue.add(
                metadata["namespace"], metadata["name"], deployment["spec"]["progressDeadlineSeconds"] + 1.0
            )


def _scaled(family: Family) -> bool:
    """Whether an active set remembers another size of the Deployment."""
    for each in sizes.active(family.sets):
        desired = (each["metadata"].get("annotations") or {}).get(sizes.DESIRED, "")
        if desired.isdecimal() and int(desired) != sizes.wished(family.deployment):
            return True
    return False
