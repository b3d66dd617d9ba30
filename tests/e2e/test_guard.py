"""A guard as a real pod: alone it takes back what a killed run left, and it goes when there is nothing to keep."""

import json
import subprocess
import sys
from collections.abc import Callable

import pytest
import yaml

from tests.e2e import given, then, when
from tests.e2e.cluster.client import ApiError, Document
from tests.e2e.cluster.waiting import wait_until
from tests.e2e.given import NAME, NEW, OLD, ROOT, Shop

pytest_plugins = ["tests.e2e.cluster.fixtures", "tests.e2e.opening"]

_IMAGE = f"registry.example/progressive-ci@sha256:{'0' * 64}"
_GUARD = f"progressive-ci-{NAME}-guard"
_ASKED = ("--guard", _IMAGE)


@pytest.mark.parametrize(
    ("moment", "pause", "result", "serves"),
    [("-> 50 %", "5m", "recovered", OLD), ("old pods finish", "5s", "promoted", NEW)],
    ids=["at half of the traffic", "in the promotion"],
)
def test_a_guard_alone_finishes_what_a_killed_run_left(
    shop: Callable[..., Shop], moment: str, pause: str, result: str, serves: str
) -> None:
    place = _guarded(shop, pause=pause)
    with when.users(place) as load:
        with when.start(place, "run", *_ASKED, role=place.role(options=_ASKED)) as tool:
            tool.wait_for(f"Job {place.namespace}/{_GUARD} watches over the release")
            _wait_for_pod(place, tool)
            tool.wait_for(moment)
            tool.kill()
        when.the_lease_soon_runs_out(place)
        # It removes its Job first, and gives the lease up last.
        wait_until("the guard is gone", lambda: not _jobs(place) and not _holder(place), seconds=120)
        load.wait_for(requests=100)
        records = load.stop()
    then.no_request_failed(records)
    then.only_serves(place, serves)
    then.nothing_of_ours_is_left(place)
    _pods_go(place)
    record = _journal(place)
    assert (record["state"], record["stage"]) == ("ENDED", "DONE")
    assert record["result"] == {"recovered": "CANCELLED", "promoted": "PROMOTED"}[result]


def test_a_good_release_takes_its_guard_along(shop: Callable[..., Shop]) -> None:
    place = _guarded(shop, pause="20s")
    with when.users(place) as load:
        with when.start(place, "run", *_ASKED, role=place.role(options=_ASKED)) as tool:
            tool.wait_for("watches over the release")
            _wait_for_pod(place, tool)
            _fits_restricted_namespaces(place)
            run = tool.end()
        records = load.stop()
    then.ended(run, 0, "promoted")
    then.no_request_failed(records)
    then.only_serves(place, NEW)
    assert not _jobs(place)
    then.nothing_of_ours_is_left(place)
    _pods_go(place)


def _guarded(shop: Callable[..., Shop], *, pause: str) -> Shop:
    """A shop in which somebody has applied the guard's account, as `rbac --guard` prints it."""
    place = shop()
    place.releases(NEW, steps=given.setting(50, 100, pause=pause))
    command = [sys.executable, "-m", "progressive_ci", "rbac", "-f", str(place.folder), "-n", place.namespace]
    done = subprocess.run([*command, *_ASKED], cwd=ROOT, capture_output=True, text=True, check=True)
    for document in yaml.safe_load_all(done.stdout):
        if document["metadata"]["name"] == _GUARD:
            place.cluster.admin.create(document)
    return place


def _jobs(place: Shop) -> list[str]:
    return [item["metadata"]["name"] for item in place.cluster.admin.list("Job", place.namespace)]


def _holder(place: Shop) -> str | None:
    found = place.cluster.admin.get("Lease", f"progressive-ci.{NAME}", place.namespace)
    holder: str | None = found["spec"].get("holderIdentity")
    return holder


def _pods(place: Shop) -> list[Document]:
    return place.cluster.admin.list("Pod", place.namespace, labelSelector=f"job-name={_GUARD}")


def _wait_for_pod(place: Shop, tool: when.Tool) -> None:
    """Until the guard looks at the lease."""
    user = f"system:serviceaccount:{place.namespace}:{_GUARD}"

    def looks() -> bool:
        events = place.cluster.audit_since(tool.began)
        return any(event["user"]["username"] == user for event in events)

    wait_until("the guard looks at the lease", looks)


def _fits_restricted_namespaces(place: Shop) -> None:
    """The API server takes the guard's pod where the restricted pod security standard is enforced."""
    admin, other = place.cluster.admin, place.cluster.namespace()
    admin.patch(
        "Namespace", other, {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
    )
    template = admin.get("Job", _GUARD, place.namespace)["spec"]["template"]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "guard"}, "spec": template["spec"]}
    loose = {**pod, "spec": {**pod["spec"], "securityContext": {}}}
    wait_until("the standard is enforced", lambda: _is_refused(place, loose, other))
    admin.create(pod, other, dryRun="All")
    admin.delete("Namespace", other)


def _is_refused(place: Shop, pod: Document, namespace: str) -> bool:
    try:
        place.cluster.admin.create(pod, namespace, dryRun="All")
    except ApiError as error:
        return "violates PodSecurity" in str(error)
    return False


def _pods_go(place: Shop) -> None:
    wait_until("the guard's pod is gone", lambda: not _pods(place), seconds=60)


def _journal(place: Shop) -> Document:
    found = place.cluster.admin.get("ConfigMap", f"progressive-ci.{NAME}", place.namespace)
    record: Document = json.loads(found["data"]["journal.json"])
    return record
