"""What a killed run left is gone on with, or finished, by whoever comes next; a finished release can be undone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import yaml

from tests.e2e import given, then, when
from tests.e2e.cluster import workloads
from tests.e2e.given import NAME, NEW, OLD, Shop
from tests.e2e.rows import ROWS, Row
from tests.e2e.stand import LEASE, SETTLE, SIZE

pytest_plugins = ["tests.e2e.cluster.fixtures", "tests.e2e.opening"]

_QUICK = (*LEASE, *SETTLE)
_USED = {name: row for name, row in ROWS.items() if row.used}
_PAUSED = {name: row for name, row in _USED.items() if name != "in place"}
"""A Deployment in place has no steps, so none to go on with."""
_UNJUDGED = {name: row for name, row in _USED.items() if not row.beside}
"""What is released before users come is not measured."""


@pytest.mark.parametrize("row", _UNJUDGED.values(), ids=_UNJUDGED)
def test_a_finished_release_is_undone_with_the_old_replica_set(shop: Callable[..., Shop], row: Row) -> None:
    place = shop(row.router, replicas=SIZE)
    role = _writes(place, row, pause="0s")
    with _as_ever(place, row):
        then.ended(when.run(place, "run", *_QUICK, role=role), 0, "promoted")
        sets = _sets(place)
        with when.users(place) as load:
            run = when.run(place, "undo", NAME, "--reason", "it is slow", *_QUICK, role=role)
            load.wait_for(requests=100)
            records = load.stop()
    then.ended(run, 0, "promoted")
    then.no_request_failed(records)
    assert records.between(run.ended).shares() == {"1.0.0": 1.0}
    _is_whole(place, row, OLD)
    assert _sets(place) == sets


@pytest.mark.acceptance("F01")
@pytest.mark.parametrize("row", _PAUSED.values(), ids=_PAUSED)
def test_a_release_that_died_in_a_pause_is_resumed_there_and_keeps_its_users(
    shop: Callable[..., Shop], row: Row
) -> None:
    place = shop(row.router, replicas=SIZE)
    role = _writes(place, row, pause="4s")
    with _as_ever(place, row), when.users(place) as load:
        with when.start(place, "run", *_QUICK, role=role) as tool:
            tool.wait_for("== step 3/")
            load.wait_for(requests=100)  # both versions have users
            killed = tool.kill()
        run = when.run(place, "run", "--resume", *_QUICK, role=role)
        load.wait_for(requests=100)
        records = load.stop()
    then.ended(run, 0, "promoted")
    assert ", from 50 %" in run.log
    then.no_request_failed(records)
    meanwhile = records.between(killed, _printed(run, "== step 4/") - 1)
    assert meanwhile.share("2.0.0") == pytest.approx(0.5, abs=0.15)
    _is_whole(place, row, NEW)


@pytest.mark.acceptance("F01")
@pytest.mark.parametrize(
    ("moment", "name", "result", "serves"),
    [("== step 3/", (), "recovered", OLD), ("old pods finish", (NAME,), "promoted", NEW)],
    ids=["a step, whatever there is", "the promotion, by name"],
)
def test_recover_finishes_what_died(
    shop: Callable[..., Shop], moment: str, name: tuple[str, ...], result: str, serves: str
) -> None:
    place, row = shop(replicas=SIZE), ROWS["gateway"]
    role = _writes(place, row, pause="4s")
    with when.users(place) as load:
        with when.start(place, "run", *_QUICK, role=role) as tool:
            tool.wait_for(moment)
            tool.kill()
        run = when.run(place, "recover", *name, role=role + _listing(place))
        load.wait_for(requests=100)
        records = load.stop()
    then.ended(run, 0, result)
    then.no_request_failed(records)
    _is_whole(place, row, serves)


def _writes(place: Shop, row: Row, *, pause: str) -> str:
    """Let the folder say that the next version comes; the role that it needs."""
    place.write(row.document(NEW, place.router, pause), *row.beside)
    return place.role(*row.occasions)


@contextmanager
def _as_ever(place: Shop, row: Row) -> Iterator[None]:
    """What is so in this row was so when the old version came, too: a policy has changed its template."""
    with row.within(place):
        note = {"metadata": {"annotations": {"example.com/team": "shop"}}}
        place.cluster.admin.patch("Deployment", NAME, note, place.namespace)
        workloads.wait_ready(place.cluster.admin, place.namespace, NAME)
        yield


def _listing(place: Shop) -> str:
    """What `recover` needs to find the journals of a namespace, as `rbac` says in its last lines."""
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "progressive-ci-recover", "namespace": place.namespace},
        "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"]}],
    }
    return f"---\n{yaml.safe_dump(role)}"


def _sets(place: Shop) -> set[str]:
    return {item["metadata"]["uid"] for item in place.cluster.admin.list("ReplicaSet", place.namespace)}


def _printed(run: when.Run, text: str) -> float:
    return next(at for at, line in run.lines if text in line)


def _is_whole(place: Shop, row: Row, image: str) -> None:
    """One version serves, alone, and nothing of the release is left."""
    then.only_serves(place, image, replicas=SIZE)
    then.the_journal_is_closed(place)
    then.nothing_of_ours_is_left(place)
    if row.routed:
        assert then.split(place) == {given.STABLE: 100, given.CANARY: 0}
