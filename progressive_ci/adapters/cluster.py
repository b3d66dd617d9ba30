"""The Kubernetes API on any transport: paths, pages, deadlines, repeats, and the lease before every write."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import assert_never

from progressive_ci.adapters import retry
from progressive_ci.adapters.answers import Asked, decode, text
from progressive_ci.adapters.discovery import kind_of
from progressive_ci.adapters.grants import grants
from progressive_ci.errors import ApiError, Forbidden, NoAnswer, NotFound, ServerError
from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import (
    SECRET,
    SELF_SUBJECT_ACCESS_REVIEW,
    SELF_SUBJECT_RULES_REVIEW,
    Kind,
    Ref,
    collection_path,
)
from progressive_ci.model.write import Create, Delete, Merge, Patch, Write
from progressive_ci.ports import Access, Clock, HttpResponse, Transport

Guard = Callable[[float], None]
"""Makes sure that the lease outlives so many seconds, or raises: `ClusterLease.secure`."""

_PAGE = 500
_SHORTEST = 0.1
_MANAGER = "progressive-ci"
_JSON = "application/json"


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


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    path: str
    asked: Asked
    query: Mapping[str, str]
    body: object | None = None
    content_type: str = _JSON


class KubeCluster:
    """`ports.Cluster`; without a guard its writes rest on no lease."""

    def __init__(
        self,
        transport: Transport,
        clock: Clock,
        *,
        guard: Guard | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._guard = guard
        self._patience = patience or Patience()
        self._listed: dict[str, tuple[JsonObject, ...]] = {}
        self._served: Mapping[str, tuple[str, ...]] | None = None

    def get(self, ref: Ref) -> JsonObject | None:
        """The object, or None where the API server itself says that it does not exist."""
        asked = Asked("get", str(ref), secret=ref.kind == SECRET)
        try:
            found = self._read(_Request("GET", ref.path, asked, {}))
        except NotFound:
            return None
        except ServerError as error:
            if self._unserved(ref.kind, error):
                return None
            raise
        if found.get("kind") != ref.kind.name:
            raise ServerError(f"the API server answered with a {found.get('kind')}", where=str(ref))
        return found

    def list(
        self, kind: Kind, namespace: str, *, labels: str = "", fields: str = ""
    ) -> tuple[JsonObject, ...]:
        """Every object that both selectors match, page by page; empty where the kind is not served."""
        selectors = {"labelSelector": labels, "fieldSelector": fields}
        query = {"limit": str(_PAGE)} | {name: value for name, value in selectors.items() if value}
        try:
            return self._pages(kind, namespace, query)
        except NotFound:
            return ()
        except ServerError as error:
            if self._unserved(kind, error):
                return ()
            raise
        except ApiError as error:
            if error.status != HTTPStatus.GONE:
                raise
            # The first page is too old for the next.
            return self._pages(kind, namespace, query)

    def send(self, write: Write, *, dry_run: bool = False) -> JsonObject:
        """Write, and return what the server stored (for a delete, what it answered)."""
        return self._write(_write(write, {"dryRun": "All"} if dry_run else {}), dry_run=dry_run)

    def _write(self, request: _Request, *, dry_run: bool = False) -> JsonObject:
        guard = None if dry_run else self._guard

        def attempt() -> JsonObject:
            if guard is not None:
                guard(self._patience.write)
            return decode(self._exchange(request, self._patience.write), request.asked)

        until = self._clock.now() + self._patience.write_total
        # A dry run writes nothing, so it is repeated like a read.
        again = retry.reads if dry_run else retry.writes
        return retry.repeat(attempt, self._clock, until=until, again=again)

    def locate(self, document: JsonObject, namespace: str) -> Ref:
        """Address of the object that a document of any kind describes."""
        asked = Asked("discover", str(document["apiVersion"]))
        kind = kind_of(document, lambda path: self._read(_Request("GET", path, asked, {})))
        metadata = document["metadata"]
        place = str(metadata.get("namespace") or namespace) if kind.namespaced else ""
        return Ref(kind, place, str(metadata["name"]))

    def apply(self, ref: Ref, document: JsonObject) -> JsonObject:
        """Server-side apply without force; a field that somebody else holds is a Conflict."""
        body = {**document, "metadata": {**document["metadata"]}}
        if ref.kind.namespaced:
            body["metadata"]["namespace"] = ref.namespace
        asked = Asked("apply", str(ref), secret=ref.kind == SECRET)
        query = {"fieldManager": _MANAGER}
        return self._write(_Request("PATCH", ref.path, asked, query, body, "application/apply-patch+yaml"))

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
                answer = self._read(_Request("POST", collection_path(kind, ""), asked, {}, body))
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
        answer = self._read(_Request("POST", collection_path(kind, ""), asked, {}, body))
        return bool((answer.get("status") or {}).get("allowed"))

    def logs(self, pod: Ref, container: str, *, lines: int, previous: bool = False) -> tuple[str, ...]:
        """The last lines of a container; empty where there are none or they can't be read."""
        query = {"container": container, "tailLines": str(lines)}
        if previous:
            query["previous"] = "true"
        request = _Request("GET", f"{pod.path}/log", Asked("get the log of", str(pod)), query)
        try:
            said = text(self._exchange(request, self._patience.read), request.asked)
        except ApiError:
            return ()
        return tuple(said.splitlines()[-lines:])

    def _pages(self, kind: Kind, namespace: str, query: Mapping[str, str]) -> tuple[JsonObject, ...]:
        path = collection_path(kind, namespace)
        asked = Asked("list", f"{kind.plural} in {namespace}" if namespace else kind.plural)
        found: list[JsonObject] = []
        token = ""
        while True:
            page = self._read(_Request("GET", path, asked, {**query, "continue": token} if token else query))
            if not isinstance(page.get("items"), list):
                raise ServerError(f"the API server answered with a {page.get('kind')}", where=asked.where)
            # The items of a list lack what the list says for all of them.
            found += [{"apiVersion": kind.api_version, "kind": kind.name, **item} for item in page["items"]]
            token = (page.get("metadata") or {}).get("continue") or ""
            if not token:
                return tuple(found)

    def _unserved(self, kind: Kind, error: ApiError) -> bool:
        """Whether a 404 without a Status body is the API server's own: nobody has installed that API group.

        A real API server answers `404 page not found` as text then, which a proxy might say as well; the
        list of groups tells them apart.
        """
        if error.status != HTTPStatus.NOT_FOUND or not kind.group:
            return False
        if self._served is None:
            groups = self._read(_Request("GET", "/apis", Asked("list", "API groups"), {})).get("groups") or []
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

    def _read(self, request: _Request) -> JsonObject:
        start, patience = self._clock.now(), self._patience
        end = start + max(patience.read, patience.read_total)

        def attempt() -> JsonObject:
            timeout = min(patience.read, max(end - self._clock.now(), _SHORTEST))
            return decode(self._exchange(request, timeout), request.asked)

        def again(error: BaseException) -> bool:
            unserved = isinstance(error, ServerError) and error.status == HTTPStatus.NOT_FOUND
            return retry.reads(error) and not unserved

        return retry.repeat(attempt, self._clock, until=start + patience.read_total, again=again)

    def _exchange(self, request: _Request, timeout: float) -> HttpResponse:
        try:
            return self._transport.request(
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


def _write(write: Write, query: Mapping[str, str]) -> _Request:
    """The request of a write; `query` says whether it is a dry run."""
    ref, named = write.ref, {**query, "fieldManager": _MANAGER}
    secret = ref.kind == SECRET
    match write:
        case Create():
            path = collection_path(ref.kind, ref.namespace)
            return _Request("POST", path, Asked("create", str(ref), secret=secret), named, write.body)
        case Delete():
            options = _delete_options(write, dry_run=bool(query))
            return _Request("DELETE", ref.path, Asked("delete", str(ref)), query, options)
        case Patch():
            asked = Asked("patch", str(ref), secret=secret)
            operations = list(write.operations)
            return _Request("PATCH", ref.path, asked, named, operations, "application/json-patch+json")
        case Merge():
            asked = Asked("patch", str(ref), secret=secret)
            return _Request("PATCH", ref.path, asked, named, write.body, "application/merge-patch+json")
        case _:
            assert_never(write)


def _delete_options(write: Delete, *, dry_run: bool) -> JsonObject:
    """The body of a delete. With a body the API server does not look at the query: a dry run must stand here."""
    preconditions = {"uid": write.uid}
    if write.resource_version:
        preconditions["resourceVersion"] = write.resource_version
    return {
        "kind": "DeleteOptions",
        "apiVersion": "v1",
        "propagationPolicy": "Background",
        "preconditions": preconditions,
        **({"dryRun": ["All"]} if dry_run else {}),
    }
