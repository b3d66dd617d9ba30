"""The Kubernetes API on any transport: paths, pages, deadlines, repeats, and the lease before every write."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar

from progressive_ci.adapters import retry
from progressive_ci.adapters.answers import Asked, decode, retry_after, text
from progressive_ci.adapters.discovery import kind_of
from progressive_ci.adapters.freshness import Freshness
from progressive_ci.adapters.grants import grants
from progressive_ci.adapters.newly_started import Refusals
from progressive_ci.adapters.reach import Reach
from progressive_ci.adapters.request import Request, of_apply, of_write
from progressive_ci.errors import (
    NOT_SENT,
    ApiError,
    Forbidden,
    NoAnswer,
    NotFound,
    ServerError,
    TooManyRequests,
)
from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import (
    SECRET,
    SELF_SUBJECT_ACCESS_REVIEW,
    SELF_SUBJECT_RULES_REVIEW,
    Kind,
    Ref,
    collection_path,
)
from progressive_ci.model.outage import Outage
from progressive_ci.model.write import Create, Delete, Write
from progressive_ci.ports import Access, Clock, HttpResponse, Transport

T = TypeVar("T")
Guard = Callable[[float], None]
"""Makes sure that the lease outlives so many seconds, or raises: `ClusterLease.secure`."""

_PAGE = 500
_SHORTEST = 0.1
_AWAY = (HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT)
"""What stands before a server that is away answers so; an error of its own says that it is there."""

_LONGEST_REST = 60.0
"""Seconds: no server may keep a rollback from being tried for longer."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds. A lease must be longer than `write`, or no write is ever sent.

    Attributes:
        read: for one attempt to read.
        read_total: within which a read is repeated.
        write: for one attempt to write.
        write_total: within which a write that surely had no effect is repeated.
    """

    read: float = 10.0
    read_total: float = 30.0
    write: float = 6.0
    write_total: float = 15.0


ONCE = Patience(read=5.0, read_total=0.0, write=5.0, write_total=0.0)
"""For the lease's renewals: the next one is near, so none is repeated."""


class KubeCluster:
    """`ports.Cluster`; without a guard its writes rest on no lease."""

    def __init__(
        self,
        transport: Transport,
        clock: Clock,
        *,
        guard: Guard | None = None,
        patience: Patience | None = None,
        reach: Reach | None = None,
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._guard = guard
        self._patience = patience or Patience()
        self._reach = reach or Reach(clock)
        self._listed: dict[str, tuple[JsonObject, ...]] = {}
        self._served: Mapping[str, tuple[str, ...]] | None = None
        self._fresh = Freshness(clock)
        self._refusals = Refusals(clock)
        self._reached = False
        self._rests_until = float("-inf")

    def get(self, ref: Ref) -> JsonObject | None:
        """The object, or None where the API server itself says that it does not exist."""
        request = Request("GET", ref.path, Asked("get", str(ref), secret=ref.kind == SECRET), {})

        def look(timeout: float) -> JsonObject | None:
            found = self._served_answer(request, ref.kind, timeout)
            if found is None:
                self._fresh.absent(ref)
                return None
            if found.get("kind") != ref.kind.name:
                raise ServerError(f"the API server answered with a {found.get('kind')}", where=str(ref))
            self._fresh.one(ref, found)
            return found

        return self._repeated(look)

    def list(
        self, kind: Kind, namespace: str, *, labels: str = "", fields: str = ""
    ) -> tuple[JsonObject, ...]:
        """Every object that both selectors match, page by page; empty where the kind is not served."""
        selectors = {"labelSelector": labels, "fieldSelector": fields}
        query = {"limit": str(_PAGE)} | {name: value for name, value in selectors.items() if value}
        try:
            return self._pages(kind, namespace, query)
        except ApiError as error:
            if error.status != HTTPStatus.GONE:
                raise
            # The first page is too old for the next.
            return self._pages(kind, namespace, query)

    def send(self, write: Write, *, dry_run: bool = False) -> JsonObject:
        """Write, and return what the server stored (for a delete, what it answered)."""
        try:
            stored = self._write(of_write(write, dry_run=dry_run), dry_run=dry_run)
        except NotFound:
            if not isinstance(write, Delete):
                raise
            return {}  # somebody was faster: the very object that was to go is gone
        if isinstance(write, Delete):
            self._fresh.gone(write.ref)
        elif not dry_run:
            self._fresh.stored(write.ref, stored, new=isinstance(write, Create))
        return stored

    def _write(self, request: Request, *, dry_run: bool = False) -> JsonObject:
        guard = None if dry_run else self._guard

        def attempt() -> JsonObject:
            if guard is not None:
                guard(self._patience.write)
            return decode(self._exchange(request, self._patience.write), request.asked)

        until = self._clock.now() + self._patience.write_total
        again = retry.dry_runs if dry_run else retry.writes
        return retry.repeat(attempt, self._clock, until=until, again=again)

    def locate(self, document: JsonObject, namespace: str) -> Ref:
        """Address of the object that a document of any kind describes."""
        asked = Asked("discover", str(document["apiVersion"]))

        def served(kind: Kind) -> JsonObject | None:
            request = Request("GET", kind.prefix, asked, {})
            return self._repeated(lambda timeout: self._served_answer(request, kind, timeout))

        kind = kind_of(document, served)
        metadata = document["metadata"]
        place = str(metadata.get("namespace") or namespace) if kind.namespaced else ""
        return Ref(kind, place, str(metadata["name"]))

    def apply(self, ref: Ref, document: JsonObject) -> JsonObject:
        """Server-side apply without force; a field that somebody else holds is a Conflict."""
        return self._write(of_apply(ref, document))

    def allowed(self, access: Access) -> bool:
        """Whether the credential has the right.

        One SelfSubjectRulesReview lists the rights of a namespace; what it doesn't list is asked singly,
        because not every authorizer can list.
        """
        return grants(self._rules(access.namespace), access) or self._reviewed(access)

    def _rules(self, namespace: str) -> tuple[JsonObject, ...]:
        if namespace not in self._listed:
            kind = SELF_SUBJECT_RULES_REVIEW
            body = {"apiVersion": kind.api_version, "kind": kind.name, "spec": {"namespace": namespace}}
            asked = Asked("create", kind.name)
            try:
                answer = self._read(Request("POST", collection_path(kind, ""), asked, {}, body))
            except (Forbidden, NotFound):
                answer = {}
            self._listed[namespace] = tuple((answer.get("status") or {}).get("resourceRules") or ())
        return self._listed[namespace]

    def _reviewed(self, access: Access) -> bool:
        attributes = {
            "verb": access.verb,
            "group": access.group,
            "resource": access.resource,
            "namespace": access.namespace,
            "name": access.name,
            "subresource": access.subresource,
        }
        kind = SELF_SUBJECT_ACCESS_REVIEW
        body = {
            "apiVersion": kind.api_version,
            "kind": kind.name,
            "spec": {"resourceAttributes": {name: value for name, value in attributes.items() if value}},
        }
        asked = Asked("create", f"{kind.name} for {access.verb} {access.resource}")
        answer = self._read(Request("POST", collection_path(kind, ""), asked, {}, body))
        return bool((answer.get("status") or {}).get("allowed"))

    def logs(self, pod: Ref, container: str, *, lines: int, previous: bool = False) -> tuple[str, ...]:
        """The last lines of a container; empty where there are none or they can't be read."""
        query = {"container": container, "tailLines": str(lines)}
        if previous:
            query["previous"] = "true"
        request = Request("GET", f"{pod.path}/log", Asked("get the log of", str(pod)), query)
        try:
            said = text(self._exchange(request, self._patience.read), request.asked)
        except ApiError:
            return ()
        return tuple(said.splitlines()[-lines:])

    def last_outage(self) -> Outage | None:
        """When the server was away last, as far as that is over."""
        return self._reach.last_outage()

    def _pages(self, kind: Kind, namespace: str, query: Mapping[str, str]) -> tuple[JsonObject, ...]:
        path = collection_path(kind, namespace)
        asked = Asked("list", f"{kind.plural} in {namespace}" if namespace else kind.plural)
        found: list[JsonObject] = []
        token = ""
        while True:
            request = Request("GET", path, asked, {**query, "continue": token} if token else query)
            page = self._page(request, kind)
            if page is None:
                return ()
            # The items of a list lack what the list says for all of them.
            found += [{"apiVersion": kind.api_version, "kind": kind.name, **item} for item in page["items"]]
            token = (page.get("metadata") or {}).get("continue") or ""
            if not token:
                return tuple(found)

    def _page(self, request: Request, kind: Kind) -> JsonObject | None:
        def look(timeout: float) -> JsonObject | None:
            page = self._served_answer(request, kind, timeout)
            if page is not None and not isinstance(page.get("items"), list):
                what = f"the API server answered with a {page.get('kind')}"
                raise ServerError(what, where=request.asked.where)
            if page is not None and "continue" not in request.query:
                self._fresh.many(kind, page, request.asked.where)
            return page

        return self._repeated(look)

    def _served_answer(self, request: Request, kind: Kind, timeout: float) -> JsonObject | None:
        """What the server answers to a read; None where it says itself that there is no such object or kind."""
        try:
            return decode(self._exchange(request, timeout), request.asked)
        except NotFound:
            return None
        except ServerError as error:
            if self._unserved(kind, error):
                return None
            raise

    def _unserved(self, kind: Kind, error: ApiError) -> bool:
        """Whether a 404 without a Status body is the API server's own: nobody has installed that API group.

        A real API server answers `404 page not found` as text then, which a proxy might say as well; the
        list of groups tells them apart.
        """
        if error.status != HTTPStatus.NOT_FOUND or not kind.group:
            return False
        if self._served is None:
            request = Request("GET", "/apis", Asked("list", "API groups"), {})
            answer = self._repeated(lambda timeout: decode(self._exchange(request, timeout), request.asked))
            groups = answer.get("groups") or []
            self._served = {
                group["name"]: tuple(version["version"] for version in group["versions"]) for group in groups
            }
        served = self._served.get(kind.group, ())
        if served and kind.version not in served:
            raise ApiError(
                f"the cluster serves {kind.group} in {', '.join(served)}, not in {kind.version}",
                where=kind.name,
                advice=f"upgrade its custom resource definitions to ones with {kind.version}",
                status=error.status,
            )
        return not served

    def _read(self, request: Request) -> JsonObject:
        def look(timeout: float) -> JsonObject:
            return decode(self._exchange(request, timeout), request.asked)

        return self._repeated(look)

    def _repeated(self, look: Callable[[float], T]) -> T:
        """Look until there is an answer; each look gets the seconds that it may take."""
        start, patience = self._clock.now(), self._patience
        end = start + max(patience.read, patience.read_total)

        def attempt() -> T:
            return look(min(patience.read, max(end - self._clock.now(), _SHORTEST)))

        return retry.repeat(attempt, self._clock, until=start + patience.read_total, again=retry.reads)

    def _exchange(self, request: Request, timeout: float) -> HttpResponse:
        rest = self._rests_until - self._clock.now()
        if rest > 0:
            what = "the API server has asked for a while without requests (429 with Retry-After)"
            raise TooManyRequests(what, where=request.asked.where, retry_after=rest)
        sent = self._reach.now()
        try:
            answer = self._answer(request, timeout)
        except NoAnswer:
            self._reach.silent(sent)
            raise
        if answer.status in _AWAY:
            self._reach.silent(sent)
        else:
            self._reach.answered()
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            self._rests_until = self._clock.now() + min(retry_after(answer), _LONGEST_REST)
        return answer

    def _answer(self, request: Request, timeout: float) -> HttpResponse:
        """What the server says, unless it has just started and doesn't know yet what it says."""
        try:
            answer = self._transport.request(
                request.method,
                request.path,
                query=request.query,
                body=request.body,
                content_type=request.content_type,
                timeout=timeout,
            )
        except NoAnswer as error:
            raise NoAnswer(
                error.what, where=request.asked.where, advice=error.advice, reason=error.reason
            ) from error
        except ApiError as error:
            if error.reason == "Certificate" and self._reached:
                # The settings are good, so this is a server in between that won't stay.
                raise NoAnswer(error.what, where=request.asked.where, reason=NOT_SENT) from error
            raise
        self._reached = True
        if self._refusals.doubtful(request, answer):
            what = "the API server refuses what it has allowed, as one that has just started does"
            raise NoAnswer(what, where=request.asked.where, reason=NOT_SENT)
        return answer
