"""Rules 7 and 10: only the holder of the Lease writes, with the current epoch, and never blindly once more."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from progressive_ci.model import kinds
from progressive_ci.model.fence import annotations_of, epoch_key, epoch_of
from progressive_ci.model.journal import Record, State
from progressive_ci.model.write import pointer
from progressive_ci.sandbox.call import Call
from progressive_ci.sandbox.faults import Exchange
from progressive_ci.sandbox.store import Change
from tests.scenario.rules import JOURNAL, NAME, NAMESPACE

if TYPE_CHECKING:
    from tests.scenario.oracle import Oracle

_MARK = pointer("metadata", "annotations", epoch_key(NAME))


@dataclass(slots=True)
class Holders:
    """What was seen of the Lease, and of writes that were refused.

    Attributes:
        renewed: when the Lease was written last, by the world's clock.
        refused: by path, the write that met a conflict; nobody has read the object since.
    """

    renewed: float = float("-inf")
    refused: dict[str, object] = field(default_factory=dict)

    def lease_changed(self, oracle: Oracle, change: Change) -> None:
        """It counts from here."""
        if change.object["metadata"]["name"] == JOURNAL:
            self.renewed = oracle.sandbox.clock.now()

    def before(self, oracle: Oracle, call: Call, record: Record | None) -> None:
        """Whoever sends a write holds the Lease, and knows of no conflict that it has not looked at."""
        if self.refused.get(call.path) == call.body:
            oracle.say(
                "10", f"{call.method} {call.path} again after a conflict, without a look at the object"
            )
        if _is_own(call) or record is None or record.state is State.ENDED:
            return
        lease = oracle.sandbox.get(kinds.LEASE, NAMESPACE, JOURNAL)
        if lease is None:
            return  # somebody has deleted it, and the holder sees that when it renews it next
        spec = lease["spec"]
        holder = str(spec.get("holderIdentity") or "nobody").partition(" ")[0]
        if holder != record.release:
            oracle.say("7", f"{call.method} {call.path} for {record.release}, the Lease is held by {holder}")
        age = oracle.sandbox.clock.now() - self.renewed
        if age > spec.get("leaseDurationSeconds", 0):
            oracle.say("lease", f"{call.method} {call.path} on a Lease that was renewed {age:.0f} s ago")

        if not _is_claim(call):
            _demand_fences(oracle, call, record)

    def after(self, oracle: Oracle, done: Exchange, before: Record | None) -> None:
        """What took effect had the epoch that the journal says."""
        call = done.call
        if call.method == "GET":
            self.refused = {
                path: body for path, body in self.refused.items() if not path.startswith(call.path)
            }
        elif done.status == 409 and call.method in ("PATCH", "DELETE") and not call.dry:
            self.refused[call.path] = call.body
        if not done.writes or not done.applied or done.status >= 300 or before is None:
            return
        epoch = epoch_said(call)
        if call.method == "PATCH" and not _is_own(call) and epoch not in ("", str(before.epoch)):
            oracle.say("7", f"{call.path} was written with epoch {epoch}, the journal says {before.epoch}")


def _demand_fences(oracle: Oracle, call: Call, record: Record) -> None:
    """Before anything else a take-over puts its epoch on every object, so that a zombie reaches none.

    What a zombie has created since goes as it is.
    """
    rest = (each for each in record.objects if (call.method, call.path) != ("DELETE", each.ref.path))
    for entry in rest:
        epoch = epoch_of(oracle.sandbox.store.find(entry.ref) or {}, NAME)
        if epoch is not None and epoch < record.epoch:
            oracle.say("7", f"{call.method} {call.path} while {entry.ref} still carries epoch {epoch}")


def _is_claim(call: Call) -> bool:
    """Whether a write does nothing but put the marks on."""
    body: Any = call.body
    return call.method == "PATCH" and all(
        step["op"] == "test" or step["path"].startswith("/metadata/annotations") for step in body
    )


def demand_epoch(oracle: Oracle, before: Record | None, now: Record) -> None:
    """No entry of a release goes behind the epoch of the one before."""
    if before is not None and before.release == now.release and now.epoch < before.epoch:
        oracle.say("7", f"the epoch of {now.release} goes from {before.epoch} to {now.epoch}")


def epoch_said(call: Call) -> str:
    """The epoch that a write tests or puts on; empty for none."""
    body: Any = call.body
    if isinstance(body, list):
        for step in body:
            if step["path"] == _MARK and "value" in step:
                return str(step["value"])
            if step["path"] == "/metadata/annotations" and step["op"] == "add":
                return str(step["value"].get(epoch_key(NAME), ""))
        return ""
    return str(annotations_of(body or {}).get(epoch_key(NAME), ""))


def _is_own(call: Call) -> bool:
    """The Lease and the journal have their own preconditions, and others ask through the journal."""
    return "/leases" in call.path or "/configmaps" in call.path
