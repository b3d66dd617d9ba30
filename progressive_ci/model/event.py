"""What happened in a run, in the order it happened. Reporters turn these into text."""

from dataclasses import dataclass, field

from progressive_ci.model.document import Source
from progressive_ci.model.outcome import Outcome
from progressive_ci.model.weight import Weight


@dataclass(frozen=True, slots=True)
class Began:
    """A phase began: `preflight`, `lease`, `prepare`, `step 2/9 setWeight: 20`, `promote`, `roll back`."""

    phase: str


@dataclass(frozen=True, slots=True)
class Noted:
    """One thing done or seen, one sentence in the past or present tense."""

    text: str


@dataclass(frozen=True, slots=True)
class Warned:
    """Something the user should look at, with its line in the spec where there is one."""

    text: str
    source: Source = field(default_factory=Source)


@dataclass(frozen=True, slots=True)
class Shifted:
    """The split was changed and read back."""

    before: Weight
    after: Weight


NO_DATA = "no data"
"""What stands for upstream's word where a measurement gave nothing to judge, which is no error."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """A check was measured.

    Attributes:
        check: name of the metric.
        phase: upstream's word for the measurement, or NO_DATA.
        value: as text, shortened.
        detail: condition and counts, or why there is no value.
        weight: share of the canary at that time.
        source: the metric's line.
    """

    check: str
    phase: str
    value: str
    detail: str
    weight: Weight
    source: Source = field(default_factory=Source)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Progress of something that takes long; a live line in a terminal, a heartbeat in a log.

    Attributes:
        text: what is waited for.
        elapsed: seconds since it began.
        total: seconds it may take, None where unknown.
        weight: share of the canary meanwhile.
    """

    text: str
    elapsed: float
    total: float | None
    weight: Weight


@dataclass(frozen=True, slots=True)
class Untrusted:
    """Text that others wrote: log lines of containers, answers of servers. Never to be read as commands."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SecretSeen:
    """A value that must never appear in any output from now on.

    Attributes:
        value: the secret.
        shared: whether the CI system is told, so that it masks the value in the job's other steps too.
    """

    value: str
    shared: bool = True


@dataclass(frozen=True, slots=True)
class Stopped:
    """The release cannot go on; the rollback begins now."""

    reason: str
    source: Source = field(default_factory=Source)


@dataclass(frozen=True, slots=True)
class Opened:
    """The release has an id; told before its lease is taken, so that a post step can find it."""

    release: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The run is over."""

    outcome: Outcome


Event = (
    Began | Noted | Warned | Shifted | Sampled | Waiting | Untrusted | SecretSeen | Stopped | Opened | Ended
)
