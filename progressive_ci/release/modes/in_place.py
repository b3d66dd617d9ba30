"""In place: the Deployment rolls by its own strategy; nothing stands beside it, and its old template brings it back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from progressive_ci.model.document import JsonObject
from progressive_ci.release import deployment
from progressive_ci.release.canary_set import deployment_ref
from progressive_ci.release.findings import Findings
from progressive_ci.release.patience import Progress
from progressive_ci.release.readiness import too_late
from progressive_ci.release.release import Release
from progressive_ci.release.rollout import back_to_stable, let_be, roll_to, rolled
from progressive_ci.release.workload import complete, hash_of, renewed, replicas_of

if TYPE_CHECKING:
    from progressive_ci.release.vigil import Vigil


def prepare(vigil: Vigil, found: Findings) -> None:
    """One template write, then the rollout, watched."""
    release = vigil.release
    _await(vigil, roll_to(release, found.template))


def _await(vigil: Vigil, template: JsonObject) -> None:
    release = vigil.release
    progress, allowed = Progress(release.hands.clock.now()), release.record.ready_seconds
    vigil.poll(
        lambda: rolled(release, template, progress) or None,
        seconds=allowed,
        text="the Deployment rolls out",
        late=lambda: too_late(
            release, release.record.size, renewed(release.must_read(deployment_ref(release))), allowed
        ),
        progress=progress,
    )


def size(release: Release) -> int:
    """What NAME is asked to have now."""
    return replicas_of(release.must_read(deployment_ref(release)))


def scale(vigil: Vigil, pods: int) -> None:
    """Its own strategy scales; there is no canary to grow."""
    del vigil, pods


def grow(release: Release, pods: int) -> None:
    """Its own strategy scales."""
    del release, pods


def promote(release: Release) -> None:
    """Rollout complete and analysis passed: there is nothing left to do, unless somebody has put in another."""
    deployment.demand_ours(release, release.must_read(deployment_ref(release)))


def committed(release: Release) -> bool:
    """Complete with the new template; only a release that was promoting asks."""
    found = release.must_read(deployment_ref(release))
    return complete(found) and hash_of(found["spec"]["template"]) == release.record.canary.hash


def finish(release: Release) -> None:
    """Take our mark off."""
    let_be(release)


def restore(release: Release) -> None:
    """Old template back, and wait: the strategy decides how."""
    deployment.put_back(release)
    back_to_stable(release)
    let_be(release)
