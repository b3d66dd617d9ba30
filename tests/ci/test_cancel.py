"""A job is cancelled as each CI system does it: real signals, a real process, and what is left for the step after."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from progressive_ci.model import journal, kinds
from progressive_ci.model.kinds import Ref
from progressive_ci.ports import HttpResponse
from progressive_ci.sandbox.reads import Watch
from tests.ci.stage import NAME, NAMESPACE, PATIENCE, Stage, eventually
from tests.unit.socket_server import Exchange, serve

GITHUB = ((signal.SIGINT, 7.5), (signal.SIGTERM, 2.5))
JENKINS = ((signal.SIGTERM, 5.0),)
GITLAB = ((signal.SIGTERM, 10.0),)
ELSEWHERE = re.compile(r"/leases/|/proxy/|^GET .*/configmaps/progressive-ci\.")
SYSTEMS = {"Jenkins": JENKINS, "GitHub": GITHUB, "GitLab": GITLAB}
SEQUENCES = SYSTEMS if os.environ.get("SWEEP") == "all" else {"Jenkins": JENKINS}
"""The one that has least time; with SWEEP=all the others as well."""

each_system = pytest.mark.parametrize("sequence", SEQUENCES.values(), ids=SEQUENCES)
Sequence = tuple[tuple[signal.Signals, float], ...]
"""Signals, and how long each is given; then comes SIGKILL."""


@dataclass(slots=True)
class Listener:
    """Between the tool and the API server: what is asked when, and how long each answer takes."""

    seen: list[tuple[float, str, str]] = field(default_factory=list)
    delay: float = 0.0

    def asked(self, method: str, part: str) -> bool:
        """Whether such a request has come."""
        return any(method in ("", found) and part in path for _, found, path in list(self.seen))

    def after(self, moment: float) -> list[str]:
        """What came later, without renewals, queries and looks at the journal: threads of their own send those."""
        later = [f"{method} {path}" for at, method, path in list(self.seen) if at > moment]
        return [told for told in later if not ELSEWHERE.search(told)]

    def read_back(self) -> bool:
        """Whether the tool has read the route since it wrote it: then it knows what it has written."""
        return [method for _, method, path in list(self.seen) if "/httproutes/" in path][-1:] == ["GET"]


@pytest.fixture
def listener(stage: Stage) -> Listener:
    """Listens to the stage's API server."""
    heard, server = Listener(), stage.server._api  # noqa: SLF001 - a seam for this test alone
    plain: Callable[[Any], HttpResponse | Watch | None] = server.answer

    def answer(request: Any) -> HttpResponse | Watch | None:  # noqa: ANN401 - the server's own class
        heard.seen.append((time.monotonic(), request.command, request.parts()[0]))
        time.sleep(heard.delay)
        return plain(request)

    server.answer = answer
    return heard


@contextmanager
def running(stage: Stage, *words: str, **how: Any) -> Iterator[subprocess.Popen[bytes]]:  # noqa: ANN401 - of Popen
    """The command in a group of its own, its log in a file; dead at the end."""
    environment = stage.environment(PROGRESSIVE_CI_STATE=str(stage.folder / "state"))
    with (stage.folder / "log").open("wb") as log:
        process = subprocess.Popen(
            words, cwd=stage.folder, env=environment, stdout=log, stderr=log, start_new_session=True, **how
        )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):  # it has ended, with all its children
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(PATIENCE)


def cancel(process: subprocess.Popen[bytes], sequence: Sequence, *, whole_tree: bool = False) -> float:
    """Send the signals until it ends, SIGKILL last; tells when the first was sent.

    It stands still from then until that signal is there, or it could send something in between.
    """
    process.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    for number, seconds in (*sequence, (signal.SIGKILL, PATIENCE)):
        os.killpg(process.pid, number) if whole_tree else process.send_signal(number)
        process.send_signal(signal.SIGCONT)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
        break
    return began


def the_step_after(stage: Stage) -> str:
    """`progressive-ci post` with the state that the run has left; tells how it ended."""
    if stage.lease() is not None:
        stage.shorten_lease()
    state = stage.folder / "state"
    left = state.read_text() if state.exists() else ""
    done = stage.run("progressive-ci", "post", "--state", str(state))
    assert done.returncode == 0, done.stdout + done.stderr
    assert (state.read_text() if state.exists() else "") == left  # it can be repeated
    return str(json.loads(done.stdout.splitlines()[-1])["result"])


def is_as_before(stage: Stage) -> None:
    """The old version has all traffic and its pods, and runs as before."""
    assert stage.weight() == 0
    found = stage.deployment()
    assert found["spec"]["template"]["spec"]["containers"][0]["image"] == "example/web:1"
    assert not found["spec"].get("paused")
    assert found["status"]["availableReplicas"] == 3


def has_half(stage: Stage, heard: Listener) -> bool:
    """Whether the new version has half of the traffic, and the tool knows: before, its next request can't take it."""
    return stage.weight() == 50 and heard.read_back()


STATES: dict[str, tuple[Callable[[Stage, Listener], bool], tuple[str, ...]]] = {
    "preflight": (lambda _, heard: bool(heard.seen), ()),
    "prepare": (lambda _, heard: heard.asked("POST", "/replicasets"), ()),
    "weight": (lambda _, heard: heard.asked("PATCH", "/httproutes/"), ()),
    "settle": (has_half, ("--settle", "60s")),
    "pause": (has_half, ()),
    "analysis": (lambda stage, heard: has_half(stage, heard) and "/proxy/" in heard.seen[-1][2], ()),
}


@pytest.mark.acceptance("F02")
@each_system
@pytest.mark.parametrize(("reached", "options"), STATES.values(), ids=STATES)
def test_the_time_that_a_system_gives_is_enough_in_every_state(
    stage: Stage,
    listener: Listener,
    reached: Callable[[Stage, Listener], bool],
    options: tuple[str, ...],
    sequence: Sequence,
) -> None:
    folder = stage.spec(image="example/web:2", pause="5m", checked=True)
    words = ("progressive-ci", "run", "-f", str(folder), "--settle", "100ms", *options)
    with running(stage, *words) as process:
        eventually(lambda: reached(stage, listener) or process.poll() is not None)
        half = has_half(stage, listener)
        began = cancel(process, sequence)
    log = (stage.folder / "log").read_text()
    assert process.returncode in (13, -signal.SIGKILL), log
    if half:
        assert listener.after(began)[0].startswith("PATCH /apis/gateway"), log
    assert stage.weight() == 0, log
    the_step_after(stage)
    is_as_before(stage)


@pytest.mark.acceptance("F02")
@pytest.mark.parametrize("sequence", SYSTEMS.values(), ids=SYSTEMS)
def test_a_slow_server_gets_the_safe_write_first_and_the_step_after_does_the_rest(
    stage: Stage, listener: Listener, sequence: Sequence
) -> None:
    folder = stage.spec(image="example/web:2", pause="5m")
    with running(stage, "progressive-ci", "run", "-f", str(folder), "--settle", "100ms") as process:
        eventually(lambda: has_half(stage, listener))
        listener.delay = 1.0
        began = cancel(process, sequence)
        listener.delay = 0.0
    assert listener.after(began)[0].startswith("PATCH /apis/gateway"), listener.after(began)
    assert process.returncode in (13, -signal.SIGKILL)
    assert stage.weight() == 0
    the_step_after(stage)
    is_as_before(stage)


@pytest.mark.acceptance("F02")
@each_system
def test_a_rollback_after_a_bad_verdict_goes_on_while_the_job_is_cancelled(
    stage: Stage, listener: Listener, sequence: Sequence
) -> None:
    folder = stage.spec(image="example/web:2-err30", pause="5m", checked=True)
    with running(stage, "progressive-ci", "run", "-f", str(folder), "--settle", "100ms") as process:
        eventually(lambda: rolls_back(stage) or process.poll() is not None)
        began = cancel(process, sequence)
    log = (stage.folder / "log").read_text()
    assert process.returncode in (10, -signal.SIGKILL), log
    assert stage.weight() == 0, log
    assert listener.after(began), "it had ended before the signal"
    the_step_after(stage)
    is_as_before(stage)


def rolls_back(stage: Stage) -> bool:
    """Whether the journal says that the release goes back."""
    with stage.server.clock.changed:
        found = stage.server.world.store.find(Ref(kinds.CONFIG_MAP, NAMESPACE, f"progressive-ci.{NAME}"))
    return (
        found is not None
        and json.loads(found["data"]["journal.json"])["stage"] == journal.Stage.ROLLING_BACK.name
    )


FORWARDS = """
progressive-ci run -f deploy --settle 100ms & child=$!
trap 'kill -TERM $child' TERM
while kill -0 $child 2>/dev/null; do wait $child; done
"""
"""What `--init` and other process ones do: they hand the signal on."""

SHELLS = {
    "a parent that hands it on": (FORWARDS, False),
    "exec": ("exec progressive-ci run -f deploy --settle 100ms", False),
    "the last command, and the whole tree is signalled": (
        "progressive-ci run -f deploy --settle 100ms",
        True,
    ),
    "a command follows, and the whole tree is signalled": (
        "progressive-ci run -f deploy --settle 100ms; exit $?",
        True,
    ),
}


@pytest.mark.acceptance("F02")
@pytest.mark.parametrize(("script", "whole_tree"), SHELLS.values(), ids=SHELLS)
def test_a_signal_reaches_the_command_in_a_shell_step(stage: Stage, script: str, *, whole_tree: bool) -> None:
    stage.spec(image="example/web:2", pause="5m")
    with running(stage, "sh", "-c", script) as process:
        eventually(lambda: stage.weight() == 50)
        cancel(process, GITLAB, whole_tree=whole_tree)
        eventually(lambda: stage.weight() == 0)
    the_step_after(stage)
    is_as_before(stage)


@pytest.mark.acceptance("F02")
def test_a_shell_that_alone_is_signalled_leaves_the_command_to_its_end_and_to_the_step_after(
    stage: Stage,
) -> None:
    stage.spec(image="example/web:2", pause="5m")
    script = "progressive-ci run -f deploy --settle 100ms; exit $?"
    with running(stage, "sh", "-c", script) as process:
        eventually(lambda: stage.weight() == 50)
        process.terminate()
        process.wait(PATIENCE)
        assert process.returncode == -signal.SIGTERM
        # No signal reaches what the shell has started: it goes on until its container or its tree is killed.
        assert stage.weight() == 50
        os.killpg(process.pid, signal.SIGKILL)
    the_step_after(stage)
    is_as_before(stage)


@pytest.mark.acceptance("F02")
def test_a_promotion_is_finished_by_the_run_or_by_the_step_after(stage: Stage, listener: Listener) -> None:
    folder = stage.spec(image="example/web:2", pause="1s")
    with running(stage, "progressive-ci", "run", "-f", str(folder), "--settle", "100ms") as process:
        eventually(lambda: stage.weight() == 100 or process.poll() is not None)
        eventually(lambda: bool(listener.after(time.monotonic() - 0.5)) or process.poll() is not None)
        cancel(process, JENKINS)
    the_step_after(stage)
    assert stage.weight() == 0
    found = stage.deployment()
    assert not found["spec"].get("paused")
    assert found["status"]["availableReplicas"] == 3


@pytest.mark.acceptance("F02")
def test_a_run_that_waits_for_a_lease_ends_at_once_and_has_written_nothing(
    stage: Stage, listener: Listener
) -> None:
    lease = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": f"progressive-ci.{NAME}", "namespace": NAMESPACE},
        "spec": {"holderIdentity": "other process", "leaseDurationSeconds": 600, "leaseTransitions": 1},
    }
    with stage.server.clock.changed:
        stage.server.world.apply(lease)
    folder = stage.spec(image="example/web:2", pause="5m")
    with running(stage, "progressive-ci", "run", "-f", str(folder), "--lock-wait", "10m") as process:
        eventually(lambda: listener.asked("GET", "/leases/") or process.poll() is not None)
        cancel(process, ((signal.SIGTERM, PATIENCE),))
    assert process.returncode == 13, (stage.folder / "log").read_text()
    is_as_before(stage)


def test_a_job_that_its_system_has_cancelled_rolls_back_without_a_signal(stage: Stage) -> None:
    folder = stage.spec(image="example/web:2", pause="5m")

    def script(exchange: Exchange) -> None:
        with suppress(AssertionError):  # it is asked again; no question waits for longer than ten seconds
            eventually(lambda: stage.weight() == 50, seconds=9)
        exchange.answer(200, {"status": "canceling" if stage.weight() == 50 else "running"})

    with serve(script) as system:
        job = {"GITLAB_CI": "true", "CI_API_V4_URL": system.url, "CI_JOB_TOKEN": "planted"}
        words = ("progressive-ci", "run", "-f", str(folder), "--settle", "100ms", "--watch-job")
        done = stage.run(*words, environment=stage.environment(**job))
    assert done.returncode == 13, done.stdout
    assert "the job was ended in GitLab: canceling" in done.stdout
    assert "planted" not in done.stdout + done.stderr
    is_as_before(stage)
