"""Somebody who may edit ConfigMaps, and nothing else, at the journal of a release."""

import json
from collections.abc import Callable
from typing import Any

from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.journal import Record, Stage
from progressive_ci.sandbox import faults
from progressive_ci.sandbox.json_patch import clone
from tests.scenario.rules import JOURNAL
from tests.scenario.scene import NAMESPACE, Scene
from tests.security import bystanders

LEASE_SECONDS = 40
Moment = Callable[[Record], bool]

MOMENTS: dict[str, Moment] = {
    "before its first write": lambda record: record.stage is Stage.PREPARING,
    "with traffic on the canary": lambda record: record.stage is Stage.STEPPING and record.weight > 0,
    "in the promotion": lambda record: record.stage is Stage.PROMOTING,
    "in the cleaning up": lambda record: record.stage is Stage.COMMITTED,
}
"""When the runner dies: before the first write after which the journal says so."""


def dies(scene: Scene, moment: Moment) -> None:
    """The next run is killed at its first write to an object in such a moment."""

    def chosen(_: int, call: Any) -> bool:  # noqa: ANN401 - the sandbox's call
        record = scene.oracle.record
        own = any(part in call.path for part in ("/leases", "/configmaps"))
        return record is not None and not own and call.method != "GET" and not call.dry and moment(record)

    scene.sandbox.faults.plan(faults.kill_before(), when=chosen)


def deserted(scene: Scene, text: str, moment: Moment) -> JsonObject:
    """A release whose runner has died, among bystanders; its journal."""
    bystanders.join(scene)
    scene.oracle.next_release()
    dies(scene, moment)
    run = scene.released(text)
    assert run.outcome is None, run.outcome
    scene.sandbox.clock.run(LEASE_SECONDS)
    return journal(scene)


def journal(scene: Scene) -> JsonObject:
    """What stands in the ConfigMap."""
    found = scene.sandbox.get(kinds.CONFIG_MAP, NAMESPACE, JOURNAL)
    assert found is not None
    body: JsonObject = json.loads(found["data"]["journal.json"])
    return body


def edited(scene: Scene, body: object) -> None:
    """Somebody edits the ConfigMap; from now on the oracle can't read it."""
    found = scene.sandbox.get(kinds.CONFIG_MAP, NAMESPACE, JOURNAL)
    assert found is not None
    scene.oracle.blind = True
    wanted = clone(found)
    wanted["data"]["journal.json"] = body if isinstance(body, str) else json.dumps(body)
    scene.sandbox.apply(wanted)


def entry(
    kind: str,
    name: str,
    *,
    namespace: str = NAMESPACE,
    created: bool = False,
    **originals: Any,  # noqa: ANN401 - JSON
) -> JsonObject:
    """An entry of the journal's objects; `__` in a path stands for a slash."""
    given = [
        {"is": "Original", "path": path.replace("__", "/"), "present": True, "value": value}
        for path, value in originals.items()
    ]
    ref = {"is": "Ref", "kind": kind, "namespace": namespace, "name": name}
    return {"is": "Owned", "ref": ref, "uid": "", "created": created, "originals": given}
