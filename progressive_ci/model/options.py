"""What a user can choose for one run, beside the spec."""

from dataclasses import dataclass, field
from enum import StrEnum

from progressive_ci.model.position import Position


class IfLocked(StrEnum):
    """What a run does while another release of the same workload runs."""

    QUEUE = "queue"
    REFUSE = "refuse"
    SUPERSEDE = "supersede"


@dataclass(frozen=True, slots=True)
class Options:
    """Settings of a release. Seconds everywhere; None where the tool decides.

    Attributes:
        pause_timeout: how long `pause: {}` waits before it goes on; None refuses to start.
        max_duration: hard end that rolls back; None is the worst case plus 20 %.
        metrics_timeout: how long errors or no data are borne.
        settle: wait after each weight change instead of the router's own.
        leave_services: Services that stay unpinned although they match the pods.
        keep_annotations: annotations of the pod template that other tools put there.
        skip_analysis: release without steps and checks.
        reason: why, for the journal.
        apply_rest: apply the other documents server-side first.
        allowed_namespaces: beside the release's own, where they may be written.
        on_failure: `hold` leaves a failed release standing for a person; else it is rolled back.
        resume: go on with an unfinished release of the same version where it stands.
        resume_within: longest age of the last journal entry that a resumed release may rest on.
        guard: image that watches the release from within the cluster; empty for none.
        lock_wait: how long to wait for another release's lease.
        rollback_budget: longest time a rollback may take.
        compat: dialect whose own rules win over ours; empty for none.
        run_url: page of this CI run, for the journal.
        commit: commit that this run releases, for the journal.
        position: where that commit stands among the others.
        allow_older: release it over a newer one; `reason` says why.
        if_locked: what to do while another release of the workload runs.
    """

    pause_timeout: float | None = None
    max_duration: float | None = None
    metrics_timeout: float = 300.0
    settle: float | None = None
    leave_services: tuple[str, ...] = ()
    keep_annotations: tuple[str, ...] = ()
    skip_analysis: bool = False
    reason: str = ""
    apply_rest: bool = False
    allowed_namespaces: tuple[str, ...] = ()
    on_failure: str = "rollback"
    resume: bool = False
    resume_within: float = 3600.0
    guard: str = ""
    lock_wait: float = 0.0
    rollback_budget: float = 600.0
    compat: str = ""
    run_url: str = ""
    commit: str = ""
    position: Position = field(default_factory=Position)
    allow_older: bool = False
    if_locked: IfLocked = IfLocked.QUEUE
