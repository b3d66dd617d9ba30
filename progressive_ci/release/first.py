"""A first release: there is no version to go back to, so there are no steps; what fails is taken away again."""

from dataclasses import replace

from progressive_ci.model.document import JsonObject
from progressive_ci.model.outcome import Cause, Outcome
from progressive_ci.model.plan import Plan, Workload
from progressive_ci.model.write import Create
from progressive_ci.release.canary_set import deployment_ref
from progressive_ci.release.findings import Findings
from progressive_ci.release.needed import create_missing
from progressive_ci.release.promotion import complete_promotion
from progressive_ci.release.readiness import diagnose, too_late
from progressive_ci.release.release import Release, if_absent
from progressive_ci.release.vigil import Vigil
from progressive_ci.release.workload import available, complete


def release_first(release: Release, plan: Plan, found: Findings) -> Outcome:
    """Create everything and wait until it serves."""
    release.began("first release")
    release.note(f"there is no Deployment {plan.workload.name} yet: no steps, no analysis")
    ref = deployment_ref(release)
    create_missing(release, found)
    release.write(ref, if_absent(Create(ref, body_of(plan.workload, plan.namespace))))
    _await(Vigil(release, deadline=float("inf")))
    return complete_promotion(release, "the first version serves")


def without_predecessor(cause: Cause) -> Cause:
    """The cause of a failed first release."""
    advice = f"what this run created is deleted again; {cause.advice}" if cause.advice else ""
    return replace(cause, reason=f"no previous version: {cause.reason}", advice=advice)


def _await(vigil: Vigil) -> None:
    release, clock = vigil.release, vigil.release.hands.clock
    began, allowed, ref = clock.now(), release.record.ready_seconds, deployment_ref(release)

    def check() -> bool | None:
        item = release.must_read(ref)
        if complete(item):
            return True
        if stop := diagnose(release, item, elapsed=clock.now() - began, allowed=allowed):
            raise stop
        return None

    vigil.poll(
        check,
        seconds=allowed,
        text="the first pods become ready",
        late=lambda: too_late(release, release.record.size, available(release.must_read(ref)), allowed),
    )


def body_of(workload: Workload, namespace: str) -> JsonObject:
    """The Deployment of a spec that has none yet."""
    optional = {
        "replicas": workload.replicas,
        "strategy": workload.strategy,
        "minReadySeconds": workload.min_ready_seconds,
        "revisionHistoryLimit": workload.revision_history_limit,
    }
    metadata = {"labels": dict(workload.labels), "annotations": dict(workload.annotations)}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": workload.name,
            "namespace": namespace,
            **{key: value for key, value in metadata.items() if value},
        },
        "spec": {
            "selector": workload.selector,
            "template": workload.template,
            "progressDeadlineSeconds": workload.progress_deadline_seconds,
            **{key: value for key, value in optional.items() if value is not None},
        },
    }
