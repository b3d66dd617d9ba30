"""`recover` as a process: what a run that was killed at a step has left is brought back from an empty folder."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.fence import RELEASE
from progressive_ci.release.workload import HASH_LABEL, labels_of
from tests.ci.stage import NAME, NAMESPACE, Stage, eventually
from tests.ci.test_command import QUICK, last
from tests.scenario.rules.writes import has_mark

OLD = "example/web:1"
TOUCHED = (kinds.DEPLOYMENT, kinds.REPLICA_SET, kinds.SERVICE, kinds.HTTP_ROUTE)


def killed(stage: Stage) -> None:
    """A run ends by SIGKILL while half of the traffic goes to its version, and its lease runs out."""
    folder = stage.spec(image="example/web:2", pause="5m")
    run = stage.start("progressive-ci", "run", "-f", str(folder), *QUICK)
    stage.reach(50, run)
    run.kill()
    run.communicate()
    stage.shorten_lease()


def journal(stage: Stage) -> JsonObject:
    with stage.server.clock.changed:
        found = stage.server.world.store.get(kinds.CONFIG_MAP, NAMESPACE, f"progressive-ci.{NAME}")
    assert found is not None
    record: JsonObject = json.loads(found["data"]["journal.json"])
    return record


def nothing_left(stage: Stage) -> None:
    """The old version has all users and all pods, and no mark, pin, journal or lease of ours is open."""
    world = stage.server.world
    with stage.server.clock.changed:
        for item in (item for kind in TOUCHED for item in world.store.all(kind, NAMESPACE)):
            assert not has_mark(item), item["metadata"]
            assert RELEASE not in labels_of(item), item["metadata"]
        for service in world.store.all(kinds.SERVICE, NAMESPACE):
            assert HASH_LABEL not in (service["spec"].get("selector") or {}), service["metadata"]
        journal = world.store.get(kinds.CONFIG_MAP, NAMESPACE, f"progressive-ci.{NAME}")
        pods = world.store.all(kinds.POD, NAMESPACE)
    assert journal is not None
    assert json.loads(journal["data"]["journal.json"])["state"] == "ENDED"
    lease = stage.lease()
    assert lease is None or not lease["spec"].get("holderIdentity")
    assert {pod["spec"]["containers"][0]["image"] for pod in pods} == {OLD}
    live = stage.deployment()
    assert live["spec"]["template"]["spec"]["containers"][0]["image"] == OLD
    assert not live["spec"].get("paused")


def only_old_answers(stage: Stage) -> bool:
    with stage.server.clock.changed:
        return stage.server.world.traffic.share("1") > 0.999


@pytest.mark.parametrize("name", [(NAME,), ()], ids=["by name", "the whole namespace"])
def test_what_a_killed_run_left_is_brought_back_from_an_empty_folder(
    stage: Stage, tmp_path: Path, name: tuple[str, ...]
) -> None:
    killed(stage)
    done = stage.run("progressive-ci", "recover", *name, "-n", NAMESPACE, folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    told = last(done.stdout)
    assert told["result"] == "recovered"
    if not name:
        releases = told["releases"]
        assert isinstance(releases, list)
        assert [(one["workload"], one["result"], one["exit"]) for one in releases] == [(NAME, "recovered", 0)]
    assert stage.weight() == 0
    nothing_left(stage)
    eventually(lambda: only_old_answers(stage))
    assert not list(tmp_path.iterdir())


HOUR = timedelta(hours=1)


@pytest.mark.acceptance("F24")
@pytest.mark.parametrize(
    ("later", "goes_on"), [(timedelta(), True), (2 * HOUR, False)], ids=["at once", "two hours later"]
)
def test_the_age_of_a_release_is_reckoned_by_the_servers_clock_whatever_the_runner_says(
    stage: Stage, later: timedelta, *, goes_on: bool
) -> None:
    stage.server.ahead = -HOUR
    killed(stage)
    written = datetime.fromisoformat(str(journal(stage)["updated"]))
    assert abs(stage.server.clock.wall() - HOUR - written) < timedelta(minutes=2)
    stage.server.ahead += later
    folder = stage.spec(image="example/web:2", pause="5m")
    resuming = ("progressive-ci", "run", "-f", str(folder), "--resume", "--resume-within", "30m", *QUICK)
    run = stage.start(*resuming)
    assert run.stdout is not None
    said = next(line for line in run.stdout if "goes on at step" in line or "is not resumed" in line)
    run.kill()
    run.communicate()
    assert ("goes on at step" in said) is goes_on, said
    assert goes_on or "longer ago than --resume-within" in said
