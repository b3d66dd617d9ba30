"""The command as a process: exit codes, last words, signals, files, closed streams."""

import json
import signal
import subprocess
from pathlib import Path

from tests.ci.stage import NAME, NAMESPACE, PATIENCE, Stage

QUICK = ("--settle", "100ms")


def last(output: str) -> dict[str, object]:
    """The JSON line that ends every release."""
    found: dict[str, object] = json.loads(output.splitlines()[-1])
    return found


def test_a_good_version_is_promoted_told_by_its_journal_and_not_released_again(stage: Stage) -> None:
    folder = stage.spec(image="example/web:2", checked=True)
    done = stage.run("progressive-ci", "run", "-f", str(folder), *QUICK)
    assert done.returncode == 0, done.stdout + done.stderr
    assert last(done.stdout)["result"] == "promoted"
    again = stage.run("progressive-ci", "run", "-f", str(folder), *QUICK)
    assert (again.returncode, last(again.stdout)["result"]) == (0, "unchanged")
    status = stage.run("progressive-ci", "status", NAME, "-n", NAMESPACE)
    assert "state     ended: promoted" in status.stdout
    forgotten = stage.run("progressive-ci", "forget", NAME, "-n", NAMESPACE)
    assert (forgotten.returncode, forgotten.stdout) == (0, f"the journal of {NAME} is removed\n")
    status = stage.run("progressive-ci", "status", NAME, "-n", NAMESPACE)
    assert status.stdout == f"there is no journal of {NAMESPACE}/{NAME}\n"


def test_a_bad_version_is_rolled_back_with_its_metric_in_the_last_lines(stage: Stage) -> None:
    folder = stage.spec(image="example/web:2-err30", pause="30s", checked=True)
    done = stage.run("progressive-ci", "run", "-f", str(folder), *QUICK)
    assert done.returncode == 10, done.stdout + done.stderr
    closing = done.stdout.splitlines()[-5:]
    assert closing[0].startswith("FAILED: rolled back")
    assert "success-rate" in closing[1]
    assert "rollout.yaml:" in closing[1]
    assert closing[3].startswith("  next  ")
    assert stage.weight() == 0


def test_a_failed_release_is_held_promoted_by_hand_and_undone(stage: Stage) -> None:
    folder = stage.spec(image="example/web:2-err30", pause="30s", checked=True)
    held = stage.run("progressive-ci", "run", "-f", str(folder), *QUICK, "--on-failure", "hold")
    assert (held.returncode, last(held.stdout)["result"]) == (21, "held"), held.stdout + held.stderr
    recovered = stage.run("progressive-ci", "recover", "-n", NAMESPACE)
    told = last(recovered.stdout)
    assert (recovered.returncode, told["result"]) == (0, "nothing-to-do"), recovered.stdout
    releases = told["releases"]
    assert isinstance(releases, list)
    assert [(one["workload"], one["result"]) for one in releases] == [(NAME, "nothing-to-do")]
    promoted = stage.run("progressive-ci", "promote", NAME, "-n", NAMESPACE, "--reason", "I looked at it")
    assert (promoted.returncode, last(promoted.stdout)["result"]) == (0, "promoted"), promoted.stdout
    undone = stage.run("progressive-ci", "undo", NAME, "-n", NAMESPACE, "--reason", "errors", *QUICK)
    assert (undone.returncode, last(undone.stdout)["result"]) == (0, "promoted"), undone.stdout
    assert "is undone: revision" in str(last(undone.stdout)["reason"])


def test_a_rollout_from_standard_input_is_released_with_a_full_disk_under_the_report(stage: Stage) -> None:
    text = (stage.spec(image="example/web:2") / "rollout.yaml").read_text()
    done = subprocess.run(
        ("progressive-ci", "run", "-f", "-", *QUICK, "--report", "/dev/full"),
        input=text,
        env=stage.environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "/dev/full cannot be written (No space left on device)" in done.stdout


def test_a_signal_rolls_back_and_ends_with_thirteen(stage: Stage) -> None:
    folder = stage.spec(image="example/web:2", pause="5m")
    report = stage.folder / "report.json"
    run = stage.start("progressive-ci", "run", "-f", str(folder), *QUICK, "--report", str(report))
    stage.reach(50, run)
    run.send_signal(signal.SIGTERM)
    output, _ = run.communicate(timeout=PATIENCE)
    assert run.returncode == 13, output
    assert last(output)["result"] == "rolled-back-cancelled"
    assert json.loads(report.read_text())["outcome"]["exit"] == 13
    assert stage.weight() == 0


def test_a_closed_standard_output_does_not_stop_a_rollback(stage: Stage) -> None:
    folder = stage.spec(image="example/web:2", pause="5m")
    run = stage.start("sh", "-c", f"exec progressive-ci run -f {folder} --settle 100ms >&-")
    stage.reach(50, run)
    run.send_signal(signal.SIGTERM)
    run.communicate(timeout=PATIENCE)
    assert run.returncode == 13
    assert stage.weight() == 0


def test_a_reader_that_leaves_does_not_stop_a_rollback(stage: Stage) -> None:
    folder = stage.spec(image="example/web:2", pause="5m")
    run = stage.start("progressive-ci", "run", "-f", str(folder), *QUICK)
    stage.reach(50, run)
    assert run.stdout is not None
    run.stdout.close()
    run.send_signal(signal.SIGTERM)
    assert run.wait(PATIENCE) == 13
    assert stage.weight() == 0


def test_a_plan_shows_steps_ways_and_answers_and_writes_nothing(stage: Stage) -> None:
    folder = stage.spec(image="example/web:2", checked=True)
    before = stage.deployment()
    done = stage.run("progressive-ci", "plan", "-f", str(folder))
    assert done.returncode == 0, done.stderr
    assert "1. 50 % of the traffic to the new version" in done.stdout
    assert "through the API server" in done.stdout
    assert "answers [1]" in done.stdout
    assert stage.deployment() == before
    found = json.loads(stage.run("progressive-ci", "plan", "-f", str(folder), "--output", "json").stdout)
    assert found["mode"] == "adopt"
    assert found["steps"][0] == {
        "does": "50 % of the traffic to the new version",
        "weight": 50,
        "source": found["steps"][0]["source"],
    }


def test_an_empty_kubeconfig_is_refused(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("")
    folder = str(stage.spec(image="example/web:2"))
    done = stage.run("progressive-ci", "run", "-f", folder, "--kubeconfig", str(tmp_path / "empty"))
    assert done.returncode == 3, done.stdout
    assert last(done.stdout)["result"] == "refused"
