"""The image as root, as any user, read-only, without HOME, as PID 1, and as GitHub, GitLab and Jenkins start it."""

import json
from pathlib import Path

import pytest

from progressive_ci import __version__
from progressive_ci.release.guard_job import USER
from tests.ci.stage import Stage, eventually
from tests.ci.test_action import told
from tests.image.engine import IMAGE, Engine

ANYBODY = ("--user", "12345:12345")
NO_CLUSTER = "no kubeconfig found (looked at //.kube/config); set KUBECONFIG, or give --kubeconfig FILE"


@pytest.mark.parametrize(
    "options",
    [
        (),
        ANYBODY,
        ("--read-only", "--read-only-tmpfs=false"),
        ("--unsetenv", "HOME"),
        (*ANYBODY, "--read-only", "--read-only-tmpfs=false", "--unsetenv", "HOME", "--cap-drop", "all"),
    ],
    ids=["as root", "as any user", "read-only", "without HOME", "all at once"],
)
def test_it_starts(engine: Engine, options: tuple[str, ...]) -> None:
    done = engine.run("version", options=options)
    assert (done.returncode, done.stdout) == (0, f"{__version__}\n"), done.stderr


def test_it_releases_as_any_user_on_a_read_only_file_system_without_home(
    engine: Engine, stage: Stage
) -> None:
    folder = stage.spec(image="example/web:2")
    options = (*ANYBODY, "--read-only", "--read-only-tmpfs=false", "--unsetenv", "HOME", *mounted(stage))
    done = engine.run("run", "-f", str(folder), "--settle", "100ms", options=options)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("signal", ["TERM", "INT"])
def test_a_signal_to_process_one_rolls_back(engine: Engine, stage: Stage, signal: str) -> None:
    folder = stage.spec(image="example/web:2", pause="5m")
    name = f"progressive-ci-{signal.lower()}-{stage.server.url.rpartition(':')[2]}"
    started = engine.podman(
        "run",
        "--detach",
        f"--name={name}",
        *engine.options(mounted(stage)),
        IMAGE,
        *("run", "-f", str(folder), "--settle", "100ms"),
    )
    assert started.returncode == 0, started.stderr
    try:
        eventually(lambda: stage.weight() == 50)
        engine.podman("kill", "--signal", signal, name)
        ended = engine.podman("wait", name)
        log = engine.podman("logs", name)
    finally:
        engine.podman("rm", "--force", name)
    assert ended.stdout == "13\n", log.stdout + log.stderr
    assert json.loads(log.stdout.splitlines()[-1])["result"] == "rolled-back-cancelled"
    assert stage.weight() == 0


def test_process_one_that_has_five_seconds_gives_nobody_the_new_version_and_post_does_the_rest(
    engine: Engine, stage: Stage
) -> None:
    folder = stage.spec(image="example/web:2", pause="5m")
    name = f"progressive-ci-stop-{stage.server.url.rpartition(':')[2]}"
    words = ("run", "-f", str(folder), "--settle", "100ms")
    options = engine.options(mounted(stage))
    started = engine.podman("run", "--detach", f"--name={name}", *options, IMAGE, *words)
    assert started.returncode == 0, started.stderr
    try:
        eventually(lambda: stage.weight() == 50)
        engine.podman("stop", "--time", "5", name)
        ended = engine.podman("wait", name)
        log = engine.podman("logs", name)
    finally:
        engine.podman("rm", "--force", name)
    assert ended.stdout in ("13\n", "137\n"), log.stdout + log.stderr
    assert stage.weight() == 0
    if stage.lease() is not None:
        stage.shorten_lease()
    rolled_back = engine.run("rollback", "web", "-n", "shop", options=mounted(stage))
    assert rolled_back.returncode == 0, rolled_back.stdout
    assert stage.deployment()["spec"]["template"]["spec"]["containers"][0]["image"] == "example/web:1"


def test_github_finds_outputs_summary_and_state_where_its_runner_mounts_them(
    engine: Engine, stage: Stage
) -> None:
    stage.spec(image="example/web:2")
    environment, options = github(stage)
    inputs = {
        "INPUT_FILE": "deploy",
        "INPUT_SETTLE": "100ms",
        "INPUT_METRICS-TIMEOUT": "2m",
        "INPUT_NAME": "",
    }
    done = engine.run(options=options, environment={**environment, **inputs})
    assert done.returncode == 0, done.stdout + done.stderr
    commands = stage.folder / "github" / "file_commands"
    assert told(commands / "output")["result"] == "promoted"
    assert "promoted" in (commands / "summary").read_text()

    state = {f"STATE_{name}": value for name, value in told(commands / "state").items()}
    post = ("--entrypoint", "/progressive-ci-post", *options)
    done = engine.run(options=post, environment={**environment, **state})
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["result"] == "nothing-to-do"


def test_a_guard_starts_as_its_job_starts_it_and_says_what_it_lacks_without_a_cluster(engine: Engine) -> None:
    account = ("--user", f"{USER}:{USER}", "--read-only", "--read-only-tmpfs=false", "--cap-drop", "all")
    options = ("--entrypoint", "progressive-ci", *account)
    done = engine.run("guard", "web", "--namespace", "shop", "--rollback-budget", "600s", options=options)
    assert done.returncode == 3, done.stdout + done.stderr
    last = json.loads(done.stdout.splitlines()[-1])
    assert (last["result"], last["reason"]) == ("refused", NO_CLUSTER)


def test_gitlab_gets_a_shell_with_the_command_on_its_path(engine: Engine) -> None:
    done = engine.run("sh", "-c", "progressive-ci version", options=("--entrypoint", ""))
    assert (done.returncode, done.stdout) == (0, f"{__version__}\n"), done.stderr


def test_jenkins_can_start_cat_and_work_inside(engine: Engine) -> None:
    started = engine.podman("run", "--detach", "--tty", *engine.options(ANYBODY), IMAGE, "cat")
    assert started.returncode == 0, started.stderr
    container = started.stdout.strip()
    try:
        done = engine.podman("exec", container, "sh", "-c", "exec progressive-ci version")
    finally:
        engine.podman("rm", "--force", "--time", "0", container)
    assert (done.returncode, done.stdout) == (0, f"{__version__}\n"), done.stderr


def mounted(stage: Stage) -> tuple[str, ...]:
    """The test's folder at its own place, readable to anybody, and the kubeconfig in it."""
    stage.folder.chmod(0o755)
    (stage.folder / "kubeconfig").chmod(0o644)
    place = f"{stage.folder}:{stage.folder}:ro"
    return ("--volume", place, f"--env=KUBECONFIG={stage.folder / 'kubeconfig'}")


def github(stage: Stage) -> tuple[dict[str, str], tuple[str, ...]]:
    """Environment and mounts as GitHub's runner gives them to a container action."""
    root = stage.folder / "github"
    places: dict[str, Path] = {"workspace": stage.folder}
    for name in ("home", "workflow", "file_commands", "runner_temp"):
        (root / name).mkdir(parents=True)
        places[name] = root / name
    (root / "runner_temp" / "kubeconfig").write_text((stage.folder / "kubeconfig").read_text())
    for name in ("output", "state", "summary"):
        (root / "file_commands" / name).touch()
    volumes = [part for name, path in places.items() for part in ("--volume", f"{path}:/github/{name}")]
    environment = {
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_WORKSPACE": "/github/workspace",
        "GITHUB_OUTPUT": "/github/file_commands/output",
        "GITHUB_STATE": "/github/file_commands/state",
        "GITHUB_STEP_SUMMARY": "/github/file_commands/summary",
        "HOME": "/github/home",
        "KUBECONFIG": "/github/runner_temp/kubeconfig",
        "RUNNER_TEMP": "/github/runner_temp",
    }
    return environment, (*volumes, "--workdir", "/github/workspace")
