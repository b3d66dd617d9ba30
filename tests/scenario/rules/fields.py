"""Rule 9: only owned fields change; foreign fields stay as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.journal import Record, State
from progressive_ci.release.workload import labels_of
from progressive_ci.sandbox.json_patch import clone
from tests.scenario.rules.writes import MARK

if TYPE_CHECKING:
    from tests.scenario.oracle import Oracle

_CONTROLLERS = "deployment.kubernetes.io/"
_PROGRESS = "rollouts.argoproj.io/gatewayapi-canary"


def after(oracle: Oracle, record: Record) -> None:
    """Foreign fields of every object in the journal are as they were."""
    if oracle.meddled or record.state is State.ENDED:
        return
    for entry in record.objects:
        then, now = oracle.at_first.get(entry.ref), oracle.sandbox.store.find(entry.ref)
        if then is None or now is None:
            continue
        ours = {item.path for item in entry.originals}
        if entry.ref.kind == kinds.DEPLOYMENT:
            ours |= {"/spec/template", "/spec/replicas"}
        one, other = _foreign(then, ours), _foreign(now, ours)
        if one != other:
            oracle.say("9", f"{entry.ref}: {one} became {other}")


def _foreign(item: JsonObject, ours: set[str]) -> JsonObject:
    """What no release owns."""
    metadata = item["metadata"]
    annotations = {
        key: value
        for key, value in (metadata.get("annotations") or {}).items()
        if not key.startswith(MARK) and not key.startswith(_CONTROLLERS)
    }
    rest = {key: value for key, value in item.items() if key not in ("metadata", "status")}
    labels = {key: value for key, value in labels_of(item).items() if not key.startswith(_PROGRESS)}
    kept: JsonObject = {**clone(rest), "metadata": {"labels": labels, "annotations": annotations}}
    for path in ours:
        _cut(kept, path)
    return kept


def _cut(item: Any, path: str) -> None:  # noqa: ANN401 - any JSON value
    parts = [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]
    for part in parts[:-1]:
        item = item[int(part)] if isinstance(item, list) else (item or {}).get(part)
        if item is None:
            return
    if isinstance(item, dict):
        item.pop(parts[-1], None)
