"""What to measure, how to ask for it, and when it counts as failed."""

from dataclasses import dataclass, field

from progressive_ci.model.document import Source


@dataclass(frozen=True, slots=True)
class SecretKey:
    """A value that stands in a Secret of the release's namespace."""

    name: str
    key: str


@dataclass(frozen=True, slots=True)
class HashOf:
    """The pod-template-hash of one side: `latest` is the canary's, `stable` the stable one's."""

    side: str


LateArg = SecretKey | HashOf
"""An argument whose value only the cluster knows."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text in which late arguments still stand as `{{args.NAME}}`; everything else is filled in."""

    raw: str
    late: tuple[tuple[str, LateArg], ...] = ()


@dataclass(frozen=True, slots=True)
class BasicAuth:
    """User and password."""

    username: Text
    password: Text


@dataclass(frozen=True, slots=True)
class OAuth2:
    """Client credentials flow."""

    token_url: str
    client_id: Text
    client_secret: Text
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RangeWindow:
    """Start and end as condition-language texts that give a time, step in seconds."""

    start: str
    end: str
    step: float


@dataclass(frozen=True, slots=True)
class PrometheusQuery:
    """One PromQL question to one server.

    Attributes:
        address: base URL.
        query: PromQL.
        window: None asks for an instant.
        timeout: seconds for the whole answer.
        insecure: whether an unverifiable certificate is accepted.
        headers: name and value.
        auth: what is sent beside the headers.
        ca: PEM text of the CA, None for the system's.
    """

    address: Text
    query: Text
    window: RangeWindow | None = None
    timeout: float = 30.0
    insecure: bool = False
    headers: tuple[tuple[str, Text], ...] = ()
    auth: BasicAuth | OAuth2 | None = None
    ca: str | None = None


Query = PrometheusQuery
"""A question to a metrics provider; each provider adds its class to this union."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of each kind of measurement a check bears (`reference/argo.md` 6.3).

    Attributes:
        failure: fails when more than this many failed; -1 is off.
        inconclusive: inconclusive when more than this many were.
        consecutive_error: None means not written: errors then hold up to `--metrics-timeout`.
        consecutive_success: passes as soon as this many in a row passed; 0 is off.
    """

    failure: int = 0
    inconclusive: int = 0
    consecutive_error: int | None = None
    consecutive_success: int = 0


@dataclass(frozen=True, slots=True)
class Check:
    """One metric of an analysis.

    Attributes:
        name: unique within its analysis.
        query: how to ask.
        success: condition text; empty means not given.
        failure: condition text; empty means not given.
        interval: seconds from the end of one measurement to the next; None measures once.
        initial_delay: seconds from the start of the analysis to the first measurement.
        count: measurements without an error after which it ends; None is endless with an interval, else 1.
        limits: how much it bears.
        dry_run: measured, but never decides.
        on_no_data: `hold`, `fail` or `pass`.
        min_samples: least value of `samples_query` for a measurement to count.
        samples_query: counts what the measurement rests on; None where nothing is asked for.
        source: where the metric stands in the user's file.
    """

    name: str
    query: Query
    success: str = ""
    failure: str = ""
    interval: float | None = None
    initial_delay: float = 0.0
    count: int | None = None
    limits: Limits = field(default_factory=Limits)
    dry_run: bool = False
    on_no_data: str = "hold"
    min_samples: float = 0.0
    samples_query: Query | None = None
    source: Source = field(default_factory=Source)


@dataclass(frozen=True, slots=True)
class Analysis:
    """Checks that start together and are judged together."""

    name: str
    checks: tuple[Check, ...]
    source: Source = field(default_factory=Source)
