from progressive_ci.model.document import JsonObject
from progressive_ci.release.evictions import evictions


def pod(name: str, *, reason: str, node: str = "", phase: str = "Running") -> JsonObject:
    condition = {"type": "DisruptionTarget", "status": "True", "reason": reason}
    spec = {"nodeName": node} if node else {}
    return {"metadata": {"name": name}, "spec": spec, "status": {"phase": phase, "conditions": [condition]}}


def test_the_pods_of_a_node_are_told_together_and_not_all_by_name() -> None:
    moved = [pod(f"web-{number}", reason="EvictionByEvictionAPI", node="a") for number in range(5)]
    lone = pod("web-9", reason="PreemptionByScheduler")
    first, second = evictions((*moved, lone))
    assert first.startswith(
        "web-0, web-1, web-2 and 2 more are being evicted from node a (EvictionByEvictionAPI)"
    )
    assert second.startswith("web-9 is being evicted (PreemptionByScheduler)")


def test_what_an_earlier_shutdown_of_a_node_left_behind_is_nothing_new() -> None:
    assert not evictions([pod("web-0", reason="TerminationByKubelet", phase="Failed")])


def test_a_pod_that_nobody_evicts_is_not_told_of() -> None:
    ready = {"type": "Ready", "status": "True"}
    calm = {"metadata": {"name": "web-0"}, "spec": {}, "status": {"conditions": [ready]}}
    assert not evictions([calm, {"metadata": {"name": "web-1"}, "spec": {}}])
