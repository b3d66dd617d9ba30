"""The journal of a workload: the ConfigMap `progressive-ci.NAME`, whose writes survive lost answers."""

from collections.abc import Callable
from dataclasses import dataclass

from progressive_ci.adapters.recall_text import RECALL_KEY, outlasting, recalls_in
from progressive_ci.errors import (
    AlreadyExists,
    ApiError,
    Conflict,
    LeaseLost,
    NoAnswer,
    NotFound,
    ProgressiveError,
    Refused,
    ServerError,
)
from progressive_ci.model.document import JsonObject
from progressive_ci.model.journal import State
from progressive_ci.model.journal_size import LARGEST, cut, rendered
from progressive_ci.model.json_text import parsed
from progressive_ci.model.kinds import CONFIG_MAP, DEPLOYMENT, Ref
from progressive_ci.model.write import Create, Delete, Merge
from progressive_ci.ports import Cluster
from progressive_ci.release import guard_word

KEY = "journal.json"
_MANAGED = {"app.kubernetes.io/managed-by": "progressive-ci"}
_ATTEMPTS = 8
"""As many as other objects get (`release/release.py`): between two of them the ConfigMap could be read."""
_UNCLEAR = (NoAnswer, ServerError, Conflict, AlreadyExists, NotFound)
"""Answers after which the ConfigMap must be read again: what was sent may stand there by now."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """The ConfigMap as it was when we read or wrote it last."""

    version: str
    text: str
    owned: bool
    recalls: tuple[JsonObject, ...]


class ClusterJournal:
    """`ports.Journal`.

    It belongs to the Deployment NAME, so that it goes when that is deleted; no controller acts on that.
    """

    def __init__(
        self, name: str, namespace: str, *, cluster: Cluster, hide: Callable[[str], str] = str
    ) -> None:
        self._hide = hide
        self._ref = Ref(CONFIG_MAP, namespace, f"progressive-ci.{name}")
        self._owner = Ref(DEPLOYMENT, namespace, name)
        self._forget = f"progressive-ci forget {name} --namespace {namespace}"
        self._cluster = cluster
        self._seen: _Seen | None = None
        self._unconfirmed: set[str] = set()

    def read(self) -> JsonObject | None:
        """The record, None where there is none; see `ports.Journal`."""
        found = self._cluster.get(self._ref)
        if found is None:
            self._seen = None
            return None
        self._check_ours(found)
        self._seen = _seen(found)
        try:
            record = parsed(self._seen.text)
        except ValueError as error:
            raise self._unreadable(f"`{KEY}` is no JSON: {error}") from error
        if not isinstance(record, dict):
            raise self._unreadable(f"`{KEY}` holds no record")
        return record

    def write(self, record: JsonObject) -> None:
        """Store the record on top of what was read or written last; see `ports.Journal`.

        Raises:
            LeaseLost: somebody else has written it since.
            ProgressiveError: it is larger than the API server should be made to bear.
        """
        record = _worded(record, self._hide)
        text = rendered(record)
        if len(text.encode()) > LARGEST:
            size = f"{len(text.encode())} bytes, more than {LARGEST}"
            raise ProgressiveError(f"the journal would have {size}", where=str(self._ref))
        problem: ApiError | None = None
        for _ in range(_ATTEMPTS):
            # A signal may end the wait for an answer: what was sent may stand there when the next entry comes.
            self._unconfirmed.add(text)
            try:
                self._seen = _seen(self._send({KEY: text, **self._answered(record)}))
            except _UNCLEAR as error:
                problem = error
                if not self._stands(text):
                    continue
            self._unconfirmed.clear()
            return
        if problem is not None:
            raise problem

    def forget(self) -> None:
        """Delete it, readable or not."""
        problem: ApiError | None = None
        for _ in range(_ATTEMPTS):
            found = self._cluster.get(self._ref)
            if found is None:
                return
            self._check_ours(found)
            metadata = found["metadata"]
            try:
                self._cluster.send(Delete(self._ref, metadata["uid"], metadata["resourceVersion"]))
            except _UNCLEAR as error:
                problem = error
                continue
            return
        if problem is not None:
            raise problem

    def _answered(self, record: JsonObject) -> JsonObject:
        """What goes with the last entry: nobody of this release listens any more, and nobody watches."""
        if record.get("state") != State.ENDED.name:
            return {}
        there = self._seen.recalls if self._seen is not None else ()
        return {RECALL_KEY: outlasting(there, record), guard_word.KEY: None}

    def _send(self, data: JsonObject) -> JsonObject:
        seen = self._seen
        metadata: JsonObject = {}
        if seen is None or not seen.owned:
            metadata = self._owners()
        if seen is not None:
            metadata["resourceVersion"] = seen.version
            return self._cluster.send(Merge(self._ref, {"metadata": metadata, "data": data}))
        metadata |= {"name": self._ref.name, "namespace": self._ref.namespace, "labels": _MANAGED}
        body = {"apiVersion": "v1", "kind": CONFIG_MAP.name, "metadata": metadata, "data": {KEY: data[KEY]}}
        return self._cluster.send(Create(self._ref, body))

    def _owners(self) -> JsonObject:
        """The reference to the Deployment, once there is one."""
        owner = self._cluster.get(self._owner)
        if owner is None:
            return {}
        reference = {
            "apiVersion": DEPLOYMENT.api_version,
            "kind": DEPLOYMENT.name,
            "name": self._owner.name,
            "uid": owner["metadata"]["uid"],
        }
        return {"ownerReferences": [reference]}

    def _stands(self, text: str) -> bool:
        """Whether what was sent stands in the cluster although no answer said so.

        False: it doesn't, nothing else does, and it may be sent again on top of what was read just now.

        Raises:
            LeaseLost: something else stands there.
        """
        before = self._seen
        found = self._cluster.get(self._ref)
        self._seen = _seen(found) if found is not None else None
        if self._seen is None or self._seen.text == text:
            return self._seen is not None
        if self._seen.text not in {*self._unconfirmed, before.text if before else text}:
            raise LeaseLost(
                "another run has written the journal",
                where=str(self._ref),
                advice="see how that run ends; this one writes nothing more",
            )
        return False

    def _check_ours(self, found: JsonObject) -> None:
        labels = found["metadata"].get("labels") or {}
        if not _MANAGED.items() <= labels.items():
            raise Refused(
                ProgressiveError(
                    "a ConfigMap of somebody else has the journal's name",
                    where=str(self._ref),
                    advice="rename or delete it",
                )
            )

    def _unreadable(self, what: str) -> Refused:
        advice = f"see what the last release left, then remove the journal: `{self._forget}`"
        return Refused(ProgressiveError(what, where=str(self._ref), advice=advice))


def _seen(found: JsonObject) -> _Seen:
    metadata = found["metadata"]
    text = (found.get("data") or {}).get(KEY) or ""
    return _Seen(metadata["resourceVersion"], text, bool(metadata.get("ownerReferences")), recalls_in(found))


def _worded(record: JsonObject, hide: Callable[[str], str]) -> JsonObject:
    """The record with no secret in its sentences, which may quote servers and bugs of ours, and none too long.

    What is cut first may end within a secret, of which nothing would be hidden any more.
    """
    kept: JsonObject = dict(record)
    kept |= {name: cut(hide(record[name])) for name in ("reason", "why", "override") if name in record}
    for name, field in (("evidence", "value"), ("endings", "reason")):
        if name in record:
            kept[name] = [{**each, field: cut(hide(each[field]))} for each in record[name]]
    return kept
