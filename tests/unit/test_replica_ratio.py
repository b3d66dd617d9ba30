"""Pods instead of a router."""

from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from progressive_ci.errors import ProgressiveError
from progressive_ci.model.kinds import DEPLOYMENT, REPLICA_SET, Ref
from progressive_ci.model.route import RatioSettings, Route
from progressive_ci.model.weight import NONE, Weight
from progressive_ci.model.write import Patch, add, replace
from progressive_ci.model.write import test as still
from progressive_ci.routers import replica_ratio
from progressive_ci.routers.replica_arithmetic import (
    Counts,
    Limits,
    Pods,
    approximate,
    limits,
    next_counts,
)
from progressive_ci.routers.router import Objects

WEB = Ref(DEPLOYMENT, "shop", "web")
SET = Ref(REPLICA_SET, "shop", "web-5d9f")


def route(size: int, surge: int | str = 1, unavailable: int | str = 0) -> Route:
    return Route("ratio", "web", "shop", "", "", RatioSettings(surge, unavailable, "web-5d9f", size))


def objects(stable: Pods, canary: Pods) -> Objects:
    return {
        ref: {
            "metadata": {"name": ref.name, "generation": 2},
            "spec": {"replicas": pods.desired},
            "status": {
                "observedGeneration": 2,
                "replicas": pods.desired,
                "readyReplicas": pods.available,
                "availableReplicas": pods.available,
            },
        }
        for ref, pods in ((WEB, stable), (SET, canary))
    }


def test_a_raise_starts_the_canary_within_the_surge() -> None:
    writes = replica_ratio.shift(route(10), objects(Pods(10, 10), Pods(0, 0)), Weight(20))
    assert writes == (Patch(SET, (still("/spec/replicas", 0), replace("/spec/replicas", 1))),)


def test_the_old_version_shrinks_only_when_the_new_pods_are_available() -> None:
    waiting = objects(Pods(10, 10), Pods(1, 0))
    assert replica_ratio.shift(route(10), waiting, Weight(20)) == ()
    assert not replica_ratio.reached(route(10), waiting, Weight(20))
    ready = objects(Pods(10, 10), Pods(1, 1))
    assert replica_ratio.shift(route(10), ready, Weight(20)) == (
        Patch(WEB, (still("/spec/replicas", 10), replace("/spec/replicas", 9))),
    )


def test_a_status_of_an_older_generation_is_not_believed() -> None:
    seen = deepcopy(dict(objects(Pods(8, 8), Pods(2, 2))))
    assert replica_ratio.reached(route(10), seen, Weight(20))
    seen[SET]["status"]["observedGeneration"] = 1
    assert not replica_ratio.reached(route(10), seen, Weight(20))


@pytest.mark.parametrize("ref", [WEB, SET], ids=["stable", "canary"])
def test_nothing_shrinks_while_a_status_may_count_pods_that_an_earlier_size_has_sent_away(ref: Ref) -> None:
    seen = deepcopy(dict(objects(Pods(4, 2), Pods(3, 3))))
    lower = replica_ratio.shift(route(4), seen, NONE)
    assert Patch(SET, (still("/spec/replicas", 3), replace("/spec/replicas", 2))) in lower
    seen[ref]["status"]["observedGeneration"] = 1
    assert replica_ratio.shift(route(4), seen, NONE) == ()


def test_the_safe_write_raises_stable_at_once_and_keeps_only_the_canary_pods_it_lacks() -> None:
    writes = replica_ratio.withdraw(route(10, unavailable="25%"), objects(Pods(4, 4), Pods(6, 6)))
    assert writes == (
        Patch(WEB, (add("/spec/replicas", 10),)),
        Patch(SET, (add("/spec/replicas", 4),)),
    )


def test_the_safe_write_ends_a_canary_that_stable_does_not_need() -> None:
    writes = replica_ratio.withdraw(route(10), objects(Pods(10, 10), Pods(1, 0)))
    assert writes[1] == Patch(SET, (add("/spec/replicas", 0),))


@pytest.mark.parametrize(
    ("stable", "canary", "weight"),
    [(10, 0, 0), (8, 2, 20), (200, 1, 1), (0, 3, 100), (0, 0, 0)],
)
def test_the_weight_is_the_share_of_ready_pods_and_never_0_with_a_canary(
    stable: int, canary: int, weight: int
) -> None:
    seen = objects(Pods(stable, stable), Pods(canary, canary))
    assert replica_ratio.weight(route(10), seen) == Weight(weight)


def test_a_deployment_without_replicas_has_one() -> None:
    seen = deepcopy(dict(objects(Pods(1, 1), Pods(0, 0))))
    del seen[WEB]["spec"]["replicas"]
    assert replica_ratio.reached(route(1), seen, NONE)


def test_the_plan_tells_what_each_weight_comes_to() -> None:
    weights = tuple(Weight(percent) for percent in (5, 20, 50, 100))
    rows = replica_ratio.achievable(weights, 4, "25%", "25%")
    assert [(row.asked.percent, row.canary, row.stable, row.percent) for row in rows] == [
        (5, 1, 4, 20.0),
        (20, 1, 4, 20.0),
        (50, 2, 2, 50.0),
        (100, 4, 0, 100.0),
    ]


def test_nothing_is_achievable_without_pods() -> None:
    (row,) = replica_ratio.achievable((Weight(50),), 0, 1, 0)
    assert (row.canary, row.stable, row.percent) == (0, 0, 0.0)


@pytest.mark.parametrize(
    ("size", "surge", "unavailable", "expected"),
    [
        (10, "25%", "25%", (3, 2)),
        (10, 2, 0, (2, 0)),
        (10, "0%", "5%", (0, 1)),
        (3, 0, 5, (0, 5)),
        (10, "30", "10", (3, 1)),
    ],
    ids=["rounded apart", "numbers", "one is always missing", "more than there are", "a text is percent"],
)
def test_limits_are_resolved_as_kubernetes_does(
    size: int, surge: int | str, unavailable: int | str, expected: tuple[int, int]
) -> None:
    bounds = limits(size, surge, unavailable)
    assert (bounds.surge, bounds.unavailable) == expected
    assert bounds.least >= 0


def test_a_limit_that_is_no_number_says_so() -> None:
    with pytest.raises(ProgressiveError) as caught:
        limits(10, "many", 0)
    assert str(caught.value) == "maxSurge: 'many' is neither a number nor a percentage; write 2 or 25%"


@given(size=st.integers(1, 200), weight=st.integers(0, 100), surge=st.integers(0, 3))
def test_the_share_of_pods_is_within_one_pod_of_the_weight(size: int, weight: int, surge: int) -> None:
    counts = approximate(size, weight, surge)
    total = counts.canary + counts.stable
    assert total in ({size, size + 1} if surge else {size})
    assert abs(100 * counts.canary / total - weight) <= 100 / size
    if 0 < weight < 100 and (size > 1 or surge):
        assert counts.canary
        assert counts.stable


@given(
    size=st.integers(1, 20),
    start=st.integers(0, 100),
    goal=st.integers(0, 100),
    surge=st.integers(0, 3),
    unavailable=st.integers(0, 3),
)
def test_every_round_keeps_to_the_limits_and_the_last_one_arrives(
    size: int, start: int, goal: int, surge: int, unavailable: int
) -> None:
    bounds = limits(size, surge, unavailable)
    first = approximate(size, start, bounds.surge)
    target = approximate(size, goal, bounds.surge)
    canary, stable = Pods(first.canary, first.canary), Pods(first.stable, first.stable)
    for _ in range(4 * size):
        step = next_counts(target, bounds, canary, stable)
        kept = min(step.canary, canary.available) + min(step.stable, stable.available)
        assert step.canary + step.stable <= max(bounds.most, canary.desired + stable.desired)
        assert kept >= min(bounds.least, canary.available + stable.available)
        canary, stable = Pods(step.canary, step.canary), Pods(step.stable, step.stable)
    assert Counts(canary.desired, stable.desired) == target


def test_older_pods_go_before_either_version_shrinks() -> None:
    bounds = Limits(10, 0, 1)
    assert next_counts(Counts(3, 7), bounds, Pods(4, 2), Pods(8, 6), older=3) == Counts(4, 8)
