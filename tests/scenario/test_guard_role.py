"""The guard's Role right by right: what a guard asks for, whenever its run died, is all that the Role allows.

That it is enough is shown by every other scenario with a guard, which has no other rights.
"""

from collections.abc import Iterator

from progressive_ci.release.canary_deployment import canary_name
from progressive_ci.release.rights import guard_rights
from progressive_ci.sandbox import faults
from tests.scenario import guards
from tests.scenario.rows import Row
from tests.scenario.scene import NAME, Scene, planned
from tests.scenario.test_guard import dead_at
from tests.scenario.test_interrupted import LONGEST, rows

_STEP = 17
_VERBS = {"PATCH": "patch", "DELETE": "delete", "POST": "create"}
_SELDOM = {
    ("create", "leases", ""): "somebody has deleted the Lease",
    ("get", "horizontalpodautoscalers", ""): "an autoscaler's floor was lifted",
    ("patch", "horizontalpodautoscalers", ""): "an autoscaler's floor was lifted",
    ("get", "replicasets", ""): "in place: why the old pods don't come",
    ("list", "pods", ""): "in place: why the old pods don't come",
}
"""What only some rescues need, and when."""

Right = tuple[str, str, str]


def _used(scene: Scene) -> Iterator[Right]:
    for done in guards.watched(scene).requests:
        call = done.call
        _, namespaced, rest = call.path.partition("/namespaces/")
        if call.user != guards.ACCOUNT or not namespaced:
            continue
        _, plural, *name = rest.split("/")
        looks = "get" if name else "list"
        yield _VERBS.get(call.method, looks), plural, "/".join(name)


def _of_another_way(row: Row) -> set[Right]:
    """Whether a release makes a ReplicaSet, takes an earlier one or rolls is not known when the Role is made."""
    own = {("delete", "replicasets", "")}
    rolls = {(verb, "deployments", canary_name(NAME)) for verb in ("get", "patch", "delete")}
    return own if row.name == "roll" else own | rolls if row.name == "an earlier version" else rolls


@rows
def test_a_guard_has_no_right_that_no_rescue_needs(row: Row) -> None:
    used: set[Right] = set()
    for number in range(30, LONGEST, _STEP):
        scene, _, at_request = dead_at(row, number, faults.kill_before())
        if at_request is None:
            break
        if guards.is_there(scene):
            used.update(_used(scene))
    allowed = {(access.verb, access.resource, access.name) for access in guard_rights(planned(row.text))}
    idle = {
        (verb, plural, name)
        for verb, plural, name in allowed
        if not any((verb, plural) == one[:2] and name in ("", one[2]) for one in used)
    }
    assert idle <= {*_SELDOM, *_of_another_way(row)}
