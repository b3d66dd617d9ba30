"""Another run of the tool, as far as this one can see it: its lease, its journal, and that it listens."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from progressive_ci.adapters.recall_text import recalls_in
from progressive_ci.model import kinds
from progressive_ci.model.codec import encode
from progressive_ci.model.document import JsonObject
from progressive_ci.model.journal import Ending, Record, Side, Stage, State
from progressive_ci.model.outcome import Result
from progressive_ci.model.position import Position
from progressive_ci.sandbox.store import Change
from tests.scenario.scene import NAME, NAMESPACE, Scene

OBJECT = f"progressive-ci.{NAME}"
_SECONDS = 30
_BACK = 5.0
"""Seconds that its rollback takes."""


@dataclass(slots=True)
class Rival:
    """It runs in a scene where a release has ended before, so that there is a journal to write.

    Attributes:
        scene: where.
        release: its id.
        position: of its commit.
        stage: how far it is.
        recalls: what it was asked, as it stood in the journal.
    """

    scene: Scene
    release: str = "x1"
    position: Position = field(default_factory=Position)
    stage: Stage = Stage.STEPPING
    recalls: list[JsonObject] = field(default_factory=list)
    _stop: Callable[[], None] = lambda: None
    _runs: bool = False

    def begins(self) -> "Rival":
        """It has the lease, and its first entry stands."""
        self._runs = True
        serving = self._record().canary
        self._write(
            release=self.release,
            stable=replace(serving, reused=False),
            canary=Side("rival", f"{NAME}-rival"),
            held=serving.hash,
            state=State.RUNNING,
            stage=self.stage,
            position=self.position,
            objects=(),
            pinned=(),
            result=None,
            reason="",
        )
        self._renew()
        self._stop = self.scene.sandbox.clock.repeat(10.0, self._renew)
        self.scene.sandbox.store.subscribe(self._hear, kinds.CONFIG_MAP)
        return self

    def ends(self, result: Result, reason: str = "as it went") -> None:
        """Its last entry stands, and it gives the lease up."""
        if not self._runs:
            return
        self._runs = False
        record = self._record()
        at = self.scene.sandbox.clock.wall().strftime("%Y-%m-%dT%H:%M:%SZ")
        ending = Ending(self.release, result, reason, record.canary.hash, at)
        deployed = self.position if result is Result.PROMOTED else record.deployed
        self._write(
            state=State.ENDED,
            stage=Stage.DONE,
            result=result,
            reason=reason,
            endings=(*record.endings, ending),
            deployed=deployed,
        )
        self.dies()
        self._lease({"leaseTransitions": 7})

    def dies(self) -> None:
        """It renews its lease no more."""
        self._runs = False
        self._stop()

    def _hear(self, change: Change) -> None:
        if not self._runs or self.recalls or change.object["metadata"]["name"] != OBJECT:
            return
        for recall in recalls_in(change.object):
            if recall["release"] != self.release:
                continue
            self.recalls.append(recall)
            if self.stage is not Stage.PROMOTING:
                clock = self.scene.sandbox.clock
                clock.at(clock.now() + _BACK, lambda: self.ends(Result.CANCELLED, "as it was asked"))

    def _record(self) -> Record:
        record = self.scene.oracle.record
        assert record is not None
        return record

    def _write(self, **changes: object) -> None:
        found = self.scene.sandbox.get(kinds.CONFIG_MAP, NAMESPACE, OBJECT)
        assert found is not None
        record = replace(self._record(), **changes)  # type: ignore[arg-type]  # fields of the record
        data = {**found["data"], "journal.json": json.dumps(encode(record))}
        if record.state is State.ENDED:
            data.pop("recall.json", None)
        self.scene.sandbox.apply({**found, "data": data})

    def _renew(self) -> None:
        at = self.scene.sandbox.clock.wall().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        self._lease(
            {
                "holderIdentity": f"{self.release} other",
                "leaseDurationSeconds": _SECONDS,
                "leaseTransitions": 7,
                "renewTime": at,
            }
        )

    def _lease(self, spec: JsonObject) -> None:
        metadata = {"name": OBJECT, "namespace": NAMESPACE}
        body = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}
        self.scene.sandbox.apply(body)
