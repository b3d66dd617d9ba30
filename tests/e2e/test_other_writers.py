"""Who applies the repository's files after a release meets no conflict and restarts no pod, however he does it."""

import json
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from tests.e2e import given, then, when
from tests.e2e.cluster import workloads
from tests.e2e.cluster.client import Client, Document
from tests.e2e.cluster.waiting import wait_until
from tests.e2e.given import BAD, CANARY, NAME, NEW, OLD, STABLE, Shop
from tests.e2e.rows import ROWS, Row
from tests.e2e.stand import SETTLE

pytest_plugins = ["tests.e2e.cluster.fixtures", "tests.e2e.opening"]

NEWER = "example/app:3.0.0"
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_APPLY = "application/apply-patch+yaml"
_STAY = {
    "Deployment": {NAME},
    "Service": {STABLE, CANARY},
    "HTTPRoute": {NAME},
    "VirtualService": {NAME},
    "Ingress": {NAME},
}
_CREATOR = "python-requests"
"""As which these tests create what a scenario begins with."""


def _files(place: Shop, image: str) -> list[Document]:
    """What stands in the repository: the Deployment and what leads to it."""
    return [workloads.deployment(NAME, image, replicas=4), *given.entrance(place)]


def _applied_by_the_server(place: Shop, image: str, *, force: str = "false") -> None:
    """`kubectl apply --server-side` of the repository's files, without force."""
    for document in _files(place, image):
        admin, name = place.cluster.admin, document["metadata"]["name"]
        path = admin.path(document["kind"], place.namespace, name)
        admin.call(
            "PATCH", path, document, content_type=_APPLY, params={"fieldManager": "kubectl", "force": force}
        )


def _applied_by_the_client(place: Shop, image: str) -> None:
    """`kubectl apply`: what the last file said is kept in an annotation, and what differs is patched."""
    for document in _files(place, image):
        text = json.dumps(document, separators=(",", ":"))
        metadata = {**document["metadata"], "annotations": {_LAST_APPLIED: text}}
        path = place.cluster.admin.path(document["kind"], place.namespace, document["metadata"]["name"])
        custom = document["kind"] in {"HTTPRoute", "VirtualService"}
        kind = "merge" if custom else "strategic-merge"
        place.cluster.admin.call(
            "PATCH",
            path,
            {**document, "metadata": metadata},
            content_type=f"application/{kind}-patch+json",
            params={"fieldManager": "kubectl-client-side-apply"},
        )


WAYS = {"server-side": _applied_by_the_server, "client-side": _applied_by_the_client}


def _from_the_repository(place: Shop, way: Callable[[Shop, str], None]) -> None:
    """Let everything be as if it had always been applied so: nobody else owns a field."""
    if way is _applied_by_the_client:
        way(place, OLD)
    else:
        _applied_by_the_server(place, OLD, force="true")
    admin = place.cluster.admin
    for document in _files(place, OLD):
        kind, name = document["kind"], document["metadata"]["name"]
        wait_until(
            f"nobody else owns a field of {name}", partial(_disown, admin, kind, name, place.namespace)
        )


def _disown(admin: Client, kind: str, name: str, namespace: str) -> bool:
    """Strike who created an object off its owners; controllers may write to it, which moves the entries."""
    metadata = admin.get(kind, name, namespace)["metadata"]
    managers = [entry["manager"] for entry in metadata["managedFields"]]
    others = [index for index, manager in enumerate(managers) if manager == _CREATOR]
    same = {"op": "test", "path": "/metadata/resourceVersion", "value": metadata["resourceVersion"]}
    gone = [{"op": "remove", "path": f"/metadata/managedFields/{index}"} for index in reversed(others)]
    admin.patch(kind, name, [same, *gone], namespace)
    return True


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_the_files_can_be_applied_after_a_promotion(
    shop: Callable[..., Shop], way: Callable[[Shop, str], None]
) -> None:
    place = shop()
    _from_the_repository(place, way)
    place.releases(NEW, steps=given.QUICK, judged=False)
    then.ended(when.run(place), 0, "promoted")
    assert not list(_ours(place))
    before = then.pods(place, NEW)
    _applied_by_the_server(place, NEW)
    then.only_serves(place, NEW)
    assert then.pods(place, NEW) == before
    _applied_by_the_server(place, NEWER)
    workloads.wait_ready(place.cluster.admin, place.namespace, NAME)
    then.only_serves(place, NEWER)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_the_files_can_be_applied_after_a_rollback(
    shop: Callable[..., Shop], way: Callable[[Shop, str], None]
) -> None:
    place = shop()
    _from_the_repository(place, way)
    place.releases(BAD)
    with when.users(place) as load:
        run = when.run(place)
        load.stop()
    then.ended(run, 10, "rolled-back-unhealthy")
    assert not list(_ours(place))
    before = then.pods(place, OLD)
    _applied_by_the_server(place, OLD)
    then.only_serves(place, OLD)
    assert then.pods(place, OLD) == before


_OTHER_ROWS = {name: row for name, row in ROWS.items() if name != "gateway" and not row.beside}


@pytest.mark.parametrize("row", _OTHER_ROWS.values(), ids=_OTHER_ROWS)
def test_the_files_can_be_applied_whichever_way_a_release_went(shop: Callable[..., Shop], row: Row) -> None:
    place = shop(row.router)
    place.write(row.document(NEW, place.router, "0s"), *row.beside)
    role = place.role(*row.occasions)
    with row.within(place):
        _from_the_repository(place, _applied_by_the_server)
        workloads.wait_ready(place.cluster.admin, place.namespace, NAME)
        then.ended(when.run(place, "run", *SETTLE, role=role), 0, "promoted")
        assert not list(_ours(place))
        before = then.pods(place, NEW)
        _applied_by_the_server(place, NEW)
        then.only_serves(place, NEW)
    assert then.pods(place, NEW) == before


def _ours(place: Shop) -> Iterator[str]:
    """Objects that stay, on which the API server still notes this tool as the owner of a field."""
    admin: Client = place.cluster.admin
    for kind, names in _STAY.items():
        for item in admin.list(kind, place.namespace):
            entries = item["metadata"].get("managedFields") or ()
            if item["metadata"]["name"] in names and any(
                one["manager"] == "progressive-ci" for one in entries
            ):
                yield f"{kind} {item['metadata']['name']}"
