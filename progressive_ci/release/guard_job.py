"""The guard's Job in the cluster (batch/v1): what it is called, what it looks like, and how it goes again."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from math import ceil

from progressive_ci.errors import Conflict, NotFound, ProgressiveError
from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.fence import RELEASE
from progressive_ci.model.journal import Record
from progressive_ci.model.kinds import Ref
from progressive_ci.model.options import Options
from progressive_ci.model.plan import Plan
from progressive_ci.model.write import Delete
from progressive_ci.ports import Cluster, Hands
from progressive_ci.release.duration import hard_end, way_back
from progressive_ci.release.release import Release
from progressive_ci.release.workload import labels_of, uid_of

IMAGE = re.compile(r"[^\s@]+@sha256:[0-9a-f]{64}")
USER = 65532
"""Nobody's; the image's own user is root, which restricted namespaces refuse."""

_LONGEST = 63
_DIGEST = 8
_START = 600.0
"""Seconds for the image to be pulled and for a lease to run out, on top of the release's own."""
_KEPT = 300
_RESTARTS = 20
_GRACE = 60
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Terms:
    """What the Job of one release is made of.

    Attributes:
        image: by digest.
        seconds: after which it ends at the latest.
        budget: seconds that its rollback may take.
    """

    image: str
    seconds: float
    budget: float


def guard_name(workload: str) -> str:
    """Of the Job, its ServiceAccount, Role and RoleBinding; short enough for the label that its pods get."""
    name = f"progressive-ci-{workload}-guard"
    if len(name) <= _LONGEST:
        return name
    digest = sha256(workload.encode()).hexdigest()[:_DIGEST]
    kept = workload[: len(workload) - (len(name) - _LONGEST) - _DIGEST - 1].rstrip("-.")
    return f"progressive-ci-{kept}-{digest}-guard"


def job_ref(record: Record) -> Ref:
    """Address of the Job that watches over a release."""
    return Ref(kinds.JOB, record.namespace, guard_name(record.name))


def checked_image(image: str) -> str:
    """The image, if nothing can take its place between two pulls.

    Raises:
        ProgressiveError: it is not named by digest.
    """
    if image and not IMAGE.fullmatch(image):
        raise ProgressiveError(
            f"--guard {image} does not name its image by digest, so another one could run with the guard's rights",
            advice="write IMAGE@sha256:DIGEST, as `docker buildx imagetools inspect IMAGE` prints it",
        )
    return image


def terms_of(options: Options, plan: Plan) -> Terms:
    """It outlives the release, the rollback of its run, and one of its own."""
    lives = hard_end(plan, options) + 2 * way_back(plan, options) + _START
    return Terms(options.guard, lives, options.rollback_budget)


def without_account(plan: Plan, hands: Hands) -> list[ProgressiveError]:
    """The guard's ServiceAccount is made once, by somebody who may give rights."""
    ref = Ref(kinds.SERVICE_ACCOUNT, plan.namespace, guard_name(plan.workload.name))
    if hands.cluster.get(ref) is not None:
        return []
    return [
        ProgressiveError(
            "it does not exist, and the guard acts with its rights",
            where=str(ref),
            advice="apply what `progressive-ci rbac --guard IMAGE` prints for these documents",
        )
    ]


def dismiss(release: Release) -> None:
    """The release has come to its end: its guard goes, or finds out itself."""
    if not release.record.guarded:
        return
    try:
        remove(release.hands.cluster, job_ref(release.record), release.record.release)
    except ProgressiveError as error:
        release.note(f"{job_ref(release.record)} is still there, and removes itself: {error}")


def remove(cluster: Cluster, ref: Ref, release: str) -> None:
    """Delete the Job of one release; another release's and somebody else's stay.

    Raises:
        ApiError: it can't be deleted now.
    """
    for attempt in range(_ATTEMPTS):
        seen = cluster.get(ref)
        if (
            seen is None
            or labels_of(seen).get(RELEASE) != release
            or seen["metadata"].get("deletionTimestamp")
        ):
            return
        try:
            cluster.send(Delete(ref, uid_of(seen), str(seen["metadata"]["resourceVersion"])))
        except NotFound:
            return
        except Conflict:
            # The Job controller has written its status meanwhile.
            if attempt == _ATTEMPTS - 1:
                raise
        else:
            return


def rendered(record: Record, journal: JsonObject, terms: Terms) -> JsonObject:
    """The Job of a release.

    Args:
        record: of the release.
        journal: the ConfigMap that it goes with.
        terms: what it is made of.
    """
    ref = job_ref(record)
    labels = {"app.kubernetes.io/managed-by": "progressive-ci"}
    owner = {
        "apiVersion": kinds.CONFIG_MAP.api_version,
        "kind": kinds.CONFIG_MAP.name,
        "name": journal["metadata"]["name"],
        "uid": uid_of(journal),
    }
    return {
        "apiVersion": kinds.JOB.api_version,
        "kind": kinds.JOB.name,
        "metadata": {
            "name": ref.name,
            "namespace": ref.namespace,
            "labels": labels,
            "ownerReferences": [owner],
        },
        "spec": {
            "backoffLimit": _RESTARTS,
            "activeDeadlineSeconds": ceil(terms.seconds),
            "ttlSecondsAfterFinished": _KEPT,
            # A mesh's sidecar would neither let the Job end nor let it reach the API server at once.
            "template": {
                "metadata": {
                    "labels": {**labels, "sidecar.istio.io/inject": "false"},
                    "annotations": {"linkerd.io/inject": "disabled"},
                },
                "spec": _pod(record, ref, terms),
            },
        },
    }


def _pod(record: Record, ref: Ref, terms: Terms) -> JsonObject:
    """What the restricted pod security standard asks for, and nothing that has to be written to."""
    return {
        "serviceAccountName": ref.name,
        "automountServiceAccountToken": True,
        "restartPolicy": "OnFailure",
        "terminationGracePeriodSeconds": _GRACE,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": "guard",
                "image": terms.image,
                "command": ["progressive-ci"],
                "args": list(_arguments(record, terms)),
                "resources": {
                    "requests": {"cpu": "10m", "memory": "64Mi"},
                    "limits": {"cpu": "500m", "memory": "256Mi"},
                },
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
            }
        ],
    }


def _arguments(record: Record, terms: Terms) -> Iterable[str]:
    yield from ("guard", record.name, "--namespace", record.namespace)
    yield from ("--rollback-budget", f"{ceil(terms.budget)}s")
