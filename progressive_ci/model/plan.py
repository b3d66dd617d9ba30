"""What a spec compiles to: frozen, printable, the same for every dialect."""

from dataclasses import dataclass, field
from enum import StrEnum

from progressive_ci.model.check import Analysis
from progressive_ci.model.document import Document, JsonObject, Source
from progressive_ci.model.route import Route
from progressive_ci.model.weight import Weight


class Mode(StrEnum):
    """How the new version comes to the cluster (docs/architecture.md, `A release`)."""

    ADOPT = "adopt"
    ROLL = "roll"
    IN_PLACE = "in place"


@dataclass(frozen=True, slots=True)
class SetWeight:
    """Give the canary this share of the traffic."""

    weight: Weight
    source: Source = field(default_factory=Source)


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait. `seconds` None waits for a person."""

    seconds: float | None
    source: Source = field(default_factory=Source)


@dataclass(frozen=True, slots=True)
class Analyze:
    """Measure now, and go on when every check passed."""

    analysis: Analysis
    source: Source = field(default_factory=Source)


Step = SetWeight | Pause | Analyze


@dataclass(frozen=True, slots=True)
class Guard:
    """An analysis that runs in the background from the step with this index on."""

    analysis: Analysis
    starting_step: int = 0


@dataclass(frozen=True, slots=True)
class Workload:
    """The fields of the user's Deployment or Rollout that a release writes.

    Attributes:
        name: of the Deployment NAME.
        template: pod template, images already overridden.
        selector: `spec.selector` as written.
        replicas: None where the document leaves it to others.
        strategy: of a Deployment document; None keeps what the live object has.
        min_ready_seconds: None keeps the default.
        progress_deadline_seconds: longest time without a ready pod more, in seconds.
        revision_history_limit: None keeps the default.
        labels: of the object itself.
        annotations: of the object itself.
        source: where the document starts.
    """

    name: str
    template: JsonObject
    selector: JsonObject
    replicas: int | None
    strategy: JsonObject | None
    min_ready_seconds: int | None
    progress_deadline_seconds: int
    revision_history_limit: int | None
    labels: tuple[tuple[str, str], ...] = ()
    annotations: tuple[tuple[str, str], ...] = ()
    source: Source = field(default_factory=Source)


@dataclass(frozen=True, slots=True)
class Plan:
    """A release before it begins.

    Attributes:
        dialect: row of the dialects' table: `argo`, `deployment`.
        namespace: of everything the release touches.
        workload: what is released.
        mode: wished; preflight may choose `roll` instead of `adopt`.
        route: what splits the traffic; None for `in place`.
        steps: in order.
        guards: background analyses.
        needed: documents of Services, routes, ConfigMaps and Secrets that the spec names, created if absent.
        not_applied: every other document of the input.
        drain_seconds: from weight 0 to the end of the old pods.
        abort_drain_seconds: from weight 0 to the end of a failed canary's pods.
        undoes: id of the finished release that this one takes back; empty for any other.
        warnings: what the user should know, one sentence each with its source.
        source: where the spec's main document starts.
    """

    dialect: str
    namespace: str
    workload: Workload
    mode: Mode
    route: Route | None
    steps: tuple[Step, ...]
    guards: tuple[Guard, ...] = ()
    needed: tuple[Document, ...] = ()
    not_applied: tuple[Document, ...] = ()
    drain_seconds: float = 30.0
    abort_drain_seconds: float = 30.0
    undoes: str = ""
    warnings: tuple[str, ...] = ()
    source: Source = field(default_factory=Source)
