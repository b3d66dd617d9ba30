"""What every row of the routers' table keeps to."""

import re
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from progressive_ci.model.document import JsonObject
from progressive_ci.model.fence import Fence, fenced
from progressive_ci.model.kinds import DEPLOYMENT
from progressive_ci.model.weight import ALL, NONE, Weight
from progressive_ci.model.write import Delete, Patch, Write
from progressive_ci.routers.router import Router
from progressive_ci.routers.table import ROUTERS, router_of
from tests.contract.interpreter import PreconditionFailed, apply
from tests.contract.samples import SAMPLES, Cluster, Sample, cluster

ROUNDS = 100
EVERY_WEIGHT = tuple(Weight(percent) for percent in range(101))
SOME_WEIGHTS = tuple(Weight(percent) for percent in (0, 1, 5, 33, 50, 99, 100))
DOCS = Path(__file__).parents[2] / "docs" / "routers.md"

every_router = pytest.mark.parametrize("name", ROUTERS)


def subject(name: str) -> tuple[Router, Sample]:
    return ROUTERS[name], SAMPLES[name]


def go(router: Router, sample: Sample, objects: Cluster, weight: Weight) -> None:
    """Shift, and let the controllers work, until nothing is left to write."""
    for _ in range(ROUNDS):
        writes = router.shift(sample.route, objects, weight)
        if not writes:
            return
        apply(objects, *writes)
        sample.react(objects)
    raise AssertionError(f"still writing after {ROUNDS} rounds")


def retreat(router: Router, sample: Sample, objects: Cluster) -> None:
    """Withdraw until the canary carries nothing."""
    for _ in range(ROUNDS):
        apply(objects, *router.withdraw(sample.route, objects))
        sample.react(objects)
        if router.reached(sample.route, objects, NONE):
            return
    raise AssertionError(f"still carrying after {ROUNDS} rounds")


def between(router: Router, sample: Sample) -> Iterator[tuple[Cluster, Weight]]:
    """Every kind of state that a shift may start from, with where it may go."""
    for start in SOME_WEIGHTS:
        objects = cluster(sample)
        go(router, sample, objects, start)
        for goal in SOME_WEIGHTS:
            yield deepcopy(objects), goal


def unowned(sample: Sample, objects: Cluster) -> dict[str, JsonObject]:
    """What must stay byte for byte: everything but the owned fields and what a server counts itself."""
    left = {}
    for ref in sample.rest:
        body = sample.owned(deepcopy(objects[ref]))
        for field in ("resourceVersion", "generation"):
            del body["metadata"][field]
        body.pop("status", None)
        left[str(ref)] = body
    return left


def test_every_row_has_a_sample() -> None:
    assert set(SAMPLES) == set(ROUTERS)


def test_every_row_has_its_line_in_the_docs() -> None:
    rows = [
        [cell.strip().strip("`") for cell in line.strip("|\n").split("|")]
        for line in DOCS.read_text(encoding="utf-8").splitlines()
        if re.match(r"\| `", line)
    ]
    assert [row[:4] for row in rows] == [
        [name, router.OBJECT, "yes" if router.ACKNOWLEDGES else "no", f"{router.SETTLE:g} s"]
        for name, router in ROUTERS.items()
    ]


@every_router
def test_a_route_finds_its_router(name: str) -> None:
    router, sample = subject(name)
    assert router_of(sample.route) is router


@every_router
def test_the_sample_is_usable_as_it_is(name: str) -> None:
    router, sample = subject(name)
    assert router.complaints(sample.route, sample.rest) == ()


@every_router
def test_what_was_set_reads_back_for_every_weight(name: str) -> None:
    router, sample = subject(name)
    objects = cluster(sample)
    for weight in EVERY_WEIGHT:
        go(router, sample, objects, weight)
        assert router.weight(sample.route, objects) == sample.expected(weight)
        assert router.reached(sample.route, objects, weight)
        assert router.shift(sample.route, objects, weight) == ()
        assert set(sample.totals(objects)) == {100}


@every_router
def test_another_weight_is_not_reached(name: str) -> None:
    router, sample = subject(name)
    objects = cluster(sample)
    go(router, sample, objects, Weight(50))
    assert not router.reached(sample.route, objects, NONE)
    assert not router.reached(sample.route, objects, ALL)


@pytest.mark.parametrize("name", [name for name, router in ROUTERS.items() if router.ACKNOWLEDGES])
def test_a_write_that_no_controller_has_seen_is_not_reached(name: str) -> None:
    router, sample = subject(name)
    objects = cluster(sample)
    go(router, sample, objects, NONE)
    apply(objects, *router.shift(sample.route, objects, Weight(20)))
    assert not router.reached(sample.route, objects, Weight(20))


@every_router
def test_a_round_writes_each_object_once_and_tests_before_it_changes(name: str) -> None:
    router, sample = subject(name)
    for objects, goal in between(router, sample):
        for writes in (router.shift(sample.route, objects, goal), router.withdraw(sample.route, objects)):
            assert len({write.ref for write in writes}) == len(writes)
            for write in writes:
                kinds = [one["op"] == "test" for one in getattr(write, "operations", ())]
                assert kinds == sorted(kinds, reverse=True)


@every_router
def test_the_safe_write_empties_every_rule_from_every_state(name: str) -> None:
    router, sample = subject(name)
    for objects, _ in between(router, sample):
        retreat(router, sample, objects)
        assert router.weight(sample.route, objects) == NONE


@every_router
def test_the_safe_write_holds_after_a_shift_that_was_on_its_way(name: str) -> None:
    router, sample = subject(name)
    for objects, goal in between(router, sample):
        safe = router.withdraw(sample.route, objects)
        apply(objects, *router.shift(sample.route, objects, goal))
        sample.react(objects)
        for write in safe:
            try:
                apply(objects, write)
            except PreconditionFailed:
                # A delete carries its version, and a label may be gone already: read, render, send.
                assert isinstance(write, Delete) or goal == NONE
        sample.react(objects)
        retreat(router, sample, objects)
        assert router.weight(sample.route, objects) == NONE


@every_router
def test_a_claimed_object_takes_the_safe_write_unread_but_not_from_a_former_holder(
    name: str,
) -> None:
    router, sample = subject(name)
    objects = cluster(sample)
    go(router, sample, objects, Weight(20))
    for ref in tuple(objects):
        apply(objects, fenced(Patch(ref, ()), objects[ref], Fence("web", 2, "web")))
    safe = armed(router, sample, objects, epoch=2)
    shift = router.shift(sample.route, objects, Weight(50))
    patches = [write for write in shift if isinstance(write, Patch)]
    apply(objects, *(fenced(write, objects[write.ref], Fence("web", 2, "web")) for write in patches))
    sample.react(objects)
    apply(objects, *(write for write in safe if isinstance(write, Patch)))
    sample.react(objects)
    retreat(router, sample, objects)
    for ref in tuple(objects):
        apply(objects, fenced(Patch(ref, ()), objects[ref], Fence("web", 3, "web")))
    for write in safe:
        with pytest.raises(PreconditionFailed):
            apply(objects, write)


def armed(router: Router, sample: Sample, objects: Cluster, *, epoch: int) -> list[Write]:
    """The safe write as a holder would send it."""
    writes = router.withdraw(sample.route, objects)
    return [fenced(write, objects[write.ref], Fence("web", epoch, "web")) for write in writes]


@every_router
def test_a_shift_that_comes_after_the_safe_write_gives_the_canary_nothing(name: str) -> None:
    router, sample = subject(name)
    for objects, goal in between(router, sample):
        if router.weight(sample.route, objects) == NONE:
            continue
        late = router.shift(sample.route, objects, goal)
        retreat(router, sample, objects)
        for write in late:
            with suppress(PreconditionFailed):
                apply(objects, write)
        sample.react(objects)
        assert router.weight(sample.route, objects) == NONE


@every_router
def test_nothing_foreign_changes(name: str) -> None:
    router, sample = subject(name)
    objects = cluster(sample)
    go(router, sample, objects, Weight(20))
    retreat(router, sample, objects)
    go(router, sample, objects, NONE)
    assert unowned(sample, objects) == unowned(sample, cluster(sample))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
foreign_fields = st.dictionaries(st.text(min_size=1).map("x-{}".format), json_values, max_size=3)


@every_router
@settings(max_examples=20)
@given(data=st.data())
def test_unknown_fields_and_rules_stay_byte_equal(name: str, data: st.DataObject) -> None:
    router, sample = subject(name)
    objects = cluster(sample)
    for body in objects.values():
        for place in (body, body["spec"], body["metadata"], *listed(body["spec"])):
            place.update(data.draw(foreign_fields))
    before = deepcopy(objects)
    go(router, sample, objects, data.draw(st.sampled_from(SOME_WEIGHTS)))
    retreat(router, sample, objects)
    go(router, sample, objects, NONE)
    assert unowned(sample, objects) == unowned(sample, before)


def listed(spec: JsonObject) -> Iterator[JsonObject]:
    """Every object in a list below a spec: rules, matches, backends."""
    for value in spec.values():
        for item in value if isinstance(value, list) else ():
            if isinstance(item, dict):
                yield item
                yield from listed(item)


@every_router
def test_an_object_that_is_gone_carries_nothing_and_is_not_written(name: str) -> None:
    router, sample = subject(name)
    objects = {ref: body for ref, body in sample.rest.items() if ref.kind == DEPLOYMENT}
    assert router.weight(sample.route, objects) == NONE
    assert router.reached(sample.route, objects, NONE)
    assert not router.reached(sample.route, objects, Weight(20))
    assert {write.ref for write in router.withdraw(sample.route, objects)} <= set(objects)


@every_router
def test_a_missing_object_is_named_before_the_first_write(name: str) -> None:
    router, sample = subject(name)
    for ref in sample.rest:
        objects = {other: body for other, body in sample.rest.items() if other != ref}
        named = [sentence for sentence in router.complaints(sample.route, objects) if str(ref) in sentence]
        assert named or ref.kind.name == "ReplicaSet"


@every_router
def test_patches_name_only_objects_that_preflight_reads(name: str) -> None:
    router, sample = subject(name)
    for objects, goal in between(router, sample):
        for write in (*router.shift(sample.route, objects, goal), *router.withdraw(sample.route, objects)):
            assert write.ref in router.objects(sample.route)
            assert not isinstance(write, Patch) or write.operations
