"""Stable's ReplicaSet is gone, or its pods go: NAME makes the version that serves anew, and the pins follow it."""

from contextlib import suppress

from progressive_ci.model import kinds
from progressive_ci.model.kinds import Ref
from progressive_ci.release import deployment
from progressive_ci.release.canary_set import deployment_ref
from progressive_ci.release.patience import until
from progressive_ci.release.release import Release
from progressive_ci.release.stable import side_of
from progressive_ci.release.stop import Stop
from progressive_ci.release.workload import available, owned_by, same_template, selector_text

_ROLLS = 60.0
"""Seconds for which the way back waits for a version that somebody has put in meanwhile."""


def stand_again(release: Release) -> None:
    """Where somebody has deleted stable's ReplicaSet, NAME makes another, which it doesn't do while it is paused.

    Its hash is the controller's own, so the pins have to name that one.
    """
    ref = Ref(kinds.REPLICA_SET, release.record.namespace, release.stable.name)
    if release.read(ref) is not None:
        _give_way(release)
        return
    release.note(f"{ref} is gone: the Deployment is resumed early, so that it makes its pods again")
    deployment.resume(release)
    until(release, lambda: _renewed(release), f"the Deployment has a ReplicaSet in place of {ref}")


def _give_way(release: Release) -> None:
    """Where somebody has put in a version and resumed NAME, stable's pods go: the pins have to name the new ones.

    As long as those are fewer, stable's pods serve; where they never come, stable's stay.
    """
    owner = release.must_know(deployment_ref(release))
    if owner["spec"].get("paused") or not deployment.foreign_template(release, owner):
        return
    with suppress(Stop):
        until(release, lambda: _overtaken(release), "what somebody has put in rolls out", seconds=_ROLLS)


def _overtaken(release: Release) -> bool:
    """Whether NAME's own version, by now in stable's place, has as many pods as stable."""
    stable = release.read(Ref(kinds.REPLICA_SET, release.record.namespace, release.record.stable.name))
    least = max(1, available(stable or {}))
    return _renewed(release, least=least)


def _renewed(release: Release, *, least: int = 0) -> bool:
    """Whether NAME has a ReplicaSet of its template again, with so many pods."""
    owner = release.must_read(deployment_ref(release))
    labels = selector_text(owner["spec"]["selector"])
    sets = owned_by(
        owner, release.hands.cluster.list(kinds.REPLICA_SET, release.record.namespace, labels=labels)
    )
    made = [item for item in sets if same_template(item["spec"]["template"], owner["spec"]["template"])]
    if not made or available(made[0]) < least:
        return False
    release.renewed = side_of(owner, made[0])
    return True
