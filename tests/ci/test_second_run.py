"""Real processes of the command on one workload: one aborts another, and of two that start together one writes."""

import os
import re
import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from progressive_ci.model import kinds
from progressive_ci.ports import HttpResponse
from progressive_ci.sandbox.access import ADMIN
from progressive_ci.sandbox.reads import Watch
from progressive_ci.sandbox.server import SandboxServer
from progressive_ci.sandbox.store import Change
from tests.ci.stage import NAME, NAMESPACE, Stage
from tests.ci.test_command import QUICK, last

RACES = 100 if os.environ.get("SWEEP") == "all" else 1
OWN = (kinds.LEASE, kinds.CONFIG_MAP)
NO_WRITE = re.compile(r"/leases\b|/selfsubject|/proxy/")
"""Where a request changes nothing of a release: the Lease is what the two race for."""
LIMIT = 120
SAFE = 5.0
"""Seconds of real time from the request to abort in the journal until the new version gets nobody."""


def abort(stage: Stage, *more: str, reason: str = "it is too slow") -> subprocess.CompletedProcess[str]:
    command = ("progressive-ci", "abort", NAME, "-n", NAMESPACE, "--by", "ann", "--reason", reason)
    return stage.run(*command, *more)


def test_a_release_is_aborted_by_another_process_and_both_say_by_whom(stage: Stage) -> None:
    folder = stage.spec(image="example/web:2", pause="5m")
    run = stage.start("progressive-ci", "run", "-f", str(folder), *QUICK)
    stage.reach(50, run)
    command = ("progressive-ci", "abort", NAME, "-n", NAMESPACE, "--by", "ann", "--reason", "it is too slow")
    aborting = stage.start(*command)
    output, _ = run.communicate(timeout=LIMIT)
    told, _ = aborting.communicate(timeout=LIMIT)
    assert run.returncode == 13, output
    assert last(output)["reason"] == "aborted by ann: it is too slow"
    assert aborting.returncode == 0, told
    found = last(told)
    assert (found["result"], found["reason"]) == (
        "recovered",
        f"release {last(output)['release']} is rolled back: aborted by ann: it is too slow",
    )
    assert stage.weight() == 0


@pytest.mark.parametrize("deaf", [False, True], ids=["watched", "the watch tells nothing any more"])
def test_between_the_word_of_who_aborts_and_weight_0_are_less_than_5_seconds(
    stage: Stage, *, deaf: bool
) -> None:
    if deaf:
        mute_watches(stage)
    folder = stage.spec(image="example/web:2", pause="5m")
    run = stage.start("progressive-ci", "run", "-f", str(folder), *QUICK)
    stage.reach(50, run)
    asked: list[float] = []
    heard: list[float] = []

    def look(change: Change) -> None:
        if change.kind == kinds.CONFIG_MAP and change.object["data"].get("recall.json"):
            asked.append(time.monotonic())
        if change.kind == kinds.HTTP_ROUTE and asked and stage.weight() == 0:
            heard.append(time.monotonic())

    with stage.server.clock.changed:
        stage.server.world.store.subscribe(look, kinds.CONFIG_MAP, kinds.HTTP_ROUTE)
    done = abort(stage, "--wait", "0")
    assert (done.returncode, last(done.stdout)["result"]) == (0, "asked"), done.stdout
    output, _ = run.communicate(timeout=LIMIT)
    assert run.returncode == 13, output
    assert heard, output
    assert heard[0] - asked[0] < SAFE


def mute_watches(stage: Stage) -> None:
    """Watches are accepted and tell nothing, as behind a balancer that has lost its server."""
    server = stage.server._api  # noqa: SLF001 - a seam for this test alone
    plain: Callable[[Any], HttpResponse | Watch | None] = server.answer

    def answer(request: Any) -> HttpResponse | Watch | None:  # noqa: ANN401 - the server's own class
        found = plain(request)
        if isinstance(found, Watch):
            found.take = list  # type: ignore[method-assign]  # nothing, whatever happens
        return found

    server.answer = answer


def test_status_shows_what_is_asked_of_a_release_that_nobody_runs_any_more(stage: Stage) -> None:
    folder = stage.spec(image="example/web:2", pause="5m")
    run = stage.start("progressive-ci", "run", "-f", str(folder), *QUICK)
    stage.reach(50, run)
    run.kill()
    run.communicate()
    asked = abort(stage, "--wait", "0")
    assert (asked.returncode, last(asked.stdout)["result"]) == (0, "asked"), asked.stdout
    status = stage.run("progressive-ci", "status", NAME, "-n", NAMESPACE)
    assert ": aborted by ann: it is too slow\n" in status.stdout
    stage.shorten_lease()
    done = abort(stage)
    assert (done.returncode, last(done.stdout)["result"]) == (0, "recovered"), done.stdout
    assert stage.weight() == 0


def test_nobody_aborts_without_a_reason(stage: Stage) -> None:
    done = stage.run("progressive-ci", "abort", NAME, "-n", NAMESPACE, "--by", "ann")
    assert done.returncode == 2, done.stdout
    assert last(done.stdout)["reason"] == "abort needs --reason; say why, as in --reason 'the queue grows'"


def test_a_run_that_is_to_refuse_and_to_wait_is_told_so(stage: Stage) -> None:
    spec = stage.spec(image="example/web:2")
    done = stage.run("progressive-ci", "run", "-f", str(spec), "--if-locked", "refuse", "--lock-wait", "5m")
    assert done.returncode == 2, done.stdout
    told = str(last(done.stdout)["reason"])
    assert told.startswith("--if-locked refuse waits for nobody, but --lock-wait is given")


def test_a_newer_run_takes_the_place_of_the_first(stage: Stage) -> None:
    first = stage.spec(image="example/web:2", pause="5m")
    one = stage.start("progressive-ci", "run", "-f", str(first), *QUICK, "--commit-order", "1")
    stage.reach(50, one)
    second = stage.spec(image="example/web:3")
    two = stage.run(
        "progressive-ci", "run", "-f", str(second), *QUICK, "--if-locked", "supersede", "--commit-order", "2",
        seconds=LIMIT,
    )  # fmt: skip
    output, _ = one.communicate(timeout=LIMIT)
    assert one.returncode == 13, output
    assert last(output)["reason"] == f"superseded by release {last(two.stdout)['release']}"
    assert (two.returncode, last(two.stdout)["result"]) == (0, "promoted"), two.stdout
    old = stage.run("progressive-ci", "run", "-f", str(first), *QUICK, "--commit-order", "1")
    assert (old.returncode, last(old.stdout)["result"]) == (5, "outdated"), old.stdout


SYSTEMS = {
    "github": {
        "GITHUB_ACTIONS": "true",
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_WORKFLOW_REF": "shop/web/.github/workflows/deploy.yml@refs/heads/main",
        "GITHUB_RUN_NUMBER": "{}",
    },
    "gitlab": {
        "GITLAB_CI": "true",
        "CI_PROJECT_URL": "https://gitlab.example/shop/web",
        "CI_PIPELINE_IID": "{}",
    },
    "jenkins": {
        "JENKINS_URL": "https://jenkins.example/",
        "JOB_URL": "https://jenkins.example/job/web/",
        "BUILD_NUMBER": "{}",
    },
}


@pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS)
def test_the_number_of_the_ci_run_is_the_order_of_its_commit_unless_another_is_given(
    stage: Stage, system: dict[str, str]
) -> None:
    def released(number: int, image: str, *more: str) -> tuple[int, str]:
        folder = stage.spec(image=image)
        environment = stage.environment(**{name: text.format(number) for name, text in system.items()})
        done = stage.run("progressive-ci", "run", "-f", str(folder), *QUICK, *more, environment=environment)
        return done.returncode, str(last(done.stdout)["reason"])

    assert released(42, "example/web:2")[0] == 0
    code, reason = released(41, "example/web:3")
    assert code == 5, reason
    assert "41" in reason
    assert "42" in reason
    code, reason = released(41, "example/web:3", "--allow-older")
    assert (code, reason) == (
        2,
        "--allow-older needs --reason; say why, as in --reason 'back to what worked'",
    )
    assert stage.deployment()["spec"]["template"]["spec"]["containers"][0]["image"] == "example/web:2"


def test_a_second_run_waits_for_half_an_hour_unless_told_otherwise(stage: Stage) -> None:
    folder = stage.spec(image="example/web:2", pause="5m")
    one = stage.start("progressive-ci", "run", "-f", str(folder), *QUICK)
    stage.reach(50, one)
    two = stage.start("progressive-ci", "run", "-f", str(folder), *QUICK)
    assert two.stdout is not None
    waiting = next((line for line in two.stdout if "which waits" in line), "")
    for each in (two, one):
        each.terminate()
        each.communicate(timeout=LIMIT)
    assert "which waits up to 30 min for release " in waiting
    assert two.returncode == 13


@dataclass(slots=True)
class Race:
    """Between two runs, each with a token of its own, and the API server: they meet where both create the Lease."""

    server: SandboxServer
    meeting: threading.Barrier = field(default_factory=lambda: threading.Barrier(2, timeout=LIMIT / 2))
    met: set[str] = field(default_factory=set)
    wrote: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def environment(self, stage: Stage, runner: str) -> dict[str, str]:
        """Of one of the runs, whose requests can be told from the other's."""
        config = stage.folder / f"kubeconfig-{runner}"
        with self.server.clock.changed:
            self.server.world.api.tokens.known[runner] = (ADMIN, None)
        self.server.write_kubeconfig(config, runner)
        return stage.environment(KUBECONFIG=str(config))

    def listen(self) -> None:
        """Hold either run's first creation of the Lease until the other's is there, and note what each writes."""
        port = self.server._api  # noqa: SLF001 - a seam for this test alone
        plain: Callable[[Any], HttpResponse | Watch | None] = port.answer

        def answer(request: Any) -> HttpResponse | Watch | None:  # noqa: ANN401 - the server's own class
            path, query = request.parts()
            runner = request.headers.get("Authorization", "").removeprefix("Bearer ")
            if request.command == "POST" and path.endswith("/leases") and runner not in self.met:
                self.met.add(runner)
                self.meeting.wait()
            elif request.command != "GET" and "dryRun" not in query and not NO_WRITE.search(path):
                self.wrote[runner].append(f"{request.command} {path}")
            return plain(request)

        port.answer = answer


@pytest.mark.parametrize("race", range(RACES))
def test_of_two_runs_that_start_at_the_same_moment_exactly_one_writes(stage: Stage, race: int) -> None:
    del race
    folder = stage.spec(image="example/web:2", pause="3s")
    between = Race(stage.server)
    between.listen()
    changes: list[Change] = []
    with stage.server.clock.changed:
        stage.server.world.store.subscribe(changes.append)
    command = ("progressive-ci", "run", "-f", str(folder), *QUICK, "--if-locked", "refuse")
    both = {
        name: stage.start(*command, environment=between.environment(stage, name)) for name in ("one", "two")
    }
    ended = {name: last(run.communicate(timeout=LIMIT)[0]) for name, run in both.items()}
    codes = sorted((run.returncode, ended[name]["result"]) for name, run in both.items())
    assert between.met == set(both)
    assert codes in ([(0, "promoted"), (4, "locked")], [(0, "promoted"), (0, "unchanged")]), ended
    winner = next(name for name in both if ended[name]["result"] == "promoted")
    assert set(between.wrote) == {winner}, between.wrote
    marks = {mark for change in changes if change.kind not in OWN for mark in releases(change)}
    assert marks == {ended[winner]["release"]}


def releases(change: Change) -> list[str]:
    """The runs that an object's marks name."""
    metadata = change.object["metadata"]
    texts = {**(metadata.get("annotations") or {}), **(metadata.get("labels") or {})}
    return [str(text) for name, text in texts.items() if name == "progressive-ci/release"]
