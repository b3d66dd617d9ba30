"""A good version is promoted under load: no request is lost, no pod is moved, nothing of ours stays."""

import time
from collections.abc import Callable

import pytest

from tests.e2e import given, then, when
from tests.e2e.cluster import workloads
from tests.e2e.given import NEW, OLD, Shop

pytest_plugins = ["tests.e2e.cluster.fixtures", "tests.e2e.opening"]


@pytest.mark.parametrize("router", ["gateway", "istio"])
def test_a_good_version_is_promoted_without_losing_a_request(shop: Callable[..., Shop], router: str) -> None:
    place = shop(router)
    place.releases(NEW)
    with when.users(place) as load:
        with when.start(place) as tool:
            tool.wait_for("== promote")
            before = then.pods(place, NEW)
            run = tool.end()
        load.wait_for(requests=200)
        records = load.stop()
    then.ended(run, 0, "promoted")
    then.no_request_failed(records)
    then.only_serves(place, NEW)
    assert then.pods(place, NEW) == before
    assert before.untouched
    then.nothing_of_ours_is_left(place)
    assert then.split(place) == {given.STABLE: 100, given.CANARY: 0}
    assert records.between(run.ended).shares() == {"2.0.0": 1.0}


def test_a_promoted_version_can_be_undone_by_kubectl(shop: Callable[..., Shop]) -> None:
    place = shop()
    place.releases(NEW, steps=given.QUICK, judged=False)
    then.ended(when.run(place), 0, "promoted")
    with when.users(place) as load:
        when.somebody_undoes(place)
        workloads.wait_ready(place.cluster.admin, place.namespace, given.NAME)
        load.wait_for(requests=100)
        records = load.stop()
    then.only_serves(place, OLD)
    then.no_request_failed(records)


def test_an_earlier_version_is_released_again_with_its_old_replica_set(shop: Callable[..., Shop]) -> None:
    place = shop()
    sets = _sets(place)
    for image in (NEW, OLD):
        place.releases(image, steps=given.QUICK)
        with when.users(place) as load:
            run = when.run(place)
            records = load.stop()
        then.ended(run, 0, "promoted")
        then.no_request_failed(records)
        then.only_serves(place, image)
        then.nothing_of_ours_is_left(place)
        sets |= _sets(place)
    assert len(sets) == 2


def _sets(place: Shop) -> set[str]:
    return {item["metadata"]["uid"] for item in place.cluster.admin.list("ReplicaSet", place.namespace)}


def test_an_unchanged_version_writes_nothing_but_lease_and_journal(shop: Callable[..., Shop]) -> None:
    place = shop()
    place.releases(NEW, steps=given.QUICK, judged=False)
    then.ended(when.run(place), 0, "promoted")
    began = time.time()
    then.ended(when.run(place), 0, "unchanged")
    writes = [one for one in then.asked(place, began) if one.mutating]
    stored = {one.resource for one in writes if not one.resource.startswith("selfsubject")}
    assert stored <= {"configmaps", "leases"}


def test_a_first_release_needs_no_predecessor(shop: Callable[..., Shop]) -> None:
    place = shop(image="")
    place.releases(NEW, replicas=2)
    then.ended(when.run(place, role=place.role("first")), 0, "promoted")
    then.only_serves(place, NEW, replicas=2)
    then.nothing_of_ours_is_left(place)


def test_a_first_release_that_fails_leaves_nothing(shop: Callable[..., Shop]) -> None:
    place = shop(image="")
    place.releases("example/app:2.0.0-missing", replicas=2)
    run = when.run(place, role=place.role("first"))
    then.ended(run, 11, "rolled-back-unready")
    assert "no previous version" in run.log
    admin = place.cluster.admin
    assert not admin.list("Deployment", place.namespace)
    admin.wait_until("its pods are gone", lambda client: not client.list("Pod", place.namespace))
    then.nothing_of_ours_is_left(place)


def test_a_policy_that_changes_deployments_only_makes_the_deployment_roll(shop: Callable[..., Shop]) -> None:
    place = shop()
    with given.a_policy_changes_deployments(place):
        place.releases(NEW, steps=given.QUICK)
        with when.users(place) as load:
            run = when.run(place, role=place.role("roll"), seconds=180)
            load.wait_for(requests=200)
            records = load.stop()
    then.ended(run, 0, "promoted")
    assert "can't adopt" in run.log
    then.no_request_failed(records)
    then.only_serves(place, NEW)
    then.nothing_of_ours_is_left(place)
