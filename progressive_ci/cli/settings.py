"""What the user chose for one run of the command, by flag, variable or input, as typed values."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """One field for each option; a command without an option sees its default. Durations in seconds."""

    command: str = "run"
    file: tuple[str, ...] = ()
    name: str = ""
    namespace: str = ""
    context: str = ""
    kubeconfig: str = ""
    auth: str = "auto"
    server: str = ""
    certificate_authority: str = ""
    audience: str = ""
    token_variable: str = ""
    eks_cluster: str = ""
    image: tuple[str, ...] = ()
    analysis: str = ""
    address: tuple[str, ...] = ()
    allow_namespace: tuple[str, ...] = ()
    pause_timeout: float | None = None
    max_duration: float | None = None
    metrics_timeout: float = 300.0
    settle: float | None = None
    rollback_budget: float = 600.0
    lease: float = 30.0
    guard: str = ""
    lock_wait: float | None = None
    if_locked: str = "queue"
    commit_order: str = ""
    allow_older: bool = False
    leave_service: tuple[str, ...] = ()
    keep_annotation: tuple[str, ...] = ()
    skip_analysis: bool = False
    reason: str = ""
    by: str = ""
    wait: float = 600.0
    release: str = ""
    on_failure: str = "rollback"
    resume: bool = False
    resume_within: float = 3600.0
    apply_rest: bool = False
    watch_job: bool = False
    job_token: str = ""
    state: str = ""
    report: str = ""
    reporter: str = "auto"
    output: str = "text"
