"""A release in which no pod changes: replicas, strategy, labels. One patch, no canary."""

from progressive_ci.model.outcome import Outcome
from progressive_ci.release.canary_set import deployment_ref
from progressive_ci.release.patience import until
from progressive_ci.release.promotion import complete_promotion
from progressive_ci.release.release import Release
from progressive_ci.release.rollout import roll_to
from progressive_ci.release.workload import complete


def change_settings(release: Release) -> Outcome:
    """Write the fields that differ and wait until the Deployment is complete with them."""
    release.began("settings")
    ref = deployment_ref(release)
    roll_to(release, release.must_read(ref)["spec"]["template"])
    until(
        release, lambda: complete(release.must_read(ref)), "the Deployment is complete with its new settings"
    )
    return complete_promotion(release, "the pods stay, the other settings are changed")
