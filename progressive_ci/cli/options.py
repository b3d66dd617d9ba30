"""Every option, once: flags, variables, action inputs and GitLab inputs all come from TABLE."""

from dataclasses import dataclass
from enum import Enum

SPEC = ("run", "plan", "lint", "rbac")
RESCUE = ("rollback", "recover", "promote", "undo")
NAMED = (*RESCUE, "abort", "status", "forget", "guard")
CLUSTER = ("run", "plan", *NAMED, "post")
RELEASE = ("run", "plan")
WATCHED = ("run", *RESCUE, "abort", "guard", "post")


class Shape(Enum):
    """How a value is written."""

    TEXT = "text"
    MANY = "many"
    SECONDS = "duration"
    FLAG = "flag"


@dataclass(frozen=True, slots=True)
class Option:
    """One thing that a user can choose.

    Attributes:
        name: the action's input; the flag and the variable are made from it.
        help: what it does, one sentence without a full stop.
        commands: that know the flag; none for what only the action chooses.
        shape: how a value is written; a MANY variable holds words as a shell splits them.
        default: as a user would write it; empty for none.
        metavar: what the value is called in help.
        short: one-letter flag.
        choices: the only values allowed; none allows all.
    """

    name: str
    help: str
    commands: tuple[str, ...]
    shape: Shape = Shape.TEXT
    default: str = ""
    metavar: str = "TEXT"
    short: str = ""
    choices: tuple[str, ...] = ()

    @property
    def flag(self) -> str:
        """`--metrics-timeout`."""
        return f"--{self.name}"

    @property
    def variable(self) -> str:
        """`PROGRESSIVE_CI_METRICS_TIMEOUT`."""
        return "PROGRESSIVE_CI_" + self.field.upper()

    @property
    def field(self) -> str:
        """`metrics_timeout`."""
        return self.name.replace("-", "_")


TABLE: tuple[Option, ...] = (
    Option(
        "command",
        "What the action does: run, plan, lint, rollback, recover, promote, undo, abort, status, forget or rbac",
        (),
        default="run",
        metavar="COMMAND",
    ),
    Option(
        "file",
        "File or folder with YAML or JSON documents, - for standard input; folders are read recursively",
        SPEC,
        Shape.MANY,
        metavar="PATH",
        short="-f",
    ),
    Option(
        "name",
        "Which Rollout or Deployment, where the documents hold several; the workload of every command that "
        "reads none",
        (*SPEC, *NAMED),
        metavar="NAME",
    ),
    Option(
        "namespace",
        "Namespace; must agree with the documents' own",
        (*SPEC, *NAMED),
        metavar="NAMESPACE",
        short="-n",
    ),
    Option("context", "Context of the kubeconfig", CLUSTER, metavar="CONTEXT"),
    Option(
        "kubeconfig",
        "Path of the kubeconfig; else KUBECONFIG, ~/.kube/config or the pod's service account",
        CLUSTER,
        metavar="PATH",
    ),
    Option(
        "auth",
        "How to log in: auto takes the kubeconfig, else the pod's service account",
        CLUSTER,
        default="auto",
        metavar="METHOD",
        choices=("auto", "kubeconfig", "in-cluster", "github-oidc", "gitlab-oidc", "eks"),
    ),
    Option(
        "server",
        "Address of the API server, for a login by OIDC or EKS without a kubeconfig",
        CLUSTER,
        metavar="URL",
    ),
    Option(
        "certificate-authority",
        "Authority of that server's certificate: a path, PEM text or its base64",
        CLUSTER,
        metavar="PEM",
    ),
    Option(
        "audience",
        "For whom GitHub issues the OIDC token, as the cluster expects it",
        CLUSTER,
        metavar="AUDIENCE",
    ),
    Option("token-variable", "Variable that holds GitLab's OIDC token", CLUSTER, metavar="VARIABLE"),
    Option(
        "eks-cluster",
        "Name or ARN of the EKS cluster; without --server and kubeconfig its address is asked of AWS",
        CLUSTER,
        metavar="NAME",
    ),
    Option(
        "image",
        "Image of the new version; CONTAINER= where the pod has several containers",
        SPEC,
        Shape.MANY,
        metavar="[CONTAINER=]REF",
    ),
    Option(
        "analysis",
        "AnalysisTemplate that judges a plain Deployment",
        SPEC,
        metavar="TEMPLATE",
    ),
    Option(
        "address",
        "Where a metrics address of the documents is reached from here; direct for as it stands",
        (*RELEASE, "rbac"),
        Shape.MANY,
        metavar="FROM=TO",
    ),
    Option(
        "allow-namespace",
        "Namespace beside the release's own whose routes and metrics servers the documents may name; "
        "monitoring is allowed for metrics",
        SPEC,
        Shape.MANY,
        metavar="NAMESPACE",
    ),
    Option(
        "pause-timeout",
        "How long a pause without a duration lasts; such a pause is refused without it",
        RELEASE,
        Shape.SECONDS,
        metavar="DURATION",
    ),
    Option(
        "max-duration",
        "Hard end of the run, which rolls back; the spec's worst case plus 20 % unless given",
        RELEASE,
        Shape.SECONDS,
        metavar="DURATION",
    ),
    Option(
        "metrics-timeout",
        "How long metrics may answer with errors or no data before the release is rolled back",
        RELEASE,
        Shape.SECONDS,
        default="5m",
        metavar="DURATION",
    ),
    Option(
        "settle",
        "Wait after each change of weight; the router's own time unless given",
        (*RELEASE, "undo"),
        Shape.SECONDS,
        metavar="DURATION",
    ),
    Option(
        "rollback-budget",
        "Longest time a rollback may take, beside the drain time",
        WATCHED,
        Shape.SECONDS,
        default="10m",
        metavar="DURATION",
    ),
    Option(
        "lease",
        "How long a workload stays locked after the run that releases it has died; at least 3s",
        WATCHED,
        Shape.SECONDS,
        default="30s",
        metavar="DURATION",
    ),
    Option(
        "guard",
        "Image by digest that watches the release from within the cluster, and rolls back when the run dies",
        (*RELEASE, "rbac"),
        metavar="IMAGE",
    ),
    Option(
        "lock-wait",
        "How long to wait for another release of the same workload; run waits 30m unless given, others not at all",
        ("run", *RESCUE),
        Shape.SECONDS,
        metavar="DURATION",
    ),
    Option(
        "if-locked",
        "What a run does while another one releases the workload; supersede asks that one to roll back",
        ("run",),
        default="queue",
        metavar="WAY",
        choices=("queue", "refuse", "supersede"),
    ),
    Option(
        "commit-order",
        "Number that grows from commit to commit; an older one never replaces a newer; else the CI's run number",
        ("run",),
        metavar="N",
    ),
    Option(
        "allow-older",
        "Release a commit although a newer one is deployed; needs a reason",
        ("run",),
        Shape.FLAG,
    ),
    Option(
        "leave-service",
        "Service that is left alone although it matches the pods",
        (*SPEC, "undo"),
        Shape.MANY,
        metavar="NAME",
    ),
    Option(
        "keep-annotation",
        "Annotation of the pod template that another tool puts there",
        RELEASE,
        Shape.MANY,
        metavar="KEY",
    ),
    Option(
        "skip-analysis",
        "Release without steps and checks, for when stable is broken; needs a reason",
        RELEASE,
        Shape.FLAG,
    ),
    Option(
        "reason",
        "Why a rule is set aside, or a release is aborted, promoted or undone by hand, for the journal",
        (*RELEASE, "abort", "promote", "undo"),
    ),
    Option(
        "by", "Who aborts; else the user that the CI system or the shell names", ("abort",), metavar="WHO"
    ),
    Option(
        "wait",
        "How long abort waits for the release to end; 0 only asks it to",
        ("abort",),
        Shape.SECONDS,
        default="10m",
        metavar="DURATION",
    ),
    Option(
        "release",
        "Id of a run to abort that still waits for its turn; else the release that runs",
        ("abort",),
        metavar="ID",
    ),
    Option(
        "on-failure",
        "What a failed check, unready pods or silent metrics lead to; hold freezes the weights for a person",
        ("run",),
        default="rollback",
        metavar="WAY",
        choices=("rollback", "hold"),
    ),
    Option(
        "resume",
        "Go on at its recorded step with an unfinished or held release of the same version",
        ("run",),
        Shape.FLAG,
    ),
    Option(
        "resume-within",
        "How old the last journal entry may be for --resume",
        ("run",),
        Shape.SECONDS,
        default="1h",
        metavar="DURATION",
    ),
    Option(
        "apply-rest",
        "Apply the other documents of the input server-side before the release; "
        "other namespaces need --allow-namespace",
        SPEC,
        Shape.FLAG,
    ),
    Option(
        "watch-job",
        "Ask the CI system every 10 s whether this job was cancelled, for runners that send no signal",
        ("run",),
        Shape.FLAG,
    ),
    Option(
        "job-token",
        "Token for --watch-job: GitHub's with actions: read, or USER:TOKEN of Jenkins; GitLab's job has its own",
        (),
    ),
    Option(
        "state",
        "File in which run leaves word of its release for post; GitHub has its own",
        ("run", "post"),
        metavar="PATH",
    ),
    Option("report", "File for the JSON report of the run", WATCHED, metavar="PATH"),
    Option(
        "reporter",
        "How the log is written; auto chooses by the CI system",
        (*WATCHED, "lint"),
        default="auto",
        metavar="NAME",
        choices=("auto", "plain", "github"),
    ),
    Option(
        "output",
        "How the plan is printed",
        ("plan",),
        default="text",
        metavar="FORMAT",
        choices=("text", "json", "yaml"),
    ),
)


def of(command: str) -> tuple[Option, ...]:
    """The options of one command, in the table's order."""
    return tuple(option for option in TABLE if command in option.commands)
