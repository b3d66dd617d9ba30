"""The durable record of a release: everything that a rollback needs, and nothing secret."""

from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any

from progressive_ci.model.document import JsonObject, Source
from progressive_ci.model.kinds import Ref
from progressive_ci.model.outcome import Result
from progressive_ci.model.plan import Mode
from progressive_ci.model.position import Position
from progressive_ci.model.route import Route

FORMAT = 1
"""Version of the record. A newer one is refused, an older one is understood."""

KEPT_SAMPLES = 100
KEPT_OUTCOMES = 20


class State(StrEnum):
    """Whether somebody is expected to go on."""

    RUNNING = "running"
    HELD = "held"
    ENDED = "ended"


class Stage(StrEnum):
    """How far a release is. From PROMOTING on the short way to safety is forward, from COMMITTED the only."""

    PREPARING = "preparing"
    STEPPING = "stepping"
    PROMOTING = "promoting"
    COMMITTED = "committed"
    ROLLING_BACK = "rolling back"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Original:
    """The value that a field of ours had before the release.

    Attributes:
        path: JSON pointer.
        present: whether the field existed.
        value: what it was.
    """

    path: str
    present: bool
    value: Any = None


@dataclass(frozen=True, slots=True)
class Owned:
    """An object that the release writes.

    Attributes:
        ref: its address.
        uid: of the object as first seen; empty where the release creates it.
        created: whether the release creates it, and so deletes it when it rolls back.
        originals: one for each field of ours.
    """

    ref: Ref
    uid: str = ""
    created: bool = False
    originals: tuple[Original, ...] = ()


@dataclass(frozen=True, slots=True)
class Side:
    """One version of the workload.

    Attributes:
        hash: value of the `pod-template-hash` label of its pods.
        name: of its ReplicaSet, or of the canary's Deployment (`roll`).
        uid: of that object; empty until it exists.
        selector: label selector of its pods, as the API's query parameter writes it.
        reused: whether it was there before the release, as an earlier version of the workload.
        template: copy, only where no history is kept.
    """

    hash: str
    name: str
    uid: str = ""
    selector: str = ""
    reused: bool = False
    template: JsonObject | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the Deployment NAME gets at the promotion, beside the template.

    Attributes:
        fields: JSON pointer and value; the strategy is among them.
        replicas: None where an autoscaler or nobody of ours writes it.
    """

    fields: tuple[tuple[str, Any], ...] = ()
    replicas: int | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """How an earlier release of this workload ended."""

    release: str
    result: Result
    reason: str
    revision: str
    at: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class Finished:
    """A release that was promoted, as far as taking it back needs it.

    Attributes:
        release: id.
        mode: how its version came.
        stable: the version that it replaced.
        canary: the version that it brought.
        route: who split the traffic.
        before: what the fields of NAME were that it wrote beside the template.
        drain_seconds: from weight 0 to the end of old pods.
        abort_drain_seconds: from weight 0 to the end of a failed canary's pods.
    """

    release: str
    mode: Mode
    stable: Side
    canary: Side
    route: Route | None
    before: tuple[Original, ...] = ()
    drain_seconds: float = 30.0
    abort_drain_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """One measurement that was judged."""

    check: str
    phase: str
    value: str
    weight: int
    at: str


@dataclass(frozen=True, slots=True)
class PassedStep:
    """A step that the release need not take again.

    Attributes:
        step: its index, from 1.
        at: UTC, RFC 3339.
    """

    step: int
    at: str


@dataclass(frozen=True, slots=True)
class Begun:
    """What a take-over that has found no mark has set aside: a first write may be on its way all the same.

    Attributes:
        mode: how the new version was to come.
        stage: how far it was.
        stable: the version that served before.
        route: who splits the traffic.
        weight: highest percent that was announced.
        objects: everything to be written, with the original values.
        pinned: names of Services.
        wanted: what NAME was to get.
    """

    mode: Mode
    stage: Stage
    stable: Side
    route: Route | None
    weight: int
    objects: tuple[Owned, ...]
    pinned: tuple[str, ...]
    wanted: Wanted


@dataclass(frozen=True, slots=True)
class Record:
    """One release.

    Attributes:
        format: version of this shape.
        tool: version of the tool that wrote it last.
        release: id.
        namespace: of the workload.
        name: of the workload.
        state: whether somebody is expected to go on.
        stage: how far it is.
        mode: how the new version comes.
        epoch: fence of the holder that wrote it last.
        stable: the version that served before.
        canary: the version being released.
        size: pods that carry 100 % of the traffic.
        held: hash of the template that NAME held at lease time; stable's, unless stable was broken.
        autoscaled: whether an autoscaler writes the replicas of NAME.
        surge: most pods beyond that while a Deployment rolls, as a number.
        unavailable: pods that may be missing of it, as a number.
        route: who splits the traffic; None in place.
        weight: highest percent that the canary may carry by what is announced here.
        step: index of the step begun last, from 1; 0 for none.
        steps: how many there are.
        objects: everything written, with the original values.
        pinned: names of the Services whose selector holds a pod-template-hash.
        wanted: what NAME gets at the promotion.
        guarded: whether a Job in the cluster watches over the release.
        drain_seconds: from weight 0 to the end of old pods.
        abort_drain_seconds: from weight 0 to the end of a failed canary's pods.
        settle_seconds: wait after a weight change; None is the router's own.
        ready_seconds: longest wait for pods (`progressDeadlineSeconds`).
        result: why it is rolled back, or how it ended.
        reason: the same in one sentence.
        source: line of the spec that the reason points to.
        asserted: owned fields that were written again because somebody changed them.
        started: UTC, RFC 3339.
        updated: UTC, RFC 3339.
        by: page of the CI run.
        commit: what it releases.
        plan: digest of what it is to do; empty in the journals of versions that did not resume.
        passed: the steps that are done, each with all its required checks.
        why: what a person gave as the reason for going another way than the plan's.
        undoes: id of the finished release that this one takes back; empty for any other.
        last: the release before this one that was promoted and not undone; None where that is not known.
        evidence: the last measurements.
        endings: earlier releases, the newest last.
        position: where its commit stands among the others.
        deployed: the same of the release that was promoted last; None where nobody knows it.
        override: the rule that the user set aside for it, and why.
        begun: what it said before a take-over reduced it; None where it says everything itself.
    """

    format: int
    tool: str
    release: str
    namespace: str
    name: str
    state: State
    stage: Stage
    mode: Mode
    epoch: int
    stable: Side
    canary: Side
    size: int
    route: Route | None
    held: str = ""
    autoscaled: bool = False
    surge: int = 0
    unavailable: int = 0
    weight: int = 0
    step: int = 0
    steps: int = 0
    objects: tuple[Owned, ...] = ()
    pinned: tuple[str, ...] = ()
    wanted: Wanted = field(default_factory=Wanted)
    guarded: bool = False
    drain_seconds: float = 30.0
    abort_drain_seconds: float = 30.0
    settle_seconds: float | None = None
    ready_seconds: float = 600.0
    result: Result | None = None
    reason: str = ""
    source: Source = field(default_factory=Source)
    asserted: tuple[str, ...] = ()
    started: str = ""
    updated: str = ""
    by: str = ""
    commit: str = ""
    plan: str = ""
    passed: tuple[PassedStep, ...] = ()
    why: str = ""
    undoes: str = ""
    last: Finished | None = None
    evidence: tuple[Evidence, ...] = ()
    endings: tuple[Ending, ...] = ()
    position: Position = field(default_factory=Position)
    deployed: Position | None = None
    override: str = ""
    begun: Begun | None = None

    def owned(self, ref: Ref) -> Owned | None:
        """The entry of an object, None where the release does not write it."""
        return next((item for item in self.objects if item.ref == ref), None)

    def whole(self) -> "Record":
        """What it said before a take-over reduced it; itself where none has."""
        if self.begun is None:
            return self
        aside = {item.name: getattr(self.begun, item.name) for item in fields(self.begun)}
        return replace(self, **aside, begun=None)

    def set_aside(self) -> Begun:
        """What a reduced record keeps of this one."""
        return Begun(**{item.name: getattr(self, item.name) for item in fields(Begun)})
