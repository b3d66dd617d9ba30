"""`progressive-ci demo`: the real command against a simulated cluster, twice: a good version and a bad one."""

import os
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from progressive_ci.cli.settings import Settings
from progressive_ci.model.outcome import Result
from progressive_ci.sandbox import meter, stage
from progressive_ci.sandbox.stage import Stage

_GLANCE = 0.2
"""Seconds between two looks at the traffic."""


@dataclass(frozen=True, slots=True)
class Act:
    """One of the two releases."""

    title: str
    image: str
    wanted: Result


ACTS = (
    Act("A good version", stage.GOOD, Result.PROMOTED),
    Act("A version that answers 8 % of its requests with an error", stage.BAD, Result.UNHEALTHY),
)


def main(_settings: Settings) -> int:
    """Play both releases; 0 when they ended as they should."""
    folder = Path(tempfile.mkdtemp(prefix="progressive-ci-demo-"))
    stage.write_documents(folder)
    with stage.opened() as opened:
        opened.kubeconfig(folder / "kubeconfig")
        click.echo(f"A simulated cluster serves at {opened.url}, with its own Prometheus and Gateway.")
        click.echo(f"Deployment {stage.NAMESPACE}/{stage.NAME} runs {stage.OLD} under 200 requests a second.")
        summaries = [_play(act, opened, folder) for act in ACTS]
    click.echo("\n== what happened\n")
    for text, _ in summaries:
        click.echo(text)
    click.echo(_FAREWELL.format(folder=folder))
    return 0 if all(good for _, good in summaries) else 1


def _play(act: Act, opened: Stage, folder: Path) -> tuple[str, bool]:
    """Run the command; what came of it in one line, and whether that was right."""
    click.echo(f"\n== {act.title}\n\n$ progressive-ci run -f {folder} --image {act.image}\n")
    before, began = opened.tally(), time.monotonic()
    code = _run(act.image, opened, folder)
    seen, seconds = opened.tally().since(before), time.monotonic() - began
    good = code == act.wanted.code
    verdict = act.wanted.word if good else f"unexpected, {act.wanted.code} was due"
    share = seen.errors / seen.requests if seen.requests else 0.0
    return (
        f"{act.title}: exit {code} ({verdict}) after {seconds:.0f} s; of {seen.requests:,.0f} requests"
        f" {seen.failures:,.0f} were lost and {seen.errors:,.0f} ({share:.2%}) saw an error of the new version."
    ), good


def _run(image: str, opened: Stage, folder: Path) -> int:
    arguments = ["run", "--image", image, "--kubeconfig", str(folder / "kubeconfig"), "--settle", "500ms"]
    for name in stage.DOCUMENTS:
        arguments += ["-f", str(folder / name)]
    process = subprocess.Popen(  # noqa: S603 - this very program
        [sys.executable, "-m", "progressive_ci", *arguments, "--reporter", "plain"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=_environment(),
    )
    with process:
        shown = None
        for text in _lines(process):
            now = opened.split()
            if text is not None:
                click.echo(f"  {text}".rstrip())
            if now.differs(shown):
                click.echo(click.style(f"            {meter.line(now)}", fg="cyan"))
                shown = now
    return process.returncode


def _environment() -> dict[str, str]:
    """Ours without what would choose options or a CI for the command."""
    foreign = ("PROGRESSIVE_CI_", "GITHUB_", "INPUT_", "CI_")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(foreign)}
    return {**kept, "PYTHONUNBUFFERED": "1"}


def _lines(process: subprocess.Popen[bytes]) -> Iterator[str | None]:
    """Each line as it comes; None whenever none has come for a glance."""
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            if not selector.select(_GLANCE):
                yield None
                continue
            chunk = os.read(process.stdout.fileno(), 65536)
            if not chunk:
                break
            *lines, rest = (rest + chunk).split(b"\n")
            yield from (line.decode(errors="replace") for line in lines)


_FAREWELL = """
The documents are in {folder}.
On a real cluster the same command is all there is to do, and no controller is needed:

  progressive-ci lint -f rollout.yaml -f analysis.yaml        # no cluster needed
  progressive-ci rbac -f rollout.yaml -f analysis.yaml        # the Role that the pipeline needs
  progressive-ci plan -f rollout.yaml -f analysis.yaml --context my-cluster
  progressive-ci run  -f rollout.yaml -f analysis.yaml --context my-cluster --image registry/web:2.0.0"""
