"""Planted secrets are searched for in everything that a run leaves, in every spelling, and at everybody it talks to."""

import base64
import json
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
from tests.ci.stage import NAMESPACE, Stage, analysis, rollout
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


def released(
    stage: Stage, server: Server, *, image: str, login: str = "basic", **environment: str
) -> tuple[str, dict[str, str]]:
    """A run in GitHub's environment; its streams, and everything that it has left."""
    values = {"user": USER, "password": PASSWORD, "key": KEY, "oauth": OAUTH}
    data = {name: base64.b64encode(value.encode()).decode() for name, value in values.items()}
    metadata = {"name": "metrics", "namespace": NAMESPACE}
    with stage.server.clock.changed:
        stage.server.world.api.tokens.known[TOKEN] = ("sandbox-admin", None)
        stage.server.world.api.tokens.known[TOKEN] = stage.server.world.api.tokens.known["sandbox-admin"]
        stage.server.world.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data})
    stage.server.write_kubeconfig(stage.folder / "kubeconfig", TOKEN)
    folder = stage.spec(image=image)
    # A bad version is rolled back within its pause, however slow the machine is.
    pause = "5m" if "err" in image else "4s"
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
    address = f"http://prometheus.monitoring:9090={server.url}"
    done = stage.run(
        *("progressive-ci", "run", "-f", str(folder), "--settle", "100ms", "--address", address),
        *("--metrics-timeout", "20s", "--report", str(files["report.json"])),
        environment=chosen,
    )
    lines = [line for line in done.stdout.splitlines() if not line.startswith("::add-mask::")]
    left = {"stdout": "\n".join(lines), "stderr": done.stderr}
    left |= {name: path.read_text() for name, path in files.items() if path.exists()}
    left |= {str(path): path.read_text() for path in (stage.folder / "tmp").rglob("*") if path.is_file()}
    left["cluster"] = in_cluster(stage)
    return f"{done.returncode}\n{done.stdout}\n{done.stderr}", left


def in_cluster(stage: Stage) -> str:
    with stage.server.clock.changed:
        every = [item for row in TABLE for item in stage.server.world.store.all(row.kind)]
    return json.dumps([item for item in every if item.get("kind") != kinds.SECRET.name])


def nowhere(left: dict[str, str]) -> None:
    """No planted secret stands in anything that was left."""
    for secret in (*OF_METRICS, TOKEN, *ENVIRONMENT.values()):
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
