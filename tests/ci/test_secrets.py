"""Planted secrets are searched for in everything that a run leaves, in every spelling, and at everybody it talks to."""

import base64
import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.reports.mask import spellings_of
from progressive_ci.sandbox.resources import TABLE
from tests.ci.stage import NAME, NAMESPACE, Stage, analysis, rollout
from tests.unit.socket_server import Exchange, Server, serve

USER, PASSWORD, KEY = "canary-user-7Q", 'canary"pass\\w%rd/9Z', "canary-key-5K+x"
OAUTH, ISSUED = "canary-oauth-3V", "canary-issued-8T"
LOGIN = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
OF_METRICS = (PASSWORD, KEY, OAUTH, ISSUED, LOGIN)
ENVIRONMENT = {
    "AWS_SECRET_ACCESS_KEY": "canary-aws-1A",
    "AWS_SESSION_TOKEN": "canary-aws-2B",
    "GITHUB_TOKEN": "canary-github-4C",
    "CI_JOB_TOKEN": "canary-gitlab-6D",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "canary-oidc-8E",
}
TOKEN = "canary-cluster-token-2M"  # noqa: S105 - opens nothing but a simulation
ABORTER = "canary-aborter-token-6W"


@dataclass
class Met:
    """What a metrics server was told, and how it answers."""

    stage: Stage
    answer: str = "fine"
    seen: list[Exchange] = field(default_factory=list)
    elsewhere: str = ""

    def __call__(self, exchange: Exchange) -> None:
        self.seen.append(exchange)
        if exchange.path == "/token":
            exchange.answer(200, {"access_token": ISSUED, "expires_in": 3600})
            return
        match self.answer:
            case "echo":
                told = (
                    f"no such user: {exchange.headers.get('authorization')} {exchange.headers.get('x-key')}"
                )
                exchange.answer(401, {"status": "error", "errorType": "auth", "error": told})
            case "html":
                told = f"<html><title>{exchange.headers.get('authorization')} {KEY}</title></html>"
                exchange.answer(200, told.encode())
            case "moved":
                if exchange.method == "POST":
                    exchange.answer(405)
                else:
                    exchange.answer(302, b"", {"Location": f"{self.elsewhere}/?told={KEY}"})
            case _:
                server = self.stage.server
                with server.clock.changed:
                    found = server.world.prometheus.answer("POST", exchange.path, {}, exchange.body)
                exchange.answer(found.status, found.body)


@contextmanager
def metrics(stage: Stage) -> Iterator[tuple[Server, Met]]:
    met = Met(stage)
    with serve(met) as server:
        yield server, met


def templates(server: Server, login: str) -> list[JsonObject]:
    """The usual analysis, with secrets wherever one can stand."""
    template = analysis()
    [metric] = template["spec"]["metrics"]
    prometheus = metric["provider"]["prometheus"]
    prometheus["headers"] = [{"key": "X-Key", "value": "{{args.key}}"}]
    if login == "basic":
        prometheus["authentication"] = {
            "basicAuth": {"username": "{{args.user}}", "password": "{{args.password}}"}
        }
    elif login == "oauth":
        prometheus["authentication"] = {
            "oauth2": {"tokenUrl": f"{server.url}/token", "clientId": "me", "clientSecret": "{{args.oauth}}"}
        }
    names = ["key", *{"basic": ["user", "password"], "oauth": ["oauth"]}.get(login, [])]
    template["spec"]["args"] = [
        {"name": name, "valueFrom": {"secretKeyRef": {"name": "metrics", "key": name}}} for name in names
    ]
    return [template]


@dataclass(frozen=True, slots=True)
class Planted:
    """A cluster, documents and an environment in which secrets lie wherever one can.

    Attributes:
        stage: where.
        environment: GitHub's, with its files.
        options: of every command that reads the documents.
        files: what the CI system takes from a job.
    """

    stage: Stage
    environment: dict[str, str]
    options: tuple[str, ...]
    files: dict[str, Path]

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """One command to its end."""
        command = ("progressive-ci", *words)
        return self.stage.run(*command, environment={**self.environment, **environment})

    def dead_run(self) -> subprocess.CompletedProcess[str]:
        """A release whose runner dies in its first pause, and whose lease has ended."""
        run = self.stage.start(
            "progressive-ci", "run", *self.options, environment={**self.environment, "GITHUB_RUN_ID": "1"}
        )
        self.stage.reach(50, run)
        run.kill()
        told = run.communicate()[0]
        self.stage.shorten_lease()
        return subprocess.CompletedProcess((), run.returncode, told, "")

    def left(self, *done: subprocess.CompletedProcess[str]) -> dict[str, str]:
        """What commands said, and everything that they left."""
        said = "\n".join(each.stdout for each in done).splitlines()
        lines = [line for line in said if not line.startswith("::add-mask::")]
        left = {"stdout": "\n".join(lines), "stderr": "\n".join(each.stderr for each in done)}
        left |= {name: path.read_text() for name, path in self.files.items() if path.exists()}
        held = (self.stage.folder / "tmp").rglob("*")
        left |= {str(path): path.read_text() for path in held if path.is_file()}
        left["cluster"] = in_cluster(self.stage)
        return left


def planted(
    stage: Stage, server: Server, *, image: str, login: str = "basic", pause: str = "4s", **environment: str
) -> Planted:
    """Everything that a command needs, in GitHub's environment."""
    values = {"user": USER, "password": PASSWORD, "key": KEY, "oauth": OAUTH}
    data = {name: base64.b64encode(value.encode()).decode() for name, value in values.items()}
    metadata = {"name": "metrics", "namespace": NAMESPACE}
    with stage.server.clock.changed:
        known = stage.server.world.api.tokens.known
        known[TOKEN] = known[ABORTER] = known["sandbox-admin"]
        stage.server.world.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data})
    stage.server.write_kubeconfig(stage.folder / "kubeconfig", TOKEN)
    folder = stage.spec(image=image)
    documents = [rollout(image, pause, checked=True), *templates(server, login)]
    (folder / "rollout.yaml").write_text(yaml.safe_dump_all(documents))
    files = {name: stage.folder / name for name in ("summary", "outputs", "state", "report.json")}
    chosen = stage.environment(
        GITHUB_ACTIONS="true",
        GITHUB_STEP_SUMMARY=str(files["summary"]),
        GITHUB_OUTPUT=str(files["outputs"]),
        GITHUB_STATE=str(files["state"]),
        GITHUB_WORKSPACE=str(stage.folder),
        TMPDIR=str(stage.folder / "tmp"),
        **ENVIRONMENT,
        **environment,
    )
    (stage.folder / "tmp").mkdir()
    options = (
        *("-f", str(folder), "--settle", "100ms", "--metrics-timeout", "20s"),
        *("--address", f"http://prometheus.monitoring:9090={server.url}"),
    )
    return Planted(stage, chosen, options, files)


def released(
    stage: Stage, server: Server, *, image: str, login: str = "basic", **environment: str
) -> tuple[str, dict[str, str]]:
    """A run in GitHub's environment; its streams, and everything that it has left."""
    # A bad version is rolled back within its pause, however slow the machine is.
    pause = "5m" if "err" in image else "4s"
    plot = planted(stage, server, image=image, login=login, pause=pause, **environment)
    done = plot.run("run", *plot.options, "--report", str(plot.files["report.json"]))
    return f"{done.returncode}\n{done.stdout}\n{done.stderr}", plot.left(done)


def in_cluster(stage: Stage) -> str:
    with stage.server.clock.changed:
        every = [item for row in TABLE for item in stage.server.world.store.all(row.kind)]
    return json.dumps([item for item in every if item.get("kind") != kinds.SECRET.name])


def nowhere(left: dict[str, str]) -> None:
    """No planted secret stands in anything that was left."""
    for secret in (*OF_METRICS, TOKEN, ABORTER, *ENVIRONMENT.values()):
        for spelling in spellings_of(secret):
            found = [place for place, text in left.items() if spelling in text]
            assert not found, f"{spelling} stands in {found}: {left[found[0]][-3000:]}"


def only_own_credentials(met: Met) -> None:
    """A metrics server hears of its own login and of nothing else."""
    assert met.seen
    for exchange in met.seen:
        told = f"{exchange.path} {dict(exchange.headers)} {exchange.body!r}"
        for secret in (TOKEN, *ENVIRONMENT.values()):
            assert not [spelling for spelling in spellings_of(secret) if spelling in told], told


@pytest.mark.parametrize(
    ("image", "login", "answer", "code"),
    [
        ("example/web:2", "basic", "fine", "0"),
        ("example/web:2", "oauth", "fine", "0"),
        ("example/web:2-err30", "basic", "fine", "10"),
        ("example/web:2", "basic", "echo", "3"),
        ("example/web:2", "oauth", "echo", "3"),
        ("example/web:2", "basic", "html", "3"),
    ],
)
def test_no_secret_is_left_behind_or_told_to_others(
    stage: Stage, image: str, login: str, answer: str, code: str
) -> None:
    with metrics(stage) as (server, met):
        met.answer = answer
        told, left = released(stage, server, image=image, login=login)
    assert told.startswith(f"{code}\n"), told
    nowhere(left)
    only_own_credentials(met)


@pytest.mark.parametrize(
    ("answer", "code", "output"),
    [("fine", 0, "json"), ("echo", 3, "text")],
)
def test_a_plan_shows_no_secret(stage: Stage, answer: str, code: int, output: str) -> None:
    with metrics(stage) as (server, met):
        met.answer = answer
        plot = planted(stage, server, image="example/web:2")
        done = plot.run("plan", *plot.options, "--output", output)
    assert done.returncode == code, done.stdout + done.stderr
    assert "success-rate" in done.stdout
    nowhere(plot.left(done))
    only_own_credentials(met)


WHY = f"somebody has written {ABORTER} on a wall"
"""Who aborts may say more than he should: the login of his own command, which the run can't know."""


def test_an_abort_tells_no_secret_and_leaves_none(stage: Stage) -> None:
    with metrics(stage) as (server, met):
        plot = planted(stage, server, image="example/web:2", pause="5m")
        run = stage.start("progressive-ci", "run", *plot.options, environment=plot.environment)
        stage.reach(50, run)
        before = plot.run("status", NAME, "-n", NAMESPACE)
        stage.server.write_kubeconfig(stage.folder / "theirs", ABORTER)
        words = ("abort", NAME, "-n", NAMESPACE, "--by", "ann", "--reason", WHY)
        abort = plot.run(*words, KUBECONFIG=str(stage.folder / "theirs"))
        ended = subprocess.CompletedProcess((), run.wait(), run.communicate()[0], "")
        after = plot.run("status", NAME, "-n", NAMESPACE)
    assert (before.returncode, abort.returncode, ended.returncode) == (0, 0, 13), abort.stdout + ended.stdout
    assert "on a wall" in after.stdout, after.stdout
    nowhere(plot.left(before, abort, ended, after))
    only_own_credentials(met)


@pytest.mark.parametrize("command", ["recover", "post"])
def test_what_finishes_a_dead_release_tells_no_secret(stage: Stage, command: str) -> None:
    with metrics(stage) as (server, met):
        plot = planted(stage, server, image="example/web:2", pause="5m")
        died = plot.dead_run()
        status = plot.run("status", NAME, "-n", NAMESPACE)
        if command == "post":
            state = dict(re.findall(r"^(\w+)<<.*\n(.*)$", plot.files["state"].read_text(), re.MULTILINE))
            done = plot.run("post", STATE_release=state["release"], STATE_workload=state["workload"])
        else:
            done = plot.run(command, NAME, "-n", NAMESPACE)
    assert (status.returncode, done.returncode) == (0, 0), done.stdout + done.stderr
    assert '"result": "recovered"' in done.stdout.splitlines()[-1]
    nowhere(plot.left(died, status, done))
    only_own_credentials(met)


def test_a_redirect_takes_no_credential_elsewhere(stage: Stage) -> None:
    other = Met(stage, "html")
    with serve(other) as elsewhere, metrics(stage) as (server, met):
        met.answer, met.elsewhere = "moved", elsewhere.url
        told, left = released(stage, server, image="example/web:2")
    assert told.startswith("3\n"), told
    nowhere(left)
    assert other.seen
    for exchange in other.seen:
        assert not {"authorization", "x-key"} & set(exchange.headers)


CRASH = """
import sys
from progressive_ci.{module} import {name}

def broken(*_, **__):
    password = {secret!r}
    raise KeyError("a bug with " + password + " in its words")

{owner}.{attribute} = broken
"""


@pytest.mark.parametrize(
    ("place", "code"),
    [
        (("release", "preflight", "preflight", "examine"), "1"),
        (("release", "steps", "steps", "take"), "15"),
    ],
    ids=["before the first write", "after it"],
)
def test_a_crash_shows_no_secret_that_is_known(
    stage: Stage, tmp_path: Path, place: tuple[str, str, str, str], code: str
) -> None:
    module, name, owner, attribute = place
    script = CRASH.format(module=module, name=name, owner=owner, attribute=attribute, secret=TOKEN)
    (tmp_path / "sitecustomize.py").write_text(script)
    path = f"{tmp_path}:{stage.environment()['PYTHONPATH']}"
    with metrics(stage) as (server, _):
        told, left = released(stage, server, image="example/web:2", PYTHONPATH=path)
    assert told.startswith(f"{code}\n"), told
    assert "a bug with" in told
    nowhere(left)
