from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from progressive_ci.adapters.cluster import ONCE, KubeCluster
from progressive_ci.adapters.lease import ClusterLease
from progressive_ci.errors import ApiError, LeaseLost, Locked, NoAnswer
from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import Ref
from progressive_ci.model.write import Create, Merge
from progressive_ci.sandbox import faults
from progressive_ci.sandbox.cluster import Sandbox

LEASE = Ref(kinds.LEASE, "shop", "progressive-ci.web")


@pytest.fixture
def sandbox() -> Sandbox:
    made = Sandbox()
    made.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    return made


def lease(sandbox: Sandbox, tell: Callable[[str], None] = lambda _: None) -> ClusterLease:
    transport, clock = sandbox.transport(), sandbox.clock
    back = KubeCluster(transport, clock, patience=ONCE)
    front = KubeCluster(transport, clock)
    run = "https://ci.example/1"
    return ClusterLease("web", "shop", front=front, back=back, clock=clock, ticker=clock, run=run, tell=tell)


def spec(sandbox: Sandbox) -> JsonObject:
    found = sandbox.get(LEASE.kind, LEASE.namespace, LEASE.name)
    assert found is not None
    return dict(found["spec"])


def test_a_free_lease_is_taken_at_once_and_names_its_holder(sandbox: Sandbox) -> None:
    tenure = lease(sandbox).acquire("r1", wait=0)
    assert sandbox.clock.now() < 1
    assert spec(sandbox)["holderIdentity"] == tenure.holder
    assert tenure.holder.startswith("r1 ")
    assert spec(sandbox)["leaseDurationSeconds"] == 30


def test_it_stays_ours_as_long_as_we_renew_it(sandbox: Sandbox) -> None:
    held = lease(sandbox)
    held.acquire("r1", wait=0)
    least = []
    for _ in range(300):
        sandbox.clock.run(1)
        least.append(held.valid_for())
    assert min(least) > 17
    assert len([1 for exchange in sandbox.log if exchange.writes]) <= 1 + 300 / 10


def test_every_taking_raises_the_epoch(sandbox: Sandbox) -> None:
    first = lease(sandbox)
    one = first.acquire("r1", wait=0)
    first.release()
    two = lease(sandbox).acquire("r2", wait=0)
    assert two.epoch == one.epoch + 1


def test_a_released_lease_has_no_holder_and_is_free(sandbox: Sandbox) -> None:
    held = lease(sandbox)
    held.acquire("r1", wait=0)
    held.release()
    assert "holderIdentity" not in spec(sandbox)
    assert held.valid_for() == 0
    sent = len(sandbox.log)
    sandbox.clock.run(60)
    assert len(sandbox.log) == sent, "nothing renews it any more"


def test_a_living_holder_is_told_from_a_dead_one_before_locked_is_said(sandbox: Sandbox) -> None:
    lease(sandbox).acquire("r1", wait=0)
    heard: list[str] = []
    with pytest.raises(Locked) as caught:
        lease(sandbox, heard.append).acquire("r2", wait=0)
    assert sandbox.clock.now() < 15
    assert str(caught.value) == (
        "Lease shop/progressive-ci.web: it is held by release r1 since 2026-01-01T00:00:00.004000Z "
        "(https://ci.example/1), which renews it; start again when that run has ended, or let this one wait "
        "with --lock-wait"
    )
    assert len(heard) == 1


def test_a_living_holder_is_waited_for_as_long_as_asked(sandbox: Sandbox) -> None:
    first = lease(sandbox)
    first.acquire("r1", wait=0)
    sandbox.clock.at(100, first.release)
    tenure = lease(sandbox).acquire("r2", wait=200)
    assert 100 <= sandbox.clock.now() < 103
    assert tenure.holder.startswith("r2 ")


@pytest.mark.parametrize("release", ["r1", "r2"], ids=["of the same release", "of another release"])
def test_a_dead_holder_is_waited_out_on_our_own_clock(sandbox: Sandbox, release: str) -> None:
    dead = lease(sandbox)
    dead.acquire("r1", wait=0)
    dead.stop()
    sandbox.clock.run(1000)
    begin = sandbox.clock.now()
    lease(sandbox).acquire(release, wait=0)
    assert 30 <= sandbox.clock.now() - begin < 33, "whatever the record says of other clocks"


def test_who_wakes_up_after_a_take_over_has_lost_it_for_good(sandbox: Sandbox) -> None:
    frozen = lease(sandbox)
    frozen.acquire("r1", wait=0)
    frozen.stop()
    new = lease(sandbox)
    tenure = new.acquire("r2", wait=0)
    with pytest.raises(LeaseLost, match="another run has taken this release over"):
        frozen.secure(5)
    frozen.release()
    assert spec(sandbox)["holderIdentity"] == tenure.holder
    new.release()
    with pytest.raises(LeaseLost):
        frozen.secure(5)


def deleted(sandbox: Sandbox) -> None:
    sandbox.store.drop(LEASE.kind, sandbox.get(LEASE.kind, LEASE.namespace, LEASE.name) or {})


@pytest.mark.parametrize("answer", [None, faults.lose_answer(), faults.broken()], ids=["well", "lost", "500"])
def test_a_deleted_lease_is_made_again_with_its_epoch(sandbox: Sandbox, answer: faults.Fault | None) -> None:
    earlier, held = lease(sandbox), lease(sandbox)
    earlier.acquire("r0", wait=0)
    earlier.release()
    tenure = held.acquire("r1", wait=0)
    deleted(sandbox)
    if answer is not None:
        sandbox.faults.plan(answer, when=faults.to("POST", "leases"))
    sandbox.clock.run(15)
    held.secure(5)
    assert spec(sandbox)["leaseTransitions"] == tenure.epoch == 2
    assert spec(sandbox)["holderIdentity"] == tenure.holder
    sandbox.clock.run(60)
    assert held.valid_for() > 17


def test_a_deleted_lease_that_another_run_has_taken_is_lost(sandbox: Sandbox) -> None:
    held = lease(sandbox)
    held.acquire("r1", wait=0)
    deleted(sandbox)
    new = lease(sandbox).acquire("r2", wait=0)
    sandbox.clock.run(15)
    with pytest.raises(LeaseLost):
        held.secure(5)
    assert spec(sandbox)["holderIdentity"] == new.holder


def test_who_had_to_wait_for_it_is_told_so(sandbox: Sandbox) -> None:
    first = lease(sandbox)
    assert not first.acquire("r1", wait=0).waited
    sandbox.clock.at(50, first.release)
    assert lease(sandbox).acquire("r2", wait=100).waited


def test_a_lease_that_ran_out_but_nobody_took_is_renewed_before_a_write(sandbox: Sandbox) -> None:
    held = lease(sandbox)
    tenure = held.acquire("r1", wait=0)
    sandbox.faults.plan(faults.broken(), when=faults.to("PATCH", "leases"), times=15)
    sandbox.clock.run(38)
    assert held.valid_for() == 0
    held.secure(5)
    assert held.valid_for() > 29
    assert spec(sandbox)["leaseTransitions"] == tenure.epoch


def test_a_lease_that_can_not_be_renewed_lets_nothing_be_sent(sandbox: Sandbox) -> None:
    held = lease(sandbox)
    held.acquire("r1", wait=0)
    held.stop()
    sandbox.clock.run(31)
    sandbox.faults.plan(faults.broken(), when=faults.to("PATCH", "leases"), times=9)
    with pytest.raises(NoAnswer, match="the lease can't be renewed before a write") as caught:
        held.secure(5)
    assert caught.value.reason == "NotSent"


def test_validity_counts_from_before_the_renewal_was_sent(sandbox: Sandbox) -> None:
    held = lease(sandbox)
    sandbox.faults.plan(faults.delay(4), when=faults.to("POST", "leases"))
    held.acquire("r1", wait=0)
    assert held.valid_for() == pytest.approx(26, abs=0.1)


def test_a_renewal_whose_answer_was_lost_is_recognised_as_ours(sandbox: Sandbox) -> None:
    held = lease(sandbox)
    held.acquire("r1", wait=0)
    sandbox.faults.plan(faults.lose_answer(), when=faults.to("PATCH", "leases"))
    sandbox.clock.run(300)
    assert held.valid_for() > 17


@pytest.mark.parametrize("method", ["POST", "PATCH"], ids=["a new lease", "a free lease"])
def test_a_taking_whose_answer_was_lost_is_recognised_as_ours(sandbox: Sandbox, method: str) -> None:
    if method == "PATCH":
        first = lease(sandbox)
        first.acquire("r0", wait=0)
        first.release()
    before = sandbox.clock.now()
    sandbox.faults.plan(faults.lose_answer(), when=faults.to(method, "leases"))
    held = lease(sandbox)
    tenure = held.acquire("r1", wait=0)
    assert tenure.epoch == (1 if method == "POST" else 2)
    assert held.valid_for() <= 30 - (sandbox.clock.now() - before) + 0.1


def test_two_that_want_it_at_once_do_not_both_get_it(sandbox: Sandbox) -> None:
    other = lease(sandbox)
    taken: list[str] = []

    def first(*_: object) -> None:
        if not taken:
            taken.append("")
            taken.append(other.acquire("r2", wait=0).holder)

    sandbox.faults.before_each(lambda _, call: first() if call.method == "POST" else None)
    with pytest.raises(Locked):
        lease(sandbox).acquire("r1", wait=0)
    assert spec(sandbox)["holderIdentity"] == taken[1]


def test_its_guard_keeps_a_zombie_from_writing(sandbox: Sandbox) -> None:
    held = lease(sandbox)
    cluster = KubeCluster(sandbox.transport(), sandbox.clock, guard=held.secure)
    ref = Ref(kinds.CONFIG_MAP, "shop", "mine")
    with pytest.raises(LeaseLost):
        cluster.send(Create(ref, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mine"}}))
    held.acquire("r1", wait=0)
    cluster.send(Create(ref, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mine"}}))
    held.stop()
    lease(sandbox).acquire("r2", wait=0)
    with pytest.raises(LeaseLost):
        cluster.send(Merge(ref, {"data": {"a": "b"}}))


def test_giving_it_up_never_raises(sandbox: Sandbox) -> None:
    held = lease(sandbox)
    held.release()
    held.acquire("r1", wait=0)
    sandbox.faults.plan(faults.drop(), when=faults.to("", "leases"), times=99)
    held.release()
    assert held.valid_for() == 0


@pytest.mark.parametrize("method", ["GET", "PATCH"], ids=["to look", "to write"])
@pytest.mark.parametrize(
    "fault", [faults.broken(), faults.drop(), faults.lose_answer()], ids=["500", "lost", "unheard"]
)
def test_one_bad_answer_does_not_keep_it_from_being_given_up(
    sandbox: Sandbox, method: str, fault: faults.Fault
) -> None:
    held = lease(sandbox)
    held.acquire("r1", wait=0)
    sandbox.faults.plan(faults.conflict(), when=faults.to("PATCH", "leases"))
    sandbox.faults.plan(fault, when=faults.to(method, "leases"))
    held.release()
    assert "holderIdentity" not in spec(sandbox)


def test_giving_it_up_takes_bounded_time(sandbox: Sandbox) -> None:
    held = lease(sandbox)
    held.acquire("r1", wait=0)
    sandbox.faults.plan(faults.drop(), when=faults.to("", "leases"), times=99)
    began = sandbox.clock.now()
    held.release()
    assert sandbox.clock.now() - began <= 15


FAULTS = {
    "drop": faults.drop(),
    "lose": faults.lose_answer(),
    "conflict": faults.conflict(),
    "broken": faults.broken(),
    "slow": faults.delay(4),
}


@given(
    troubles=st.lists(st.tuples(st.sampled_from(sorted(FAULTS)), st.integers(1, 25)), max_size=12),
    dies=st.floats(0, 60),
    comes=st.floats(0, 90),
)
def test_no_two_ever_hold_it_whatever_goes_wrong(
    troubles: list[tuple[str, int]], dies: float, comes: float
) -> None:
    sandbox = Sandbox()
    sandbox.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    first, second = lease(sandbox), lease(sandbox)
    first.acquire("r1", wait=0)
    for name, number in troubles:
        sandbox.faults.plan(FAULTS[name], when=faults.nth(number + len(sandbox.log)))
    sandbox.clock.at(dies, first.stop)
    overlaps: list[float] = []
    sandbox.clock.repeat(0.25, lambda: overlaps.append(min(first.valid_for(), second.valid_for())))
    sandbox.clock.run(comes)
    try:
        second.acquire("r2", wait=0)
        overlaps.append(min(first.valid_for(), second.valid_for()))
    except (Locked, ApiError):
        return
    sandbox.clock.run(40)
    assert max(overlaps) == 0


def test_who_only_watches_sees_a_death_after_the_lease_s_own_time_and_writes_nothing(
    sandbox: Sandbox,
) -> None:
    kept, watching = lease(sandbox), lease(sandbox)
    kept.acquire("r1", wait=0)
    wrote = len([1 for done in sandbox.log if done.writes])
    for _ in range(20):
        sandbox.clock.run(5)
        assert not watching.deserted()
    kept.stop()
    died = sandbox.clock.now()
    while not watching.deserted():
        sandbox.clock.run(1)
    assert 20 < sandbox.clock.now() - died < 32
    renewed = 100 / 10
    assert len([1 for done in sandbox.log if done.writes]) <= wrote + renewed
    watching.acquire("r1", wait=0)
    assert sandbox.clock.now() - died < 33, "it is not waited out a second time"


def test_who_could_not_look_does_not_count_that_time(sandbox: Sandbox) -> None:
    kept, watching = lease(sandbox), lease(sandbox)
    kept.acquire("r1", wait=0)
    kept.stop()
    assert not watching.deserted()
    sandbox.clock.run(25)
    back = sandbox.clock.now() + 40
    sandbox.faults.plan(faults.refuse(), when=lambda *_: sandbox.clock.now() < back, times=1000)
    with pytest.raises(NoAnswer):
        watching.deserted()
    sandbox.clock.run(40)
    assert not watching.deserted()
    sandbox.clock.run(31)
    assert watching.deserted()
