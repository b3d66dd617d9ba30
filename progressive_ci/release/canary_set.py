"""The canary's ReplicaSet: made, scaled, released from its Deployment, given to it, taken away."""

from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.fence import made_by
from progressive_ci.model.journal import Original
from progressive_ci.model.kinds import Ref
from progressive_ci.model.write import Create, Delete, Patch, Write, pointer, replace, test
from progressive_ci.release.needed import refuse_foreign
from progressive_ci.release.ownership import absent, changes, valued, wish
from progressive_ci.release.paths import REPLICAS
from progressive_ci.release.patience import CONTROLLER, until
from progressive_ci.release.release import Release, existing, if_absent
from progressive_ci.release.workload import (
    DESIRED,
    HASH_LABEL,
    available,
    name_of,
    observed,
    replicas_of,
    selector_text,
    uid_of,
    with_hash,
)


def set_ref(release: Release) -> Ref:
    """Address of the canary's ReplicaSet."""
    return Ref(kinds.REPLICA_SET, release.record.namespace, release.record.canary.name)


def deployment_ref(release: Release) -> Ref:
    """Address of the user's Deployment."""
    return Ref(kinds.DEPLOYMENT, release.record.namespace, release.record.name)


def new_set(release: Release, deployment: JsonObject, template: JsonObject, *, replicas: int) -> JsonObject:
    """The ReplicaSet as the Deployment would make it, but without its labels, so that it claims nothing yet."""
    revision = release.record.canary.hash
    selector = deployment["spec"]["selector"]
    labels = {**(selector.get("matchLabels") or {}), HASH_LABEL: revision}
    ref = set_ref(release)
    return {
        "apiVersion": ref.kind.api_version,
        "kind": ref.kind.name,
        "metadata": {"name": ref.name, "namespace": ref.namespace},
        "spec": {
            "replicas": replicas,
            "minReadySeconds": min_ready_seconds(release, deployment),
            "selector": {**selector, "matchLabels": labels},
            "template": with_hash(template, revision),
        },
    }


def min_ready_seconds(release: Release, deployment: JsonObject) -> int:
    """How long a new pod has to be ready before it counts: as the new version says, else as NAME does now."""
    asked = dict(release.record.wanted.fields).get("/spec/minReadySeconds")
    return int(deployment["spec"].get("minReadySeconds", 0) if asked is None else asked)


def count_as_the_new_version_says(release: Release, deployment: JsonObject) -> None:
    """An earlier ReplicaSet keeps the settings of its time until its Deployment takes it back."""
    ref, seconds = set_ref(release), min_ready_seconds(release, deployment)
    release.write(ref, existing(lambda seen: wish(ref, seen, _counted_after(seen, seconds))))


def _counted_after(seen: JsonObject, seconds: int) -> list[Original]:
    same = seen["spec"].get("minReadySeconds", 0) == seconds
    return [] if same else [valued("/spec/minReadySeconds", seconds)]


def claim_labels(deployment: JsonObject, revision: str) -> dict[str, str]:
    """The labels by which a Deployment claims a ReplicaSet: those of its pods that its selector asks for."""
    wanted = dict(deployment["spec"]["selector"].get("matchLabels") or {})
    pods = deployment["spec"]["template"]["metadata"].get("labels") or {}
    for rule in deployment["spec"]["selector"].get("matchExpressions") or ():
        if rule["key"] in pods:
            wanted[rule["key"]] = pods[rule["key"]]
    return {**wanted, HASH_LABEL: revision}


def label_path(name: str) -> str:
    """Where a label stands."""
    return pointer("metadata", "labels", name)


def create(release: Release, body: JsonObject) -> None:
    """Create the canary's ReplicaSet; one that is there already is ours, by its name and by our label."""
    ref = set_ref(release)
    refuse_foreign(release, ref, release.write(ref, if_absent(Create(ref, body)), new=True))


def let_go(release: Release, deployment: JsonObject) -> None:
    """Labels off: the Deployment lets go of the ReplicaSet, its pods stay."""
    ref = set_ref(release)
    names = claim_labels(deployment, release.record.canary.hash)
    release.write(ref, existing(lambda seen: wish(ref, seen, [absent(label_path(name)) for name in names])))


def resize(release: Release, pods: int) -> None:
    """Set the number of canary pods."""
    ref = set_ref(release)
    release.write(ref, existing(lambda seen: wish(ref, seen, [valued(REPLICAS, pods)])))


def grow(release: Release, pods: int) -> bool:
    """Have at least so many canary pods; a lowered weight leaves them standing. Whether they are more now."""
    ref = set_ref(release)
    before = release.known(ref)
    after = release.write(
        ref,
        existing(
            lambda seen: wish(ref, seen, [valued(REPLICAS, pods)]) if replicas_of(seen) < pods else None
        ),
    )
    return after is not before


def unmark_history(release: Release) -> None:
    """Take our marks off the ReplicaSets: a Deployment's controller copies its annotations to them.

    It does so as long as it has not seen the Deployment without them.
    """
    ref = deployment_ref(release)
    owner = release.known(ref)
    if owner is None:
        return
    until(
        release,
        lambda: (found := release.read(ref)) is None or observed(found),
        "its controller has seen the Deployment's last change",
        after=CONTROLLER,
    )
    labels = selector_text(owner["spec"]["selector"])
    for item in release.hands.cluster.list(kinds.REPLICA_SET, release.record.namespace, labels=labels):
        earlier = Ref(kinds.REPLICA_SET, release.record.namespace, name_of(item))
        release.seen[earlier] = item
        release.free(earlier)


def hand_over(release: Release, deployment: JsonObject, *, pods: int) -> None:
    """Labels on, with the number the Deployment would have written: it takes the ReplicaSet as its new one.

    Every pod must be available by the server's own count at that moment, or the patch is refused.
    """
    ref, revision = set_ref(release), release.record.canary.hash

    def decide(seen: JsonObject) -> Write | None:
        labels = claim_labels(deployment, revision).items()
        wishes = [valued(label_path(name), value) for name, value in labels]
        desired = valued(pointer("metadata", "annotations", DESIRED), str(pods))
        edits = changes(seen, [*wishes, desired])
        if not edits or available(seen) != pods or replicas_of(seen) != pods:
            return None
        tests = [
            test(pointer("metadata", "generation"), seen["metadata"]["generation"]),
            test(pointer("status", "availableReplicas"), pods),
        ]
        return Patch(ref, (*tests, *edits))

    release.write(ref, existing(decide))


def follow(release: Release, pods: int) -> None:
    """Size and desired-replicas in one request, as an autoscaler's wish for the Deployment asks."""
    ref = set_ref(release)
    desired = pointer("metadata", "annotations", DESIRED)

    def decide(seen: JsonObject) -> Write | None:
        if replicas_of(seen) == pods and _desired(seen) == str(pods):
            return None
        generation = test(pointer("metadata", "generation"), seen["metadata"]["generation"])
        return Patch(ref, (generation, replace(REPLICAS, pods), replace(desired, str(pods))))

    release.write(ref, existing(decide))


def _desired(item: JsonObject) -> str:
    return str((item["metadata"].get("annotations") or {}).get(DESIRED, ""))


def take_away(release: Release, deployment: JsonObject) -> None:
    """The canary's pods go: its ReplicaSet is deleted, or, where it was there before, goes back to its place."""
    ref = set_ref(release)
    entry = release.record.owned(ref)
    if entry is None:
        return
    if not entry.created:
        resize(release, 0)
        labels = claim_labels(deployment, release.record.canary.hash)
        wishes = [valued(label_path(name), value) for name, value in labels.items()]
        release.free(ref, wishes)
        return
    release.write(ref, existing(lambda seen: _removal(release, ref, seen)))


def _removal(release: Release, ref: Ref, seen: JsonObject) -> Delete | None:
    """One without our mark and our label is somebody else's, whatever its name."""
    ours = made_by(seen, release.record.name, release.record.release)
    if seen["metadata"].get("deletionTimestamp") or not ours:
        return None
    return Delete(ref, uid_of(seen), str(seen["metadata"]["resourceVersion"]))
