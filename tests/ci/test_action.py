"""The action as GitHub's runner starts it: inputs by environment, command files, and the post step."""

import sys
from pathlib import Path

from tests.ci.stage import NAME, NAMESPACE, ROOT, Stage

ENTRYPOINT = (sys.executable, str(ROOT / "entrypoint.py"))


def runner(stage: Stage, **inputs: str) -> dict[str, str]:
    """The environment of the container, with empty values for inputs that were not given."""
    files = {
        name: str(stage.folder / name) for name in ("GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY")
    }
    for path in files.values():
        Path(path).touch()
    given = {f"INPUT_{name.upper().replace('_', '-')}": value for name, value in inputs.items()}
    return stage.environment(GITHUB_ACTIONS="true", GITHUB_WORKSPACE=str(stage.folder), **files, **given)


def told(path: Path) -> dict[str, str]:
    """What a command file says, read as the runner reads it; the last word on a name counts."""
    found: dict[str, str] = {}
    lines = iter(path.read_text().splitlines())
    for line in lines:
        name, delimiter = line.split("<<")
        value: list[str] = []
        while (part := next(lines)) != delimiter:
            value.append(part)
        found[name] = "\n".join(value)
    return found


def test_the_action_reads_inputs_and_leaves_outputs_and_a_summary(stage: Stage) -> None:
    folder = stage.spec(image="example/web:2-err30", pause="30s", checked=True)
    environment = runner(
        stage, file=str(folder), settle="100ms", report="report.json", metrics_timeout="2m", image=""
    )
    done = stage.run(*ENTRYPOINT, environment=environment)
    assert done.returncode == 10, done.stdout + done.stderr
    outputs = told(stage.folder / "GITHUB_OUTPUT")
    assert outputs["result"] == "rolled-back-unhealthy"
    assert outputs["exit-code"] == "10"
    assert outputs["weight"] == "0"
    assert outputs["report"] == "report.json"
    assert "success-rate" in outputs["reason"]
    assert outputs["revision"] != outputs["previous-revision"]
    summary = (stage.folder / "GITHUB_STEP_SUMMARY").read_text()
    assert "the new version is unhealthy" in summary
    assert "| 50 % |" in summary
    lines = done.stdout.splitlines()
    assert sum(line.startswith("::group::") for line in lines) == lines.count("::endgroup::")
    assert sum(line.startswith("::error file=deploy/rollout.yaml,line=") for line in lines) <= 1
    assert sum(line.startswith("::error ") for line in lines) == 1


def test_the_post_step_rolls_back_what_its_own_killed_run_left_and_only_that(stage: Stage) -> None:
    folder = stage.spec(image="example/web:2", pause="5m")
    environment = runner(stage, file=str(folder), settle="100ms")
    run = stage.start(*ENTRYPOINT, environment=environment)
    stage.reach(50, run)
    run.kill()
    run.communicate()
    state = told(stage.folder / "GITHUB_STATE")
    assert state["workload"] == f"{NAMESPACE}/{NAME}"
    post = stage.folder / "progressive-ci-post"
    post.symlink_to(ROOT / "entrypoint.py")
    for file in folder.iterdir():
        file.unlink()

    other = {**environment, "STATE_release": "somebody-else", "STATE_workload": state["workload"]}
    done = stage.run(sys.executable, str(post), environment=other)
    assert done.returncode == 0, done.stdout + done.stderr
    assert stage.weight() == 50

    stage.shorten_lease()
    own = {**environment, "STATE_release": state["release"], "STATE_workload": state["workload"]}
    done = stage.run(sys.executable, str(post), environment=own)
    assert done.returncode == 0, done.stdout + done.stderr
    assert stage.weight() == 0
    assert '"result": "recovered"' in done.stdout.splitlines()[-1]


def test_a_post_step_without_a_release_does_nothing_and_needs_no_cluster(stage: Stage) -> None:
    environment = {**runner(stage), "KUBECONFIG": "/nowhere"}
    done = stage.run(*ENTRYPOINT, "post", environment=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"result": "nothing-to-do"' in done.stdout.splitlines()[-1]


def test_what_is_no_command_of_ours_is_run_as_a_program(stage: Stage) -> None:
    done = stage.run(*ENTRYPOINT, "sh", "-c", "echo tolerant", environment=runner(stage))
    assert (done.returncode, done.stdout) == (0, "tolerant\n")
