"""What a release needs of the world. The adapters implement these; the release knows nothing else."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from progressive_ci.model.check import Query
from progressive_ci.model.document import JsonObject
from progressive_ci.model.event import Event
from progressive_ci.model.kinds import Kind, Ref
from progressive_ci.model.outage import Outage
from progressive_ci.model.outcome import Cause
from progressive_ci.model.sample import Sample
from progressive_ci.model.write import Write


@dataclass(frozen=True, slots=True)
class Access:
    """One right: a verb on a resource; an empty name means any."""

    verb: str
    group: str
    resource: str
    namespace: str
    name: str = ""
    subresource: str = ""


class Cluster(Protocol):
    """The Kubernetes API, one request a call.

    Every call raises ApiError subclasses, LeaseLost before a write that the lease would not outlive, and
    Interrupted when a signal arrives while the answer is awaited (unless signals are shielded).
    Reads are retried within their deadline on 429, 5xx and broken connections; writes only on answers that
    prove that nothing was written (429, and 5xx with Retry-After).
    """

    def get(self, ref: Ref) -> JsonObject | None:
        """The object, or None where the server says that it does not exist (404, never a guess)."""

    def list(
        self, kind: Kind, namespace: str, *, labels: str = "", fields: str = ""
    ) -> tuple[JsonObject, ...]:
        """Every object that both selectors match."""

    def send(self, write: Write, *, dry_run: bool = False) -> JsonObject:
        """Write, and return what the server stored (for a delete, what it answered)."""

    def locate(self, document: JsonObject, namespace: str) -> Ref:
        """Address of the object that a document of any kind describes.

        Raises:
            Refused: the server does not know the kind.
        """

    def apply(self, ref: Ref, document: JsonObject) -> JsonObject:
        """Server-side apply without force: for `--apply-rest`, and for nothing else."""

    def allowed(self, access: Access) -> bool:
        """Whether the credential has the right (SelfSubjectAccessReview)."""

    def logs(self, pod: Ref, container: str, *, lines: int, previous: bool = False) -> tuple[str, ...]:
        """The last lines of a container; empty where there are none or they can't be read."""

    def last_outage(self) -> Outage | None:
        """When the server was away last, as far as that is over; None where it never was since this run began."""


class Pending(Protocol):
    """A question that was sent and may be answered by now."""

    def done(self) -> bool:
        """Whether `result` returns at once."""

    def result(self) -> Sample:
        """The sample; call it only when done."""

    def cancel(self) -> None:
        """Forget the question; never blocks."""


class Metrics(Protocol):
    """The metrics servers."""

    def ask(self, query: Query, late: Mapping[str, str]) -> Pending:
        """Send a question now; late arguments are filled in. An unusable answer is a sample too."""


class Clock(Protocol):
    """Time, and the calls to stop that end a wait: a signal, or whatever else asks this run to end."""

    def now(self) -> float:
        """Monotonic seconds."""

    def wall(self) -> datetime:
        """Now in UTC, for records and queries only, never for deadlines."""

    def wait(self, until: float) -> None:
        """Return at `until`, or earlier when something happened: an answer came, a call to stop came.

        Raises:
            Interrupted: a call to stop came and they are not shielded.
        """

    def halt(self, cause: Cause) -> None:
        """Call to stop, from any thread: what waits ends as on a signal. The first call stays."""

    def halted(self) -> Cause | None:
        """The first call to stop, a signal's too; None as long as none came."""

    def shield(self) -> None:
        """From now on calls to stop are only noted: nothing raises Interrupted any more."""


class Journal(Protocol):
    """The durable record of a release: one ConfigMap, every write with the version it rests on."""

    def read(self) -> JsonObject | None:
        """The record, or None where there is none.

        Raises:
            Refused: there is one that this tool cannot read (corrupt, foreign, newer format).
        """

    def write(self, record: JsonObject) -> None:
        """Store the record; creates it the first time.

        Raises:
            LeaseLost: somebody else has written it since.
        """

    def forget(self) -> None:
        """Delete it, if it exists."""


class Watch(Protocol):
    """Hears of the changes of one object."""

    def follow(self, ref: Ref, deliver: Callable[[JsonObject | None], None]) -> Callable[[], None]:
        """Deliver the object as it is, if it exists, and after each change; None when it was deleted.

        Deliveries may come from any thread, more than once, and not for every change: what counts is that the
        last state is always delivered soon. Never raises. The answer ends it.
        """


class Recalls(Protocol):
    """What others ask of a running release (`model/recall.py`): it stands beside the journal and needs no lease."""

    def read(self) -> tuple[JsonObject, ...]:
        """Those that stand there."""

    def post(
        self, recall: JsonObject, *, stands: Callable[[JsonObject], bool], runs: bool = True
    ) -> JsonObject | None:
        """Put one there, beside those of other releases, unless one stands there that asks the same already.

        Args:
            recall: what is asked.
            stands: whether one that is found there asks the same of the same release.
            runs: whether that release is at work; room for those that wait is bounded.

        Returns:
            What stands there then, `recall` itself or the earlier one; None where there is no journal.

        Raises:
            Refused: too many that wait are asked already; none of them gives way.
        """

    def follow(self, deliver: Callable[[JsonObject], None]) -> Callable[[], None]:
        """Deliver each one that stands there, from any thread and perhaps more than once; the answer ends it."""


class History(Protocol):
    """The commits of the checkout, if there is one."""

    def contains(self, commit: str, earlier: str) -> bool | None:
        """Whether a commit rests on another; None where the checkout lacks one of them."""


@dataclass(frozen=True, slots=True)
class Tenure:
    """A held lease.

    Attributes:
        epoch: fences every write of this holder.
        holder: who that is.
        waited: whether it was somebody else's at first, so that what was seen before may be old.
    """

    epoch: int
    holder: str
    waited: bool = False


class Lease(Protocol):
    """Who may write. One Lease object per workload, renewed in the background while it is held."""

    def acquire(self, release: str, *, wait: float) -> Tenure:
        """Take it: free, expired (unchanged for its whole duration on our own clock), or left by `release`.

        Args:
            release: id of the release this run is about.
            wait: seconds to wait for a live foreign holder before giving up; 0 gives up at once unless the
                lease may be an orphan's, which is waited out.

        Raises:
            Locked: somebody else holds it and keeps renewing it.
        """

    def deserted(self) -> bool:
        """Whether nobody keeps it, judged on our own clock over all looks so far; writes nothing."""

    def release(self, *, seal: str = "") -> None:
        """Give it up cleanly: clears the holder. Never raises.

        Args:
            seal: what the Lease vouches for from now on; empty leaves what it vouches for.
        """

    def valid_for(self) -> float:
        """Seconds for which it is surely ours, counted from before the last renewal was sent."""


@dataclass(frozen=True, slots=True)
class Login:
    """What proves to the API server who we are.

    Attributes:
        kind: what it is, in words; never its content.
        ends: when there will be none any more, by the server's clock; None where no such end is known.
        left: seconds until then.
        renewed: whether it is replaced before it ends.
        advice: what to do where it ends too early.
    """

    kind: str
    ends: datetime | None = None
    left: float | None = None
    renewed: bool = False
    advice: str = ""


class Credential(Protocol):
    """How long this run may still talk to the API server."""

    def look(self) -> Login:
        """What it is like now; sends nothing."""

    def call_before_end(self, seconds: float, act: Callable[[Login], None]) -> Callable[[], None]:
        """Call once, from any thread, when no more than so many seconds are left; the answer takes that back."""


class Reporter(Protocol):
    """Where events go."""

    def emit(self, event: Event) -> None:
        """Take note of one event; never raises, never blocks for long."""


@dataclass(frozen=True, slots=True)
class Hands:
    """Everything a release acts through."""

    cluster: Cluster
    metrics: Metrics
    clock: Clock
    journal: Journal
    lease: Lease
    reporter: Reporter
    recalls: Recalls
    history: History
    credential: Credential


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """How to get a bearer token first: OAuth2's client credentials flow. Every text is final."""

    token_url: str
    client_id: str
    client_secret: str
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One HTTP question, as providers render it.

    Attributes:
        method: GET or POST.
        url: complete, its query encoded.
        headers: name and value; they win over what the sender would add.
        body: as it goes over the wire.
        timeout: seconds for the whole exchange, the token's included.
        insecure: whether an unverifiable certificate is accepted.
        ca: PEM text of the CA to trust instead of the system's.
        token: where to get the bearer token that goes with the request; None needs none.
        get_on_405: whether a POSTed form that meets 405 or 501 is sent again as GET with the form as query.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    timeout: float = 30.0
    insecure: bool = False
    ca: str | None = None
    token: TokenRequest | None = None
    get_on_405: bool = False


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """One HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport(Protocol):
    """The one seam to the API server: a real connection, or the sandbox."""

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str],
        body: object | None,
        content_type: str,
        timeout: float,
    ) -> HttpResponse:
        """Send one request.

        Args:
            method: GET, POST, PATCH, PUT or DELETE.
            path: below the server's address, `/api/v1/namespaces/x/pods`.
            query: parameters, not yet encoded.
            body: what JSON can hold, or None.
            content_type: of the body; `application/json-patch+json` and its relatives.
            timeout: seconds for the whole exchange, the last byte of the answer included.

        Raises:
            NoAnswer: time-out, or a connection that could not be made or broke.
            Interrupted: a signal arrived while waiting.
        """
