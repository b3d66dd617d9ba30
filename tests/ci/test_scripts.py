"""The GitLab include and the Jenkins step, run as the scripts that they are."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.ci.stage import ROOT, Stage

GITLAB = ROOT / "ci" / "gitlab" / "progressive-ci.yml"
JENKINS = ROOT / "ci" / "jenkins" / "Jenkinsfile"


def gitlab(inputs: dict[str, str]) -> tuple[dict[str, str], str, str]:
    """Variables, script and after_script of the include, with its inputs filled in as GitLab does."""
    header, body = GITLAB.read_text().split("\n---\n")
    declared = yaml.safe_load(header)["spec"]["inputs"]
    values = {name: gitlab_text(row.get("default", "")) for name, row in declared.items()} | inputs
    filled = re.sub(r"\$\[\[ inputs\.([a-z-]+) \]\]", lambda match: values[match[1]], body)
    job: dict[str, Any] = yaml.safe_load(filled)[values["job"]]
    script, after = ("\n".join(job[part]) for part in ("script", "after_script"))
    return dict(job["variables"]), script, after


def gitlab_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def jenkins() -> tuple[str, str]:
    """The shell step of the stage, and the one after a stage that did not succeed."""
    step, after = re.findall(r"sh '''(.*?)'''", JENKINS.read_text(), re.DOTALL)
    return step, after


def test_the_gitlab_job_releases_and_its_after_script_finds_nothing_to_do(stage: Stage) -> None:
    folder = stage.spec(image="example/web:2")
    state = str(stage.folder / "state")
    variables, script, after = gitlab({"file": str(folder), "settle": "100ms"})
    environment = stage.environment(**{**variables, "PROGRESSIVE_CI_STATE": state}, GITLAB_CI="true")
    done = stage.run("sh", "-ec", script, environment=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((stage.folder / "progressive-ci.json").read_text())["outcome"]["result"] == "promoted"
    done = stage.run("sh", "-ec", after, environment=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["result"] == "nothing-to-do"
    assert json.loads((stage.folder / "progressive-ci.json").read_text())["outcome"]["result"] == "promoted"


def test_the_after_script_of_a_killed_gitlab_job_rolls_its_release_back(stage: Stage) -> None:
    folder = stage.spec(image="example/web:2", pause="5m")
    variables, script, after = gitlab({"file": str(folder), "settle": "100ms"})
    state = stage.folder / "state"
    environment = stage.environment(**{**variables, "PROGRESSIVE_CI_STATE": str(state)}, GITLAB_CI="true")
    job = stage.start("sh", "-ec", script, environment=environment)
    stage.reach(50, job)
    job.kill()
    job.communicate()
    release = json.loads(state.read_text())["release"]
    for file in folder.iterdir():
        file.unlink()
    stage.shorten_lease()
    done = stage.run("sh", "-ec", after, environment=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told["result"], told["release"]) == ("recovered", release)
    assert stage.weight() == 0
    assert stage.deployment()["spec"]["template"]["spec"]["containers"][0]["image"] == "example/web:1"


def test_the_step_after_a_killed_jenkins_step_rolls_its_release_back(stage: Stage) -> None:
    stage.spec(image="example/web:2", pause="5m")
    step, after = jenkins()
    environment = stage.environment(
        JENKINS_URL="http://jenkins", WORKSPACE_TMP=str(stage.folder), PROGRESSIVE_CI_SETTLE="100ms"
    )
    run = stage.start("sh", "-ec", step, environment=environment)
    stage.reach(50, run)
    run.kill()
    run.communicate()
    stage.shorten_lease()
    done = stage.run("sh", "-ec", after, environment=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["result"] == "recovered"
    assert stage.weight() == 0


@pytest.mark.parametrize("part", [0, 1], ids=["inputs", "job"])
def test_gitlab_understands_the_include(part: int, tmp_path: Path) -> None:
    file = tmp_path / "part.yml"
    file.write_text(GITLAB.read_text().split("\n---\n")[part])
    command = (
        str(Path(sys.executable).with_name("check-jsonschema")),
        "--builtin-schema",
        "vendor.gitlab-ci",
    )
    done = subprocess.run((*command, str(file)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
