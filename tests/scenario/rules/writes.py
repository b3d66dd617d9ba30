"""Rule 6: the journal entry comes first, and every write carries a precondition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from progressive_ci.model.document import JsonObject
from progressive_ci.model.fence import RELEASE
from progressive_ci.model.journal import Record, State
from progressive_ci.release.guard_job import guard_name
from progressive_ci.sandbox import server_side_apply
from progressive_ci.sandbox.call import Call
from tests.scenario.rules import JOURNAL, NAME

MARK = "progressive-ci/"
"""How the annotations begin that fence our writes."""

if TYPE_CHECKING:
    from tests.scenario.oracle import Oracle


def before(oracle: Oracle, call: Call, record: Record | None) -> None:
    """What a write must carry, and what must stand in the journal by then."""
    if call.content_type == server_side_apply.CONTENT_TYPE:
        _demand_unforced(oracle, call, record)
        return
    _demand_precondition(oracle, call)
    if is_of_the_release(oracle, call):
        _demand_announcement(oracle, call, record)


def is_of_the_release(oracle: Oracle, call: Call) -> bool:
    """Whether a write is about the watched workload: not about a neighbour, nor a document of `--apply-rest`."""
    if call.content_type == server_side_apply.CONTENT_TYPE:
        return False
    return not _named(call).removeprefix("progressive-ci.").startswith(oracle.neighbours)


def _demand_precondition(oracle: Oracle, call: Call) -> None:
    body: Any = call.body
    place = call.path.rpartition("/")[2]
    match call.method, call.content_type:
        case "POST", _:
            own = place in ("leases", "configmaps")
            marked = has_mark(body)
            held = own or (marked and RELEASE in (body["metadata"].get("labels") or {}))
        case "PATCH", "application/json-patch+json":
            tested = {step["path"] for step in body if step["op"] == "test"}
            fences = [path for path in tested if path == "/metadata/resourceVersion" or _is_mark(path)]
            held = "/metadata/uid" in tested and bool(fences)
        case "PATCH", _:
            held = bool(body["metadata"].get("resourceVersion"))
        case "DELETE", _:
            held = bool(body["preconditions"].get("uid") and body["preconditions"].get("resourceVersion"))
        case _:
            held = False
    if not held:
        oracle.say("6", f"{call.method} {call.path} carries no precondition: {body}")


def _demand_unforced(oracle: Oracle, call: Call, record: Record | None) -> None:
    """The one exception: `--apply-rest` writes the user's other documents, and takes no field from anybody."""
    if record is None or record.state is State.ENDED:
        oracle.say("6", f"{call.method} {call.path} without a running journal")
    elif call.query.get("force") or call.path in {entry.ref.path for entry in record.objects}:
        oracle.say("6", f"{call.path} is applied over somebody's fields")


def _demand_announcement(oracle: Oracle, call: Call, record: Record | None) -> None:
    if JOURNAL in call.path or call.path.endswith(("/leases", "/configmaps")):
        return
    if record is not None and record.guarded and f"/jobs/{guard_name(NAME)}" in f"{call.path}/{_named(call)}":
        return
    if record is None or record.state is State.ENDED:
        oracle.say("6", f"{call.method} {call.path} without a running journal")
        return
    name = _named(call)
    known = {entry.ref.name for entry in record.objects}
    if name not in known and not _is_history(call):
        oracle.say("6", f"{call.method} {call.path} is not in the journal")


def _is_history(call: Call) -> bool:
    """Marks that a controller has copied to older ReplicaSets, and who wrote them, go without an entry."""
    steps: Any = call.body or []
    written = "/metadata/managedFields/"
    marks = (
        step["op"] == "test" or _is_mark(step["path"]) or step["path"].startswith(written) for step in steps
    )
    return "/replicasets/" in call.path and call.method == "PATCH" and all(marks)


def has_mark(item: JsonObject) -> bool:
    """Whether an object carries a fence of ours."""
    return any(key.startswith(MARK) for key in item["metadata"].get("annotations") or {})


def _named(call: Call) -> str:
    """Name of the object that a write is about."""
    body: Any = call.body
    return str(body["metadata"]["name"]) if call.method == "POST" else call.path.rpartition("/")[2]


def _is_mark(path: str) -> bool:
    return path.replace("~1", "/").startswith(f"/metadata/annotations/{MARK}")
